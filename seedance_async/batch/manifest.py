"""`manifest.jsonl`: one line per row as it ends, durable before anybody is told.

A row that ends again in a later run over the same folder gets a further line; the last one of a key counts. A line's
newline comes last, so a crash or a full disk leaves at most one torn line; the next write closes it with a newline
and every reader may skip it.
"""

import errno
import json
import os
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Final, cast

from seedance_async.batch.report import EndedRow
from seedance_async.clock import wall_now
from seedance_async.core.redact import redact_links
from seedance_async.core.row_files import is_harmless
from seedance_async.errors import ApiError, SeedanceError, TaskFailedError

MANIFEST: Final = "manifest.jsonl"
#: The field that says when a line was written.
AT: Final = "at"
Record = dict[str, Any]


class Manifest:
    """The open manifest of a folder. Its methods block: call them in a thread.

    Attributes:
        latest: The last record of every key, of earlier runs too, in the order in which keys first appeared.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / MANIFEST
        self._lock = threading.Lock()
        self.latest: dict[str, Record] = {}
        data = self.path.read_bytes() if self.path.exists() else b""
        self._torn = bool(data) and not data.endswith(b"\n")
        for record in _records(data):
            self._remember(record)
        # Unbuffered: nothing is kept back in this process.
        self._file = self.path.open("ab", buffering=0)

    def append(self, records: Iterable[Record]) -> None:
        """Write records and make them durable, but for those that are there already. After `close` it does nothing.

        Raises:
            OSError: They are perhaps not written; the disk may be full.
        """
        with self._lock:
            # What two signals in a row have written down twice is one line.
            records = self._news(records)
            if self._file.closed or not records:
                return
            records = [{**record, AT: _moment(wall_now())} for record in records]
            lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
            if self._torn:
                lines = b"\n" + lines
            self._torn = True
            written = self._file.write(lines)
            if written != len(lines):  # a disk that fills up answers like this first
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
            self._torn = False
            for record in records:
                self._remember(record)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        with self._lock:
            self._file.close()

    def _news(self, records: Iterable[Record]) -> list[Record]:
        said: dict[str, Record] = {}
        news: list[Record] = []
        for record in records:
            key: str = record["key"]
            before = said.get(key, self.latest.get(key, {}))
            if {name: value for name, value in before.items() if name != AT} != record:
                news.append(record)
            said[key] = record
        return news

    def _remember(self, record: Record) -> None:
        if isinstance(record.get("key"), str):
            self.latest[record["key"]] = record


def planned_files(folder: Path) -> dict[str, PurePosixPath]:
    """Tell where in a folder the videos of tasks were to go, by task id, from its manifest. Blocks.

    A task that the manifest does not know, or whose name would lead out of the folder, is missing.

    Raises:
        OSError: There is a manifest and it cannot be read.
    """
    found: dict[str, PurePosixPath] = {}
    for record in _read(folder):
        task_id, planned = record.get("task_id"), record.get("planned")
        if isinstance(task_id, str) and isinstance(planned, str) and is_harmless(planned):
            found[task_id] = PurePosixPath(planned)
    return found


def known_tasks(folder: Path) -> dict[str, tuple[str, datetime]]:
    """Tell which task a manifest last named for each key, and when. Blocks.

    Raises:
        OSError: There is a manifest and it cannot be read.
    """
    found: dict[str, tuple[str, datetime]] = {}
    for record in _read(folder):
        key, task_id, at = record.get("key"), record.get("task_id"), _read_moment(record.get(AT))
        if isinstance(key, str) and isinstance(task_id, str) and at is not None:
            found[key] = task_id, at
    return found


def record_of(ended: EndedRow, folder: Path) -> Record:
    """Put how a row ended into the fields of the manifest. It holds no signed URL."""
    row, result = ended.row, ended.result
    inputs = row.inputs
    output = result.outputs[0] if result is not None and result.outputs else None
    size = None if output is None or output.width is None else f"{output.width}x{output.height}"
    return {
        "index": row.index,
        "line": row.line,
        "id": row.id,
        "key": row.key,
        "status": ended.status,
        "task_id": ended.task_id,
        "file": None if ended.path is None else _relative(ended.path, folder),
        "planned": row.file.as_posix(),
        "credits": _number(ended.credits),
        "error": _error(ended),
        "model": row.request.spec.id,
        "resolution": row.request.resolution,
        "duration": getattr(inputs, "duration", None),
        "size": size,
        "seed": inputs.seed if output is None or output.seed is None else output.seed,
        "created": None if result is None else _moment(result.created_at),
        "completed": None if result is None else _moment(result.completed_at),
        "prompt": inputs.prompt,
        **row.carried,
    }


def _error(ended: EndedRow) -> Record | None:
    error = ended.error
    if error is None:
        return None if ended.note is None else {"type": None, "message": ended.note, "charged": None}
    record: Record = {
        "type": type(error).__name__,
        "message": redact_links(str(error)),
        "charged": error.charged,
    }
    return record | _details(error)


def _details(error: SeedanceError) -> Record:
    match error:
        case TaskFailedError():
            return {"kind": error.kind, "code": error.code}
        case ApiError():
            return {"http_status": error.status}
        case _:
            return {}


def _relative(path: Path, folder: Path) -> str:
    inside: PurePath = path.relative_to(folder) if path.is_relative_to(folder) else path
    return inside.as_posix()


def _number(value: Decimal | None) -> int | float | None:
    """A JSON number with the same digits: credits have far fewer than a float keeps."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _read(folder: Path) -> Iterator[Record]:
    try:
        data = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from _records(data)


def _records(data: bytes) -> Iterator[Record]:
    for line in data.split(b"\n"):
        try:
            value: object = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield cast("Record", value)
