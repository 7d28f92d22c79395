"""The keeper: what is put is written, in order, many at a time, and whoever waits for it is told the truth."""

import asyncio
import logging

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from seedance_async import JobRecord, JournalError
from seedance_async.testing import MemoryJournal, MemoryStore, VirtualClockLoop
from tests.core.record_histories import queued, running, sending
from tests.journal.paper import Paper, opened, steps, written


async def test_what_is_put_is_written_without_being_asked_for() -> None:
    """Nobody needs to wait for a record: it is on its way, and in memory at once."""
    journal = Paper()
    keeper = await opened(journal)
    assert keeper.put(queued("a")) is keeper.records["a"]
    await steps()
    assert journal.calls == ["open", ["a"]]


async def test_many_go_in_one_piece() -> None:
    """All that is put before the writer runs, and all that comes during a write, goes in one write each."""
    journal = Paper()
    keeper = await opened(journal)
    journal.held.clear()
    for key in "abc":
        keeper.put(queued(key))
    await steps()
    for key in "def":
        keeper.put(queued(key))
    waiting = [asyncio.create_task(keeper.durable()) for _ in range(10)]
    await steps()
    journal.held.set()
    await asyncio.gather(*waiting)
    assert journal.calls == ["open", ["a", "b", "c"], ["d", "e", "f"]]


async def test_only_the_last_of_several_changes_is_written() -> None:
    """A record that changed twice before the write is written once; a key keeps its place."""
    journal = Paper()
    keeper = await opened(journal)
    for record in (queued("a"), queued("b"), sending("a"), running("a")):
        keeper.put(record)
    await keeper.durable()
    assert journal.given == [[running("a"), queued("b")]]
    assert list(keeper.records) == ["a", "b"]


async def test_a_change_during_its_own_write_is_written_again() -> None:
    """What was put while an older record of the key was being written is not taken for written."""
    journal = Paper()
    keeper = await opened(journal)
    journal.held.clear()
    keeper.put(sending("a"))
    await steps()
    keeper.put(running("a"))
    waiting = asyncio.create_task(keeper.durable())
    await steps()
    assert not waiting.done()
    assert keeper.lacks_task("a")
    journal.held.set()
    await waiting
    assert journal.given == [[sending("a")], [running("a")]]
    assert not keeper.lacks_task("a")


async def test_nothing_to_write() -> None:
    """Where all is written, `durable` returns at once and writes nothing."""
    journal = Paper()
    keeper = await opened(journal)
    await keeper.durable()
    keeper.put(queued("a"))
    await keeper.durable()
    await keeper.durable()
    await keeper.aclose()
    assert journal.calls == ["open", ["a"], "close"]


async def test_durable_waits_for_a_write_under_way() -> None:
    """Nobody is told that a record is durable while its write has not returned."""
    journal = Paper()
    keeper = await opened(journal)
    journal.held.clear()
    keeper.put(queued("a"))
    await steps()
    waiting = asyncio.create_task(keeper.durable())
    await asyncio.sleep(100)
    assert not waiting.done()
    journal.held.set()
    await waiting
    assert journal.calls == ["open", ["a"]]


async def test_what_failed_goes_with_the_next_change() -> None:
    """A write that fails is told to those who wait, and its records go with the next one."""
    journal = Paper(raises=[JournalError("the disk is full", "x.db")])
    keeper = await opened(journal)
    keeper.put(queued("a"))
    with pytest.raises(JournalError, match="the disk is full") as caught:
        await keeper.durable()
    assert caught.value.path == "x.db"
    assert keeper.trouble is not None
    await asyncio.sleep(1000)
    # It does not try by itself, for ever, on a disk that is full.
    assert len(journal.given) == 1
    keeper.put(queued("b"))
    await keeper.durable()
    assert journal.calls == ["open", ["a", "b"]]
    assert keeper.trouble is None


async def test_waiting_once_more_tries_once_more() -> None:
    """`durable` after a failure writes again; it does not believe the one before."""
    journal = Paper(raises=[JournalError("full"), JournalError("full"), None])
    keeper = await opened(journal)
    keeper.put(queued("a"))
    for _ in range(2):
        with pytest.raises(JournalError):
            await keeper.durable()
    await keeper.durable()
    assert journal.calls == ["open", ["a"]]


async def test_who_comes_during_a_write_that_fails_gets_another() -> None:
    """The failure is of those who waited for that write; whoever came later waits for the next one."""
    journal = Paper(raises=[JournalError("full"), None])
    keeper = await opened(journal)
    journal.held.clear()
    first = asyncio.create_task(written(keeper, queued("a")))
    await steps()
    second = asyncio.create_task(written(keeper, queued("b")))
    await steps()
    journal.held.set()
    await second
    assert isinstance(first.exception(), JournalError)
    assert journal.calls == ["open", ["a", "b"]]


async def test_each_gets_an_error_of_its_own() -> None:
    """Those who wait for one write raise different objects, so that none collects the others' tracebacks."""
    journal = Paper(raises=[JournalError("full")])
    keeper = await opened(journal)
    errors = await asyncio.gather(*(written(keeper, queued(key)) for key in "abc"), return_exceptions=True)
    assert journal.given == [[queued(key) for key in "abc"]]
    assert len({id(error) for error in errors}) == 3
    assert {str(error) for error in errors} == {"the journal: full"}


@pytest.mark.parametrize("error", [OSError("secret"), KeyError("secret"), TypeError(), TimeoutError("secret")])
async def test_whatever_a_journal_raises(error: Exception) -> None:
    """A foreign exception becomes a `JournalError` that names its type and repeats nothing it says."""
    journal = Paper(raises=[error])
    keeper = await opened(journal)
    keeper.put(queued("a"))
    with pytest.raises(JournalError, match=f"its write failed with {type(error).__name__}") as caught:
        await keeper.durable()
    assert "secret" not in str(caught.value)
    await keeper.durable()
    assert journal.calls == ["open", ["a"]]


async def test_a_failure_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A disk that stays full is said once, and again after it worked."""
    journal = Paper(raises=[JournalError("full")] * 3 + [None, JournalError("full")])
    keeper = await opened(journal)
    with caplog.at_level(logging.ERROR):
        for number in range(5):
            keeper.put(queued(f"{number}"))
            await steps()
    assert caplog.text.count("full") == 2


async def test_a_waiter_that_is_cancelled() -> None:
    """Its record is written all the same, and the others who wait are told."""
    journal = Paper()
    keeper = await opened(journal)
    journal.held.clear()
    keeper.put(queued("a"))
    one, two = (asyncio.create_task(keeper.durable()) for _ in range(2))
    await steps()
    one.cancel()
    await asyncio.wait([one])
    assert one.cancelled()
    journal.held.set()
    await two
    assert journal.calls == ["open", ["a"]]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "wait", "pause"])), max_size=25),
    st.sets(st.integers(1, 8)),
    st.sets(st.integers(1, 8)),
    st.sampled_from([0.0, 1.0]),
)
def test_what_is_said_to_be_durable_is(
    calls: list[tuple[str, str]], before: set[int], after: set[int], latency: float
) -> None:
    """Whatever fails: `durable` returns only where all that was put before it is on the disk, and the newest wins."""

    async def run() -> None:
        store = MemoryStore(fail_before=before, fail_after=after, latency=latency)
        keeper = await opened(MemoryJournal(store))
        waiting: list[asyncio.Task[None]] = []

        async def wait(promised: dict[str, JobRecord]) -> None:
            await keeper.durable()
            written = store.records
            for key, record in promised.items():
                assert written[key].notes["number"] >= record.notes["number"]

        for number, (key, what) in enumerate(calls):
            match what:
                case "put":
                    keeper.put(evolve(queued(key), notes={"number": number}))
                case "wait":
                    waiting.append(asyncio.create_task(wait(dict(keeper.records))))
                case _:
                    await asyncio.sleep(0.6)
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} <= {type(None), JournalError}
        store.fail_before, store.fail_after = set(), set()
        await keeper.aclose()
        assert store.records == keeper.records
        assert not store.taken

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.run(run())
