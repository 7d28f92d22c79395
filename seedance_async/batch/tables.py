"""The files a person opens after a batch: `results.csv`, and the rows to edit and pass in again.

Each appears complete or not at all. Their functions block: call them in a thread.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Final, cast

from seedance_async.batch.manifest import Record
from seedance_async.batch.report import EndedRow
from seedance_async.batch.untouched import forget_missing, is_untouched, note_digest
from seedance_async.batch.whole import remove_part, write_whole
from seedance_async.core.redact import redact_links
from seedance_async.core.rows import CARRIED, ERROR_COLUMN, MEDIA_FIELDS, RowSource

RESULTS: Final = "results.csv"
FAILED: Final = "failed"
REMAINING: Final = "remaining"

_COLUMNS: Final = (
    "index",
    "line",
    "id",
    "key",
    "status",
    "task_id",
    "file",
    "planned",
    "credits",
    "error",
    "charged",
    "model",
    "resolution",
    "duration",
    "size",
    "seed",
    "created",
    "completed",
    "prompt",
)


def write_results(folder: Path, records: Iterable[Record]) -> Path:
    """Write one line per row, in the columns of the manifest.

    Raises:
        OSError: The file could not be written; the one before is untouched.
    """
    lines = [_flat(record) for record in records]
    carried = dict.fromkeys(name for line in lines for name in line if name.startswith(CARRIED))
    text = _csv([*_COLUMNS, *carried], lines, ",")
    return write_whole(folder / RESULTS, text.encode())


def write_again(folder: Path, stem: str, source: RowSource, rows: Sequence[EndedRow]) -> Path | None:
    """Write rows so that they can be edited and passed in again, without the options of this run.

    They hold what their author wrote, links included, and what options filled in for it: passed in alone they make
    and cost the same. `output` holds the planned file, because another file numbers its rows differently, and `id` the
    key of a variant and of a row that is equal to others, so that in the same folder each stands for its own job.
    Rows that failed say why in a column `#error`. A file of that name from an earlier run is replaced, or removed where
    there are no rows; one that was edited is kept beside it under a number.

    Args:
        folder: Where to write.
        stem: `FAILED` or `REMAINING`.
        source: What the rows were read from: its format and columns are used again.
        rows: The rows; without any nothing is written.

    Returns:
        The file, or None without rows.

    Raises:
        OSError: The file could not be written.
    """
    path = folder / (f"{stem}.jsonl" if source.format == "jsonl" else f"{stem}.csv")
    data = _rows_of(source, rows) if rows else None
    if data is not None:
        note_digest(path, data)
    for suffix in (".csv", ".jsonl"):
        old = path.with_suffix(suffix)
        remove_part(old)
        if old.exists() and not is_untouched(old):
            _set_aside(old)
        elif old != path or data is None:
            old.unlink(missing_ok=True)
    if data is not None:
        write_whole(path, data)
    forget_missing(folder)
    return None if data is None else path


def _rows_of(source: RowSource, rows: Sequence[EndedRow]) -> bytes:
    again = [_to_pass_in(ended) for ended in rows]
    if source.format == "jsonl":
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in again)
    else:
        columns = dict.fromkeys((*source.columns, *(name for row in again for name in row)))
        text = _csv(list(columns), again, source.delimiter)
    return text.encode("utf-8-sig" if source.bom else "utf-8")


def _to_pass_in(ended: EndedRow) -> dict[str, object]:
    row = {name: value for name, value in ended.row.raw.items() if name not in {ERROR_COLUMN, "count"}}
    row |= ended.row.filled
    row |= _files_of(ended)
    if ended.row.key not in {ended.row.id, ended.row.digest}:
        row["id"] = ended.row.key
    row["output"] = ended.row.file.as_posix()
    if ended.status == "failed" and ended.message is not None:
        row[ERROR_COLUMN] = redact_links(ended.message)
    return row


def _files_of(ended: EndedRow) -> dict[str, object]:
    """Return the media that are local files, with paths that mean the same from everywhere."""
    found: dict[str, object] = {}
    for name in MEDIA_FIELDS:
        value: object = getattr(ended.row.inputs, name, None)
        if isinstance(value, PurePath):
            found[name] = str(value)
        elif isinstance(value, tuple):
            items = cast("tuple[object, ...]", value)
            if any(isinstance(item, PurePath) for item in items):
                found[name] = [str(item) for item in items]
    return found


def _flat(record: Record) -> dict[str, object]:
    if isinstance(record.get("error"), dict):
        error: Record = record["error"]
        return {**record, "error": error.get("message"), "charged": error.get("charged")}
    return record


def _csv(columns: Sequence[str], lines: Iterable[Mapping[str, object]], delimiter: str) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(columns)
    for line in lines:
        writer.writerow([_cell(line.get(column)) for column in columns])
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, tuple):  # of URLs, from options; none holds a blank
        return " ".join(cast("tuple[str, ...]", value))
    if isinstance(value, Mapping | list | bool):
        return json.dumps(value, ensure_ascii=False)
    return value


def _set_aside(path: Path) -> None:
    number = 1
    while (kept := path.with_stem(f"{path.stem}-{number}")).exists():
        number += 1
    path.replace(kept)
