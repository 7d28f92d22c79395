"""The life of a journal in a test: one session after the other, on one disk, with one emulated service."""

import asyncio
import re
from collections import Counter
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from seedance_async import (
    AsyncSeedance,
    BudgetExceededError,
    FixedPolling,
    InputError,
    JobRecord,
    JobState,
    JournalError,
    PlannedJob,
    RetryPolicy,
    TaskHandle,
    TextToVideo,
    Timeouts,
)
from seedance_async.core.record_inputs import shown_inputs
from seedance_async.hooks import PossibleDouble
from seedance_async.testing import Emulator, VirtualClockLoop
from seedance_async.testing.tasks import WorldTask
from seedance_async.testing.world import World
from tests.session.journal_checks import check_covered, check_ends, check_record
from tests.session.journal_disk import Disk, DiskJournal
from tests.session.service import PRICE_480P, Service

CEILING = 4
#: Whose a prompt is. Jobs without a key have a label, too, which is not their key.
_LABEL = re.compile(r"<(.*?)>")
#: What a handle may say of a job that has ended. One that succeeded before is asked for again, and may be gone by then.
_STATUSES = {
    JobState.SUCCEEDED: {"success", "gone"},
    JobState.FAILED: {"fail"},
    JobState.UNKNOWN: {"unknown"},
    JobState.GONE: {"gone"},
    JobState.WITHDRAWN: {"withdrawn"},
}
_T = TypeVar("_T")


class Life:
    """Sessions on one disk.

    Attributes:
        disk: What survives.
        journal: What the session of now writes to.
        asked: How many creates beyond the first the test has asked for, by key.
        handles: What the session of now gave out, by key.
        adopted: How many tasks may hold a slot above the ceiling.
    """

    service: Service
    session: AsyncSeedance
    journal: DiskJournal

    def __init__(self) -> None:
        self.runner = asyncio.Runner(loop_factory=VirtualClockLoop)
        self.disk = Disk()
        self.asked: Counter[str] = Counter()
        self.handles: dict[str, TaskHandle] = {}
        self.adopted = 0
        self.is_open = False
        self.budget: Decimal | None = None
        self._keys: dict[str, str] = {}
        self._number = 0
        self._died = 0

    @property
    def world(self) -> World:
        """The service's own account."""
        return self.service.emulator.world

    def run(self, steps: Coroutine[Any, Any, _T]) -> _T:
        """Run, and begin anew where the process has died."""
        result = self.runner.run(steps)
        if self.journal.dead:
            self._died += 1
            self.crash(0)
            self.open(resume=self._died % 2 == 0)
        return result

    # Sessions

    def begin(self, jobs: int | None) -> None:
        """Start the service and the first session; its budget is for so many jobs."""

        async def steps() -> None:
            self.service = Service(await Emulator(limit=3, durations=60.0).start())

        self.budget = None if jobs is None else jobs * PRICE_480P
        self.runner.run(steps())
        self.open(resume=False)

    def open(self, *, resume: bool) -> None:
        """Open the next session; what it reads is what was durable, and what that means."""
        self.runner.run(self._open())
        if resume:
            self.run(self.resume())

    def crash(self, steps: int) -> None:
        """Let the session run so many steps more, and end it as a process ends that is killed."""

        async def killed() -> None:
            for _ in range(steps):
                await asyncio.sleep(0)
            self.disk.crash()
            # From here on it writes nothing, so it sends nothing; closing cuts its connections.
            await self.session.aclose(timeout=0)
            await _die()
            assert _left() == []

        self.runner.run(killed())
        self.is_open = False

    def close(self) -> None:
        """Close as one should; afterwards all is on the disk that could be written."""

        async def steps() -> None:
            works = self.disk.sound
            waiting = {record.key for record in self.session.journal.jobs(JobState.QUEUED)}
            # By default a session waits for no disk that takes minutes: who has one gives it the time.
            await self.session.aclose(timeout=None if self.disk.slowest < 1.0 else 10.0 * self.disk.slowest)
            assert not waiting & {record.key for record in self.session.journal.jobs(JobState.WITHDRAWN)}
            assert _left() == []
            assert [key for key, handle in self.handles.items() if not handle.done()] == []
            # A write that was under way may have been its death.
            if works and not self.journal.dead:
                assert self._memory() == self.disk.records

        self.runner.run(steps())
        self.is_open = False

    async def resume(self) -> None:
        """Resume; each job that runs or waits has a handle, in its order."""
        states = (JobState.RUNNING, JobState.QUEUED)
        keys = [record.key for state in states for record in self.session.journal.jobs(state)]
        self.adopted += len(keys)
        handles = await self.session.resume()
        assert [handle.key for handle in handles] == keys
        self.handles |= {handle.key: handle for handle in handles}

    def end(self) -> None:
        """Let all be well again, and compare what the journal says with what the service has."""
        try:
            if self.is_open:
                self.service.emulator.faults.clear()
                self.world.limit = 10
                self.disk.broken, self.disk.latency, self.budget = False, 0.0, None
                self.disk.fates.clear()
                self.runner.run(self._settle())
                self.close()
                self.open(resume=True)
                self.runner.run(self._settle())
                self._check_ended()
                self.close()
                self.service.check_hook_order()
        finally:
            self.runner.run(self._clean_up())
            self.runner.close()

    # Jobs

    def new(self, mark: str) -> tuple[str, TextToVideo]:
        """Return a key that is new, and its inputs."""
        self._number += 1
        key = f"key-{self._number}"
        self._keys[key] = key
        return key, _inputs(f"<{key}> lake{mark}")

    def same(self, key: str) -> TextToVideo:
        """Return what a key stands for."""
        inputs = shown_inputs(self.record(key).inputs)
        assert isinstance(inputs, TextToVideo)
        return inputs

    def other(self, key: str) -> TextToVideo:
        """Return other inputs for a key."""
        self._number += 1
        label = _LABEL.findall(self.same(key).prompt)[0]
        return _inputs(f"<{label}> sea {self._number}")

    def enqueue(self, mark: str, fault: str | None, *, keyed: bool = True) -> None:
        """Queue a new job; a fault meets its creates alone."""
        key, inputs = self.new(mark)
        if fault is not None:
            self.break_something(fault, f",prompt=<{key}>")
        try:
            handle = self.session.enqueue(inputs, key=key if keyed else None)
        except BudgetExceededError:
            return
        self._keys[key] = handle.key
        self.took(handle)

    def break_something(self, faults: str, only: str = "") -> None:
        """Let the service fail in these ways, parted by semicolons."""
        for fault in faults.split(";"):
            self.service.emulator.faults.add(fault + only)

    def took(self, handle: TaskHandle, *, adopted: bool = False) -> None:
        """Note a handle that the session gave out."""
        self.handles[handle.key] = handle
        self.adopted += adopted or handle.task_id is not None

    async def note(self, key: str) -> None:
        """Write a note, which is durable then."""
        self._number += 1
        number, journal = self._number, self.journal
        try:
            await self.session.journal.note(key, number=number)
        except JournalError:
            assert journal.troubled
        else:
            assert journal.dead or self.disk.records[key].notes["number"] == number

    async def plan(self, known: str | None, *, other: bool) -> None:
        """Plan a new job, and one of a key that is known."""
        key, inputs = self.new("")
        planned, journal = [PlannedJob(key, inputs, {"planned": True})], self.journal
        if known is not None:
            if self.record(known).state is JobState.FAILED:
                self.asked[known] += 1
            planned.append(PlannedJob(known, self.other(known) if other else self.same(known), {"planned": True}))
        try:
            await self.session.journal.plan(planned)
        except JournalError:
            assert journal.troubled
        else:
            assert journal.dead or all(self.disk.records[job.key].notes["planned"] for job in planned)

    def hint(self, key: str) -> None:
        """Tell the session the id of a lost task of a key, or that of nobody where it needs none."""
        before, lost, waiting = self.record(key), self.lost(key), self.session.statistics().waiting
        if before.state is JobState.UNKNOWN and lost:
            self.took(self.session.attach(lost[-1], key=key), adopted=True)
            now = self.record(key)
            assert (now.state, now.task_id) == (JobState.RUNNING, lost[-1])
        elif before.state is not JobState.UNKNOWN:
            with pytest.raises(InputError):
                self.session.attach("task_nobody", key=key)
            assert (self.record(key), self.session.statistics().waiting) == (before, waiting)

    def record(self, key: str) -> JobRecord:
        """Return what the session has of a key."""
        record = self.session.journal.get(key)
        assert record is not None
        return record

    def lost(self, key: str) -> list[str]:
        """Return the tasks that the service made of what a key stands for, and that its record does not name."""
        record = self.record(key)
        known = {attempt.task_id for attempt in record.attempts}
        made = [task for task in self._made().get(key, []) if task.order.prompt == record.inputs["prompt"]]
        return [task.task_id for task in made if task.task_id not in known]

    # Checks

    def check(self) -> None:
        """Compare disk, memory and service as they are now."""
        assert self.session.healthy
        made, now = self._made(), self.service.emulator.now()
        doubles = Counter(event.key for event in self.service.ear.all(PossibleDouble))
        for key, tasks in made.items():
            check_covered(self.disk.records.get(key), tasks)
            assert len(tasks) <= 1 + self.asked[key] + doubles[key], f"{key} was paid twice"
        for record in self.session.journal.jobs():
            check_record(record)
            check_ends(record, self.world.tasks, now)
            if record.task_id is not None:
                assert self.world.tasks[record.task_id].order.prompt == record.inputs["prompt"]
        assert self.disk.records.keys() <= {record.key for record in self.session.journal.jobs()}
        if self.budget is not None:
            spent = self.session.statistics()
            total = spent.credits_used + spent.credits_reserved + spent.credits_maybe
            assert total <= self.budget + PRICE_480P * doubles.total()
            paid = sum((task.credits for task in self.world.tasks.values() if not task.failure), Decimal(0))
            assert paid <= self.budget + PRICE_480P * doubles.total()

    async def _open(self) -> None:
        self.handles, self.adopted = {}, 0
        before = self.disk.records
        try:
            await self._session().open()
        except JournalError:
            # What a crash left could not be noted as unknown. It is tried again, by another process.
            assert self.journal.troubled
            assert not self.disk.taken
            self.disk.broken = False
            self.disk.fates.clear()
            before = self.disk.records
            await self._session().open()
        self.is_open = True
        assert self._memory().keys() == before.keys()
        for record in self.session.journal.jobs():
            old = before[record.key]
            if old.state is JobState.SENDING or (old.state is JobState.QUEUED and old.may_be_paid):
                assert record.state is JobState.UNKNOWN
            else:
                assert record == old
        assert self._memory() == self.disk.records

    def _session(self) -> AsyncSeedance:
        self.journal = DiskJournal(self.disk)
        self.session = self.service.session(
            journal=self.journal,
            concurrency=CEILING,
            polling=FixedPolling(10.0),
            budget=self.budget,
            timeouts=Timeouts(task=300, create=60),
            retry=RetryPolicy(give_up_after=400),
        )
        return self.session

    async def _settle(self) -> None:
        """Let everything that the session knows of come to its end; then budget and journal agree."""
        for handle in self.session.pending:
            handle.detach()
            self.session.attach(str(handle.task_id))
        await self.session.drain(timeout=20_000)
        # Slots of unknown creates are held for a usual time.
        await asyncio.sleep(1000)
        self.check()
        now, book = self.session.statistics(), self.session.journal.credits
        assert (now.in_progress, now.waiting, now.on_wire) == (0, 0, 0)
        assert (now.credits_used, now.credits_reserved, now.credits_maybe) == (book.used, book.reserved, book.maybe)
        assert now.unknown >= 0
        for key, handle in self.handles.items():
            statuses = _STATUSES.get(self.record(key).state)
            assert statuses is None or handle.status in statuses
            assert statuses is None or (handle.exception() is None) == (handle.status == "success")

    async def _clean_up(self) -> None:
        """Close whatever is open, also where a check failed."""
        if not hasattr(self, "service"):
            return
        for session in self.service.sessions:
            await session.aclose(timeout=0)
        await self.service.emulator.close()

    def _check_ended(self) -> None:
        """Nothing waits or runs any more: every job and every credit is accounted for."""
        book = self.session.journal
        assert book.jobs(JobState.QUEUED, JobState.SENDING, JobState.RUNNING) == ()
        attempts = [attempt for record in book.jobs() for attempt in record.attempts]
        used = none = Decimal(0)
        for attempt in attempts:
            task = self.world.tasks.get(attempt.task_id or "")
            if task is not None and attempt.end == "gone":
                used += PRICE_480P
            elif task is not None and task.failure is None:
                used += task.credits
        maybe = PRICE_480P * sum(attempt.outcome == "unknown" for attempt in attempts)
        assert (book.credits.used, book.credits.reserved, book.credits.maybe) == (used, none, maybe)

    def _memory(self) -> dict[str, JobRecord]:
        return {record.key: record for record in self.session.journal.jobs()}

    def _made(self) -> dict[str, list[WorldTask]]:
        """Return the tasks that the service has made, by key."""
        made: dict[str, list[WorldTask]] = {}
        for task in self.world.tasks.values():
            key = self._keys[_LABEL.findall(task.order.prompt)[0]]
            made.setdefault(key, []).append(task)
        return made


def _inputs(prompt: str) -> TextToVideo:
    return TextToVideo(prompt, output_resolution="480p")


async def _die() -> None:
    """End what a closing leaves to itself: a write that hangs ends with its process."""
    hanging = [task for task in asyncio.all_tasks() if task.get_name().startswith("seedance_async journal")]
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


def _left() -> list[str]:
    """Return the tasks of sessions that are on the loop."""
    left: list[str] = []
    for task in asyncio.all_tasks():
        coroutine: Any = task.get_coro()
        file = str(coroutine.cr_code.co_filename).replace("\\", "/")
        if "/seedance_async/" in file and "/seedance_async/testing/" not in file:
            left.append(task.get_name())
    return left
