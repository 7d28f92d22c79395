"""The slot ledger, rule by rule."""

import random

import pytest

from seedance_async.core.growth import AUTO_START
from seedance_async.core.ledger import FOREIGN_LASTS
from seedance_async.core.window import WIDEST
from tests.core.ledgers import fill, first, leave, ledger_of, refuse

# Rule 1: order


def test_first_come_first_served() -> None:
    """Waiters leave in the order in which they came."""
    ledger = ledger_of(3, 5)
    assert fill(ledger) == [0, 1, 2]
    ledger.release(1)
    ledger.release(0)
    assert fill(ledger) == [3, 4]


def test_who_comes_back_is_first() -> None:
    """One that was refused or not sent has its old place, whatever came or came back meanwhile."""
    ledger = ledger_of(10, 4)
    assert leave(ledger) == [0, 1]
    ledger.enqueue(4)
    ledger.not_sent(1)
    assert ledger.position(1) == 1
    ledger.not_sent(0)
    assert [ledger.position(job) for job in range(5)] == [1, 2, 3, 4, 5]
    assert leave(ledger) == [0, 1]
    refuse(ledger, 1)
    refuse(ledger, 0)
    assert [ledger.position(job) for job in range(5)] == [1, 2, 3, 4, 5]


def test_who_withdraws_leaves_nothing_behind() -> None:
    """A withdrawn waiter frees its place for the next, and coming again is coming last."""
    ledger = ledger_of(1, 4)
    assert ledger.withdraw(0)
    assert not ledger.withdraw(0)
    assert not ledger.withdraw(99)
    assert ledger.position(1) == 1
    ledger.enqueue(0)
    assert [ledger.position(job) for job in (1, 2, 3, 0)] == [1, 2, 3, 4]
    assert ledger.waiting == 4


def test_ten_thousand_withdrawn_waiters() -> None:
    """After nearly everybody has withdrawn, the one who is left leaves."""
    ledger = ledger_of(1, 10_000)
    for job in range(9_999):
        assert ledger.withdraw(job)
    assert leave(ledger) == [9_999]


def test_who_is_held_gets_no_slot() -> None:
    """While all who wait are held nobody leaves, and no time helps; one that is ready leaves at its old place."""
    ledger = ledger_of(2, 3)
    assert all(ledger.hold(job) for job in range(3))
    assert leave(ledger) == []
    assert ledger.wakeup(0.0) is None
    assert ledger.upcoming(2) == (0, 1)
    assert ledger.waiting == 3
    assert ledger.ready(1)
    assert leave(ledger) == [1]
    assert ledger.ready(0)
    assert leave(ledger) == [0]
    assert not ledger.hold(0)


def test_on_the_wire_is_not_waiting() -> None:
    """Who has left cannot withdraw."""
    ledger = ledger_of(1, 1)
    assert first(ledger) == 0
    assert not ledger.withdraw(0)
    assert ledger.position(0) is None
    assert ledger.on_wire == 1


# Rule 2: limit and holders


@pytest.mark.parametrize("ceiling", [1, 2, 5, 50])
def test_no_more_than_the_ceiling(ceiling: int) -> None:
    """As many leave as there are slots."""
    ledger = ledger_of(ceiling, 100)
    assert len(fill(ledger)) == ceiling
    assert ledger.wakeup(0.0) is None


def test_auto_starts_with_what_the_vendor_shows() -> None:
    """Without a ceiling there are five slots at first, and as many as the service says later."""
    ledger = ledger_of(None, 100)
    assert len(fill(ledger)) == AUTO_START == 5
    ledger.release(0)
    assert refuse(ledger, first(ledger), limit=12, current=12)
    assert ledger.limit == 12


@pytest.mark.parametrize(("said", "known"), [(50, 3), (3, 3), (2, 2), (1, 1), (0, 3)])
def test_the_service_cannot_raise_the_ceiling(said: int, known: int) -> None:
    """A ceiling is a ceiling, whatever the service allows; and none at all is a moment, and no limit."""
    ledger = ledger_of(3, 9)
    assert refuse(ledger, first(ledger), limit=said, current=said) is (known != 3)
    assert ledger.limit == known


def test_attached_tasks_count() -> None:
    """Adopted tasks enter above the limit, and nobody leaves until they are below it."""
    ledger = ledger_of(2, 3)
    for task in (100, 101, 102):
        ledger.adopt(task)
    assert len(ledger.holders) == 3
    assert leave(ledger) == []
    ledger.release(100)
    assert leave(ledger) == []
    ledger.release(101)
    assert leave(ledger) == [0]


def test_an_unknown_create_keeps_its_slot() -> None:
    """A lost create may be a task, so its slot is held until it is released; the wire is free for the next."""
    ledger = ledger_of(1, 2)
    assert leave(ledger) == [0]
    ledger.lost(0)
    assert ledger.on_wire == 0
    assert leave(ledger) == []
    ledger.release(0)
    assert leave(ledger) == [1]


def test_release_is_harmless() -> None:
    """Releasing twice, or who holds nothing or only waits, changes nothing."""
    ledger = ledger_of(1, 3)
    assert leave(ledger) == [0]
    for job in (99, 1, 2):
        ledger.release(job)
    assert [ledger.position(job) for job in (1, 2)] == [1, 2]
    ledger.release(0)
    ledger.release(0)
    assert leave(ledger) == [1]
    ledger.not_sent(1)
    assert ledger.position(1) == 1


# Rule 3: a 429 with numbers, and other users of the account


def test_a_refusal_sets_the_limit() -> None:
    """The limit becomes what the service says, and nobody leaves until a task of ours has ended."""
    ledger = ledger_of(10, 20)
    ledger.accepted(first(ledger), 0.0)
    assert refuse(ledger, first(ledger), limit=1, current=1)
    assert ledger.limit == 1
    assert ledger.foreign(0.0) == 0
    assert leave(ledger, 1000.0) == []
    ledger.release(0)
    assert leave(ledger, 1001.0) == [1]


def test_foreign_tasks_are_left_their_slots() -> None:
    """`current` beyond our own is what others use: own and foreign tasks stay below the limit."""
    ledger = ledger_of(5, 20)
    ledger.accepted(first(ledger), 0.0)
    assert not refuse(ledger, first(ledger), limit=5, current=5)
    assert ledger.foreign(0.0) == 4
    assert leave(ledger, 1.0) == []
    ledger.release(0)
    assert leave(ledger, 1.0) == [1]


def test_a_timer_probes_and_counts_others_down() -> None:
    """With the account full of others' tasks, one probe at a time leaves; each that is accepted counts one less."""
    ledger = ledger_of(3, 9)
    refuse(ledger, first(ledger), limit=3, current=3)
    assert ledger.foreign(1.0) == 3
    moment = ledger.wakeup(1.0)
    assert moment == 2.0
    assert leave(ledger, 1.9) == []
    assert leave(ledger, 2.0) == [0]
    assert ledger.wakeup(2.0) is None
    ledger.accepted(0, 2.0)
    assert ledger.foreign(2.0) == 2
    # The next probe goes at once: the one before has shown that the number was old.
    assert leave(ledger, 2.0) == [1]
    ledger.accepted(1, 2.0)
    assert leave(ledger, 2.0) == [2]


def test_refused_probes_grow_rarer() -> None:
    """Each refusal doubles the wait, up to half a minute."""
    ledger, now, gaps = ledger_of(3, 9), 0.0, list[float]()
    for _ in range(7):
        assert first(ledger, now) == 0
        refuse(ledger, 0, now, limit=3, current=3)
        moment = ledger.wakeup(now)
        assert moment is not None
        gaps.append(moment - now)
        now = moment
    assert gaps == [2, 4, 8, 16, 30, 30, 30]


def test_room_of_our_own_says_nothing_of_others() -> None:
    """While others use slots, a create for which there was room leaves the pause long; a probe halves it."""
    ledger, now = ledger_of(5, 30), 0.0
    ledger.accepted(first(ledger), now)
    for _ in range(9):
        probe = first(ledger, now)
        refuse(ledger, probe, now, limit=5, current=5)
        now = ledger.wakeup(now) or 0.0
    ledger.release(0)
    ledger.accepted(first(ledger, now), now)
    assert ledger.wakeup(now) == now
    refuse(ledger, first(ledger, now), now, limit=5, current=5)
    assert ledger.wakeup(now) == now + 30
    for pause in (16, 8, 4):
        now = ledger.wakeup(now) or 0.0
        # One gives back what the refusal added, and one halves.
        for _ in range(2):
            ledger.accepted(first(ledger, now), now)
            assert ledger.foreign(now) > 0
        for job in list(ledger.holders)[:2]:
            ledger.release(job)
        refuse(ledger, first(ledger, now), now, limit=5, current=5)
        assert ledger.wakeup(now) == now + pause


def test_what_is_known_of_others_grows_old() -> None:
    """A minute after a 429, what it said of others does not count any more."""
    ledger = ledger_of(3, 9)
    refuse(ledger, first(ledger), limit=3, current=3)
    assert ledger.foreign(FOREIGN_LASTS - 1) == 3
    assert ledger.foreign(FOREIGN_LASTS) == 0


def test_the_moment_at_which_others_stop_to_count() -> None:
    """It is the moment that a waiter is woken up for, to the clock's last digit."""
    chance = random.Random(0)
    for _ in range(10_000):
        now = chance.uniform(0, 1e5)
        ledger = ledger_of(3, 1)
        refuse(ledger, first(ledger, now), now, limit=3, current=3)
        assert ledger.foreign(now + FOREIGN_LASTS) == 0


def test_numbers_that_leave_room_are_no_limit() -> None:
    """Rule 5: a 429 that says 2 of 5 are used is about something else; all wait for a timer."""
    ledger = ledger_of(5, 9)
    refuse(ledger, first(ledger), limit=5, current=2)
    assert ledger.limit == 5
    assert leave(ledger, 1.0) == []
    assert ledger.wakeup(1.0) == 2.0
    assert first(ledger, 2.0) == 0


# Rule 5: a 429 without numbers


@pytest.mark.parametrize(("limit", "current"), [(None, None), (3, None), (None, 3)])
def test_a_refusal_without_numbers(limit: int | None, current: int | None) -> None:
    """It changes no limit; all wait, longer with each, and then one leaves."""
    ledger, now, gaps = ledger_of(5, 9), 0.0, list[float]()
    for _ in range(6):
        assert first(ledger, now) == 0
        assert not refuse(ledger, 0, now, limit=limit, current=current)
        assert ledger.limit == 5
        moment = ledger.wakeup(now)
        assert moment is not None
        gaps.append(moment - now)
        assert leave(ledger, moment - 0.01) == []
        now = moment
    assert gaps == [2, 4, 8, 16, 30, 30]
    assert leave(ledger, now) == [0]


@pytest.mark.parametrize("number", [None, 5])
def test_retry_after_is_obeyed(number: int | None) -> None:
    """What the service asks for is the least wait, with and without numbers."""
    ledger = ledger_of(5, 9)
    refuse(ledger, first(ledger), limit=number, current=number, later=45.0)
    assert leave(ledger, 44.9) == []
    assert ledger.wakeup(1.0) == 45.0
    assert leave(ledger, 45.0) == [0]


@pytest.mark.parametrize("number", [None, 5])
def test_retry_after_is_believed_for_ten_minutes(number: int | None) -> None:
    """A service that asks for a day is asked again after ten minutes, with and without numbers."""
    ledger = ledger_of(5, 9)
    refuse(ledger, first(ledger), limit=number, current=number, later=86_400.0)
    assert leave(ledger, 599.9) == []
    assert ledger.wakeup(1.0) == 600.0
    assert leave(ledger, 600.0) == [0]


def test_an_accepted_create_ends_the_caution() -> None:
    """After one accepted create the next refusal waits a short time again."""
    ledger, now = ledger_of(5, 50), 0.0
    for _ in range(5):
        refuse(ledger, first(ledger, now), now)
        now += 100
    ledger.accepted(first(ledger, now), now)
    refuse(ledger, first(ledger, now), now)
    assert ledger.wakeup(now) == now + 2


# Rule 6: the wire


def test_two_on_the_wire() -> None:
    """However many slots there are, two creates leave at first, and more only when one is answered."""
    ledger = ledger_of(50, 100)
    assert leave(ledger) == [0, 1]
    assert ledger.wakeup(0.0) is None
    ledger.accepted(1, 0.0)
    assert leave(ledger) == [2, 3]  # in its place, and one more


def test_one_on_the_wire_after_a_refusal() -> None:
    """A refusal lets one leave at a time, until one is accepted."""
    ledger = ledger_of(50, 100)
    refuse(ledger, first(ledger))
    assert leave(ledger, 5.0) == [0]
    ledger.accepted(0, 5.0)
    assert leave(ledger, 5.0) == [1, 2]


def test_the_wire_widens_while_slots_are_empty() -> None:
    """Fifty empty slots fill within a few round trips; then two at a time leave again."""
    ledger, waves = ledger_of(50, 200), list[int]()
    while wave := leave(ledger):
        waves.append(len(wave))
        for job in wave:
            ledger.accepted(job, 0.0)
    assert (sum(waves), waves[:3]) == (50, [2, 4, 8])
    assert max(waves) <= WIDEST
    assert len(waves) <= 12


def test_the_wire_is_narrow_where_the_slots_are_full() -> None:
    """A few tasks that end together are followed two at a time: the limit may have fallen meanwhile."""
    ledger = ledger_of(50, 200)
    running = fill(ledger)
    for job in running[:6]:
        ledger.release(job)
    assert len(leave(ledger)) == 2


def test_the_wire_narrows_at_once_when_the_slots_are_taken() -> None:
    """However wide it had become, two at a time leave once few slots are empty: attached tasks have taken them."""
    ledger = ledger_of(50, 200)
    for _ in range(3):
        for job in leave(ledger):
            ledger.accepted(job, 0.0)
    for task in range(1000, 1030):
        ledger.adopt(task)
    assert 2 < 50 - len(ledger.holders) < 10
    assert len(leave(ledger)) == 2


def test_creates_that_hang_do_not_widen() -> None:
    """A service that swallows creates gets two, however long it takes."""
    ledger = ledger_of(50, 100)
    assert leave(ledger) == [0, 1]
    assert leave(ledger, 1000.0) == []
    ledger.lost(0)
    assert leave(ledger, 1000.0) == [2]


@pytest.mark.parametrize("now", [0.0, 100.0])
def test_one_at_a_time(now: float) -> None:
    """Where creates get lost one leaves at a time, and who waits for the next does not spin."""
    ledger = ledger_of(50, 100)
    assert ledger.take(now, one_at_a_time=True) == 0
    assert ledger.take(now, one_at_a_time=True) is None
    assert ledger.wakeup(now, one_at_a_time=True) is None
    ledger.lost(0)
    assert ledger.take(now, one_at_a_time=True) == 1


def test_nobody_waits() -> None:
    """With an empty queue there is nothing to wake up for."""
    ledger = ledger_of(3, 0)
    assert ledger.take(0.0) is None
    assert ledger.wakeup(0.0) is None
