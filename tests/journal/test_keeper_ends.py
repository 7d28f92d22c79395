"""The keeper where it begins and ends: what a crash left, closing, cancellation, and a loop that is shut down."""

import asyncio

import pytest

from seedance_async import JobState, JournalError
from seedance_async.testing import MemoryStore, VirtualClockLoop
from tests.core.record_histories import finished, lost, queued, running, sending
from tests.journal.paper import LATER, MemoryPaper, Paper, opened, steps, written


async def test_closing_writes_what_is_left() -> None:
    """`aclose` writes, waits for a write under way, and gives the journal back last; twice is harmless."""
    journal = Paper()
    keeper = await opened(journal)
    journal.held.clear()
    keeper.put(queued("a"))
    await steps()
    keeper.put(queued("b"))
    closing = asyncio.create_task(keeper.aclose())
    await asyncio.sleep(10)
    assert not closing.done()
    journal.held.set()
    await closing
    assert journal.calls == ["open", ["a"], ["b"], "close"]
    await keeper.aclose()
    assert journal.calls[-1] == "close"
    assert [call for call in journal.calls if call != "close"] == ["open", ["a"], ["b"]]


async def test_closing_a_journal_that_cannot_be_written() -> None:
    """It is given back all the same, and what is missing is said."""
    journal = Paper(raises=[JournalError("full")] * 2)
    keeper = await opened(journal)
    keeper.put(running("a"))
    with pytest.raises(JournalError, match="full"):
        await keeper.aclose()
    assert journal.calls == ["open", "close"]
    assert keeper.lacks_task("a")


async def test_closing_that_is_cancelled() -> None:
    """The journal is given back when the write under way has ended, and not before."""
    journal = Paper()
    keeper = await opened(journal)
    journal.held.clear()
    keeper.put(queued("a"))
    closing = asyncio.create_task(keeper.aclose())
    await steps()
    for _ in range(2):
        closing.cancel()
        await steps()
    assert journal.calls == ["open"]
    journal.held.set()
    await asyncio.wait([closing])
    assert closing.cancelled()
    assert journal.calls == ["open", ["a"], "close"]


async def test_what_a_crash_left_is_unknown_and_durably_so() -> None:
    """Opening turns what was on the wire into unknowns before anybody sees it, and leaves the rest alone."""
    records = [queued("a"), sending("b"), running("c", "task_c"), finished("d", "task_d"), lost("e")]
    journal = Paper(records=records)
    keeper = await opened(journal)
    assert [record.state for record in keeper.records.values()] == [
        JobState.QUEUED,
        JobState.UNKNOWN,
        JobState.RUNNING,
        JobState.SUCCEEDED,
        JobState.UNKNOWN,
    ]
    assert [keeper.records[key] for key in "acde"] == [records[index] for index in (0, 2, 3, 4)]
    assert journal.calls == ["open", ["b"]]
    assert journal.given == [[keeper.records["b"]]]
    assert keeper.records["b"].changed_at == LATER
    assert (keeper.key_of("task_c"), keeper.key_of("task_d"), keeper.key_of("task_x")) == ("c", "d", None)


async def test_opening_that_cannot_be_written() -> None:
    """A crash whose unknowns cannot be written down opens nothing, and leaves the journal free."""
    journal = Paper(records=[sending("a")], raises=[JournalError("full")])
    with pytest.raises(JournalError, match="full"):
        await opened(journal)
    assert journal.calls == ["open", "close"]


async def test_opening_that_is_cancelled() -> None:
    """A journal is not closed while it writes (promise 6), also where `open` is cancelled."""
    journal = Paper(records=[sending("a")])
    journal.held.clear()
    opening = asyncio.create_task(opened(journal))
    await steps()
    opening.cancel()
    await steps()
    assert journal.calls == ["open"]
    journal.held.set()
    await asyncio.wait([opening])
    assert opening.cancelled()
    assert journal.calls == ["open", ["a"], "close"]


@pytest.mark.parametrize("when", [0, 1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("more", [False, True])
async def test_a_writer_that_is_cancelled_leaves_nobody_waiting(when: int, more: bool) -> None:
    """As all tasks are when a loop is shut down: whoever waits gets an answer, and `aclose` ends."""
    journal = Paper()
    keeper = await opened(journal)
    journal.held.clear()
    keeper.put(queued("a"))
    first = asyncio.create_task(keeper.durable())
    await steps(when)
    (writer,) = (task for task in asyncio.all_tasks() if task.get_name() == "seedance_async journal")
    writer.cancel()
    if more:
        keeper.put(queued("b"))
    second = asyncio.create_task(keeper.durable())
    await steps()
    journal.held.set()
    async with asyncio.timeout(100):
        results = await asyncio.gather(first, second, return_exceptions=True)
        await keeper.aclose()
    assert all(result is None or isinstance(result, JournalError) for result in results)
    # A refusal is never a lie: what was said to be durable is.
    assert results[1] is not None or {key for call in journal.calls[1:-1] for key in call} >= (
        {"a", "b"} if more else {"a"}
    )
    assert journal.calls[-1] == "close"


def test_the_end_of_a_loop_is_not_held_up() -> None:
    """A keeper whose owner closes it while the loop is shut down writes what is left and ends."""
    for when in range(8):
        with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
            journal = runner.run(_leave_open(when))
        assert (journal.calls[0], journal.calls[-1]) == ("open", "close"), when
        assert journal.store.records.keys() == {"a"}, when


async def _leave_open(when: int) -> MemoryPaper:
    store = MemoryStore(latency=1.0)
    journal = MemoryPaper(store)
    keeper = await opened(journal)

    async def owner() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await keeper.aclose()

    journal.owner = asyncio.create_task(owner())
    await asyncio.sleep(0)
    keeper.put(queued("a"))
    await steps(when)
    return journal


async def test_a_journal_that_raises_a_cancellation_of_its_own() -> None:
    """A driver that was cancelled inside leaves nobody waiting, those included who came meanwhile."""
    journal = Paper(raises=[asyncio.CancelledError(), None])
    keeper = await opened(journal)
    journal.held.clear()
    first = asyncio.create_task(written(keeper, queued("a")))
    await steps()
    second = asyncio.create_task(keeper.durable())
    await steps()
    journal.held.set()
    async with asyncio.timeout(100):
        assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], JournalError)
        await second
    assert journal.calls == ["open", ["a"]]
