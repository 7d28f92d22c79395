"""Every journal of the package keeps the promises of `Journal` (P2, P3), and a broken one is found out."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from attrs import evolve

from seedance_async.core.record import JobRecord
from seedance_async.errors import JournalError
from seedance_async.journal import SqliteJournal
from seedance_async.testing import MemoryJournal, MemoryStore, check_journal
from seedance_async.testing import journal_checks as checks
from seedance_async.testing.journal_checks import JOURNAL_CHECKS, MakeJournal


@pytest.fixture(params=["sqlite", "memory", "slow memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> MakeJournal:
    """Makes journals over one storage."""
    if request.param == "sqlite":
        return lambda: SqliteJournal(tmp_path / "journal.db")
    store = MemoryStore(latency=1.0 if request.param == "slow memory" else 0.0)
    return lambda: MemoryJournal(store)


@pytest.mark.parametrize("check", JOURNAL_CHECKS, ids=lambda check: check.__name__)
async def test_promise(check: Callable[[MakeJournal], Awaitable[None]], make: MakeJournal) -> None:
    """The promise that the check names is kept."""
    await check(make)


async def test_all_promises_on_one_storage(make: MakeJournal) -> None:
    """The checks disturb each other as little as the sessions of a week."""
    await check_journal(make)


class Shared(MemoryJournal):
    """Lets everybody in."""

    async def open(self) -> Sequence[JobRecord]:
        self.store.crash()
        return await super().open()


class Silent(MemoryJournal):
    """Does not say why."""

    async def open(self) -> Sequence[JobRecord]:
        try:
            return await super().open()
        except JournalError:
            raise JournalError("") from None


class Sorted(MemoryJournal):
    """Has an order of its own."""

    async def open(self) -> Sequence[JobRecord]:
        return sorted(await super().open(), key=lambda record: record.key)


class Coarse(MemoryJournal):
    """Keeps whole seconds."""

    async def write(self, records: Sequence[JobRecord]) -> None:
        await super().write([evolve(record, changed_at=record.changed_at.replace(microsecond=0)) for record in records])


class Stubborn(MemoryJournal):
    """Keeps the first record of a key."""

    async def write(self, records: Sequence[JobRecord]) -> None:
        await super().write([record for record in records if record.key not in self.store.records])


class Piecemeal(MemoryJournal):
    """Writes one record after the other."""

    async def write(self, records: Sequence[JobRecord]) -> None:
        for record in records:
            await super().write([record])


class Sulky(MemoryJournal):
    """Writes nothing more after a failure."""

    failed = False

    async def write(self, records: Sequence[JobRecord]) -> None:
        try:
            if not self.failed:
                await super().write(records)
        except JournalError:
            self.failed = True
            raise


class Hasty(MemoryJournal):
    """Leaves a write when its caller does."""

    async def write(self, records: Sequence[JobRecord]) -> None:
        await asyncio.sleep(0)
        await super().write(records)


class Clinging(MemoryJournal):
    """Is not closed when its closing is cancelled."""

    async def aclose(self) -> None:
        await asyncio.sleep(10)
        await super().aclose()


class Once(MemoryJournal):
    """Can be closed once."""

    async def aclose(self) -> None:
        if not self.store.taken:
            raise JournalError("is not open")
        await super().aclose()


class Forked(MemoryJournal):
    """Does not know that it is another process."""

    async def write(self, records: Sequence[JobRecord]) -> None:
        self._pid = os.getpid()
        await super().write(records)


@pytest.mark.parametrize(
    ("kind", "check", "promise"),
    [
        (Shared, checks.one_writer, "1"),
        (Silent, checks.one_writer, "1"),
        (Sorted, checks.what_was_written_is_read, "2"),
        (Coarse, checks.what_was_written_is_read, "2"),
        (Stubborn, checks.the_last_one_counts, "4"),
        (Piecemeal, checks.all_or_none, "3"),
        (Sulky, checks.all_or_none, "5"),
        (Hasty, checks.cancelled_writes_end, "6"),
        (Clinging, checks.cancelled_openings_end, "6"),
        (Once, checks.closing_may_be_repeated, "7"),
        (Forked, checks.forks_are_refused, "8"),
    ],
)
async def test_a_broken_promise_is_found(
    kind: type[MemoryJournal], check: Callable[[MakeJournal], Awaitable[None]], promise: str
) -> None:
    """A journal that breaks a promise fails, with the number of this promise."""
    store = MemoryStore()
    with pytest.raises(AssertionError, match=f"promise {promise} of Journal is broken"):
        await check(lambda: kind(store))
