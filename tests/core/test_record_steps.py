"""What each event does to the record of a job: nothing paid is forgotten, and every doubt is said (P2)."""

from itertools import pairwise

import pytest
from hypothesis import given

from seedance_async.core import record_steps as steps
from seedance_async.core.frozen import freeze
from seedance_async.core.lifecycle import Event, State
from seedance_async.core.record import AttemptOutcome, JobRecord
from seedance_async.core.record_errors import RecordedError
from tests.core.record_histories import AT, LATER, few, finished, histories, lost, queued, running, sending

SIGNED = freeze({"kind": "image", "prompt": "a lake", "first_frame": "https://cdn.example/1.png?sig=planted"})


@few
@given(histories())
def test_what_is_always_true(history: list[JobRecord]) -> None:
    """Whatever happens to a job, its record obeys the rules of `core.record`."""
    for record in history:
        attempts = record.attempts
        # 1. One attempt at most has no closing: the last one, of a job that is on the wire.
        assert all(attempt.outcome is not None for attempt in attempts[:-1])
        assert (record.open_attempt is not None) is (record.state is State.SENDING)
        for attempt in attempts:
            assert (attempt.task_id is not None) is (attempt.outcome == "accepted")
            assert (attempt.closed_at is not None) is (attempt.outcome is not None)
            assert (attempt.ended_at is not None) is (attempt.end is not None)
        assert len({attempt.number for attempt in attempts}) == len(attempts)
        # A task belongs to a job that runs or whose task has ended, and to no other.
        has_task = record.state in {State.RUNNING, State.SUCCEEDED, State.FAILED, State.GONE}
        assert (record.task_id is not None) is has_task
        assert (record.result is not None) is (record.state is State.SUCCEEDED)
        assert record.queued_at == history[0].queued_at
        assert record.key == history[0].key


@few
@given(histories())
def test_what_is_paid_is_never_forgotten(history: list[JobRecord]) -> None:
    """An attempt that is paid, or may be, is in every later record, until it is known to have cost nothing."""
    for before, after in pairwise(history):
        now = {attempt.number: attempt for attempt in after.attempts}
        for attempt in before.attempts:
            if attempt.outcome in {"accepted", "unknown"}:
                assert now[attempt.number].costs
                assert now[attempt.number].intent_at == attempt.intent_at
                assert now[attempt.number].credits == attempt.credits


@few
@given(histories())
def test_a_crash_leaves_nothing_open(history: list[JobRecord]) -> None:
    """Read again, a record is of a job that waits, runs or has ended; to read it twice changes nothing more."""
    for record in history:
        recovered = steps.recovered(record, LATER)
        assert recovered.open_attempt is None
        assert recovered.state is not State.SENDING
        assert not (recovered.state is State.QUEUED and recovered.may_be_paid)
        assert steps.recovered(recovered, LATER) == recovered
        if recovered is not record:
            assert recovered.state is State.UNKNOWN
            assert recovered.error == RecordedError("OutcomeUnknownError", steps.CRASHED, "maybe")


def test_a_create_that_was_on_the_wire_is_unknown_after_a_crash() -> None:
    """So is one that was answered 500 and waited to be repeated; one that was refused just waits again."""
    assert steps.recovered(sending(), LATER).state is State.UNKNOWN
    waiting = steps.closed(sending(), Event.NOT_SENT, LATER, outcome="unknown")
    assert waiting.state is State.QUEUED
    assert steps.recovered(waiting, LATER).state is State.UNKNOWN
    refused = steps.closed(sending(), Event.OVER_LIMIT, LATER)
    assert steps.recovered(refused, LATER) is refused


@pytest.mark.parametrize(
    ("event", "state", "outcome"),
    [
        (Event.NOT_SENT, State.QUEUED, "not sent"),
        (Event.OVER_LIMIT, State.QUEUED, "refused"),
        (Event.ACCEPTED, State.RUNNING, "accepted"),
        (Event.REFUSED, State.REFUSED, "refused"),
        (Event.LOST, State.UNKNOWN, "unknown"),
    ],
)
def test_a_create_is_closed_once(event: Event, state: State, outcome: AttemptOutcome) -> None:
    """The closing says how the create ended, when and why."""
    error = RecordedError("BadRequestError", "no lake", status=400) if event is Event.REFUSED else None
    record = steps.closed(sending(), event, LATER, task_id="task_1" if event is Event.ACCEPTED else None, error=error)
    (attempt,) = record.attempts
    assert (record.state, attempt.outcome, attempt.closed_at) == (state, outcome, LATER)
    assert attempt.reason == (None if error is None else "no lake")
    assert record.error == error
    assert record.open_attempt is None


def test_creates_that_cost_nothing_are_forgotten() -> None:
    """With the next intent, so that a job that waited for days has no list of refusals; the number goes on."""
    record = queued()
    for _ in range(3):
        record = steps.closed(steps.intended(record, AT), Event.OVER_LIMIT, LATER)
    assert [attempt.number for attempt in record.attempts] == [3]
    assert [attempt.number for attempt in steps.intended(record, LATER).attempts] == [4]


def test_creates_in_doubt_are_kept() -> None:
    """A create that was answered 500 stays beside the one that repeats it."""
    record = steps.intended(steps.superseded(sending(), "unknown", LATER, "HTTP 500"), LATER)
    assert [(attempt.number, attempt.outcome) for attempt in record.attempts] == [(1, "unknown"), (2, None)]
    accepted = steps.closed(record, Event.ACCEPTED, LATER, task_id="task_2")
    assert accepted.task_id == "task_2"
    assert accepted.may_be_paid


@pytest.mark.parametrize(
    ("record", "cut"),
    [
        (queued(inputs=SIGNED), False),
        (sending(inputs=SIGNED), False),
        (steps.closed(sending(inputs=SIGNED), Event.REFUSED, LATER), False),
        (steps.closed(queued(inputs=SIGNED), Event.WITHDRAWN, LATER), False),
        (running(inputs=SIGNED), True),
        (lost(inputs=SIGNED), True),
        (finished(inputs=SIGNED), True),
    ],
    ids=lambda each: each.state.value if isinstance(each, JobRecord) else "",
)
def test_signed_links_are_kept_while_they_may_be_sent(record: JobRecord, cut: bool) -> None:
    """They go with the acceptance, or with the doubt, after which nothing is sent by itself."""
    assert ("planted" not in str(record.inputs)) is cut


def test_an_unknown_create_is_resolved() -> None:
    """The newest attempt in doubt gets the task, and is the newest one of the job then."""
    doubtful = steps.superseded(sending(), "unknown", LATER)
    unknown = steps.closed(
        steps.intended(doubtful, LATER), Event.LOST, LATER, outcome="refused", error=RecordedError("X", "no", "maybe")
    )
    record = steps.resolved(unknown, "task_9", LATER)
    assert record.state is State.RUNNING
    assert record.task_id == "task_9"
    assert record.error is None
    assert record.last is not None
    assert record.last.number == 1


def test_another_attempt_keeps_what_was_spent() -> None:
    """A job that is made again has new inputs and no result, and the attempts that were paid."""
    record = steps.requeued(finished(), inputs=SIGNED, digest="v1:1", catalogue="latest", credits=None, at=LATER)
    assert (record.state, record.digest, record.catalogue, record.credits) == (State.QUEUED, "v1:1", "latest", None)
    assert (record.result, record.error, record.task_id) == (None, None, None)
    assert [attempt.task_id for attempt in record.attempts] == ["task_1"]
    assert record.earlier == 1
    assert steps.intended(record, LATER).attempts[-1].number == 2


def test_notes_are_added_and_taken_away() -> None:
    """A note replaces the one of its name; None takes it away; the state stays, the moment of the change does not."""
    record = steps.noted(queued(notes=freeze({"file": "1.mp4", "line": 1})), {"line": None, "saved": "1.mp4"}, LATER)
    assert dict(record.notes) == {"file": "1.mp4", "saved": "1.mp4"}
    assert (record.state, record.changed_at) == (State.QUEUED, LATER)


def test_notes_are_not_changed_from_outside() -> None:
    """What was noted is a copy."""
    tags = ["a"]
    record = steps.noted(queued(), {"tags": tags}, LATER)
    tags.append("b")
    assert record.notes["tags"] == ("a",)


def test_an_attempt_has_one_intent() -> None:
    """Mistakes of this package are loud."""
    with pytest.raises(AssertionError):
        steps.intended(sending(), LATER)
    with pytest.raises(AssertionError):
        steps.superseded(queued(), "refused", LATER)
    with pytest.raises(ValueError, match="succeeded cannot be intent"):
        steps.intended(finished(), LATER)
