"""From a job to the records that tell of it. Made only where somebody listens."""

from seedance_async.core.answers import Answer, Reply
from seedance_async.core.outcome import Accepted as AcceptedOutcome
from seedance_async.core.outcome import NotSent, Outcome, Rejected, Unknown
from seedance_async.core.request import Request
from seedance_async.core.results import TaskSnapshot
from seedance_async.errors import SeedanceError
from seedance_async.events import Accepted, Attached, AttemptEnded, Finished, Queued, StatusChanged, WaitEnded
from seedance_async.job import Job


def queued(job: Job, waiting: int) -> Queued:
    """Tell that a job took its place in the queue."""
    credits = None if job.request is None else job.request.credits
    return Queued(job.key, job.group, _model(job.request), credits, waiting)


def attached(job: Job) -> Attached:
    """Tell that a task is watched that exists already."""
    assert job.task_id is not None
    return Attached(job.key, job.task_id, _model(job.request), job.group)


def attempt_ended(job: Job, outcome: Outcome, reply: Reply, seconds: float) -> AttemptEnded:
    """Tell how a create ended."""
    status = reply.status if isinstance(reply, Answer) else None
    match outcome:
        case AcceptedOutcome():
            return AttemptEnded(job.key, "accepted", None, job.attempts, status, seconds)
        case Rejected(error=error):
            name, text, error_name = "rejected", str(error), type(error).__name__
        case NotSent(cause=cause):
            name, text, error_name = "not sent", str(cause), cause.type_name
        case Unknown(cause=cause):
            name, text, error_name = "unknown", str(cause), cause.type_name
    return AttemptEnded(job.key, name, text, job.attempts, status, seconds, error_name)


def accepted(job: Job) -> Accepted:
    """Tell that there is a task, and that its id is safe."""
    assert job.task_id is not None
    credits = None if job.request is None else job.request.credits
    return Accepted(job.key, job.task_id, credits, job.accepted_at - job.enqueued_at)


def status_changed(job: Job, previous: TaskSnapshot, now: float) -> StatusChanged:
    """Tell what a poll saw."""
    assert job.task_id is not None
    seen = job.snapshot
    seconds = max(0.0, now - job.accepted_at)
    return StatusChanged(job.key, job.task_id, seen.status, previous.status, seconds, seen.credits_used)


def wait_ended(job: Job, error: SeedanceError) -> WaitEnded:
    """Tell that nobody waits for a task any more that may still run."""
    assert job.task_id is not None
    return WaitEnded(job.key, job.task_id, type(error).__name__, str(error))


def finished(job: Job, now: float) -> Finished:
    """Tell that a job is over."""
    failure, succeeded = job.failure, job.result is not None
    return Finished(
        job.key,
        job.task_id,
        job.state.value,
        error=None if failure is None or succeeded else type(failure).__name__,
        reason=None if failure is None or succeeded else str(failure),
        charged="yes" if failure is None or succeeded else failure.charged,
        credits_used=None if job.result is None else job.result.credits_used,
        attempts=job.attempts,
        seconds=now - job.enqueued_at,
        ran=None if job.task_id is None else max(0.0, now - job.accepted_at),
        group=job.group,
    )


def _model(request: Request | None) -> str | None:
    return None if request is None else request.spec.id
