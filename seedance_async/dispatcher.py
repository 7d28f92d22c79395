"""The dispatcher: who gets a slot, and what follows a create.

1. A slot is held from just before the create, its intent included, until the task's end was seen.
2. Each create runs in a task of the session. Callers wait for it and nobody owns it: no caller's cancellation falls
   between intent, create and answer.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from datetime import datetime

from attrs import define, field

from seedance_async.clock import wall_now
from seedance_async.core.budget import ZERO, Balance
from seedance_async.core.lifecycle import Event
from seedance_async.core.outcome import Outcome
from seedance_async.core.results import TaskSnapshot
from seedance_async.core.retry import Decision, Finish, GiveUp, OverLimit, RepeatAfter, Unreached, parse_retry_after
from seedance_async.errors import (
    ApiError,
    InsufficientCreditsError,
    JournalError,
    SeedanceError,
    SessionClosedError,
    WithdrawnError,
    concerns_everything,
)
from seedance_async.events import Refusal, SlotAcquired
from seedance_async.exchange import Exchange
from seedance_async.feeder import Feeder
from seedance_async.gatekeeper import Gatekeeper
from seedance_async.job import Job
from seedance_async.journal.unwritten import tell_unwritten
from seedance_async.register import Register


@define(eq=False)
class Dispatcher:
    """Sends the creates of one session.

    Attributes:
        watch: Told of each job whose task was accepted.
        usual: Tells for how many seconds tasks like a job's usually run.
        closing: Set once the session begins to close: nothing leaves any more.
        crash: What a create failed with that should never fail; ends the session.
        balance: What the account was last heard to have.
        feeder: Uploads what the next jobs need.
    """

    register: Register
    gatekeeper: Gatekeeper
    exchange: Exchange
    feeder: Feeder
    wall: Callable[[], datetime] = wall_now
    watch: Callable[[Job], None] = field(init=False)
    usual: Callable[[Job], float] = field(init=False)
    closing: bool = field(init=False, default=False)
    crash: BaseException | None = field(init=False, default=None)
    balance: Balance = field(init=False, factory=Balance)
    _wire: set[asyncio.Task[None]] = field(init=False, factory=set[asyncio.Task[None]])
    _phantoms: dict[Job, float] = field(init=False, factory=dict[Job, float])
    _held: bool = field(init=False, default=False)

    async def run(self) -> None:
        """Give slots to waiters as they may leave, for as long as the session lives."""
        register, gate = self.register, self.gatekeeper.gate
        while True:
            self._held = False
            if self.crash is not None:
                raise self.crash
            self._free_phantoms()
            if gate.is_open:
                self._let_leave()
                if not self.closing:
                    self.feeder.feed()
            else:
                with register.hooks.held():
                    self.gatekeeper.give_up_impatient()
            # Whatever changes the number of slots rings.
            register.tell_limit()
            await register.alarm.wait_until(self._next_moment())

    async def finish(self, timeout: float) -> None:
        """Wait for the creates on the wire; those that take longer than `timeout` seconds end as unknown.

        What is being uploaded is given up: it is for jobs that will not be sent.
        """
        await self.feeder.aclose()
        if self._wire:
            _, late = await asyncio.wait(self._wire, timeout=timeout)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    def _let_leave(self) -> None:
        slots, suspicious = self.register.slots, self.gatekeeper.gate.suspicious
        while not self.closing and (holder := slots.take(one_at_a_time=suspicious)) is not None:
            assert isinstance(holder, Job)
            job, request = holder, holder.request
            assert request is not None
            if not self.feeder.is_ready(job):
                slots.not_sent(job)
                self.feeder.again(job)
                continue
            if not self.balance.admits(request.credits, self.register.now()):
                if self.balance.undecided(request.credits):
                    # Back to its place, until a create on the wire has told what the account has.
                    slots.not_sent(job)
                    self._held = True
                    return
                # The account said a moment ago what it has; asking again would only be refused again.
                message = "the account had too few credits for this job when it was last asked"
                error = InsufficientCreditsError(402, message, None, request.credits, self.balance.free)
                self.register.end_unsent(job, Event.REFUSED, error)
                continue
            self.feeder.taken(job)
            self.balance.left(request.credits)
            job.move(Event.INTENT)
            self.register.groups.put(job, "in progress")
            if self.register.hooks:
                waited = self.register.now() - job.enqueued_at
                self.register.hooks.call(SlotAcquired(job.key, waited, job.attempts + 1))
            # An empty context: what the caller of `open` had in its own is none of a create's business.
            task = asyncio.get_running_loop().create_task(self._create(job), context=Context())
            self._wire.add(task)
            self.register.on_wire += 1
            task.add_done_callback(self._off_wire)

    def _off_wire(self, task: asyncio.Task[None]) -> None:
        self._wire.discard(task)
        self.register.on_wire -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            self.crash = error
        self.register.alarm.ring()
        self.register.check_quiet()

    def _next_moment(self) -> float | None:
        gate = self.gatekeeper.gate
        slots = self.register.slots
        wakeup: float | None = None
        if not gate.is_open:
            wakeup = self.gatekeeper.next_moment()
        elif not self._held:
            # For one who was held, no time helps: the end of a create rings.
            wakeup = slots.wakeup(one_at_a_time=gate.suspicious)
        # Phantoms are in the order in which they came, and there are few.
        moments = [*self._phantoms.values()] if wakeup is None else [wakeup, *self._phantoms.values()]
        return min(moments, default=None)

    def _free_phantoms(self) -> None:
        now = self.register.now()
        for job in [job for job, until in self._phantoms.items() if until <= now]:
            del self._phantoms[job]
            self.register.slots.release(job)

    async def _create(self, job: Job) -> None:
        assert job.request is not None
        decision = await self.exchange.create(job, job.request, heard=self._heard, pause=self.gatekeeper.pause)
        self.balance.ended(job.request.credits)
        with self.register.hooks.held():
            self._decided(job, decision)
        if job.noting:
            try:
                await self.register.entries.durable()
            except JournalError as error:
                self._id_not_written(job, error)
            except asyncio.CancelledError:
                # The session closes and writes what is left itself.
                pass
            self._tell_accepted(job)

    def _heard(self, job: Job, outcome: Outcome) -> None:
        self.gatekeeper.heard_create(job, outcome)

    def _decided(self, job: Job, decision: Decision) -> None:
        match decision:
            case Finish(task_id=task_id):
                self._accepted(job, task_id)
            case OverLimit():
                self._over_limit(job, decision)
            case Unreached():
                job.move(Event.NOT_SENT)
                self.register.entries.back(job, Event.NOT_SENT)
                self.register.slots.not_sent(job)
                self._back_in_queue(job)
            case GiveUp(error=error, unknown=True):
                self._lost(job, error)
            case GiveUp(error=error):
                self._refused(job, error)
            case RepeatAfter():
                raise AssertionError("the exchange repeats; it does not return before it is done")
        self.register.alarm.ring()

    def _accepted(self, job: Job, task_id: str) -> None:
        register, request = self.register, job.request
        assert request is not None
        job.move(Event.ACCEPTED)
        job.task_id = task_id
        job.accepted_at = register.now()
        job.visible_by = job.accepted_at + register.timeouts.visibility
        job.deadline = job.accepted_at + (register.timeouts.task or request.deadline_seconds)
        register.counts.accepted += 1
        register.slots.accepted(job)
        self.balance.accepted(request.credits)
        # Each repeat followed a 500, after which there may be a task as well.
        register.groups.add_maybe(job, (request.credits or ZERO) * job.repeats)
        register.runs(job)
        register.entries.accepted(job)
        # The service's own word for a task that it has just accepted.
        job.show(TaskSnapshot(task_id=task_id, status="waiting"))
        if job.journalled:
            job.noting = True
        else:
            self._tell_accepted(job)

    def _tell_accepted(self, job: Job) -> None:
        """Tell everybody of a task whose id is safe, or as safe as it can be made."""
        register = self.register
        assert job.task_id is not None
        assert job.request is not None
        job.noting = False
        register.tell_accepted(job)
        if isinstance(job.failure, SessionClosedError):
            # The background failed while this create was on the wire: now there is an id to tell.
            register.end_wait(job, SessionClosedError((job.task_id,), job.failure.reason))
        job.wake()
        if job in register.running:
            self.watch(job)

    def _id_not_written(self, job: Job, error: JournalError) -> None:
        failure = JournalError(error.reason, error.path)
        failure.task_id = job.task_id
        tell_unwritten(job)
        # Watched on, and in `pending`: if it ends after all, the next await has its result.
        if not job.settled:
            self.register.end_wait(job, failure)

    def _over_limit(self, job: Job, decision: OverLimit) -> None:
        register, error = self.register, decision.error
        job.move(Event.OVER_LIMIT)
        register.entries.back(job, Event.OVER_LIMIT)
        register.counts.refusals += 1
        delay = parse_retry_after(decision.retry_after, self.wall())
        register.hooks.call(Refusal(job.key, error.limit, error.current, delay))
        register.slots.refused(job, limit=error.limit, current=error.current, retry_after=delay)
        self._back_in_queue(job)

    def _back_in_queue(self, job: Job) -> None:
        self.register.groups.put(job, "waiting")
        if self.closing:
            self.register.end_unsent(job, Event.WITHDRAWN, SessionClosedError())
        elif job.claims <= 0:
            # Whoever asked for it went while the create was on the wire: nobody wants another one.
            self.register.end_unsent(job, Event.WITHDRAWN, WithdrawnError(job.key))
        else:
            job.wake()

    def _lost(self, job: Job, error: SeedanceError) -> None:
        register = self.register
        job.move(Event.LOST)
        register.counts.unknown += 1
        job.counted = True
        register.entries.lost(job, error)
        register.slots.lost(job)
        # A task may be using the slot, for as long as such tasks take.
        self._phantoms[job] = register.now() + self.usual(job)
        register.groups.add_maybe(job, job.reserved * job.repeats)
        register.groups.keep_as_maybe(job)
        register.leave_queue(job)
        register.settle(job, error)

    def forget_phantom(self, job: Job) -> None:
        """Let the slot of a lost create be its task's, whose id was learned after all."""
        self._phantoms.pop(job, None)

    def _refused(self, job: Job, error: SeedanceError) -> None:
        if isinstance(error, InsufficientCreditsError):
            self.balance.refused(error.available, self.register.now())
        self.register.end_unsent(job, Event.REFUSED, error)
        if isinstance(error, JournalError):
            self.register.end_queued(error)
        # Only the service itself knows keys and accounts; a page in front of it knows this one request.
        if concerns_everything(error) and isinstance(error, ApiError) and error.body is not None:
            self.register.end_everything(error)
