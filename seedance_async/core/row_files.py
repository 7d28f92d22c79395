"""Which file each row's video goes to, decided before anything is sent.

1. The row's `output`, as written.
2. Else, with a pattern (`--name`), what it makes of the row.
3. Else its `id`.
4. Else its number and the start of its prompt.

The second and later videos of one row are called like the first, with `-2`, `-3` and so on before the extension.

Text that comes from data (cases 2 to 4) is changed into a harmless name; an `output` that is none is a problem,
because its author would look for it in vain. No name leaves the folder, and no two rows share a file, also where the
file system does not tell capitals apart.
"""

import re
import string
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final

from attrs import frozen

from seedance_async.core.filenames import LONGEST_NAME, safe_name
from seedance_async.core.inputs import Inputs
from seedance_async.core.names import shorten
from seedance_async.core.rows import CARRIED, Row, RowSource, where
from seedance_async.errors import InputError, Problem

_PATTERN_FIELDS: Final = ("id", "index", "key", "prompt")
_CLIP_SUFFIXES: Final = frozenset({".mp4", ".mov"})
_SEPARATORS: Final = re.compile(r"[/\\]")
_SLUG_LENGTH: Final = 40
_LEAST_DIGITS: Final = 3


@frozen
class _Named:
    """What a name may be made of."""

    row: Row
    index: int
    key: str
    inputs: Inputs


@frozen
class NamePattern:
    """A pattern of file names such as `{id}.mp4` or `{#scene}/{index:04}-{prompt}`.

    Fields are `{id}`, `{index}` (from 1, with Python's number formats), `{key}`, `{prompt}` (its start, in letters,
    digits and hyphens) and columns that start with `#`, with or without it. `/` makes a sub-folder. The extension may
    be left out.

    Attributes:
        parts: Literal text, the field after it (None at the end) and the field's format.
    """

    parts: tuple[tuple[str, str | None, str], ...]

    @classmethod
    def parse(cls, text: str) -> "NamePattern":
        """Read a pattern.

        Raises:
            InputError: It is broken, leads out of the output folder, or uses a field that does not exist before the
                video is made.
        """
        try:
            raw = list(string.Formatter().parse(text))
        except ValueError as error:
            raise _wrong_pattern(text, f"is broken: {error}") from None
        for _, name, spec, conversion in raw:
            if name is not None:
                _check_field(text, name, spec or "", converted=bool(conversion))
        if not text.strip():
            raise _wrong_pattern(text, "is empty")
        # A field stands for one name or a part of one, so what is around the fields shows where the pattern leads.
        trouble = _way_out("".join(literal + ("" if name is None else "name") for literal, name, _, _ in raw))
        if trouble is not None:
            raise _wrong_pattern(text, trouble)
        return cls(tuple((literal, name, spec or "") for literal, name, spec, _ in raw))

    def path(self, named: "_Named") -> str:
        """Fill in a row.

        Raises:
            LookupError: The row lacks a field, with a sentence about it.
        """
        text = ""
        for literal, name, spec in self.parts:
            text += literal
            if name == "index":
                text += format(named.index, spec)
            elif name is not None:
                # A value is part of one name: its separators make no folders.
                text += _SEPARATORS.sub("_", _value(named, name))
        return text


def plan_files(
    source: RowSource,
    keys: Mapping[int, str],
    inputs: Mapping[int, Inputs],
    pattern: NamePattern | None,
) -> tuple[dict[int, PurePosixPath], list[Problem]]:
    """Decide the file of every row.

    Args:
        source: The rows.
        keys: Their keys, by position.
        inputs: Their inputs, by position; rows without are left out.
        pattern: How to name rows without an `output`, or None.

    Returns:
        Paths relative to the output folder, by position, and what is wrong with them but for clashes.
    """
    missing = None if pattern is None else _in_no_row(pattern, source)
    if missing is not None:
        return {}, [Problem("name", missing)]
    digits = max(_LEAST_DIGITS, len(str(len(source.rows))))
    files: dict[int, PurePosixPath] = {}
    problems: list[Problem] = []
    for position, wanted in inputs.items():
        row = source.rows[position]
        named = _Named(row, position + 1, keys[position], wanted)
        try:
            files[position] = _file(named, pattern, digits)
        except LookupError as error:
            problems.append(Problem(where(source.name, row.line, "output"), str(error.args[0])))
    return files, problems


def numbered(file: PurePosixPath, mark: int | str) -> PurePosixPath:
    """Return the same name with a mark before its extension: `lake.mp4` and 2 become `lake-2.mp4`."""
    end = f"-{mark}{file.suffix}"
    stem = file.stem.encode()[: LONGEST_NAME - len(end.encode())].decode(errors="ignore").rstrip(". ")
    return file.with_name(f"{stem}{end}")


def _file(named: _Named, pattern: NamePattern | None, digits: int) -> PurePosixPath:
    row = named.row
    if row.output is not None:
        names = _own_names(row.output)
    elif pattern is not None:
        *folders, last = _SEPARATORS.split(pattern.path(named))
        names = [safe_name(name) for name in (*(one for one in folders if one != "."), last) if name.strip()]
    elif row.id is not None:
        names = [safe_name(_SEPARATORS.sub("_", row.id))]
    else:
        names = [f"{named.index:0{digits}}-{slug(named.inputs.prompt)}"]
    if not names:
        raise LookupError("the pattern makes an empty name")
    whole = _with_suffix(names[-1], getattr(named.inputs, "output_format", None))
    names[-1] = safe_name(whole)  # once more, because the extension may have made it too long
    if row.output is not None and names[-1] != whole:
        raise LookupError(f"{shorten(whole)!r} is too long for a file name")
    return PurePosixPath(*names)


def _in_no_row(pattern: NamePattern, source: RowSource) -> str | None:
    """Name what the pattern uses and no row has: said once, and not once for every row."""
    rows = [row for row in source.rows if row.output is None]
    for _, name, _ in pattern.parts:
        if not rows or name is None or name in {"index", "key", "prompt"}:
            continue
        if name == "id":
            if all(row.id is None for row in rows):
                return "the pattern of file names uses {id}, and no row has an id"
        elif all(_column(name) not in row.carried for row in rows):
            return f"the pattern of file names uses the column {_column(name)}, and no row has it"
    return None


def _column(name: str) -> str:
    return f"{CARRIED}{name.removeprefix(CARRIED)}"


def slug(prompt: str) -> str:
    """Shorten a prompt to a piece of a file name: lower-case letters, digits and hyphens."""
    words = re.findall(r"\w+", unicodedata.normalize("NFC", prompt).lower().replace("_", " "))
    text = ""
    for word in words:
        longer = f"{text}-{word}" if text else word
        if len(longer) > _SLUG_LENGTH:
            break
        text = longer
    return text or (words[0][:_SLUG_LENGTH] if words else "video")


def is_harmless(path: str) -> bool:
    """Whether a path stays in its folder on every system."""
    return _way_out(path) is None


def _way_out(path: str) -> str | None:
    if path.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", path):
        return "is an absolute path; files go to places relative to the output folder"
    return "leaves the output folder" if ".." in _SEPARATORS.split(path) else None


def _own_names(output: str) -> list[str]:
    """Split an `output` into names, none of which needs to be changed."""
    trouble = _way_out(output)
    if trouble is not None:
        raise LookupError(f"{output!r} {trouble}")
    names = _SEPARATORS.split(output)
    names = [name for name in names[:-1] if name not in {"", "."}] + names[-1:]
    if not names[-1]:
        raise LookupError(f"{output!r} names a folder; it needs the name of a file")
    for name in names:
        safe = safe_name(name)
        if safe != unicodedata.normalize("NFC", name):
            raise LookupError(f"{shorten(name)!r} is no file name on every system; {shorten(safe, 80)!r} would be one")
    return [unicodedata.normalize("NFC", name) for name in names]


def _with_suffix(name: str, output_format: str | None) -> str:
    wanted = ".mov" if output_format == "mov" else ".mp4"
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == wanted:
        return name
    if suffix in _CLIP_SUFFIXES:
        raise LookupError(f"{name!r} ends in {suffix} and the video is {wanted[1:]}")
    return f"{name}{wanted}"


def _value(named: _Named, name: str) -> str:
    row = named.row
    if name == "id":
        if row.id is None:
            raise LookupError("the row has no id, and the pattern of file names uses {id}")
        return row.id
    if name == "key":
        return named.key
    if name == "prompt":
        return slug(named.inputs.prompt)
    column = _column(name)
    value = row.carried.get(column)
    if not isinstance(value, str | int | float) or not str(value).strip():
        raise LookupError(f"the row has nothing in the column {column}, and the pattern of file names uses it")
    return str(value).strip()


def clashes(name: str, files: Iterable[tuple[int, PurePosixPath]]) -> list[Problem]:
    """Find files that two rows would share, and files where another row needs a folder.

    Args:
        name: How messages call the batch file.
        files: The line and the file of every video.
    """
    taken: dict[str, int] = {}
    problems: list[Problem] = []
    pairs = list(files)
    seen: set[str] = set()
    for line, file in pairs:
        folded = str(file).casefold()
        if folded in seen:
            problems.append(Problem(where(name, line, "output"), f"{file} is the file of line {taken[folded]} as well"))
        seen.add(folded)
        taken.setdefault(folded, line)
    for line, file in pairs:
        for parent in list(file.parents)[:-1]:
            blocking = taken.get(str(parent).casefold())
            if blocking is not None:
                message = f"{file} needs a folder where the file of line {blocking} goes"
                problems.append(Problem(where(name, line, "output"), message))
    return problems


def _check_field(text: str, name: str, spec: str, *, converted: bool) -> None:
    if name == "task_id":
        raise _wrong_pattern(text, "cannot use {task_id}: it is not known before the video is paid for")
    if converted or not (name in _PATTERN_FIELDS or name.lstrip(CARRIED).strip()):
        raise _wrong_pattern(text, f"has a field that is none: {{{name}}}")
    if spec and name != "index":
        raise _wrong_pattern(text, f"gives {{{name}}} a format; only {{index}} has one, such as {{index:04}}")
    if name == "index":
        try:
            format(1, spec)
        except ValueError as error:
            raise _wrong_pattern(text, f"gives {{index}} no number format: {error}") from None


def _wrong_pattern(text: str, message: str) -> InputError:
    return InputError([Problem("name", message, given=shorten(text))])
