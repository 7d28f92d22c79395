"""What the tests of records and journals share: records of jobs, made by the steps that a session takes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st

from seedance_async.core import record_steps as steps
from seedance_async.core.frozen import freeze
from seedance_async.core.lifecycle import Event, State
from seedance_async.core.record import AttemptOutcome, JobRecord, RecordedOutput, RecordedResult
from seedance_async.core.record_errors import RecordedError

AT = datetime(2026, 11, 23, 9, 30, 0, 123456, UTC)
LATER = AT + timedelta(minutes=2)

#: What a journal holds need not be what UTF-8 can hold: lone surrogates come from file names and from broken JSON.
TEXT = st.text(max_size=30) | st.sampled_from(["湖🌊", "\0", "\ud83d", "a\udcff", "'; DROP TABLE jobs", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=4).map(freeze)
CREDITS = (
    st.none() | st.decimals(0, 10**6, allow_nan=False, places=2) | st.sampled_from([Decimal(415), Decimal("1E+2")])
)
GROUPS = st.none() | TEXT
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))
ERRORS = st.builds(
    RecordedError,
    st.sampled_from(["BadRequestError", "TaskFailedError", "OutcomeUnknownError", "FutureError"]),
    TEXT,
    st.sampled_from(["no", "yes", "maybe"]),
    st.none() | st.integers(400, 599),
    st.none() | TEXT,
    st.sampled_from([None, "moderation", "server"]),
)
OUTPUTS = st.builds(
    RecordedOutput,
    st.none() | TEXT,
    st.none() | st.integers(1, 8000),
    st.none() | st.integers(1, 8000),
    st.none() | TEXT,
    st.none() | st.integers(-1, 2**32),
    st.none() | TEXT,
)
RESULTS = st.builds(
    RecordedResult, st.none() | TEXT, MOMENTS, MOMENTS, st.lists(OUTPUTS, min_size=1, max_size=3).map(tuple)
)

#: A history costs as much as a hundred other values.
few = settings(max_examples=50)

#: What may happen to a job next, by its state.
_NEXT: dict[State, list[str]] = {
    State.QUEUED: ["intent", "withdrawn", "refused unsent", "lost unsent"],
    State.SENDING: ["once more", "not sent", "over limit", "accepted", "refused", "lost"],
    State.RUNNING: ["succeeded", "failed", "gone"],
    State.UNKNOWN: ["resolved", "requeued"],
}
_ENDED = ["requeued"]


def queued(key: str = "lake", **changes: Any) -> JobRecord:
    """A job that was queued."""
    inputs = freeze({"kind": "text", "prompt": "a lake at dawn", "duration": 5})
    record = steps.queued(key, inputs=inputs, digest="v1:0", catalogue="classic", credits=Decimal(415), at=AT)
    return evolve(record, **changes)


def sending(key: str = "lake", **changes: Any) -> JobRecord:
    """One whose create is on the wire."""
    return steps.intended(queued(key, **changes), AT)


def running(key: str = "lake", task_id: str = "task_1", **changes: Any) -> JobRecord:
    """One that was accepted."""
    return steps.closed(sending(key, **changes), Event.ACCEPTED, LATER, task_id=task_id)


def lost(key: str = "lake", **changes: Any) -> JobRecord:
    """One whose create left and was not answered."""
    error = RecordedError("OutcomeUnknownError", "the connection broke", "maybe")
    return steps.closed(sending(key, **changes), Event.LOST, LATER, error=error)


def finished(key: str = "lake", task_id: str = "task_1", **changes: Any) -> JobRecord:
    """One that has succeeded."""
    outputs = (RecordedOutput("https://cdn.example/1.mp4", 1280, 720, "video/mp4"),)
    result = RecordedResult("seedance-20", AT, LATER, outputs)
    return steps.ended(
        running(key, task_id, **changes), Event.SUCCEEDED, LATER, credits_used=Decimal(415), result=result
    )


@st.composite
def histories(draw: st.DrawFn, keys: st.SearchStrategy[str] = TEXT, longest: int = 12) -> list[JobRecord]:
    """The records of one job, each after one more step."""
    at = draw(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
    record = steps.queued(
        draw(keys),
        inputs=draw(OBJECTS),
        digest=draw(TEXT),
        catalogue=draw(TEXT),
        credits=draw(CREDITS),
        at=at,
        notes=draw(OBJECTS),
        group=draw(GROUPS),
    )
    history = [record]
    for _ in range(draw(st.integers(0, longest))):
        at += draw(st.timedeltas(timedelta(0), timedelta(days=1)))
        record = _moved(draw, record, at)
        history.append(record)
    return history


def _moved(draw: st.DrawFn, record: JobRecord, at: datetime) -> JobRecord:
    events = [*_NEXT.get(record.state, _ENDED), "noted", "recovered"]
    if not record.may_be_paid and "lost unsent" in events:
        events.remove("lost unsent")
    return _EVENTS[draw(st.sampled_from(events))](draw, record, at)


def _closing(event: Event, **options: st.SearchStrategy[Any]) -> "_Move":
    return lambda draw, record, at: steps.closed(
        record, event, at, **{name: draw(values) for name, values in options.items()}
    )


def _ending(event: Event, **options: st.SearchStrategy[Any]) -> "_Move":
    return lambda draw, record, at: steps.ended(
        record, event, at, **{name: draw(values) for name, values in options.items()}
    )


def _once_more(draw: st.DrawFn, record: JobRecord, at: datetime) -> JobRecord:
    outcomes: list[AttemptOutcome] = ["refused", "unknown", "not sent"]
    before = steps.superseded(record, draw(st.sampled_from(outcomes)), at, draw(st.none() | TEXT))
    return steps.intended(before, at)


def _requeued(draw: st.DrawFn, record: JobRecord, at: datetime) -> JobRecord:
    return steps.requeued(
        record,
        inputs=draw(OBJECTS),
        digest="v1:1",
        catalogue=draw(TEXT),
        credits=draw(CREDITS),
        at=at,
        group=draw(GROUPS),
    )


_Move = Callable[[st.DrawFn, JobRecord, datetime], JobRecord]
_EVENTS: dict[str, _Move] = {
    "noted": lambda draw, record, at: steps.noted(record, draw(OBJECTS), at),
    "recovered": lambda _draw, record, at: steps.recovered(record, at),
    "intent": lambda _draw, record, at: steps.intended(record, at),
    "withdrawn": _closing(Event.WITHDRAWN),
    "refused unsent": _closing(Event.REFUSED, error=ERRORS),
    "lost unsent": _closing(Event.LOST, error=ERRORS),
    "once more": _once_more,
    "not sent": _closing(Event.NOT_SENT),
    "over limit": _closing(Event.OVER_LIMIT),
    "accepted": _closing(Event.ACCEPTED, task_id=TEXT),
    "refused": _closing(Event.REFUSED, error=ERRORS),
    "lost": _closing(Event.LOST, error=ERRORS),
    "succeeded": _ending(Event.SUCCEEDED, credits_used=CREDITS, result=RESULTS),
    "failed": _ending(Event.FAILED, credits_used=CREDITS, error=ERRORS),
    "gone": _ending(Event.GONE, error=ERRORS),
    "resolved": lambda draw, record, at: steps.resolved(record, draw(TEXT), at),
    "requeued": _requeued,
}
