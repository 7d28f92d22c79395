"""What a process writes down while it lives, for those who look at what it left: one line of JSON per event.

A line is handed to the system before the next thing happens, so it outlives the process. One that a kill cut short
belongs to something that had not happened yet.

    open rows         the journal was opened, and this is what it held
    begin rows        these records are about to be written
    end               and are durable
    heard key outcome a create ended
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from seedance_async.core.record import JobRecord


@frozen
class Row:
    """A record, as far as matters here.

    Attributes:
        state: Its state.
        earlier: Attempts up to this number are history.
        attempts: How many it has.
        unknown: How many of them have an unknown outcome.
        task_id: Its newest task.
        intent: When the create left that has no closing; None where there is none.
        saved: The name of its file, once that is complete.
    """

    state: str
    earlier: int = 0
    attempts: int = 0
    unknown: int = 0
    task_id: str | None = None
    intent: str | None = None
    saved: str | None = None


@frozen
class Line:
    """One event.

    Attributes:
        what: The first word of the module's table.
        rows: By key.
        key: Whose create.
        outcome: How it ended.
    """

    what: str
    rows: Mapping[str, Row] = field(factory=dict[str, Row])
    key: str = ""
    outcome: str = ""


def row_of(record: JobRecord) -> Row:
    """Return what matters of a record."""
    saved = record.notes.get("saved")
    return Row(
        record.state.value,
        record.earlier,
        len(record.attempts),
        sum(attempt.outcome == "unknown" for attempt in record.attempts),
        record.task_id,
        None if record.open_attempt is None else record.open_attempt.intent_at.isoformat(),
        None if saved is None else str(saved),
    )


class Trace:
    """Writes lines."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, what: str, *, key: str = "", outcome: str = "") -> None:
        """Write down an event."""
        self._write({"what": what, "key": key, "outcome": outcome})

    def note_records(self, what: str, records: Iterable[JobRecord]) -> None:
        """Write down an event that concerns records."""
        self._write({"what": what, "rows": {record.key: attrs.astuple(row_of(record)) for record in records}})

    def _write(self, line: Mapping[str, Any]) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read_trace(path: Path) -> list[Line]:
    """Return the events of a process; none of one that died before the first."""
    text = path.read_text("utf-8") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1].splitlines()
    return [
        Line(**{**line, "rows": {key: Row(*row) for key, row in line.get("rows", {}).items()}})
        for line in map(json.loads, whole)
    ]
