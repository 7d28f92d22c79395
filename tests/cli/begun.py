"""Folders in which a batch was begun, made without a service."""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from seedance_async.batch import JOURNAL, Plan
from seedance_async.core.record import JobRecord
from seedance_async.journal import SqliteJournal
from tests.batch.plans import plan_of
from tests.batch.records import failed, lost, running, saved, succeeded, written

#: Ids of one row in each of the states that people ask about.
IDS = ("made", "away", "busy", "refused", "flaky", "lost", "next")


def rows() -> Plan:
    """A row for each of `IDS`."""
    return plan_of(*({"id": name, "prompt": f"a {name} lake"} for name in IDS))


def every_kind() -> list[JobRecord]:
    """A job for each of `IDS`: saved, not saved, running, failed twice, unknown and queued."""
    made, away, busy, refused, flaky, gone, coming = (written(row) for row in rows().rows)
    return [
        saved(made),
        succeeded(away),
        running(busy, "task_busy"),
        failed(refused, "moderation"),
        failed(flaky, "server"),
        lost(gone),
        coming,
    ]


def begun(folder: Path, records: Iterable[JobRecord]) -> Path:
    """Write a journal as a batch leaves it, and the files of the jobs that are saved."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = list(records)

    async def write() -> None:
        journal = SqliteJournal(folder / JOURNAL)
        await journal.open()
        await journal.write(kept)
        await journal.aclose()

    asyncio.run(write())
    for record in kept:
        if "saved" in record.notes:
            (folder / record.notes["saved"]).write_bytes(b"." * record.notes["bytes"])
    return folder


def say_of(folder: Path, **values: str) -> None:
    """Change what a journal says about itself."""
    with closing(sqlite3.connect(folder / JOURNAL)) as connection, connection:
        for name, value in values.items():
            connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))
