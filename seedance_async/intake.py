"""The intake: from inputs and a key to a job, decided before the first `await`.

A key stands for one job. What a second call with it gets:

1. Nothing was accepted (refused, withdrawn): the key is free, a new job.
2. Unknown, or gone (404 or 403 for a task that was paid): the same job, whose error says so; with
   `resubmit_unknown` a new one.
3. Queued, running or finished, same inputs: the same job. Other inputs: `KeyConflictError`.
4. Failed, same inputs: the same job, whose error says why; with `retry_failed`, or with other inputs, a new
   one.
"""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import define, field

from seedance_async.core.budget import ZERO
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import Inputs
from seedance_async.core.lifecycle import State
from seedance_async.core.polling import Polling
from seedance_async.core.request import BASE_DEADLINE, Request, prepare_call
from seedance_async.core.results import TaskSnapshot
from seedance_async.errors import InputError, KeyConflictError, Problem
from seedance_async.handle import TaskHandle, handle_of
from seedance_async.job import Job
from seedance_async.settings import checked_polling

if TYPE_CHECKING:
    from seedance_async.opened import Opened

#: Seconds an attached task is taken to need: nothing is known of it. The usual time of the catalogues' models.
_USUAL = 240.0

#: Seconds a 404 for an attached task is taken for "not visible yet": somebody may have created it just now.
_ATTACHED_VISIBLE = 15.0

_LONGEST_WORD = 255
_SHOWN = 60


@define(eq=False)
class Intake:
    """Makes the jobs of one open session."""

    opened: "Opened"
    catalogue: Catalogue
    polling: Polling
    _keys: dict[str, Job] = field(init=False, factory=dict[str, Job])

    def start(
        self,
        source: str | Inputs,
        fields: Mapping[str, object],
        *,
        key: str | None,
        polling: Polling | None = None,
        retry_failed: bool = False,
        resubmit_unknown: bool = False,
        patient: bool = False,
    ) -> Job:
        """Return the job for these inputs: a new one in the queue, or the one that the key stands for.

        Raises:
            InputError: The inputs are wrong.
            KeyConflictError: The key stands for other inputs.
            BudgetExceededError: The job does not fit into the budget.
        """
        request = prepare_call(source, fields, self.catalogue)
        if polling is not None:
            checked_polling(polling)
        if key is None:
            return self._enqueue(request, f"job-{uuid.uuid4().hex[:16]}", polling, patient=patient)
        _check_word("key", key)
        known = self._keys.get(key)
        if known is not None and not self._is_free(
            known, request, retry_failed=retry_failed, resubmit_unknown=resubmit_unknown
        ):
            known.claims += 1
            return known
        job = self._enqueue(request, key, polling, patient=patient)
        self._keys[key] = job
        return job

    def attach(self, task_id: str) -> Job:
        """Return the job that watches a task: the one known already, or a new one."""
        _check_word("task_id", task_id)
        register, known = self.opened.register, self.opened.register.tasks.get(task_id)
        now = register.now()
        if known is not None:
            if known.waits_over:
                # Attached again after its wait was over: wait anew, with the time it had at first.
                known.waits_over, known.failure, known.slot_until = False, None, None
                known.misses, known.ended_at = 0, None
                known.deadline = now + (register.timeouts.task or self._deadline(known))
            register.rejoin(known)
            self.opened.poller.look_now(known)
            return known
        job = Job(key=task_id, request=None, polling=self.polling, typical=_USUAL, patient=True, enqueued_at=now)
        job.state, job.task_id = State.RUNNING, task_id
        job.snapshot = TaskSnapshot(task_id=task_id, status="waiting")
        job.accepted_at = now
        job.visible_by = now + min(register.timeouts.visibility, _ATTACHED_VISIBLE)
        job.deadline = now + (register.timeouts.task or BASE_DEADLINE)
        register.slots.adopt(job)
        register.runs(job)
        self.opened.poller.look_now(job)
        return job

    def handle(self, job: Job) -> TaskHandle:
        """Return the job's handle."""
        return handle_of(job, self.opened.register)

    def give_up(self, job: Job) -> bool:
        """Give up one caller's interest in a job, see `Register.give_up`."""
        return self.opened.register.give_up(job)

    def _enqueue(self, request: Request, key: str, polling: Polling | None, *, patient: bool) -> Job:
        self.opened.register.budget.reserve(request.credits)
        job = Job(
            key=key,
            request=request,
            polling=polling or self.polling,
            typical=request.typical_seconds,
            patient=patient,
            enqueued_at=self.opened.register.now(),
            reserved=request.credits or ZERO,
        )
        self.opened.register.enqueue(job)
        return job

    @staticmethod
    def _is_free(job: Job, request: Request, *, retry_failed: bool, resubmit_unknown: bool) -> bool:
        """Say whether a new job may take over the key of this one."""
        same = job.request is not None and job.request.digest == request.digest
        match job.state:
            case State.REFUSED | State.WITHDRAWN:
                return True
            case State.UNKNOWN | State.GONE:
                return resubmit_unknown
            case State.FAILED:
                return retry_failed or not same
            case _:
                if not same:
                    raise KeyConflictError(job.key)
                return False

    @staticmethod
    def _deadline(job: Job) -> float:
        return BASE_DEADLINE if job.request is None else job.request.deadline_seconds


def _check_word(path: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _LONGEST_WORD:
        message = f"must be printable text of 1 to {_LONGEST_WORD} characters"
        raise InputError([Problem(path, message, repr(value)[:_SHOWN])])
