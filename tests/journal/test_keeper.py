"""The keeper: what is put is written, in order, many at a time, and whoever waits for it is told the truth."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from seedance_async import JobRecord, JobState, JournalError
from seedance_async.journal.keeper import Keeper
from seedance_async.testing import MemoryJournal, MemoryStore, VirtualClockLoop
from tests.core.record_histories import finished, lost, queued, running, sending

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
