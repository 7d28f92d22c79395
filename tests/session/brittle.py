"""A real journal whose writes fail, hang or end the world when a test says so."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field

from seedance_async import JobRecord, JobState, JournalError
from seedance_async.journal.sqlite import SqliteJournal


@define(eq=False)
class BrittleJournal:
    """A SQLite journal with seams.

    Attributes:
        path: The file.
        failing: Numbers of the writes that fail, counted from 1 over the life of the object; -1 stands for all.
        fails_on: Writes with a job in one of these states fail.
        held: Writes with a job in one of `holds_on` wait for this event.
        holds_on: See `held`.
        writes: What was given to `write`, the failed ones included.
    """

    path: Path
    failing: set[int] = field(factory=set)
    fails_on: set[JobState] = field(factory=set)
    held: asyncio.Event = field(factory=asyncio.Event)
    holds_on: set[JobState] = field(factory=set)
    writes: list[list[JobRecord]] = field(factory=list)
    _inner: SqliteJournal = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._inner = SqliteJournal(self.path)

    async def open(self) -> Sequence[JobRecord]:
        return await self._inner.open()

    async def write(self, records: Sequence[JobRecord]) -> None:
        self.writes.append(list(records))
        number, states = len(self.writes), {record.state for record in records}
        if states & self.holds_on:
            await self.held.wait()
        if number in self.failing or -1 in self.failing or states & self.fails_on:
            raise JournalError("the disk is full", str(self.path))
        await self._inner.write(records)

    async def aclose(self) -> None:
        await self._inner.aclose()
