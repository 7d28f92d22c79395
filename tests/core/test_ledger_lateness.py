"""The slot ledger, where the service frees slots some time after it has said that their tasks ended."""

import pytest

from seedance_async.core.lateness import LATEST
from seedance_async.core.ledger import SlotLedger
from tests.core.accounts import Simulation
from tests.core.ledgers import fill, first, leave, ledger_of, refuse


def late(ledger: SlotLedger[int], now: float, lag: float) -> float:
    """Let a task end whose slot comes free so much later; return when its follower was accepted."""
    ledger.release(next(iter(ledger.holders)), now)
    freed, limit = now + lag, ledger.limit
    for _ in range(20):
        if (job := ledger.take(now)) is not None:
            if now >= freed:
                ledger.accepted(job, now)
                return now
            refuse(ledger, job, now, limit=limit, current=limit)
        now = ledger.wakeup(now) or freed
    raise AssertionError("its slot was never used again")


def test_two_late_slots_are_a_lesson() -> None:
    """After two slots that came free late, the next create leaves so long after the end, and not before."""
    ledger = ledger_of(3, 50)
    fill(ledger)
    late(ledger, 100.0, 5.0)
    assert ledger.lag == 0
    late(ledger, 200.0, 5.0)
    assert ledger.lag == 6.0  # probes go after 2 and 6 seconds
    ledger.release(next(iter(ledger.holders)), 300.0)
    assert leave(ledger, 305.9) == []
    assert ledger.wakeup(300.0) == 306.0
    assert len(leave(ledger, 306.0)) == 1


def test_the_moment_of_the_end_counts() -> None:
    """The lag runs from the end of the task, not from the look that saw it."""
    ledger = ledger_of(3, 50)
    fill(ledger)
    late(ledger, 100.0, 5.0)
    late(ledger, 200.0, 5.0)
    ledger.release(next(iter(ledger.holders)), 296.0)
    assert ledger.wakeup(300.0) == 302.0


def test_one_late_slot_is_none() -> None:
    """Another user of the account may have come and gone: after some creates it is forgotten."""
    ledger = ledger_of(3, 90)
    fill(ledger)
    late(ledger, 100.0, 5.0)
    for turn in range(20):
        late(ledger, 200.0 + 10 * turn, 0.0)
    late(ledger, 1000.0, 5.0)
    assert ledger.lag == 0


def test_a_refusal_that_changes_the_limit_is_not_about_a_late_slot() -> None:
    """A create that meets a lower limit says nothing about when slots come free."""
    ledger = ledger_of(9, 90)
    fill(ledger)
    now = 0.0
    for limit in (8, 7, 6, 5):
        now += 1000
        for job in list(ledger.holders)[: len(ledger.holders) - limit + 1]:
            ledger.release(job, now)
        assert refuse(ledger, first(ledger, now), now, limit=limit - 1, current=limit - 1)
        ledger.release(next(iter(ledger.holders)), now)
        fill(ledger, now + 100)
    assert ledger.lag == 0


def test_the_lag_is_tried_and_goes_away() -> None:
    """A service that stops to free slots late is noticed: the lag is halved now and then, until there is none."""
    ledger = ledger_of(3, 900)
    fill(ledger)
    late(ledger, 100.0, 5.0)
    late(ledger, 200.0, 5.0)
    now = 300.0
    for _ in range(200):
        now = late(ledger, now, 0.0) + 10
    assert ledger.lag == 0


def test_the_lag_has_a_bound() -> None:
    """Half a minute after an end, a refusal has to do with others."""
    ledger = ledger_of(3, 90)
    fill(ledger)
    for turn in range(6):
        late(ledger, 1000.0 * turn, 2 * LATEST)
    assert ledger.lag == 0


def test_a_create_that_never_was_a_task_frees_its_slot_at_once() -> None:
    """The lag is that of tasks: a create that the service refused for good leaves no task behind."""
    ledger = ledger_of(3, 90)
    fill(ledger)
    late(ledger, 100.0, 5.0)
    late(ledger, 200.0, 5.0)
    ledger.release(next(iter(ledger.holders)), 300.0)
    job = first(ledger, 306.0)
    ledger.release(job, 306.1)
    assert leave(ledger, 306.1) != []


# In the simulated account


@pytest.mark.parametrize(
    ("limit", "freed", "most"),
    [(3, (5.0, 5.0), 20), (5, (5.0, 5.0), 20), (5, (0.0, 5.0), 20), (5, (2.0, 2.0), 12), (5, (20.0, 20.0), 32)],
)
def test_late_slots_cost_a_few_refusals(limit: int, freed: tuple[float, float], most: int) -> None:
    """Learning costs some refusals and each try some more; without it there was nearly one for each task."""
    for seed in range(4):
        simulation = Simulation(ledger_of(limit, 400), lambda _now: limit, round_trip=0.1, freed=freed, seed=seed)
        simulation.run()
        assert len(simulation.accepted) == 400
        assert len(simulation.refusals) <= most
        assert freed[1] / 2 <= simulation.ledger.lag <= LATEST
        ideal = 400 / limit * (120 + sum(freed) / 2)
        assert simulation.ended <= 1.08 * ideal


def test_many_slots_that_come_free_late() -> None:
    """With fifty slots and ends all the time it is learned as well."""
    for seed in range(4):
        simulation = Simulation(ledger_of(50, 2000), lambda _now: 50, round_trip=0.1, freed=(5.0, 5.0), seed=seed)
        simulation.run()
        assert len(simulation.refusals) <= 60


@pytest.mark.parametrize(("limit", "others"), [(5, 1), (5, 3), (10, 5), (50, 5), (50, 25)])
def test_other_users_are_not_taken_for_late_slots(limit: int, others: int) -> None:
    """Who uses the account all the time makes no slot of ours late."""
    for seed in range(4):
        simulation = Simulation(
            ledger_of(limit, 2000), lambda _now: limit, others=lambda _now: others, round_trip=0.1, seed=seed
        )
        simulation.run(until=2000)
        assert simulation.ledger.lag == 0


@pytest.mark.parametrize(("limit", "others"), [(20, 1), (50, 1), (50, 2)])
def test_one_other_user_among_many_slots_of_ours(limit: int, others: int) -> None:
    """He looks like late slots at first, and soon costs no more than the slots he has, as if he had been told of."""
    for seed in range(2):
        runs = [
            Simulation(
                ledger_of(slots, 4000), lambda _now: limit, others=lambda _now: others, round_trip=0.1, seed=seed
            )
            for slots in (limit, limit - others)
        ]
        for simulation in runs:
            simulation.run(until=4000)
        found, told = runs
        assert len(found.accepted) >= 0.975 * len(told.accepted)
        assert len(found.refusals) <= 8 * 4000 / 60


def test_a_lag_that_grows_and_grows_is_none() -> None:
    """A refusal after each lag that was believed: somebody else has the slot. He is believed for some minutes."""
    ledger = ledger_of(3, 90)
    fill(ledger)
    late(ledger, 100.0, 2.0)
    late(ledger, 200.0, 2.0)
    assert ledger.lag > 0
    late(ledger, 300.0, 25.0)
    assert ledger.lag == 0
    for turn in range(2):
        late(ledger, 400.0 + 100 * turn, 5.0)
        assert ledger.lag == 0
    for turn in range(2):
        late(ledger, 1000.0 + 100 * turn, 5.0)
    assert ledger.lag > 0
