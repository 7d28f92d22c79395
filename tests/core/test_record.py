"""What a record says of its job, and what jobs have cost (P2)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given

from seedance_async.core import record_steps as steps
from seedance_async.core.lifecycle import Event, State
from seedance_async.core.record import Attempt, JobCredits, JobRecord, credits_of
from tests.core.record_histories import AT, LATER, few, finished, histories, lost, queued, running, sending

PRICE = Decimal(415)
FAILED = steps.ended(running(), Event.FAILED, LATER, credits_used=Decimal(0))
GONE = steps.ended(running(), Event.GONE, LATER)
REFUSED = steps.closed(sending(), Event.REFUSED, LATER)
UNSENT = steps.closed(sending(), Event.NOT_SENT, LATER)


def again(record: JobRecord, credits: Decimal | None = PRICE) -> JobRecord:
    """The record after another attempt was asked for."""
    return steps.requeued(record, inputs=record.inputs, digest="v1:0", catalogue="classic", credits=credits, at=LATER)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (queued(), JobCredits()),
        (sending(), JobCredits(maybe=PRICE)),
        (running(), JobCredits(reserved=PRICE)),
        (finished(), JobCredits(used=PRICE)),
        (FAILED, JobCredits()),
        (GONE, JobCredits(used=PRICE)),
        (lost(), JobCredits(maybe=PRICE)),
        (REFUSED, JobCredits()),
        (UNSENT, JobCredits()),
        (running(credits=None), JobCredits()),
        (again(finished()), JobCredits(used=PRICE)),
        (again(FAILED), JobCredits()),
        (steps.intended(again(lost(), Decimal(75)), LATER), JobCredits(maybe=PRICE + 75)),
        (steps.resolved(lost(), "task_2", LATER), JobCredits(reserved=PRICE)),
    ],
)
def test_credits_by_what_is_known(record: JobRecord, expected: JobCredits) -> None:
    """Each attempt counts once: as used, reserved or perhaps spent. What was refused, refunded or unsent is free."""
    assert credits_of([record]) == expected


def test_the_service_counts() -> None:
    """Where the service says what a task cost, that is what it cost, also if it is nothing; else the list price."""
    counted = steps.ended(running(), Event.SUCCEEDED, LATER, credits_used=Decimal("0.5"))
    free = steps.ended(running(), Event.SUCCEEDED, LATER, credits_used=Decimal(0))
    silent = steps.ended(running(), Event.SUCCEEDED, LATER)
    assert credits_of([counted, free, silent]).used == Decimal("0.5") + PRICE


def test_credits_add_up_over_jobs() -> None:
    """The sums of several jobs are the sums of each."""
    assert credits_of([finished(), running(), lost(), lost()]) == JobCredits(PRICE, PRICE, 2 * PRICE)
    assert credits_of([]) == JobCredits()


@few
@given(histories())
def test_nothing_is_spent_twice_or_forgotten(history: list[JobRecord]) -> None:
    """Whatever the steps, an attempt that is paid, or may be, counts with what it costs at most, and never as less."""
    for record in history:
        sums = credits_of([record])
        most = sum((attempt.credits or 0 for attempt in record.attempts if attempt.costs), Decimal(0))
        said = sum((attempt.credits_used or 0 for attempt in record.attempts), Decimal(0))
        assert 0 <= sums.used + sums.reserved + sums.maybe <= most + said


@pytest.mark.parametrize(
    ("record", "task_id", "accepted_at", "on_wire", "may_be_paid"),
    [
        (queued(), None, None, False, False),
        (sending(), None, None, True, False),
        (running(), "task_1", LATER, False, False),
        (finished(), "task_1", LATER, False, False),
        (lost(), None, None, False, True),
        (again(finished()), None, None, False, False),
        (again(lost()), None, None, False, False),
        (steps.intended(again(finished()), LATER), None, None, True, False),
        (steps.intended(steps.superseded(sending(), "unknown", LATER), LATER), None, None, True, True),
        (steps.resolved(lost(), "task_2", LATER), "task_2", LATER, False, False),
    ],
)
def test_what_a_record_says(
    record: JobRecord, task_id: str | None, accepted_at: object, on_wire: bool, may_be_paid: bool
) -> None:
    """Task, acceptance and doubt are of the attempts since the job was queued last; what came before is history."""
    assert record.task_id == task_id
    assert record.accepted_at == accepted_at
    assert (record.open_attempt is not None) is on_wire
    assert record.may_be_paid is may_be_paid


@pytest.mark.parametrize(
    ("outcome", "costs"),
    [(None, True), ("accepted", True), ("unknown", True), ("refused", False), ("not sent", False)],
)
def test_which_attempts_cost(outcome: None, costs: bool) -> None:
    """One that is on the wire, accepted or unknown may have cost credits."""
    assert Attempt(1, AT, PRICE, outcome).costs is costs


def test_inputs_stay_out_of_sight() -> None:
    """A record that is printed shows no inputs, whose links may be signed."""
    record = queued(inputs={"kind": "image", "first_frame": "https://cdn.example/1.png?sig=planted"})
    assert "planted" not in repr(record)
    assert evolve(record, changed_at=AT + timedelta(1)) != record
    assert record.state is State.QUEUED
