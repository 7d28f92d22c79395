"""Journals that write down every call, for the tests of the keeper."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import define, field

from seedance_async import JobRecord
from seedance_async.journal.keeper import Keeper
from seedance_async.testing import MemoryJournal, MemoryStore

LATER = datetime(2027, 1, 1, tzinfo=UTC)


@define(eq=False)
class Paper:
    """A journal that writes down every call.

    Attributes:
        held: Writes wait for it.
        raises: What writes raise, the next one first; those after the last one work.
        calls: What was called: "open", "close" and the keys of each write, once it ended.
    """

    records: list[JobRecord] = field(factory=list)
    held: asyncio.Event = field(factory=asyncio.Event)
    raises: list[BaseException | None] = field(factory=list)
    calls: list[Any] = field(factory=list)
    given: list[list[JobRecord]] = field(factory=list)
    busy: bool = False

    def __attrs_post_init__(self) -> None:
        self.held.set()

    async def open(self) -> Sequence[JobRecord]:
        self.calls.append("open")
        return self.records

    async def write(self, records: Sequence[JobRecord]) -> None:
        assert not self.busy, "one call after the other"
        self.busy = True
        self.given.append(list(records))
        try:
            # To its end, whoever is cancelled (promise 6).
            waiting = asyncio.ensure_future(self.held.wait())
            cancelled: asyncio.CancelledError | None = None
            while not waiting.done():
                try:
                    await asyncio.wait({waiting})
                except asyncio.CancelledError as error:
                    cancelled = error
            if self.raises and (error_now := self.raises.pop(0)) is not None:
                raise error_now
            self.calls.append([record.key for record in records])
            if cancelled is not None:
                raise cancelled
        finally:
            self.busy = False

    async def aclose(self) -> None:
        assert not self.busy, "not while it writes"
        self.calls.append("close")


class MemoryPaper(MemoryJournal):
    """A journal in memory that writes down every call, too."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.calls: list[Any] = []
        self.owner: asyncio.Task[None] | None = None

    async def open(self) -> Sequence[JobRecord]:
        self.calls.append("open")
        return await super().open()

    async def write(self, records: Sequence[JobRecord]) -> None:
        try:
            await super().write(records)
        finally:
            self.calls.append([record.key for record in records])

    async def aclose(self) -> None:
        await super().aclose()
        self.calls.append("close")


async def opened(journal: Any) -> Keeper:
    """Return an open keeper."""
    keeper = Keeper(journal, lambda: LATER)
    await keeper.open()
    return keeper


async def written(keeper: Keeper, record: JobRecord) -> None:
    """Put a record and wait for it, as a create does with its intent."""
    keeper.put(record)
    await keeper.durable()


async def steps(count: int = 5) -> None:
    """Let the loop run so many times."""
    for _ in range(count):
        await asyncio.sleep(0)
