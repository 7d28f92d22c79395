"""A row of a batch file, before it is known what it asks for: which column means what.

1. `id` names the row: it becomes its key and, unless told otherwise, its file's name.
2. `output` is its file, relative to the output folder.
3. `count` says how many videos are made of it.
4. A column that starts with `#` is the user's own and is carried into the reports untouched; only `#error`, which an
   earlier batch wrote, is dropped.
5. Every other column is a field of the inputs. A name that no inputs have is a problem: the service would ignore
   it silently and bill.
6. Among the media of a row, text without a scheme is the path of a file, relative to the batch file (`with_files`).
7. An empty cell, or null in JSON, is a field that was not given.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, Literal

from attrs import evolve, field, frozen

from seedance_async.core.frozen import is_list
from seedance_async.core.names import shorten, shown, suggest_field
from seedance_async.errors import InputError, Problem

RowFormat = Literal["jsonl", "csv", "text"]

#: Columns with a meaning of their own, beside the fields of the inputs.
RESERVED: Final = frozenset({"id", "output", "count"})
#: Most videos of one row: more is a slip of the hand.
MOST_VARIANTS: Final = 100
#: What a column starts with that only its author needs.
CARRIED: Final = "#"
#: Where the rows of `failed.csv` say why they failed. Passed in again, a row starts without it.
ERROR_COLUMN: Final = "#error"

#: The fields of inputs that hold media.
MEDIA_FIELDS: Final = frozenset({"first_frame", "last_frame", "images", "videos", "audios"})
#: How a URL begins. A drive's letter is no scheme.
_SCHEME: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*://|data:)", re.IGNORECASE)

_NO_MAPPING: Final[Mapping[str, object]] = MappingProxyType({})


@frozen
class Row:
    """One video that a batch file asks for.

    Attributes:
        line: The line of the file on which it starts, from 1.
        id: Its `id`, or None.
        fields: Fields of the inputs that were given, each with its value.
        output: Its `output`, or None.
        carried: Columns that start with `#`.
        raw: The row as it was written, under the file's own column names, so that it can be written again.
        count: Its `count`, or None.
    """

    line: int
    id: str | None
    fields: Mapping[str, object] = field(repr=False)
    output: str | None = None
    carried: Mapping[str, object] = field(default=_NO_MAPPING, repr=False)
    raw: Mapping[str, object] = field(default=_NO_MAPPING, repr=False)
    count: int | None = None


@frozen
class RowSource:
    """A batch file that was read, with everything that is wrong with single rows of it.

    Attributes:
        name: How messages call it: its path as given, or `standard input`.
        format: What it was read as.
        rows: Its rows in order, with what could be read of those that have problems.
        problems: What is wrong with single rows; `make_plan` raises them together with its own.
        columns: The header of a CSV in order; for JSONL the keys in order of appearance; `prompt` for text.
        delimiter: Of a CSV.
        bom: Whether it began with a UTF-8 byte order mark.
        comments: Lines of plain text that were skipped because they start with `#`.
    """

    name: str
    format: RowFormat
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = ()
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    bom: bool = False
    comments: int = 0


def with_files(source: RowSource, folder: PurePath) -> RowSource:
    """Return rows whose media without a scheme are paths, relative to a folder (rule 6)."""
    rows = tuple(evolve(row, fields=local_media_of(row.fields, folder)) for row in source.rows)
    return evolve(source, rows=rows)


def local_media_of(fields: Mapping[str, object], folder: PurePath) -> Mapping[str, object]:
    """Return fields of inputs whose media without a scheme are paths, relative to a folder."""
    found = {name: _local(value, folder) for name, value in fields.items() if name in MEDIA_FIELDS}
    return {**fields, **found} if found else fields


def _local(value: object, folder: PurePath) -> object:
    if is_list(value):
        return tuple(_local(item, folder) for item in value)
    if not isinstance(value, str) or not value.strip() or _SCHEME.match(value):
        return value
    return folder / value.strip()


def where(name: str, line: int, path: str | None = None) -> str:
    """Say where in a batch file something is: `prompts.csv, line 7: duration`."""
    place = f"{name}, line {line}"
    return place if path is None else f"{place}: {path}"


_LINE: Final = re.compile(r", line (\d+)")


def line_of(problem: Problem) -> int:
    """Return the line of a problem whose path was made by `where`; 0 for one of the whole file."""
    found = _LINE.search(problem.path)
    return 0 if found is None else int(found[1])


def known_column(name: str, fields: Collection[str]) -> bool:
    """Whether a column means something, given the names of all input fields."""
    return name in fields or name in RESERVED or name.startswith(CARRIED)


def unknown_column(source: str, line: int, name: str, fields: Collection[str]) -> Problem:
    """Describe a column that means nothing, with the name that was probably meant."""
    return Problem(
        where(source, line, shorten(name)),
        "no input has such a field; a column of your own starts with '#'",
        suggestion=suggest_field(name, sorted({*fields, *RESERVED})),
    )


def make_row(
    source: str,
    line: int,
    raw: Mapping[str, object],
    fields: Collection[str],
    coerce: Callable[[str, str], object] | None = None,
) -> tuple[Row, Sequence[Problem]]:
    """Sort what a row says into its parts.

    Args:
        source: The file's name, for messages.
        line: The line on which the row starts.
        raw: Column name to value as written; None and blank text mean "not given".
        fields: The names of all input fields.
        coerce: Turns the text of a field into its value, where everything is written as text.

    Returns:
        The row, and what is wrong with it.
    """
    problems: list[Problem] = []
    given: dict[str, object] = {}
    carried: dict[str, object] = {}
    reserved: dict[str, str] = {}
    for name, value in raw.items():
        if name == ERROR_COLUMN:
            continue
        if name.startswith(CARRIED):
            carried[name] = value
        elif value is None or (isinstance(value, str) and not value.strip()):
            continue
        elif name in RESERVED:
            text = _reserved_text(value)
            trouble = _wrong_count(text or "") if name == "count" else "must be text" if text is None else None
            if trouble is not None:
                problems.append(Problem(where(source, line, name), trouble, given=shown(value)))
            elif text is not None:
                reserved[name] = text
        elif name in fields:
            try:
                given[name] = coerce(name, value) if coerce is not None and isinstance(value, str) else value
            except InputError as error:
                problems += [evolve(problem, path=where(source, line, problem.path)) for problem in error.problems]
                # Kept, so that the field is not missing as well, and no default takes its place.
                given[name] = value
        else:
            problems.append(unknown_column(source, line, name, fields))
    count = int(reserved["count"]) if "count" in reserved else None
    return Row(line, reserved.get("id"), given, reserved.get("output"), carried, raw, count), problems


def _reserved_text(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _wrong_count(text: str) -> str | None:
    whole = text.isascii() and text.isdigit() and len(text) <= len(str(MOST_VARIANTS))
    return None if whole and 1 <= int(text) <= MOST_VARIANTS else f"must be a whole number from 1 to {MOST_VARIANTS}"
