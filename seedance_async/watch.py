"""What a session makes of the answer to a poll."""

import logging

from attrs import define, field

from seedance_async import telling
from seedance_async.clock import wall_now
from seedance_async.core.answers import Answer, Cause, NoAnswer, Reply, api_error
from seedance_async.core.budget import Balance
from seedance_async.core.decode import decode_record
from seedance_async.core.failures import task_failed
from seedance_async.core.lifecycle import Event
from seedance_async.core.results import FAIL, SUCCESS, TaskSnapshot, result_of
from seedance_async.core.retry import RetryPolicy, parse_retry_after
from seedance_async.errors import (
    ApiError,
    BadRequestError,
    PermissionDeniedError,
    SeedanceError,
    TaskNotFoundError,
    TaskTimeoutError,
    concerns_everything,
)
from seedance_async.events import Drift, SlotGivenUp
from seedance_async.gatekeeper import Gatekeeper
from seedance_async.job import Job
from seedance_async.planner import Planner
from seedance_async.register import Register

logger = logging.getLogger("seedance_async")

#: Statuses that some source shows (contract, section 6). Others are logged once each, and mean "still running".
_KNOWN_STATUSES = frozenset({"waiting", "generating", SUCCESS, FAIL})

#: Most statuses remembered as logged: a service that makes up words must not fill the memory.
_MOST_LOGGED = 100


@define(eq=False)
class Watch:
    """Moves the jobs of one session by what polls say."""

    register: Register
    gatekeeper: Gatekeeper
    planner: Planner
    retry: RetryPolicy
    key_source: str
    balance: Balance
    _logged: set[str] = field(init=False, factory=set[str])

    def heard(self, job: Job, reply: Reply) -> bool:
        """Take in the answer to a poll of a running job; return whether it is to be polled on.

        1. A record of the task: shown; at its end the job is over.
        2. 404: tolerated for a while after the create, then the task is gone. 403 "Access denied": gone at once.
        3. 401 and any other 403: every wait is over; the tasks stay pending.
        4. Anything else is a missed poll, as is every answer that is not the service's own. Its 429 is no failure.
        """
        if job.task_id is None or job not in self.register.running:
            return False
        if isinstance(reply, Answer) and reply.status == 200:
            # Most polls hear what the one before heard.
            same = bool(reply.body) and reply.body == job.snapshot.raw
            snapshot = job.snapshot if same else decode_record(reply.body, job.task_id)
            if reply.proper:
                self.gatekeeper.heard_answer()
            if snapshot is not None:
                return self._told(job, snapshot)
            return self._missed(job, Cause("HTTP 200", "no record of the task in the answer"), said=reply.proper)
        return self._missed(job, reply.cause) if isinstance(reply, NoAnswer) else self._refused(job, reply)

    def _refused(self, job: Job, reply: Answer) -> bool:
        error = api_error(reply, self.key_source)
        if not reply.proper:
            # A page of something in front of the service, whatever its status: it knows neither tasks nor keys.
            return self._missed(job, Cause(f"HTTP {reply.status}", error.message))
        self.gatekeeper.heard_answer()
        if concerns_everything(error):
            self.register.end_everything(error)
            return True
        if isinstance(error, PermissionDeniedError):
            return self._gone(job, error)
        if isinstance(error, TaskNotFoundError | BadRequestError):
            if isinstance(error, BadRequestError) or self.register.now() >= job.visible_by:
                return self._gone(job, error)
            return True
        if reply.status == 429:
            self.planner.rate.refused(
                job.asked_at, self.register.now(), parse_retry_after(reply.retry_after, wall_now())
            )
            return True
        return self._missed(job, Cause(f"HTTP {reply.status}", error.message), said=True)

    def _told(self, job: Job, snapshot: TaskSnapshot) -> bool:
        job.misses = 0
        if job.haste is not None:
            job.haste.told = True
        self.planner.rate.answered()
        self._log_if_unknown(snapshot.status)
        if _visible_change(job.snapshot, snapshot):
            previous = job.snapshot
            job.show(snapshot)
            if self.register.hooks:
                self.register.hooks.call(telling.status_changed(job, previous, self.register.now()))
        else:
            job.snapshot = snapshot
        if snapshot.terminal:
            self._ended(job, snapshot, self.planner.ended(job, snapshot))
            return False
        self.planner.alive(job, snapshot)
        self._check_deadline(job)
        return True

    def _ended(self, job: Job, snapshot: TaskSnapshot, moment: float | None) -> None:
        register = self.register
        assert job.task_id is not None
        if snapshot.status == SUCCESS:
            register.end_running(job, Event.SUCCEEDED, moment)
            register.counts.succeeded += 1
            used = snapshot.credits_used
            if job.request is not None or job.journalled:
                # What an attached task cost was somebody else's budget.
                register.groups.settle(job, job.reserved if used is None else used)
            job.waits_over = False
            result = result_of(snapshot)
            register.entries.succeeded(job, result)
            self._look_for_drift(job, snapshot)
            register.settle(job, None, result)
            return
        register.end_running(job, Event.FAILED, moment)
        register.counts.failed += 1
        self.balance.refunded(job.reserved)
        register.groups.give_back(job)
        job.waits_over = False
        error = task_failed(job.task_id, snapshot.error)
        register.entries.ended(job, Event.FAILED, error)
        register.settle(job, error)

    def _missed(self, job: Job, cause: Cause, *, said: bool = False) -> bool:
        """Count a missed poll; while the gate is closed it counts against nobody."""
        self.register.counts.polls_failed += 1
        if not said:
            self.gatekeeper.heard_nothing(cause)
        if not self.gatekeeper.gate.is_open:
            return True
        if job.waits_over:
            self._give_up_slot(job)
        else:
            job.misses += 1
            if job.misses >= self.retry.poll_failures:
                assert job.task_id is not None
                reason = f"{job.misses} polls in a row failed, last with {cause}"
                self.register.end_wait(job, TaskTimeoutError(job.task_id, reason))
        return True

    def _log_if_unknown(self, status: str) -> None:
        if status in _KNOWN_STATUSES or status in self._logged or len(self._logged) >= _MOST_LOGGED:
            return
        self._logged.add(status)
        logger.warning("status %r is not known and is taken for 'still running'", status[:40])

    def _check_deadline(self, job: Job) -> None:
        """End a wait whose time is up. Only an answer that came after the deadline ends it: laptops sleep."""
        now = self.register.now()
        if not job.waits_over and now >= job.deadline:
            assert job.task_id is not None
            minutes = (job.deadline - job.accepted_at) / 60
            reason = f"it was still {job.snapshot.status!r} after {minutes:g} minutes"
            self.register.end_wait(job, TaskTimeoutError(job.task_id, reason))
        else:
            self._give_up_slot(job)

    def _give_up_slot(self, job: Job) -> None:
        """Let the slot of a task be used again that has not been seen to end for long after its wait was over."""
        if job.slot_until is not None and self.register.now() >= job.slot_until:
            job.slot_until = float("inf")
            self.register.slots.release(job)
            self.register.alarm.ring()
            assert job.task_id is not None
            logger.warning("task %s has not ended for so long that its slot is used again", job.task_id)
            self.register.hooks.call(SlotGivenUp(job.key, job.task_id))

    def _gone(self, job: Job, error: ApiError) -> bool:
        failure: SeedanceError = error
        failure.charged = "yes" if job.request is not None or job.journalled else "maybe"
        self.register.end_running(job, Event.GONE)
        self.register.groups.settle(job, job.reserved)
        self.register.entries.ended(job, Event.GONE, failure)
        self.register.settle(job, failure)
        return False

    def _look_for_drift(self, job: Job, snapshot: TaskSnapshot) -> None:
        request = job.request
        if request is None or job.task_id is None:
            return
        used, expected = snapshot.credits_used, request.credits
        if used is not None and expected is not None and used != expected and not request.settles_later:
            self._drifted(Drift(job.key, job.task_id, "credits", str(expected), str(used)))
        size = snapshot.outputs[0].width, snapshot.outputs[0].height
        if request.expected_size is not None and None not in size and size != request.expected_size:
            asked = "x".join(map(str, request.expected_size))
            self._drifted(Drift(job.key, job.task_id, "size", asked, f"{size[0]}x{size[1]}"))

    def _drifted(self, drift: Drift) -> None:
        logger.warning("task %s: %s expected, %s came (%s)", drift.task_id, drift.expected, drift.actual, drift.what)
        self.register.hooks.call(drift)


def _visible_change(old: TaskSnapshot, new: TaskSnapshot) -> bool:
    return (old.status, old.credits_used, old.outputs) != (new.status, new.credits_used, new.outputs)
