"""How events change the record of a job; `record` has the rules. State changes follow the table of `lifecycle`."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from attrs import evolve

from seedance_async.core.frozen import EMPTY, freeze
from seedance_async.core.lifecycle import Event, State, step
from seedance_async.core.record import Attempt, AttemptOutcome, JobRecord, RecordedResult, TaskEnd
from seedance_async.core.record_errors import RecordedError
from seedance_async.core.record_inputs import inputs_to_json, without_signatures
from seedance_async.core.request import Request

_OUTCOMES: Final[Mapping[Event, AttemptOutcome]] = {
    Event.NOT_SENT: "not sent",
    Event.OVER_LIMIT: "refused",
    Event.ACCEPTED: "accepted",
    Event.REFUSED: "refused",
    Event.LOST: "unknown",
}
_ENDS: Final[Mapping[Event, TaskEnd]] = {
    Event.SUCCEEDED: "succeeded",
    Event.FAILED: "failed",
    Event.GONE: "gone",
}
#: What a job is told whose process ended between intent and closing.
CRASHED: Final = "the process ended before the answer was written down"


def queued(
    key: str,
    *,
    inputs: Mapping[str, Any],
    digest: str,
    catalogue: str,
    credits: Decimal | None,
    at: datetime,
    notes: Mapping[str, Any] = EMPTY,
    group: str | None = None,
) -> JobRecord:
    """Return the record of a job that was queued."""
    return JobRecord(key, State.QUEUED, digest, inputs, catalogue, credits, at, at, notes=freeze(notes), group=group)


def requeued(
    record: JobRecord,
    *,
    inputs: Mapping[str, Any],
    digest: str,
    catalogue: str,
    credits: Decimal | None,
    at: datetime,
    group: str | None = None,
) -> JobRecord:
    """Return the record of a job for which another attempt was asked for; what was spent on it stays."""
    return evolve(
        _moved(record, Event.REQUEUED, at),
        inputs=inputs,
        digest=digest,
        catalogue=catalogue,
        credits=credits,
        attempts=_paid(record.attempts),
        earlier=_newest(record),
        error=None,
        result=None,
        group=group,
    )


def wanted(known: JobRecord | None, key: str, request: Request, at: datetime, *, group: str | None = None) -> JobRecord:
    """Return the record of a job that is to be sent with a request, given the record of its key.

    Returns:
        `known` itself where it is queued and tells of exactly this request in this group.
    """
    inputs, catalogue = inputs_to_json(request.inputs, request.materials), request.catalogue.name
    if known is not None and known.state is State.QUEUED:
        said = (known.digest, known.inputs, known.catalogue, known.credits, known.group)
        if said == (request.digest, inputs, catalogue, request.credits, group):
            return known
    facts: dict[str, Any] = {
        "digest": request.digest,
        "catalogue": catalogue,
        "credits": request.credits,
        "at": at,
        "group": group,
    }
    return queued(key, inputs=inputs, **facts) if known is None else requeued(known, inputs=inputs, **facts)


def named(record: JobRecord, request: Request, at: datetime) -> JobRecord:
    """Return the record of a queued job whose local files were read meanwhile."""
    inputs = inputs_to_json(request.inputs, request.materials)
    return evolve(record, digest=request.digest, inputs=inputs, changed_at=at)


def intended(record: JobRecord, at: datetime) -> JobRecord:
    """Return the record of a job whose create is about to leave. An attempt before it is closed already."""
    assert record.open_attempt is None, "an attempt has one intent"
    attempts = (*_paid(record.attempts), Attempt(_newest(record) + 1, at, record.credits))
    return evolve(_moved(record, Event.INTENT, at), attempts=attempts, error=None)


def superseded(record: JobRecord, outcome: AttemptOutcome, at: datetime, reason: str | None = None) -> JobRecord:
    """Return the record of a job whose create has ended and is sent once more at once; `intended` comes next."""
    return _closed(record, outcome, at, reason)


def closed(
    record: JobRecord,
    event: Event,
    at: datetime,
    *,
    outcome: AttemptOutcome | None = None,
    task_id: str | None = None,
    error: RecordedError | None = None,
) -> JobRecord:
    """Return the record of a job after its create ended, or after it ended without one.

    Args:
        record: The record before.
        event: `NOT_SENT`, `OVER_LIMIT`, `ACCEPTED`, `REFUSED`, `LOST` or `WITHDRAWN`.
        at: Now.
        outcome: How the open attempt ended, where it does not follow from `event`: a create that was refused after
            another of the job was lost.
        task_id: The task, for `ACCEPTED`.
        error: Why, for `REFUSED` and `LOST`.
    """
    if record.open_attempt is not None:
        reason = None if error is None else error.message
        record = _closed(record, outcome or _OUTCOMES.get(event, "not sent"), at, reason, task_id)
    record = evolve(_moved(record, event, at), error=error)
    # Withdrawn and refused ones may be sent yet.
    paid = record.state in {State.RUNNING, State.UNKNOWN}
    return evolve(record, inputs=without_signatures(record.inputs)) if paid else record


def ended(
    record: JobRecord,
    event: Event,
    at: datetime,
    *,
    credits_used: Decimal | None = None,
    result: RecordedResult | None = None,
    error: RecordedError | None = None,
) -> JobRecord:
    """Return the record of a job whose task has ended: `SUCCEEDED`, `FAILED` or `GONE`."""
    assert record.last is not None, "a task has an attempt"
    last = evolve(record.last, end=_ENDS[event], ended_at=at, credits_used=credits_used)
    attempts = (*record.attempts[:-1], last)
    return evolve(_moved(record, event, at), attempts=attempts, result=result, error=error)


def resolved(record: JobRecord, task_id: str, at: datetime) -> JobRecord:
    """Return the record of an unknown job whose task id was learned after all: of its newest unknown attempt."""
    attempts = list(_paid(record.attempts))
    place = max(index for index, attempt in enumerate(attempts) if attempt.outcome == "unknown")
    attempts[place] = evolve(attempts[place], outcome="accepted", task_id=task_id, closed_at=at, reason=None)
    return evolve(_moved(record, Event.RESOLVED, at), attempts=tuple(attempts), error=None)


def recovered(record: JobRecord, at: datetime) -> JobRecord:
    """Return what a record means when it is read again (rule 3)."""
    if record.state is State.SENDING or (record.state is State.QUEUED and record.may_be_paid):
        return closed(record, Event.LOST, at, error=RecordedError("OutcomeUnknownError", CRASHED, "maybe"))
    return record


def noted(record: JobRecord, notes: Mapping[str, Any], at: datetime) -> JobRecord:
    """Return the record with notes added; a note that is None is taken away."""
    merged = {name: value for name, value in {**record.notes, **notes}.items() if value is not None}
    return evolve(record, notes=freeze(merged), changed_at=at)


def _moved(record: JobRecord, event: Event, at: datetime) -> JobRecord:
    return evolve(record, state=step(record.state, event), changed_at=at)


def _closed(
    record: JobRecord, outcome: AttemptOutcome, at: datetime, reason: str | None, task_id: str | None = None
) -> JobRecord:
    assert record.open_attempt is not None, "an attempt is closed once"
    last = evolve(record.open_attempt, outcome=outcome, closed_at=at, reason=reason, task_id=task_id)
    return evolve(record, attempts=(*record.attempts[:-1], last))


def _paid(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    return tuple(attempt for attempt in attempts if attempt.costs)


def _newest(record: JobRecord) -> int:
    # A forgotten attempt leaves its number free: no paid one has it.
    return max(record.earlier, record.attempts[-1].number if record.attempts else 0)
