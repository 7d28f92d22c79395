"""P1 and P4: all rules of the slot ledger together, against a simulated account."""

import pytest

from seedance_async.core.growth import TRUSTED
from seedance_async.core.window import WIDEST
from tests.core.accounts import Simulation
from tests.core.ledgers import ledger_of

DROP, RISE = 400.0, 700.0


def fallen(now: float) -> int:
    """A limit of 50 that is 4 for five minutes."""
    return 4 if DROP <= now < RISE else 50


@pytest.mark.parametrize("lasting", [(60.0, 180.0), (100.0, 101.0), (230.0, 250.0)], ids=["mixed", "alike", "long"])
@pytest.mark.parametrize("unseen", [0.1, 1.5, 5.0])
@pytest.mark.parametrize("ceiling", [50, None])
def test_a_limit_that_falls_and_rises(lasting: tuple[float, float], unseen: float, ceiling: int | None) -> None:
    """50, 4, 50 under five hundred waiters: at most two refusals for each change, order kept, everybody served.

    Without a ceiling, one more finds the 50.
    """
    for seed in range(5):
        simulation = Simulation(ledger_of(ceiling, 500), fallen, lasting, unseen=unseen, seed=seed)
        simulation.run()
        assert simulation.refused_between(0, DROP) == (ceiling is None)
        assert simulation.refused_between(DROP, RISE) <= 2
        assert simulation.refused_between(RISE, float("inf")) <= 2
        assert sorted(job for _, job in simulation.accepted) == list(range(500))
        assert list(dict.fromkeys(job for _, job in simulation.taken)) == list(range(500))


def test_the_slots_are_used_again_after_the_limit_rose() -> None:
    """Twenty minutes after a limit fell that has risen meanwhile, all of its slots are in use again."""
    for seed in range(5):
        simulation = Simulation(ledger_of(50, 5000), fallen, (60.0, 180.0), seed=seed)
        simulation.run(until=2000)
        assert simulation.held_at(DROP - 1) == 50
        assert simulation.held_at(RISE - 1) <= 5
        assert simulation.reached(50, RISE, 2000) <= 2 * TRUSTED - (RISE - DROP) + 120


@pytest.mark.parametrize(("ceiling", "limit"), [(500, 50), (50, 3), (20, 5), (5, 4), (2, 1)])
@pytest.mark.parametrize("round_trip", [0.01, 0.1, 0.4])
def test_a_ceiling_above_the_limit(ceiling: int, limit: int, round_trip: float) -> None:
    """A ceiling far above the limit costs as many refusals as creates may be on the wire, once, and fills at once."""
    for seed in range(5):
        simulation = Simulation(ledger_of(ceiling, 500), lambda _now: limit, round_trip=round_trip, seed=seed)
        simulation.run(until=60)
        assert len(simulation.refusals) <= WIDEST
        assert simulation.held_at(55) == limit


@pytest.mark.parametrize("others", [0, 2, 5])
def test_numbers_that_never_come(others: int) -> None:
    """A service that refuses without numbers is asked at growing intervals, and everybody is served."""
    simulation = Simulation(
        ledger_of(10, 40), lambda _now: 5, others=lambda now: others if now < 600 else 0, numbers=False
    )
    simulation.run()
    assert sorted(job for _, job in simulation.accepted) == list(range(40))
    assert len(simulation.refusals) < simulation.accepted[-1][0] / 8


@pytest.mark.parametrize(
    ("limit", "others", "jobs", "before", "most"),
    [(5, 3, 10, 23, 18), (5, 4, 400, 72, 56), (10, 5, 2000, 127, 56), (50, 25, 2000, 279, 75), (50, 5, 2000, 375, 80)],
)
def test_others_who_stay_are_probed_calmly(limit: int, others: int, jobs: int, before: int, most: int) -> None:
    """Tasks of ours that end and begin say nothing of others: the probes stay rare until one of them is accepted.

    `before` is how many refusals there were, on average, while each accepted create made the probes frequent again.
    """
    for seed in range(5):
        simulation = Simulation(
            ledger_of(limit, jobs), lambda _now: limit, others=lambda _now: others, round_trip=0.1, seed=seed
        )
        if jobs == 10:
            simulation.lasting = 60.0, 60.1
        simulation.run(until=1000)
        assert len(simulation.refusals) <= most < before
        # Nothing of what is ours stands empty for that.
        assert simulation.held_at(200) >= limit - others - (limit > 10)


@pytest.mark.parametrize(
    ("limit", "others", "before", "most"), [(20, 1, 711, 600), (50, 1, 1078, 950), (50, 2, 834, 720)]
)
def test_a_probe_that_takes_the_room_of_ours_says_nothing_of_others(
    limit: int, others: int, before: int, most: int
) -> None:
    """Its task's end is seen afterwards, and then as many slots are others' as before.

    `before` is how many refusals there were in four times forty minutes while each such probe counted one less.
    """
    refusals = 0
    for seed in range(4):
        simulation = Simulation(
            ledger_of(limit, 2000), lambda _now: limit, others=lambda _now: others, round_trip=0.1, seed=seed
        )
        simulation.run(until=3000)
        refusals += simulation.refused_between(600, 3000)
    assert refusals <= most < before


@pytest.mark.parametrize(("limit", "others"), [(5, 3), (5, 4), (5, 5), (10, 5), (50, 25), (50, 5)])
def test_the_slots_of_others_are_found_within_half_a_minute(limit: int, others: int) -> None:
    """However long others stayed: when they go, the next probe finds it and the rest follows at once."""
    for seed in range(5):
        simulation = Simulation(
            ledger_of(limit, 2000),
            lambda _now: limit,
            others=lambda now: others if now < 1000 else 0,
            round_trip=0.1,
            seed=seed,
        )
        simulation.run(until=1100)
        full = min(when for when, held in simulation.held if when >= 1000 and held == limit)
        assert full <= 1032


def test_other_users_come_and_go() -> None:
    """While others fill half of the account we use the rest; when they go, all of it, within two minutes."""
    simulation = Simulation(ledger_of(10, 2000), lambda _now: 10, others=lambda now: 5 if now < 1000 else 0)
    simulation.run(until=2000)
    assert simulation.held_at(999) == 5
    assert simulation.held_at(1120) == 10
    assert simulation.refused_between(0, 1000) <= 60
    assert simulation.refused_between(1120, 2000) == 0
