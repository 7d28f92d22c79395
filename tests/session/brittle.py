"""A real journal whose writes fail, hang or end the world when a test says so."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field

from seedance_async import JobRecord, JournalError
from seedance_async.journal.sqlite import SqliteJournal


@define(eq=False)
class BrittleJournal:
    """A SQLite journal with seams.

    Attributes:
        path: The file.
        failing: Numbers of the writes that fail, counted from 1 over the life of the object; -1 stands for all.
        held: Writes wait for this event while it is not set.
        writes: What was given to `write`, the failed ones included.
    """

    path: Path
    failing: set[int] = field(factory=set)
    held: asyncio.Event | None = None
    writes: list[list[JobRecord]] = field(factory=list)
    _inner: SqliteJournal = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._inner = SqliteJournal(self.path)

    async def open(self) -> Sequence[JobRecord]:
        return await self._inner.open()

    async def write(self, records: Sequence[JobRecord]) -> None:
        self.writes.append(list(records))
        number = len(self.writes)
        if self.held is not None:
            await self.held.wait()
        if number in self.failing or -1 in self.failing:
            raise JournalError("the disk is full", str(self.path))
        await self._inner.write(records)

    async def aclose(self) -> None:
        await self._inner.aclose()
