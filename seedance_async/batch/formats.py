"""The three formats of a batch file: text in, rows out.

Whatever concerns one row is collected as a problem and reading goes on; only a file without a usable header, or one
whose quotes do not close, ends it.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Final, Never

from seedance_async.core.inputs import INPUT_FIELDS
from seedance_async.core.names import shown
from seedance_async.core.rows import (
    RESERVED,
    Row,
    RowSource,
    known_column,
    make_row,
    unknown_column,
    where,
)
from seedance_async.core.text import coerce_text
from seedance_async.errors import InputError, Problem

#: What separates the cells of a CSV, the preferred one first.
DELIMITERS: Final = (",", ";", "\t")
#: What makes a line of plain text a comment.
COMMENT: Final = "#"


def read_text(name: str, text: str, *, bom: bool) -> RowSource:
    """Read plain text: one prompt a line.

    Blank lines are skipped. So are lines that start with `#`, as comments; the plan says how many. A prompt
    that has to start with `#` goes into JSONL or CSV.
    """
    rows: list[Row] = []
    comments = 0
    # Not splitlines(): editors and other tools do not count U+2028, form feeds and their like as ends of lines.
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        prompt = line.strip()
        if prompt.startswith(COMMENT):
            comments += 1
        elif prompt:
            row, _ = make_row(name, number, {"prompt": prompt}, INPUT_FIELDS)
            rows.append(row)
    return RowSource(name, "text", tuple(rows), (), ("prompt",), bom=bom, comments=comments)


def read_jsonl(name: str, text: str, *, bom: bool) -> RowSource:
    """Read JSON Lines: one object a line. Blank lines are skipped, null is "not given"."""
    rows: list[Row] = []
    problems: list[Problem] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if not line.strip():
            continue
        try:
            value: object = json.loads(line.rstrip("\n"), object_pairs_hook=_object, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            # Some of json's messages end in "at", because a place follows them.
            reason = f"{error.msg[:-2]}here" if error.msg.endswith(" at") else error.msg
            problems.append(Problem(where(name, number), f"is broken JSON at column {error.colno}: {reason}"))
            continue
        except (ValueError, RecursionError) as error:
            problems.append(Problem(where(name, number), str(error)))
            continue
        if not isinstance(value, _Object):
            problems.append(Problem(where(name, number), "must be a JSON object", given=shown(line.strip())))
            continue
        columns.update(dict.fromkeys(value))
        row, wrong = make_row(name, number, value, INPUT_FIELDS)
        problems += wrong
        rows.append(row)
    return RowSource(name, "jsonl", tuple(rows), tuple(problems), tuple(columns), bom=bom)


def read_csv(name: str, text: str, *, bom: bool) -> RowSource:
    """Read CSV with a header line; the delimiter is the one that finds most known columns in it.

    Raises:
        InputError: There is no header, or it names a column twice or one that means nothing.
    """
    delimiter = max(DELIMITERS, key=lambda candidate: _known(_header(text, candidate)))
    records = _records(name, text, delimiter)
    header_line, header = next(records)
    columns = [cell.strip() for cell in header]
    _check_header(name, header_line, columns)
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        for number, cells in records:
            if not any(cell.strip() for cell in cells):
                continue
            problem = _surplus(name, number, columns, cells)
            if problem is not None:
                problems.append(problem)
                continue
            raw = {column: cell for column, cell in zip(columns, cells, strict=False) if column}
            row, wrong = make_row(name, number, raw, INPUT_FIELDS, coerce_text)
            problems += wrong
            rows.append(row)
    except InputError as error:
        problems += error.problems
    named = tuple(column for column in columns if column)
    return RowSource(name, "csv", tuple(rows), tuple(problems), named, delimiter=delimiter, bom=bom)


class _Object(dict[str, object]):
    """A JSON object of which no key came twice."""


def _object(pairs: list[tuple[str, object]]) -> _Object:
    double = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if double:
        raise ValueError(f"names {double[0]!r} twice")
    return _Object(pairs)


def _no_constant(text: str) -> Never:
    raise ValueError(f"holds {text}, which is no JSON value")


def _records(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line on which it starts."""
    # Strict: a quote that never closes would otherwise swallow the rest of the file into one prompt.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = f"the quotes of this row do not match, so nothing after it was read ({error})"
            raise InputError([Problem(where(name, start), message)]) from None
        if record:
            yield start, record


def _header(text: str, delimiter: str) -> list[str]:
    try:
        return next(record for _, record in _records("", text, delimiter))
    except InputError:
        return []


def _known(header: list[str]) -> int:
    return sum(known_column(cell.strip().casefold(), INPUT_FIELDS) for cell in header)


def _check_header(name: str, line: int, columns: list[str]) -> None:
    # In capitals they are unknown and get a suggestion below.
    if not any(column.casefold() in INPUT_FIELDS or column.casefold() in RESERVED for column in columns):
        raise InputError(
            [
                Problem(
                    where(name, line),
                    "has no known column name; a CSV starts with a header line such as prompt,duration,aspect_ratio",
                    given=shown(", ".join(columns)),
                )
            ]
        )
    problems = [
        Problem(where(name, line), "names a column twice", given=shown(column))
        for column, count in Counter(columns).items()
        if column and count > 1
    ]
    problems += [
        unknown_column(name, line, column, INPUT_FIELDS)
        for column in columns
        if column and not known_column(column, INPUT_FIELDS)
    ]
    if problems:
        raise InputError(problems)


def _surplus(name: str, line: int, columns: list[str], cells: list[str]) -> Problem | None:
    """Find a cell that stands under no column name, such as the second half of an unquoted prompt."""
    for position, cell in enumerate(cells):
        if cell.strip() and (position >= len(columns) or not columns[position]):
            return Problem(
                where(name, line),
                f"has a cell in column {position + 1}, which has no name; a text with the delimiter in it needs quotes",
                given=shown(cell),
            )
    return None
