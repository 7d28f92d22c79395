"""The part of a session that queues jobs."""

import asyncio

from seedance_async.core.inputs import Inputs
from seedance_async.core.lifecycle import State
from seedance_async.core.polling import Polling
from seedance_async.core.results import VideoResult
from seedance_async.errors import InputError, Problem, SlotTimeoutError, WithdrawnError
from seedance_async.handle import TaskHandle
from seedance_async.job import Job
from seedance_async.job_options import JobOptions
from seedance_async.tracking import Tracking


class Submitting(Tracking):
    """The part of `AsyncSeedance` that queues jobs."""

    def enqueue(
        self,
        inputs: str | Inputs,
        *,
        key: str | None = None,
        variant: int = 1,
        group: str | None = None,
        polling: Polling | None = None,
        retry_failed: bool = False,
        resubmit_unknown: bool = False,
        **fields: object,
    ) -> TaskHandle:
        """Check inputs, reserve their credits and take a place in the queue; returns at once.

        Args:
            inputs: A prompt for text-to-video, or an inputs object.
            key: Makes submitting idempotent: while this session lives, and with a journal for the journal's life, a
                key stands for one job, and a second call with it returns the same handle.
            variant: 2 for a second clip under the same key, and so on: `key#2`.
            group: Whose job it is, such as a user or an order: groups take turns, and have statistics and credits of
                their own. Jobs without a group are one group together. A job that the key stands for already keeps
                the group that it has.
            polling: When to look at this task.
            retry_failed: With a key whose task failed (and was refunded): a new attempt.
            resubmit_unknown: With a key whose outcome is unknown: a new attempt. Money: may be paid twice.
            fields: Input fields that complete a prompt, or replace those of an object.

        Raises:
            InputError: The inputs or the key are wrong; says everything that is.
            KeyConflictError: The key stands for other inputs.
            QueueFullError: As many jobs wait as may, of all or of this group. A key that is known is not refused.
            BudgetExceededError: The job does not fit into the budget.
            ConfigurationError: The session is not open, or belongs to another loop or process.
            SessionClosedError: The session is closed.

        Concurrency: groups take turns, and inside a group jobs leave in the order in which they came. So before the
        first job of a group leaves, at most one of each other group does (`docs/fairness.md` has the rule).
        """
        intake = self._live()
        options = JobOptions(
            key=key,
            variant=variant,
            group=group,
            polling=polling,
            retry_failed=retry_failed,
            resubmit_unknown=resubmit_unknown,
        )
        job = intake.start(inputs, fields, options)
        return intake.handle(job)

    async def submit(
        self,
        inputs: str | Inputs,
        *,
        key: str | None = None,
        variant: int = 1,
        group: str | None = None,
        polling: Polling | None = None,
        retry_failed: bool = False,
        resubmit_unknown: bool = False,
        timeout: float | None = None,
        **fields: object,
    ) -> TaskHandle:
        """Queue a job and wait until the service accepted it: `handle.task_id` is set.

        Args:
            inputs: As for `enqueue`, like all others.
            key: See `enqueue`.
            variant: See `enqueue`.
            group: See `enqueue`.
            polling: See `enqueue`.
            retry_failed: See `enqueue`.
            resubmit_unknown: See `enqueue`.
            timeout: Most seconds to wait for a slot. A create on the wire is waited for all the same.
            fields: See `enqueue`.

        Raises:
            SlotTimeoutError: No slot came free in time. The job was withdrawn, unless another caller with the same
                key still waits for it. Money: none.
            InputError: `timeout` is no number of seconds, or as from `enqueue`.
            SeedanceError: As from `enqueue`, and as from `TaskHandle.accepted`.

        Cancellation: a queued job is withdrawn. A create on the wire finishes, and its handle is in `pending`.
        """
        if timeout is not None and not _is_delay(timeout):
            raise InputError([Problem("timeout", "must be a number of seconds from 0 on, or None", repr(timeout))])
        intake = self._live()
        options = JobOptions(
            key=key,
            variant=variant,
            group=group,
            polling=polling,
            retry_failed=retry_failed,
            resubmit_unknown=resubmit_unknown,
        )
        job = intake.start(inputs, fields, options)
        handle, position = intake.handle(job), None
        try:
            if await _slot_within(job, timeout):
                await handle.accepted()
                return handle
            position = handle.position
        except asyncio.CancelledError:
            intake.give_up(job)
            raise
        if intake.give_up(job):
            # Usually withdrawn just now; one that may be paid (a 500 before) has ended as unknown, and says so.
            failure = handle.exception()
            if not isinstance(failure, WithdrawnError):
                handle.result()
        assert timeout is not None
        raise SlotTimeoutError(timeout, position)

    async def generate(
        self,
        inputs: str | Inputs,
        *,
        key: str | None = None,
        variant: int = 1,
        group: str | None = None,
        polling: Polling | None = None,
        retry_failed: bool = False,
        resubmit_unknown: bool = False,
        **fields: object,
    ) -> VideoResult:
        """Queue a job and wait for its result.

        Args:
            inputs: As for `enqueue`, like all others.
            key: See `enqueue`.
            variant: See `enqueue`.
            group: See `enqueue`.
            polling: See `enqueue`.
            retry_failed: See `enqueue`.
            resubmit_unknown: See `enqueue`.
            fields: See `enqueue`.

        Raises:
            SeedanceError: As from `enqueue`, and as from `TaskHandle.wait`.

        Cancellation: a queued job is withdrawn. An accepted one goes on, and its handle is in `pending`.
        """
        intake = self._live()
        options = JobOptions(
            key=key,
            variant=variant,
            group=group,
            polling=polling,
            retry_failed=retry_failed,
            resubmit_unknown=resubmit_unknown,
        )
        job = intake.start(inputs, fields, options)
        try:
            return await intake.handle(job).wait()
        except asyncio.CancelledError:
            intake.give_up(job)
            raise


def _is_delay(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


async def _slot_within(job: Job, timeout: float | None) -> bool:
    """Wait until a job need not wait for a slot any more; return False if it still does after `timeout` seconds."""
    if timeout is None:
        return True
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    while job.task_id is None and not job.settled:
        # A create on the wire is past its wait for a slot; a 429 may send it back into the queue.
        queued = job.state is State.QUEUED
        if queued and loop.time() >= until:
            return False
        try:
            async with asyncio.timeout_at(until if queued else None):
                await job.changed()
        except TimeoutError:
            pass
    return True
