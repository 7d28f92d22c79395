"""The records in `golden/v1.sql` and its successors, one journal of each version. Nothing of them may change later.

`python -m tests.journal.golden_records` writes the journal that this release makes of them, for a new version.
"""

import asyncio
import contextlib
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from seedance_async.core.frozen import freeze
from seedance_async.core.lifecycle import State
from seedance_async.core.record import Attempt, JobRecord, RecordedOutput, RecordedResult
from seedance_async.core.record_errors import RecordedError
from seedance_async.journal import SqliteJournal
from seedance_async.journal.schema import SCHEMA

GOLDEN = Path(__file__).parent / "golden"
T0 = datetime(2026, 11, 23, 9, 30, 0, 0, UTC)
T1 = datetime(2026, 11, 23, 9, 30, 1, 250000, UTC)
T2 = datetime(2026, 11, 23, 9, 34, 59, 999999, UTC)
PRICE = Decimal(415)


def record(key: str, state: State, **fields: Any) -> JobRecord:
    """A job of the catalogue CLASSIC."""
    given: dict[str, Any] = {
        "digest": f"v1:{key}",
        "inputs": freeze({"kind": "text", "prompt": "Ein See, 湖", "model": "seedance-20", "duration": 5}),
        "catalogue": "classic",
        "credits": PRICE,
        "queued_at": T0,
        "changed_at": T1,
        **fields,
    }
    return JobRecord(key, state, **given)


def attempt(number: int = 1, **fields: Any) -> Attempt:
    """A create of such a job."""
    return Attempt(number, T0, PRICE, **fields)


ACCEPTED = attempt(outcome="accepted", closed_at=T1, task_id="task_1")
CUT = freeze(
    {
        "kind": "reference",
        "prompt": "like @image1",
        "images": ["https://cdn.example/1.png?[redacted]"],
        "extra": {"deep": [1, 2.5, None, True, {"x": []}]},
        "cut": ["images"],
    }
)

RECORDS = (
    record("queued", State.QUEUED, credits=None, notes=freeze({"file": "001_see.mp4", "line": 1, "id": None})),
    record("sending", State.SENDING, attempts=(attempt(),)),
    record("running", State.RUNNING, inputs=CUT, attempts=(ACCEPTED,)),
    record(
        "succeeded#2",
        State.SUCCEEDED,
        attempts=(
            attempt(1, outcome="unknown", closed_at=T1, reason="HTTP 500"),
            attempt(
                2, outcome="accepted", closed_at=T1, task_id="task_2", end="succeeded", ended_at=T2,
                credits_used=Decimal("414.50"),
            ),
        ),
        earlier=1,
        result=RecordedResult(
            "seedance-20",
            T1,
            T2,
            (RecordedOutput("https://cdn.example/2.mp4", 1920, 1080, "video/mp4", 7), RecordedOutput(None)),
        ),
    ),
    record(
        "failed",
        State.FAILED,
        attempts=(
            attempt(outcome="accepted", closed_at=T1, task_id="task_3", end="failed", ended_at=T2,
                    credits_used=Decimal(0)),
        ),
        error=RecordedError("TaskFailedError", "a face", code="7", kind="moderation"),
    ),
    record(
        "refused",
        State.REFUSED,
        attempts=(attempt(outcome="refused", closed_at=T1, reason="no lake"),),
        error=RecordedError("BadRequestError", "no lake", status=400),
    ),
    record("withdrawn", State.WITHDRAWN, error=RecordedError("WithdrawnError", "taken back")),
    record(
        "unknown",
        State.UNKNOWN,
        attempts=(attempt(outcome="unknown", closed_at=T2, reason="the connection broke"),),
        error=RecordedError("OutcomeUnknownError", "the connection broke", "maybe"),
    ),
    record(
        "gone \udcff",
        State.GONE,
        attempts=(attempt(outcome="accepted", closed_at=T1, task_id="task_4", end="gone", ended_at=T2),),
        error=RecordedError("TaskNotFoundError", "no such task", "yes", status=404),
    ),
)  # fmt: skip


#: What is in the journal of each version.
BY_VERSION = {1: RECORDS, 2: (*RECORDS, record("grouped", State.QUEUED, group="anna & söhne"))}


#: Who wrote it, in place of this machine.
SIGNED_BY = [
    ("studio", "host"),
    ("0" * 32, "host_identity"),
    ("/videos/journal.db", "path"),
    (T2.isoformat(), "opened_at"),
]


def dump(path: Path) -> str:
    """Return a journal as SQL text."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        lines = [
            f"PRAGMA {name} = {connection.execute(f'PRAGMA {name}').fetchone()[0]};"
            for name in ("application_id", "user_version")
        ]
        return "\n".join([*lines, *connection.iterdump(), ""])


def load(version: int, path: Path) -> None:
    """Make the journal of a version."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript((GOLDEN / f"v{version}.sql").read_text(encoding="utf-8"))


async def main(target: str) -> None:
    """Write the journal that this release makes."""
    with tempfile.TemporaryDirectory() as folder:
        journal = SqliteJournal(Path(folder) / "journal.db")
        await journal.open()
        await journal.write(BY_VERSION[len(SCHEMA)])
        await journal.aclose()
        with contextlib.closing(sqlite3.connect(journal.path)) as connection, connection:
            connection.executemany("UPDATE about SET value = ? WHERE name = ?", SIGNED_BY)
        Path(target).write_text(dump(journal.path), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
