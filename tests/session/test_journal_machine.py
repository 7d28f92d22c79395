"""Sessions come and go, crash and lose their disk: no job is paid twice, and none is lost.

The model is the emulator's own account. What a disk keeps is modelled by `journal_disk`; what is true of every record
is in `journal_checks`. `SEEDANCE_SOAK=2000` runs so many examples in place of the usual few.
"""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seedance_async import (
    BudgetExceededError,
    JobState,
    JournalError,
    KeyConflictError,
    SeedanceError,
    TaskHandle,
)
from tests.session.journal_disk import Fate
from tests.session.journal_life import CEILING, Life

#: What loses the answer of a create that was accepted.
LOSSES = ("drop-after-accept:on=create,count=1", "html:on=create,count=1", "no-task-id:on=create,count=1")
MARKS = ("", " [takes:5]", " [takes:400]", " [fail:moderation]", " [fail:server,times=1]")
BREAKS = (
    *LOSSES,
    "hang-after-accept:on=create,count=1",
    "drop-before-accept:on=create,count=1",
    "http-502:on=create,count=1",
    "http-400:on=create,count=1",
    "http-402:on=create,count=1",
    "http-500:on=create,count=1",
    "error-after-accept:on=create,count=1",
    "error-after-accept:on=create,count=2",
    "error-after-accept:on=create,count=2;http-400:on=create,nth=3",
    "error-after-accept:on=create,count=1;429-without-numbers:on=create,nth=2",
    "429-without-numbers:on=create,count=2",
    "duration-type:on=create,count=1",
    "slow-headers:on=create,count=2,seconds=20",
    "late-visibility:on=create,count=1,seconds=20",
    "credits-drift:on=create,count=1,value=0.7",
    "http-500:on=poll,count=3",
    "not-found:on=poll,count=60",
)
#: For one job. Half of the jobs have none.
FAULTS = st.none() | st.sampled_from(BREAKS)
FATES: tuple[Fate, ...] = ("fails before", "fails after", "dies before", "dies after")
SECONDS = st.sampled_from([0.0, 0.01, 1.0, 3.0, 30.0, 61.0, 61.0, 500.0])
PLACES = st.integers(0, 12)
_T = TypeVar("_T")


class JournalMachine(RuleBasedStateMachine):
    """Sessions with one journal, the emulated service, and everything that can come between them."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()

    def run(self, steps: Coroutine[Any, Any, _T]) -> _T:
        """Let the loop run until a coroutine is through; where the process has died by then, begin anew."""
        return self.life.run(steps)

    def key(self, place: int, *states: JobState) -> str | None:
        """Return a key that the journal has, in one of these states if there is one."""
        book = self.life.session.journal
        keys = [record.key for record in book.jobs(*states) or book.jobs()]
        return keys[place % len(keys)] if keys else None

    @initialize(
        jobs=st.lists(st.tuples(st.sampled_from(MARKS), FAULTS), max_size=6),
        seconds=SECONDS,
        latency=st.sampled_from([0.0, 0.5]),
        budget=st.sampled_from([None, 10]),
    )
    def begin(self, jobs: list[tuple[str, str | None]], seconds: float, latency: float, budget: int | None) -> None:
        self.life.begin(budget)
        self.life.disk.latency = latency

        async def steps() -> None:
            for mark, fault in jobs:
                self.life.enqueue(mark, fault)
            await asyncio.sleep(seconds)

        self.run(steps())

    # What callers do

    @rule(mark=st.sampled_from(MARKS), fault=FAULTS, keyed=st.booleans(), seconds=SECONDS)
    def enqueue(self, mark: str, fault: str | None, keyed: bool, seconds: float) -> None:
        async def steps() -> None:
            self.life.enqueue(mark, fault, keyed=keyed)
            await asyncio.sleep(seconds)

        self.run(steps())

    @rule(
        place=PLACES, state=st.sampled_from(JobState), other=st.booleans(), retry=st.booleans(), resubmit=st.booleans()
    )
    def enqueue_again(self, place: int, state: JobState, other: bool, retry: bool, resubmit: bool) -> None:
        key = self.key(place, state)
        if key is None:
            return

        async def steps() -> None:
            inputs = self.life.other(key) if other else self.life.same(key)
            before = self.life.record(key)
            try:
                handle = self.life.session.enqueue(inputs, key=key, retry_failed=retry, resubmit_unknown=resubmit)
            except (KeyConflictError, BudgetExceededError):
                return
            self.life.took(handle)
            again = self.life.record(key).state is JobState.QUEUED
            match before.state:
                case JobState.FAILED if again:
                    assert retry or other
                    self.life.asked[key] += 1
                case JobState.UNKNOWN | JobState.GONE | JobState.SUCCEEDED if again:
                    assert resubmit
                    self.life.asked[key] += 1
                case JobState.RUNNING | JobState.SENDING:
                    assert not again
                case _:
                    pass
            if before.state in {JobState.RUNNING, JobState.SUCCEEDED} and not again:
                assert handle.task_id == before.task_id

        self.run(steps())

    @rule(mark=st.sampled_from(MARKS), timeout=st.sampled_from([None, 0.0, 3.0]))
    def submit(self, mark: str, timeout: float | None) -> None:
        """An id that `submit` returns is on the disk; one that the disk did not take is in the error."""

        async def steps() -> None:
            key, inputs = self.life.new(mark)
            journal = self.life.journal
            submitting = self.life.session.submit(inputs, key=key, timeout=timeout)
            (result,) = await asyncio.gather(submitting, return_exceptions=True)
            match result:
                case TaskHandle():
                    self.life.took(result)
                    attempts = self.life.disk.records[key].attempts
                    assert journal.dead or result.task_id in {attempt.task_id for attempt in attempts}
                case JournalError():
                    assert journal.troubled
                    assert result.task_id is None or result.task_id in self.life.world.tasks
                case _:
                    assert isinstance(result, SeedanceError)

        self.run(steps())

    @rule(mark=st.sampled_from(MARKS), seconds=SECONDS)
    def a_caller_who_is_cancelled(self, mark: str, seconds: float) -> None:
        async def steps() -> None:
            key, inputs = self.life.new(mark)
            task = asyncio.create_task(self.life.session.generate(inputs, key=key))
            await asyncio.sleep(seconds)
            task.cancel()
            await asyncio.wait([task])

        self.run(steps())

    @rule(place=PLACES, seconds=SECONDS, mark=st.sampled_from(MARKS))
    def leave_map(self, place: int, seconds: float, mark: str) -> None:
        async def steps() -> None:
            known = self.key(place)
            pairs = [self.life.new(mark) for _ in range(3)]
            if known is not None:
                pairs.append((known, self.life.same(known)))
                # A key that was free has another job then.
                self.life.handles.pop(known, None)
            try:
                async with asyncio.timeout(seconds), self.life.session.map(pairs) as items:
                    async for _ in items:
                        pass
            except (TimeoutError, SeedanceError):
                pass

        self.run(steps())

    @rule(place=PLACES)
    def cancel(self, place: int) -> None:
        async def steps() -> None:
            handle = self._handle(place)
            if handle is not None and handle.cancel():
                assert handle.status == "withdrawn"
                assert self.life.record(handle.key).state is JobState.WITHDRAWN

        self.run(steps())

    @rule(place=PLACES)
    def detach(self, place: int) -> None:
        async def steps() -> None:
            if (handle := self._handle(place)) is not None:
                handle.detach()

        self.run(steps())

    @rule(place=PLACES, by_id=st.booleans())
    def attach(self, place: int, by_id: bool) -> None:
        async def steps() -> None:
            key = self.key(place)
            task_id = None if key is None else self.life.record(key).task_id
            if key is None or (by_id and task_id is None):
                return
            before = self.life.record(key)
            handle = self.life.session.attach(task_id) if by_id else self.life.session.attach(key=key)
            self.life.took(handle, adopted=True)
            assert (handle.key, handle.task_id) == (key, task_id) or before.state is JobState.QUEUED or by_id
            assert handle.task_id == task_id or not by_id

        self.run(steps())

    @rule(place=PLACES, fault=st.sampled_from([None, *LOSSES]), seconds=SECONDS)
    def hint(self, place: int, fault: str | None, seconds: float) -> None:
        """The id of a lost task turns up; a hint for any other job is refused and changes nothing."""

        async def steps() -> None:
            if fault is not None:
                self.life.enqueue("", fault)
                await asyncio.sleep(seconds)
            if (key := self.key(place, JobState.UNKNOWN)) is not None:
                self.life.hint(key)

        self.run(steps())

    @rule(place=PLACES)
    def note(self, place: int) -> None:
        async def steps() -> None:
            key = self.key(place)
            if key is not None:
                await self.life.note(key)

        self.run(steps())

    @rule(place=PLACES, other=st.booleans())
    def plan(self, place: int, other: bool) -> None:
        self.run(self.life.plan(self.key(place, JobState.QUEUED), other=other))

    @rule()
    def resume(self) -> None:
        self.run(self.life.resume())

    # What happens

    @rule(seconds=SECONDS)
    def advance(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule(fault=st.sampled_from(BREAKS))
    def break_something(self, fault: str) -> None:
        self.life.break_something(fault)

    @rule(limit=st.integers(1, 6))
    def change_the_limit(self, limit: int) -> None:
        self.life.world.limit = limit

    @rule(fate=st.sampled_from(FATES), before=st.integers(0, 6))
    def doom_a_write(self, fate: Fate, before: int) -> None:
        self.life.disk.fates.extend(["works"] * before)
        self.life.disk.fates.append(fate)

    @rule(broken=st.sampled_from([False, False, True]), seconds=st.sampled_from([0.0, 0.5, 90.0]))
    def change_the_disk(self, broken: bool, seconds: float) -> None:
        self.life.disk.broken, self.life.disk.latency = broken, seconds
        self.life.disk.slowest = max(self.life.disk.slowest, seconds)

    @rule(resume=st.booleans())
    def close_and_open(self, resume: bool) -> None:
        self.life.close()
        self.life.open(resume=resume)

    @rule(steps=st.integers(0, 80), resume=st.booleans())
    def crash(self, steps: int, resume: bool) -> None:
        self.life.crash(steps)
        self.life.open(resume=resume)

    # What is always true

    @invariant()
    def nothing_is_lost_and_nothing_is_paid_twice(self) -> None:
        if self.life.is_open:
            self.life.check()

    @invariant()
    def no_more_slots_than_there_are(self) -> None:
        if self.life.is_open:
            assert self.life.session.statistics().in_progress <= CEILING + self.life.adopted

    def teardown(self) -> None:
        self.life.end()

    def _handle(self, place: int) -> TaskHandle | None:
        handles = list(self.life.handles.values())
        return handles[place % len(handles)] if handles else None


_SOAK = int(os.environ.get("SEEDANCE_SOAK", "0"))
JournalMachine.TestCase.settings = settings(max_examples=_SOAK or 30, stateful_step_count=30, deadline=None)
TestJournal = JournalMachine.TestCase
