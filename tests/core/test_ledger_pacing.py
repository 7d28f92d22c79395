"""The slot ledger, where the service limits how fast creates come: 429s without numbers."""

import pytest

from seedance_async.core.pacing import FIRST_GAP, WIDEST_GAP
from tests.core.accounts import Simulation
from tests.core.ledgers import first, leave, ledger_of, refuse


def test_a_gap_between_creates() -> None:
    """After a create that was refused without numbers, the next ones leave apart."""
    ledger = ledger_of(50, 99)
    one, two = leave(ledger)
    ledger.accepted(one, 0.1)
    refuse(ledger, two, 0.1)
    now = ledger.wakeup(0.1) or 0.0
    assert now == 2.1
    ledger.accepted(first(ledger, now), now)
    assert leave(ledger, now) == []
    moment = ledger.wakeup(now)
    assert moment is not None
    assert 0.9 * FIRST_GAP <= moment - now <= FIRST_GAP
    assert len(leave(ledger, moment)) == 1


def test_those_on_the_wire_count_once() -> None:
    """Sixteen creates that left together and are refused together are one lesson, with one pause."""
    ledger = ledger_of(60, 99)
    wave = leave(ledger)
    while len(wave) < 12:
        for job in wave:
            ledger.accepted(job, 0.0)
        wave = leave(ledger)
    for job in wave:
        refuse(ledger, job, 1.0)
    assert ledger.wakeup(1.0) == 3.0
    ledger.accepted(first(ledger, 3.0), 3.0)
    assert (ledger.wakeup(3.0) or 0) <= 3.0 + FIRST_GAP


def test_a_refusal_long_after_the_last_create_widens_nothing() -> None:
    """It has nothing to do with how fast creates come."""
    ledger = ledger_of(50, 99)
    now = 0.0
    for _ in range(9):
        refuse(ledger, first(ledger, now), now)
        now += 2 * WIDEST_GAP
    ledger.accepted(first(ledger, now), now)
    assert len(leave(ledger, now)) == 2


def test_the_gap_goes_away() -> None:
    """Accepted creates make it narrower, until creates leave together again."""
    ledger = ledger_of(50, 400)
    one, two = leave(ledger)
    ledger.accepted(one, 0.0)
    refuse(ledger, two, 0.0)
    now = 2.0
    for _ in range(100):
        job = first(ledger, now)
        ledger.accepted(job, now)
        ledger.release(job)
        now = max(now, ledger.wakeup(now) or now) + 0.01
    assert len(leave(ledger, now)) > 2


def test_refusals_with_numbers_pace_nothing() -> None:
    """Those are about how many, not how fast."""
    ledger = ledger_of(50, 400)
    one, two = leave(ledger)
    ledger.accepted(one, 0.0)
    refuse(ledger, two, 0.0, limit=40, current=40)
    ledger.release(one)
    now = 60.0
    ledger.accepted(first(ledger, now), now)
    assert len(leave(ledger, now)) == 2


@pytest.mark.parametrize(("slope", "most", "full"), [((2.0, 5), 40, 40.0), ((1.0, 3), 80, 80.0), ((0.5, 5), 80, 250.0)])
def test_a_slope_limit(slope: tuple[float, int], most: int, full: float) -> None:
    """Fifty slots fill nearly as fast as the service allows, and rounds of tasks that end together cost few refusals.

    Without the gap there were up to 1,300 for a thousand tasks, and at one a second the slots were never full.
    """
    for seed in range(4):
        simulation = Simulation(
            ledger_of(50, 1000), lambda _now: 50, (100.0, 101.0), round_trip=0.1, slope=slope, seed=seed
        )
        simulation.run()
        assert len(simulation.accepted) == 1000
        assert len(simulation.refusals) <= most
        assert simulation.reached(50, 0.0, 5000.0) <= full
        assert simulation.ended <= 1.08 * 2000


def test_six_creates_a_minute() -> None:
    """An account that takes one create every ten seconds and no two together gets them about that far apart."""
    simulation = Simulation(ledger_of(10, 200), lambda _now: 10, (100.0, 101.0), round_trip=0.1, slope=(0.1, 1))
    simulation.run()
    assert len(simulation.accepted) == 200
    assert len(simulation.refusals) <= 30
    assert simulation.ended <= 1.3 * 2000


def test_an_outage_of_refusals_is_over_when_it_is_over() -> None:
    """Something in front of the service may refuse everybody for minutes, without numbers: that is no slope."""
    ledger, now = ledger_of(50, 400), 0.0
    for _ in range(9):
        refuse(ledger, first(ledger, now), now)
        now = ledger.wakeup(now) or now
    began = now
    for _ in range(16):
        job = first(ledger, now)
        ledger.accepted(job, now)
        now = max(now, ledger.wakeup(now) or now)
    assert now - began <= 2 * WIDEST_GAP
    assert len(leave(ledger, now)) >= 2


def test_after_an_outage_a_slope_is_found_again() -> None:
    """An account that takes one create every ten seconds still gets them about that far apart."""
    ledger, now, last = ledger_of(50, 400), 0.0, -100.0
    refusals = 0
    for _ in range(9):
        refuse(ledger, first(ledger, now), now)
        now = ledger.wakeup(now) or now
    for _ in range(40):
        job = first(ledger, now)
        if now - last >= 10.0:
            last = now
            ledger.accepted(job, now)
            ledger.release(job)
        else:
            refusals += 1
            refuse(ledger, job, now)
        now = max(now, ledger.wakeup(now) or now) + 0.01
    assert refusals <= 10


def test_a_limit_of_nothing_is_waited_out() -> None:
    """A service that takes nothing for ten minutes and says so is not hammered, and is used at once afterwards."""
    for seed in range(3):
        simulation = Simulation(
            ledger_of(None, 400), lambda now: 0 if 600 <= now < 1200 else 10, round_trip=0.3, seed=seed
        )
        simulation.run(until=600)
        assert simulation.ledger.limit == 10
        simulation.run(until=2400)
        assert simulation.refused_between(600, 1200) <= 30
        assert simulation.reached(10, 1200, 2400) <= 60
