"""The journal in memory fails where it is told to, and survives a crash as a disk does."""

import asyncio

import pytest

from seedance_async.core.frozen import freeze
from seedance_async.errors import JournalError
from seedance_async.testing import MemoryJournal, MemoryStore
from tests.core.record_histories import queued, running, sending


async def opened(store: MemoryStore) -> MemoryJournal:
    """A journal that is open."""
    journal = MemoryJournal(store)
    await journal.open()
    return journal


async def test_a_write_fails_before() -> None:
    """The n-th write raises and nothing of it is there; the next one is an ordinary one."""
    store = MemoryStore(fail_before={2})
    journal = await opened(store)
    await journal.write([queued("a")])
    with pytest.raises(JournalError, match="write 2 was made to fail"):
        await journal.write([queued("b")])
    await journal.write([queued("c")])
    assert list(store.records) == ["a", "c"]
    assert store.writes == 3


async def test_a_write_fails_after() -> None:
    """The n-th write raises although its records are durable: the disk failed to say so."""
    store = MemoryStore(fail_after=[1])
    journal = await opened(store)
    with pytest.raises(JournalError):
        await journal.write([queued("a")])
    assert store.records == {"a": queued("a")}


async def test_failures_may_be_told_later() -> None:
    """Which writes fail can be changed while the journal is open."""
    store = MemoryStore()
    journal = await opened(store)
    store.fail_before.add(1)
    with pytest.raises(JournalError):
        await journal.write([queued("a")])


async def test_a_crash() -> None:
    """What was durable is there for the next journal; the one before can do no more, and spoils nothing."""
    store = MemoryStore()
    first = await opened(store)
    await first.write([queued("a"), running("b")])
    store.crash()
    assert not store.taken
    second = MemoryJournal(store)
    assert list(await second.open()) == [queued("a"), running("b")]
    with pytest.raises(JournalError, match="was ended by a crash"):
        await first.write([sending("a")])
    await first.aclose()
    assert store.taken
    await second.aclose()
    assert not store.taken


@pytest.mark.parametrize(("seconds", "durable"), [(0.5, False), (1.5, True)])
async def test_a_crash_during_a_write(seconds: float, durable: bool) -> None:
    """A write takes its time, and is durable half way: a crash before that loses it, one after that does not."""
    store = MemoryStore(latency=2.0)
    journal = await opened(store)
    writing = asyncio.ensure_future(journal.write([queued("a")]))
    await asyncio.sleep(seconds)
    store.crash()
    with pytest.raises(JournalError):
        await writing
    assert ("a" in store.records) is durable


async def test_stores_are_kept_apart() -> None:
    """A journal without a store has one of its own."""
    one, other = MemoryJournal(), MemoryJournal()
    await one.open()
    await other.open()
    await one.write([queued("a")])
    assert other.store.records == {}


async def test_what_sqlite_could_not_keep() -> None:
    """Is refused here as well, so that tests with this journal show it."""
    journal = await opened(MemoryStore())
    with pytest.raises(JournalError, match="is no JSON"):
        await journal.write([queued(notes=freeze({"x": object()}))])


async def test_not_open() -> None:
    """Nothing is written before it is open."""
    with pytest.raises(JournalError, match="is not open"):
        await MemoryJournal().write([queued()])
