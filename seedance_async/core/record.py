"""The record of a job: what a journal keeps of it. `record_steps` says how each event changes it.

A job has one record, under its key. Its attempts are the creates that were sent for it, or were about to be.

1. An attempt begins with its intent, which is durable before the create leaves. It is closed by exactly one of
   accepted, not sent, refused and unknown.
2. An attempt that was refused or not sent cost nothing and is forgotten with the next intent. One that is paid, or may
   be, is kept for ever: what a job has cost is the sum over its attempts.
3. Read again after a crash, an attempt whose intent has no closing is unknown, and so is its job (`recovered`). So is
   a queued job one of whose creates was answered 500: only the session that saw it repeats it. Any other queued job is
   queued again, a running one is watched on, one that has ended stays as it is.
4. Links that may be signed are kept only while the inputs may have to be sent: see `record_inputs`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from attrs import field, frozen

from seedance_async.core.budget import ZERO
from seedance_async.core.frozen import EMPTY
from seedance_async.core.lifecycle import State
from seedance_async.core.record_errors import RecordedError

AttemptOutcome = Literal["accepted", "not sent", "refused", "unknown"]
TaskEnd = Literal["succeeded", "failed", "gone"]


@frozen
class Attempt:
    """One create of a job.

    Attributes:
        number: Counts the creates of the job from 1, forgotten ones included.
        intent_at: When it was about to leave (UTC).
        credits: Its list price; None where it is not known.
        outcome: How the create ended; None while it is on the wire.
        closed_at: When that was written down (UTC).
        reason: Why it was refused or is unknown, with secrets removed.
        task_id: Its task, once it was accepted.
        end: How the task ended; None while it runs.
        ended_at: When the session saw that (UTC).
        credits_used: What the task cost, as the service counted; None where it did not say.
    """

    number: int
    intent_at: datetime
    credits: Decimal | None = None
    outcome: AttemptOutcome | None = None
    closed_at: datetime | None = None
    reason: str | None = None
    task_id: str | None = None
    end: TaskEnd | None = None
    ended_at: datetime | None = None
    credits_used: Decimal | None = None

    @property
    def costs(self) -> bool:
        """Whether it is paid, was, or may be."""
        return self.outcome in {None, "accepted", "unknown"}


@frozen
class RecordedOutput:
    """One file of a finished task.

    Attributes:
        url: Where it is; None for a link that may be signed, for which the service is asked again.
        width: Pixels, or None where the service did not say.
        height: Pixels, or None where the service did not say.
        media_type: Such as `"video/mp4"`, or None.
        seed: The seed that was used, or None.
        last_frame_url: A picture of the last frame, or None; never one that may be signed.
    """

    url: str | None
    width: int | None = None
    height: int | None = None
    media_type: str | None = None
    seed: int | None = None
    last_frame_url: str | None = None


@frozen
class RecordedResult:
    """What a finished task delivered.

    Attributes:
        model: The model as the service names it, or None.
        created_at: When the service accepted the task (UTC), or None.
        completed_at: When the task ended (UTC), or None.
        outputs: Its files.
    """

    model: str | None
    created_at: datetime | None
    completed_at: datetime | None
    outputs: tuple[RecordedOutput, ...]


@frozen
class JobRecord:
    """A job, as a journal keeps it. All moments are wall-clock time in UTC.

    Attributes:
        key: The job's name on our side; a journal has one record for each.
        state: Where the job is.
        digest: Name of the inputs, see `inputs_digest`.
        inputs: The inputs as JSON, see `record_inputs`; media links that may be signed are cut off once the job was
            accepted.
        catalogue: Name of the catalogue they were checked against.
        credits: List price; None where it is not known.
        queued_at: When it was queued for the first time.
        changed_at: When the record was last changed.
        attempts: Its creates, the oldest first (rule 2).
        earlier: Number of the last attempt before another one was asked for; the attempts up to it are history.
        error: Why it was refused, failed, is unknown or gone; None otherwise.
        result: What it delivered, once it has succeeded.
        notes: What an application wrote down with it, as JSON: a batch keeps file names here.
        group: Whose it is; None for the group of all jobs without one.
    """

    key: str
    state: State
    digest: str
    inputs: Mapping[str, Any] = field(repr=False)
    catalogue: str
    credits: Decimal | None
    queued_at: datetime
    changed_at: datetime
    attempts: tuple[Attempt, ...] = ()
    earlier: int = 0
    error: RecordedError | None = None
    result: RecordedResult | None = None
    notes: Mapping[str, Any] = EMPTY
    group: str | None = None

    @property
    def last(self) -> Attempt | None:
        """The newest attempt since another one was asked for; None where there was none, or it is forgotten."""
        last = self.attempts[-1] if self.attempts else None
        return None if last is None or last.number <= self.earlier else last

    @property
    def task_id(self) -> str | None:
        """The newest task; None where none was accepted since another attempt was asked for."""
        return None if self.last is None else self.last.task_id

    @property
    def accepted_at(self) -> datetime | None:
        """When that task was accepted, as far as was written down."""
        return None if self.last is None or self.last.task_id is None else self.last.closed_at

    @property
    def open_attempt(self) -> Attempt | None:
        """The attempt whose intent has no closing."""
        return self.last if self.last is not None and self.last.outcome is None else None

    @property
    def may_be_paid(self) -> bool:
        """Whether a create since another attempt was asked for has an unknown outcome."""
        return any(attempt.outcome == "unknown" and attempt.number > self.earlier for attempt in self.attempts)


@frozen
class JobCredits:
    """Credits of jobs, by what is known of them.

    Attributes:
        used: Of tasks that have succeeded, or that the service answers for no more; as the service counted them, else
            by list price.
        reserved: Of tasks that run, by list price.
        maybe: Of creates whose outcome is unknown, by list price.
    """

    used: Decimal = ZERO
    reserved: Decimal = ZERO
    maybe: Decimal = ZERO


def credits_by_group(records: Iterable[JobRecord]) -> dict[str | None, JobCredits]:
    """Add up what the jobs of each group have cost, the group that came first at the beginning."""
    groups: dict[str | None, list[JobRecord]] = {}
    for record in records:
        groups.setdefault(record.group, []).append(record)
    return {group: credits_of(each) for group, each in groups.items()}


def credits_of(records: Iterable[JobRecord]) -> JobCredits:
    """Add up what jobs have cost, over all their attempts. What has no known price is not counted."""
    used = reserved = maybe = ZERO
    for record in records:
        for attempt in record.attempts:
            price = attempt.credits or ZERO
            match attempt.outcome, attempt.end:
                case ("accepted", None):
                    reserved += price
                case ("accepted", "succeeded"):
                    used += price if attempt.credits_used is None else attempt.credits_used
                case ("accepted", "gone"):
                    used += price
                case (None | "unknown", _):
                    maybe += price
                case _:
                    pass
    return JobCredits(used, reserved, maybe)
