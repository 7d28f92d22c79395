"""The register: every job of a session, and the ways in which a job ends.

Every change of state happens in a function without `await`, so that no cancellation falls into the middle of one.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from attrs import define, field

from seedance_async import telling
from seedance_async.clock import Alarm
from seedance_async.core.budget import Budget
from seedance_async.core.lifecycle import Event, State
from seedance_async.core.results import VideoResult
from seedance_async.core.throughput import Throughput
from seedance_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    InsufficientCreditsError,
    JournalError,
    OutcomeUnknownError,
    SeedanceError,
    SessionClosedError,
    WithdrawnError,
    concerns_everything,
)
from seedance_async.events import HookEvent, LimitChanged, Unclaimed
from seedance_async.groups import Groups
from seedance_async.hooks import Hooks
from seedance_async.job import Job
from seedance_async.journal.entries import Entries
from seedance_async.kept import Kept
from seedance_async.settings import Timeouts
from seedance_async.slots import Slots
from seedance_async.statistics import Counts

#: More tasks than any account has at once, by far; older ones cannot be taken for new ones, by their age.
_MOST_OWNERS: Final = 10_000


def _at_once(_job: Job) -> bool:
    return False


@define(eq=False)
class Register:
    """The jobs of one open session.

    Attributes:
        unsettled: Jobs that are queued or on the wire, in the order in which they came.
        impatient: Those of them that give up during a long outage, in the same order.
        running: Jobs whose task was accepted and not yet seen to end.
        entries: Where what happens to jobs is written down.
        tasks: The running jobs by task id.
        owners: The keys of the tasks that were accepted last, also of those that have ended.
        unknown: Told of each job that ends with an unknown outcome.
        kept: The jobs whose task ended while nobody had its handle.
        groups: How many jobs of each group wait and are in progress, and what they cost.
        throughput: For how long tasks hold their slots.
        on_wire: How many tasks of the session send creates.
        expect: Told of each job before it is queued; says whether it is held there until it is ready.
        alarm: Rung when a waiter may be able to leave.
    """

    slots: Slots
    budget: Budget
    timeouts: Timeouts
    hooks: Hooks
    entries: Entries = field(factory=Entries)
    groups: Groups = field(init=False)
    throughput: Throughput = field(init=False, factory=Throughput)
    counts: Counts = field(init=False, factory=Counts)
    unsettled: dict[Job, None] = field(init=False, factory=dict[Job, None])
    impatient: dict[Job, None] = field(init=False, factory=dict[Job, None])
    running: dict[Job, None] = field(init=False, factory=dict[Job, None])
    tasks: dict[str, Job] = field(init=False, factory=dict[str, Job])
    owners: dict[str, str] = field(init=False, factory=dict[str, str])
    unknown: Callable[[Job], None] | None = field(init=False, default=None)
    kept: Kept = field(init=False, factory=Kept)
    on_wire: int = field(init=False, default=0)
    expect: Callable[[Job], bool] = field(init=False, default=_at_once)
    alarm: Alarm = field(init=False, factory=Alarm)
    _detached: int = field(init=False, default=0)
    _over: bool = field(init=False, default=False)
    _limit: int | None = field(init=False, default=None)
    _quiet: set[asyncio.Future[None]] = field(init=False, factory=set[asyncio.Future[None]])
    _loop: asyncio.AbstractEventLoop = field(init=False, factory=asyncio.get_running_loop)

    def __attrs_post_init__(self) -> None:
        """Begin with no job."""
        self.groups = Groups(self.budget)

    def now(self) -> float:
        """Return the loop's time."""
        return self._loop.time()

    def position(self, job: Job) -> int | None:
        """Return the place in the queue."""
        return self.slots.position(job)

    # Beginnings

    def enqueue(self, job: Job) -> None:
        """Give a job its place in the queue; its credits are reserved already."""
        self.entries.queued(job)
        self.unsettled[job] = None
        if not job.patient:
            self.impatient[job] = None
        self.groups.put(job, "waiting")
        self.slots.enqueue(job, job.group, held=self.expect(job))
        if self.hooks:
            self.hooks.call(telling.queued(job, self.slots.statistics().waiting))
        self.alarm.ring()

    def runs(self, job: Job) -> None:
        """Note that a job's task was accepted, now or by somebody else's create."""
        assert job.task_id is not None
        self.leave_queue(job)
        self.groups.put(job, "in progress")
        self.running[job] = None
        self.tasks[job.task_id] = job
        if job.request is not None:
            self.owners[job.task_id] = job.key
            if len(self.owners) > _MOST_OWNERS:
                del self.owners[next(iter(self.owners))]
        self._detached += job.detached

    def leave_queue(self, job: Job) -> None:
        """Forget a job among those that wait."""
        self.unsettled.pop(job, None)
        self.impatient.pop(job, None)
        self.groups.put(job, None)

    # Ends

    def withdraw(self, job: Job) -> bool:
        """Take a queued job back, if nothing of it can have been accepted."""
        if job.state is not State.QUEUED or job.repeats:
            return False
        self.end_unsent(job, Event.WITHDRAWN, WithdrawnError(job.key))
        return True

    def detach(self, job: Job) -> None:
        """Forget a job for `pending` and `drain`."""
        if not job.detached:
            job.detached = True
            self._detached += job in self.running
            self.check_quiet()

    def rejoin(self, job: Job) -> None:
        """Take a running job back into `pending` and `drain`, and its slot into the count."""
        if job.detached:
            job.detached = False
            self._detached -= 1
        self.slots.adopt(job)

    def give_up(self, job: Job) -> bool:
        """Give up one caller's interest in a job; the last one ends it while it is queued.

        Returns:
            Whether the job is over.
        """
        job.claims -= 1
        if job.claims <= 0 and job.state is State.QUEUED:
            self.end_unsent(job, Event.WITHDRAWN, WithdrawnError(job.key))
        return job.settled

    def end_unsent(self, job: Job, event: Event, error: SeedanceError) -> None:
        """End a job that has no task. One whose create was answered 500 before may have one all the same: unknown."""
        if job.repeats:
            job.move(Event.LOST)
            self.counts.unknown += 1
            job.counted = True
            # Each repeat followed a 500 that may be paid; the newest create is not.
            self.groups.add_maybe(job, job.reserved * job.repeats)
            self.groups.give_back(job)
            price = None if job.request is None else job.request.credits
            reason = f"it was answered 500, which may have been charged; a later one was not accepted: {error}"
            error = OutcomeUnknownError(reason, price, job.key)
            self.entries.unsent(job, Event.LOST, error)
        else:
            job.move(event)
            self.groups.give_back(job)
            if isinstance(error, SessionClosedError | JournalError) or (job.of_journal and _not_its_own(error)):
                self.entries.left(job)
            else:
                self.entries.unsent(job, event, error)
        if not self.slots.withdraw(job):
            self.slots.release(job)
        self.leave_queue(job)
        self.alarm.ring()
        self.settle(job, error)

    def end_running(self, job: Job, event: Event, moment: float | None = None) -> None:
        """Take a job whose task has ended, at a moment if it is known, or is not answered for, out of the running."""
        assert job.task_id is not None
        job.move(event)
        self.slots.release(job, ended=moment)
        del self.running[job]
        self.groups.put(job, None)
        if moment is not None:
            self.throughput.ended(moment - job.accepted_at)
        self._detached -= job.detached
        # Two jobs can have one task: attached by an id that came by another way before the create's own answer.
        if self.tasks.get(job.task_id) is job:
            del self.tasks[job.task_id]
        self.alarm.ring()

    def settle(self, job: Job, error: SeedanceError | None, result: VideoResult | None = None) -> None:
        """Tell everybody that a job is over; keep what a task made that nobody asks for."""
        with self.hooks.held():
            job.ended_at = self.now()
            job.conclude(result=result, failure=error)
            # First: who follows a job may queue another one under its key, which is told after this.
            self._tell_end(job)
            job.call_followers()
            job.end_updates()
            job.wake()
            if job.state is State.UNKNOWN and self.unknown is not None:
                self.unknown(job)
            self.check_quiet()

    def _tell_end(self, job: Job) -> None:
        unclaimed = job.task_id is not None and not job.claimed
        if unclaimed and job.state is not State.GONE:
            self.kept.add(job)
        if self.hooks:
            assert job.ended_at is not None
            records: list[HookEvent] = [telling.finished(job, job.ended_at)]
            if unclaimed:
                assert job.task_id is not None
                records.append(Unclaimed(job.key, job.task_id, job.state.value))
            self.hooks.call(*records)

    def end_wait(self, job: Job, error: SeedanceError) -> None:
        """End the wait for a task that may still run; it stays pending and is watched on."""
        error.charged = "yes"
        job.waits_over = True
        if job.slot_until is None:
            job.slot_until = self.now() + self.timeouts.give_up_slot
        with self.hooks.held():
            job.conclude(failure=error)
            if self.hooks:
                self.hooks.call(telling.wait_ended(job, error))
            job.call_followers()
            job.end_updates()
            job.wake()

    def end_queued(self, error: SeedanceError) -> None:
        """End every queued job: what happened concerns all of them."""
        with self.hooks.held():
            for job in [job for job in self.unsettled if job.state is State.QUEUED]:
                self.end_unsent(job, Event.REFUSED, same_error(error))

    def end_everything(self, error: SeedanceError) -> None:
        """End every queued job and every wait: a wrong key concerns all of them. Tasks stay pending."""
        with self.hooks.held():
            self.end_queued(error)
            for job in [job for job in self.running if not job.settled]:
                self.end_wait(job, same_error(error))

    # Hooks

    def tell_accepted(self, job: Job) -> None:
        """Tell the hooks of a task, once."""
        if self.hooks and not job.announced:
            job.announced = True
            self.hooks.call(telling.accepted(job))

    def tell_limit(self) -> None:
        """Tell the hooks if the number of slots is not what it was."""
        if self.hooks:
            limit, previous = self.slots.statistics().limit, self._limit
            if limit != previous:
                self._limit = limit
                if previous is not None:
                    self.hooks.call(LimitChanged(limit, previous))

    # Quiet

    async def quiet(self) -> bool:
        """Wait until nothing is queued, on the wire or pending. Cancellation leaves nothing behind.

        Returns:
            False if the session ended first.
        """
        while not self._is_quiet():
            if self._over:
                return False
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._quiet.add(waiter)
            try:
                await waiter
            finally:
                self._quiet.discard(waiter)
        return True

    def end_quiet(self) -> None:
        """Let nobody wait for quiet any more: nothing comes to an end after the session did."""
        self._over = True
        self.check_quiet()

    def check_quiet(self) -> None:
        """Wake those who wait for quiet, if it is."""
        if self._quiet and (self._over or self._is_quiet()):
            for waiter in self._quiet:
                if not waiter.done():
                    waiter.set_result(None)

    def _is_quiet(self) -> bool:
        return not self.unsettled and not self.on_wire and len(self.running) == self._detached


def _not_its_own(error: SeedanceError) -> bool:
    """Whether an error says nothing about the job: another session may send it."""
    account = isinstance(error, ConnectionFailedError | InsufficientCreditsError | ConfigurationError)
    return account or concerns_everything(error)


def same_error(error: SeedanceError) -> SeedanceError:
    """Return an error that says the same, with no job's key or task id."""
    return type(error)(*error.args)
