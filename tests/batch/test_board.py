"""Where rows stand, by what the session tells."""

import pytest

from seedance_async.batch.board import Board, Place
from seedance_async.batch.events import RowQueued, RowRunning
from seedance_async.hooks import (
    Accepted,
    AttemptEnded,
    Finished,
    HookEvent,
    Queued,
    Refusal,
    SlotAcquired,
    StatusChanged,
)
from tests.batch.plans import plan_of

ROWS = plan_of({"prompt": "a", "id": "a"}, {"prompt": "b", "id": "b"}).rows


def _board(*events: HookEvent) -> Board:
    board = Board(ROWS)
    for event in events:
        board.take(event, 0.0)
    return board


SENT = (Queued("a"), SlotAcquired("a"))
RUNS = (*SENT, AttemptEnded("a", "accepted"), Accepted("a", "t1", None))


@pytest.mark.parametrize(
    ("events", "place", "sending"),
    [
        ((), Place.WAITING, False),
        ((Queued("a"),), Place.WAITING, False),
        (SENT, Place.SENDING, True),
        ((*SENT, Refusal("a", 1, 1)), Place.WAITING, False),
        ((*SENT, AttemptEnded("a", "not sent")), Place.WAITING, False),
        ((*SENT, AttemptEnded("a", "unknown"), Finished("a", None, "unknown")), Place.SENDING, False),
        ((*SENT, AttemptEnded("a", "rejected"), Finished("a", None, "refused")), Place.WAITING, False),
        ((Queued("a"), Finished("a", None, "withdrawn")), Place.WAITING, False),
        (RUNS, Place.RUNNING, False),
        ((*RUNS, Finished("a", "t1", "succeeded")), Place.FINISHED, False),
        ((*RUNS, Finished("a", "t1", "failed")), Place.WAITING, False),
        ((*RUNS, Finished("a", "t1", "gone")), Place.RUNNING, False),
        ((*RUNS, Finished("b", "t2", "succeeded")), Place.RUNNING, False),
        ((Accepted("somebody", "t9", None),), Place.WAITING, False),
    ],
)
def test_each_event_moves_a_row_to_its_place(events: tuple[HookEvent, ...], place: Place, sending: bool) -> None:
    """A row whose outcome is unknown stays where it was sent, but nothing of it is on the wire."""
    board = _board(*events)
    assert board.place("a") is place
    assert ("a" in board.sending) is sending


def test_a_task_that_was_refunded_is_not_the_task_of_the_next_attempt() -> None:
    """Neither while that waits nor once it is sent; a task that is gone stays the row's."""
    again = (*RUNS, Finished("a", "t1", "failed"))
    assert _board(*again).task_id("a") is None
    assert _board(*RUNS, SlotAcquired("a")).task_id("a") is None
    assert _board(*RUNS, Finished("a", "t1", "gone")).task_id("a") == "t1"


def test_a_row_that_has_ended_moves_no_more() -> None:
    """What comes late changes nothing."""
    board = _board(*RUNS)
    board.end("a")
    assert board.take(Accepted("a", "t2", None), 1.0) is None
    assert board.place("a") is Place.ENDED
    assert board.task_id("a") == "t1"


def test_only_what_a_listener_should_know_is_told_on() -> None:
    """Queued, accepted, and each new word of the service before the end."""
    board = Board(ROWS)
    row = ROWS[0]
    words = ["waiting", "generating", "generating", "success"]
    events: list[HookEvent] = [*RUNS, *(StatusChanged("a", "t1", word, "waiting") for word in words)]
    told = [event for event in (board.take(event, 0.0) for event in events) if event is not None]
    assert told == [RowQueued(row), RowRunning(row, "t1", "waiting"), RowRunning(row, "t1", "generating")]


def test_the_estimate_learns_from_the_batch() -> None:
    """An account that takes twice as long as usual takes twice as long for the rest."""
    usual = ROWS[0].request.typical_seconds
    board = Board(ROWS)
    assert board.seconds_left(0.0, 1) == pytest.approx(2 * usual)
    assert board.seconds_left(0.0, 2) == pytest.approx(usual)
    board.take(Accepted("a", "t1", None), 100.0)
    assert board.seconds_left(100.0 + usual / 2, 1) == pytest.approx(1.5 * usual)
    board.take(Finished("a", "t1", "succeeded"), 100.0 + 2 * usual)
    board.end("a")
    assert board.seconds_left(100.0 + 2 * usual, 1) == pytest.approx(2 * usual)
