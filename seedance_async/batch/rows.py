"""Read a batch file or standard input: which format it is, and whether it is text at all."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from seedance_async.batch.formats import COMMENT, DELIMITERS, read_csv, read_jsonl, read_text
from seedance_async.core.inputs import INPUT_FIELDS
from seedance_async.core.rows import RESERVED, RowFormat, RowSource, with_files
from seedance_async.errors import InputError, Problem

STDIN: Final = "-"

_BY_SUFFIX: Final[dict[str, RowFormat]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "text",
}
_SPREADSHEETS: Final = frozenset({".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"})
# How a zip container (xlsx, ods) and an old Excel file begin, whatever the file is called.
_SPREADSHEET_STARTS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_UTF16_STARTS: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF8_BOM: Final = b"\xef\xbb\xbf"


def read_rows(
    path: str | os.PathLike[str],
    *,
    stdin: BinaryIO | None = None,
    input_format: RowFormat | None = None,
) -> RowSource:
    """Read the rows of a batch.

    The format of a file follows from its suffix (`.jsonl`, `.ndjson`, `.csv`, `.tsv`, `.txt`); with another suffix, and
    on standard input, from its content: a first character `{` is JSONL; a first line with a column `prompt`, or
    with several cells of which one is any known column, is CSV; anything else is plain text.

    Args:
        path: The file, or `"-"` for standard input.
        stdin: Standard input as bytes, for `"-"`.
        input_format: The format, where neither suffix nor content should decide.

    Media without a scheme are paths, relative to the folder of the file; of standard input, to the present one.

    Returns:
        The rows, with the problems of single rows in `problems` for `make_plan` to raise together with its own.

    Raises:
        InputError: The file as a whole cannot be used: missing, unreadable, empty, a spreadsheet, not UTF-8, or a CSV
            without a usable header.
    """
    folder = Path.cwd() if os.fspath(path) == STDIN else Path(path).absolute().parent
    if os.fspath(path) == STDIN:
        if stdin is None:
            raise ValueError("reading '-' needs stdin=")
        name, data, suffix = "standard input", stdin.read(), ""
    else:
        file = Path(path)
        name, suffix = os.fspath(path), file.suffix.lower()
        if suffix in _SPREADSHEETS:
            raise _unusable(name, _SPREADSHEET_HELP)
        data = _read_file(file, name)
    text = _decode(name, data)
    if not text.strip():
        raise _unusable(name, "is empty; it needs at least one prompt")
    bom = data.startswith(_UTF8_BOM)
    match input_format or _BY_SUFFIX.get(suffix) or _detect(name, suffix, text):
        case "jsonl":
            return with_files(read_jsonl(name, text, bom=bom), folder)
        case "csv":
            return with_files(read_csv(name, text, bom=bom), folder)
        case "text":
            return read_text(name, text, bom=bom)


_SPREADSHEET_HELP: Final = (
    "is a spreadsheet, which is not read; export it as CSV "
    "(Excel: Save As, 'CSV UTF-8 (Comma delimited)'; LibreOffice: Save As, 'Text CSV', character set UTF-8; "
    "Numbers: Export To, CSV)"
)


def _read_file(file: Path, name: str) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise _unusable(name, "there is no such file") from None
    except IsADirectoryError:
        raise _unusable(name, "is a folder, not a file") from None
    except PermissionError:
        # Windows says "permission denied" of a folder too.
        message = "is a folder, not a file" if file.is_dir() else "may not be read (permission denied)"
        raise _unusable(name, message) from None
    except OSError as error:
        raise _unusable(name, f"cannot be read: {error.strerror or error}") from None


def _decode(name: str, data: bytes) -> str:
    if data.startswith(_SPREADSHEET_STARTS):
        raise _unusable(name, _SPREADSHEET_HELP)
    if data.startswith(_UTF16_STARTS):
        raise _unusable(name, "is UTF-16 text; save it as UTF-8 (in Excel: 'CSV UTF-8')")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The offset counts from behind a byte order mark, which the decoder takes off first.
        start = error.start + (len(_UTF8_BOM) if data.startswith(_UTF8_BOM) else 0)
        line = data.count(b"\n", 0, start) + 1
        raise _unusable(
            f"{name}, line {line}",
            f"is not UTF-8 text: byte {data[start]:#04x} at offset {start}; save the file as UTF-8",
        ) from None


def _detect(name: str, suffix: str, text: str) -> RowFormat:
    start = text.lstrip()
    if start.startswith("{"):
        return "jsonl"
    if suffix == ".json":
        raise _unusable(name, "is not JSON Lines; write one JSON object a line (jq -c '.[]' does that for an array)")
    return "csv" if any(_is_header(line) for line in _first_lines(start)) else "text"


def _first_lines(text: str) -> Iterator[str]:
    """Yield the lines that may be a header: the first one, and the first that is no comment."""
    for number, line in enumerate(io.StringIO(text, newline=None)):
        comment = line.startswith(COMMENT)
        if number == 0 or not comment:
            yield line
        if not comment:
            return


def _is_header(line: str) -> bool:
    """Whether a line would rather be the header of a table than a prompt that is paid for."""
    for delimiter in DELIMITERS:
        try:
            cells = [cell.strip().casefold() for row in csv.reader([line], delimiter=delimiter) for cell in row]
        except csv.Error:
            continue
        if "prompt" in cells or (len(cells) > 1 and any(cell in INPUT_FIELDS or cell in RESERVED for cell in cells)):
            return True
    return False


def _unusable(path: str, message: str) -> InputError:
    return InputError([Problem(path, message)])
