"""Jobs whose task exists already: attached by its id, found in the journal, or told of by a hint."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import define

from seedance_async.clock import wall_now
from seedance_async.core.budget import ZERO
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.lifecycle import Event, State
from seedance_async.core.polling import Polling
from seedance_async.core.record import JobRecord
from seedance_async.core.record_errors import error_of
from seedance_async.core.record_inputs import recorded_look, shown_inputs
from seedance_async.core.record_results import result_of_record
from seedance_async.core.request import BASE_DEADLINE, Request, prepare
from seedance_async.core.results import FAIL, SUCCESS, TaskSnapshot, VideoResult
from seedance_async.errors import InputError, WithdrawnError
from seedance_async.job import Job
from seedance_async.telling import attached

if TYPE_CHECKING:
    from seedance_async.opened import Opened

#: Seconds an attached task is taken to need: nothing is known of it. The usual time of the catalogues' models.
_USUAL = 240.0

#: Seconds a 404 for an attached task is taken for "not visible yet": somebody may have created it just now.
_ATTACHED_VISIBLE = 15.0


@define(eq=False)
class Attaching:
    """Makes the jobs of one open session that need no create."""

    opened: "Opened"
    catalogue: Catalogue
    polling: Polling

    def by_id(self, task_id: str) -> Job:
        """Return the job that watches a task: the one known already, or a new one."""
        known = self.opened.register.tasks.get(task_id)
        if known is not None:
            self.again(known)
            return known
        kept = self.opened.register.kept.by_task(task_id)
        if kept is not None:
            return kept
        job = self._blank(task_id, None)
        self._run(job, task_id, accepted_at=job.enqueued_at)
        self.opened.register.slots.adopt(job)
        return job

    def by_record(self, record: JobRecord) -> Job:
        """Return a job as the journal tells of it, for one that is not queued.

        A task that runs holds a slot at once and is asked for. One that has succeeded with a link that was not kept is
        asked for, too, without a slot.
        """
        job = self._blank(record.key, _request_of(record, self.catalogue))
        job.of_journal, job.journalled, job.task_id, job.group = True, True, record.task_id, record.group
        if record.state is State.RUNNING:
            self._run_on(job, record)
            self.opened.register.slots.adopt(job)
            return job
        result = result_of_record(record) if record.state is State.SUCCEEDED else None
        if record.state is State.SUCCEEDED and result is None:
            # What it cost is settled anew, by the same answer.
            self._run_on(job, record)
            self.opened.register.groups.unsettle(job, _used(record))
            return job
        self._end(job, record, result)
        return job

    def by_hint(self, job: Job, task_id: str) -> None:
        """Let a job whose outcome was unknown run: its task id was learned after all."""
        register, price = self.opened.register, ZERO if job.request is None else job.request.credits or ZERO
        job.move(Event.RESOLVED)
        job.result, job.failure, job.waits_over, job.ended_at = None, None, False, None
        job.repeats = 0
        self.opened.forget_phantom(job)
        register.counts.unknown -= job.counted
        job.counted = False
        register.groups.resolve(job, price)
        watched = task_id in register.tasks
        self._run(job, task_id, accepted_at=register.now())
        register.entries.resolved(job)
        if watched:
            # By its id alone, which took a slot for it.
            register.slots.release(job)
        else:
            register.slots.adopt(job)

    def again(self, job: Job) -> None:
        """Watch a running job anew: one whose wait was over waits again, with the time it had at first."""
        register = self.opened.register
        if job.waits_over:
            job.waits_over, job.failure, job.slot_until = False, None, None
            job.misses, job.ended_at = 0, None
            job.deadline = register.now() + (register.timeouts.task or _deadline(job))
        if self._has_ended(job):
            self.opened.poller.look_now(job)
            return
        register.rejoin(job)
        self.opened.poller.look_now(job)

    def _has_ended(self, job: Job) -> bool:
        """Whether the journal knows that a job has ended which is asked for again, for its link."""
        keeper = self.opened.register.entries.keeper
        return keeper is not None and job.journalled and keeper.records[job.key].state.ended

    def _blank(self, key: str, request: Request | None) -> Job:
        typical = _USUAL if request is None else request.typical_seconds
        now = self.opened.register.now()
        return Job(key, request, self.polling, typical, patient=True, enqueued_at=now)

    def _run_on(self, job: Job, record: JobRecord) -> None:
        assert record.task_id is not None
        assert record.last is not None
        job.reserved = record.last.credits or ZERO
        self._run(job, record.task_id, accepted_at=self._moment(record.accepted_at))

    def _run(self, job: Job, task_id: str, *, accepted_at: float) -> None:
        register, now = self.opened.register, self.opened.register.now()
        job.state, job.task_id = State.RUNNING, task_id
        job.snapshot = TaskSnapshot(task_id=task_id, status="waiting")
        job.accepted_at = accepted_at
        job.visible_by = now + min(register.timeouts.visibility, _ATTACHED_VISIBLE)
        job.deadline = now + (register.timeouts.task or _deadline(job))
        register.runs(job)
        if register.hooks:
            register.hooks.call(attached(job))
        self.opened.poller.look_now(job)

    def _end(self, job: Job, record: JobRecord, result: VideoResult | None) -> None:
        job.state = record.state
        job.accepted_at, job.ended_at = self._moment(record.accepted_at), self._moment(record.changed_at)
        if result is not None:
            job.snapshot = TaskSnapshot(
                record.task_id,
                SUCCESS,
                result.model,
                result.credits_used,
                result.outputs,
                created_at=result.created_at,
                completed_at=result.completed_at,
            )
            job.settle(result=result)
            return
        if record.state is State.FAILED:
            job.snapshot = TaskSnapshot(record.task_id, FAIL)
        if record.error is None:
            job.settle(failure=WithdrawnError(record.key))
        else:
            job.settle(failure=error_of(record.error, record.key, record.task_id, record.credits))

    def _moment(self, at: datetime | None) -> float:
        """Turn a moment of the wall clock into the loop's time, never later than now: that clock may be set back."""
        now = self.opened.register.now()
        return now if at is None else now - max(0.0, (wall_now() - at).total_seconds())


def _used(record: JobRecord) -> Decimal:
    last = record.last
    if last is None:
        return ZERO
    return (last.credits or ZERO) if last.credits_used is None else last.credits_used


def _request_of(record: JobRecord, catalogue: Catalogue) -> Request | None:
    """Return the request for looking at: it is not sent again, and its links may be cut."""
    inputs = shown_inputs(record.inputs)
    if inputs is None:
        return None
    try:
        return prepare(inputs, catalogue, recorded_look(record.inputs))
    except InputError:
        return None  # another catalogue than the one it was sent by


def _deadline(job: Job) -> float:
    return BASE_DEADLINE if job.request is None else job.request.deadline_seconds
