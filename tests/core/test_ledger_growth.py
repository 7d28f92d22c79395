"""The slot ledger, where more slots are tried than are known: when, how many, and what it costs."""

from itertools import pairwise

import pytest

from seedance_async.core.growth import CREATES_A_TRIAL, EARLY_TRIAL_EVERY, LONGEST, TRIAL_EVERY, TRUSTED
from seedance_async.core.ledger import FOREIGN_LASTS, SlotLedger
from tests.core.accounts import Simulation
from tests.core.ledgers import fill, first, leave, ledger_of, refuse


def lowered(ceiling: int | None = 5) -> tuple[SlotLedger[int], list[int]]:
    """A ledger whose limit fell from 5 to 2 at time 0, and the two that are in progress."""
    ledger = ledger_of(ceiling, 500)
    running = [first(ledger), first(ledger)]
    for job in running:
        ledger.accepted(job, 0.0)
    assert refuse(ledger, first(ledger), limit=2, current=2)
    return ledger, running


def turn_over(ledger: SlotLedger[int], running: list[int], now: float) -> None:
    """Let one task end and the next begin."""
    ledger.release(running.pop(0), now)
    running.append(first(ledger, now))
    ledger.accepted(running[-1], now)


def next_trial(ledger: SlotLedger[int], now: float) -> tuple[int, float]:
    """Wait for the next create above the limit; return it, and when it left."""
    moment = ledger.wakeup(now)
    assert moment is not None
    assert leave(ledger, moment - 0.1) == []
    trial = first(ledger, moment)
    assert len(ledger.holders) == ledger.limit + 1
    assert leave(ledger, moment) == []
    return trial, moment


def test_no_trial_before_a_create_was_accepted() -> None:
    """While nothing was accepted since the refusal, nobody leaves above the limit."""
    ledger, _ = lowered()
    assert leave(ledger, 10_000.0) == []
    assert ledger.wakeup(10_000.0) is None


@pytest.mark.parametrize("ceiling", [50, None])
def test_what_was_found_doubles(ceiling: int | None) -> None:
    """The first accepted trial adds one slot, each further one doubles them, and the ceiling is the end."""
    ledger, running = lowered(ceiling)
    turn_over(ledger, running, TRUSTED)
    now, limits, moments = TRUSTED, list[int](), list[float]()
    while ledger.limit < 50:
        trial, now = next_trial(ledger, now)
        ledger.accepted(trial, now)
        limits.append(ledger.limit)
        moments.append(now)
        fill(ledger, now)
        assert len(ledger.holders) == ledger.limit
    assert limits == [3, 6, 12, 24, 48, 96 if ceiling is None else 50]
    assert [later - earlier for earlier, later in pairwise([TRUSTED, *moments])] == [TRIAL_EVERY] * 6
    assert (ledger.wakeup(now) is None) is (ceiling == 50)


def test_one_at_a_time_above_what_was_in_use() -> None:
    """Slots that were never in use fill one by one, so that the end of them is met by one create."""
    ledger, running = lowered(None)
    turn_over(ledger, running, TRUSTED)
    trial, now = next_trial(ledger, TRUSTED)
    ledger.accepted(trial, now)
    trial, now = next_trial(ledger, now)
    ledger.accepted(trial, now)
    assert (ledger.limit, len(ledger.holders)) == (6, 4)
    probe = first(ledger, now)
    assert leave(ledger, now) == []
    ledger.accepted(probe, now)
    # What ends within what was in use is followed two at a time, as always.
    for job in list(ledger.holders)[:3]:
        ledger.release(job, now)
    assert len(leave(ledger, now)) == 2


def test_the_service_says_what_was_found() -> None:
    """A refusal during growth is exact: the limit is what it says, and not what was in progress."""
    ledger, running = lowered(None)
    turn_over(ledger, running, TRUSTED)
    now = TRUSTED
    for _ in range(3):
        trial, now = next_trial(ledger, now)
        ledger.accepted(trial, now)
        fill(ledger, now)
    assert ledger.limit == 12
    trial, now = next_trial(ledger, now)
    assert not refuse(ledger, trial, now, limit=12, current=12)
    assert ledger.wakeup(now) is None
    job = next(iter(ledger.holders))
    ledger.release(job, now)
    ledger.accepted(first(ledger, now), now)
    assert ledger.wakeup(now) == now + TRUSTED


def test_refused_trials_grow_rarer() -> None:
    """Each one waits twice as long as the last, up to an hour, and then for a hundred creates or two hours."""
    ledger, running = lowered()
    now, gaps = 0.0, list[float]()
    for _ in range(5):
        turn_over(ledger, running, now)
        trial, moment = next_trial(ledger, now)
        gaps.append(moment - now)
        now = moment
        refuse(ledger, trial, now, limit=2, current=2)
    assert gaps == [TRUSTED, 2 * TRUSTED, LONGEST, LONGEST, LONGEST]


def test_a_busy_account_is_tried_every_hour() -> None:
    """A hundred accepted creates are as good as two hours."""
    ledger, running = lowered()
    now = 0.0
    for gap in (TRUSTED, 2 * TRUSTED, 2400.0, 3600.0, 3600.0):
        for _ in range(CREATES_A_TRIAL):
            turn_over(ledger, running, now)
        trial, moment = next_trial(ledger, now)
        assert moment - now == gap
        now = moment
        refuse(ledger, trial, now, limit=2, current=2)
        for job in [job for job in range(500, 1000) if ledger.position(job) is None][:CREATES_A_TRIAL]:
            ledger.enqueue(job)


def test_another_limit_ends_the_caution() -> None:
    """A refusal that says something new is trusted for ten minutes, however long the old limit had stood."""
    ledger, running = lowered()
    now = 0.0
    for _ in range(3):
        turn_over(ledger, running, now)
        trial, now = next_trial(ledger, now)
        refuse(ledger, trial, now, limit=2, current=2)
    ledger.release(running.pop(), now)
    assert refuse(ledger, first(ledger, now), now, limit=1, current=1)
    ledger.release(running.pop(), now)
    ledger.accepted(first(ledger, now + 60), now + 60)
    assert ledger.wakeup(now + 60) == now + TRUSTED


def test_growth_that_came_to_nothing_counts_as_a_refused_trial() -> None:
    """The room of a single trial may have been that of a task whose end was not seen: the next one is rarer."""
    ledger, running = lowered()
    turn_over(ledger, running, 0.0)
    trial, now = next_trial(ledger, 0.0)
    ledger.accepted(trial, now)
    ledger.release(running.pop(0), now)
    assert refuse(ledger, first(ledger, now), now, limit=2, current=2)
    running.append(trial)
    turn_over(ledger, running, now)
    assert ledger.wakeup(now) == now + 2 * TRUSTED


def test_the_second_refusal_of_one_change_counts() -> None:
    """Two creates that were on the wire together and hear the same limit make the first trial rarer, and no third."""
    ledger = ledger_of(50, 99)
    for job in leave(ledger):
        ledger.accepted(job, 0.0)
    for job in leave(ledger):
        refuse(ledger, job, limit=1, current=1)
    for job in list(ledger.holders):
        ledger.release(job, 0.0)
    now = FOREIGN_LASTS
    ledger.accepted(first(ledger, now), now)
    assert ledger.wakeup(now) == 2 * TRUSTED


def test_growth_without_numbers_is_taken_back() -> None:
    """Three refusals in a row that say nothing, where slots are tried that were never in use, end the growth."""
    ledger = ledger_of(None, 99)
    fill(ledger)
    now = 0.0
    for _ in range(2):
        trial, now = next_trial(ledger, now)
        ledger.accepted(trial, now)
    assert (ledger.limit, len(ledger.holders)) == (12, 7)
    for _ in range(2):
        assert not refuse(ledger, first(ledger, now), now)
        now = ledger.wakeup(now) or 0.0
    assert refuse(ledger, first(ledger, now), now)
    assert ledger.limit == 7
    # What the service has accepted is not taken back.
    ledger.release(0, now)
    now = ledger.wakeup(now) or 0.0
    assert not refuse(ledger, first(ledger, now), now)
    assert ledger.limit == 7


# In the simulated account

LEVELS = 5, 10, 4, 50


@pytest.mark.parametrize("lasting", [(60.0, 180.0), (100.0, 101.0)], ids=["mixed", "alike"])
@pytest.mark.parametrize("unseen", [0.1, 1.5, 5.0])
def test_auto_follows_a_limit_that_moves(lasting: tuple[float, float], unseen: float) -> None:
    """5, 10, 4, 50, half an hour each: two refusals a change, less than one in a hundred tasks, and soon at the limit.

    A limit that rises within ten minutes after the last refusal is found when they are over; one that rises later,
    after as long again as it had stood; and then it takes a minute and a half.
    """
    for seed in range(4):
        simulation = Simulation(
            ledger_of(None, 1000), lambda now: LEVELS[min(3, int(now / 1800))], lasting, unseen=unseen, seed=seed
        )
        simulation.run(until=7200)
        refused = [simulation.refused_between(begin, begin + 1800) for begin in range(0, 7200, 1800)]
        assert max(refused) <= 2
        assert len(simulation.refusals) <= 0.01 * len(simulation.accepted)
        for begin, level in ((0, 5), (1800, 10), (5400, 50)):
            assert simulation.reached(level, begin, begin + 1800) <= 120
        # Tasks that run are not taken back, so the fall takes as long as they do.
        assert simulation.held_at(3600 + 220) <= 5
        simulation.run()
        assert sorted(job for _, job in simulation.accepted) == list(range(1000))
        assert list(dict.fromkeys(job for _, job in simulation.taken)) == list(range(1000))


@pytest.mark.parametrize("stood", [300.0, 1000.0, 2500.0, 8000.0])
def test_how_long_a_rise_goes_unseen(stood: float) -> None:
    """Ten minutes or as long again as the limit had stood, whichever is more, two hours at most; and the doubling."""
    for seed in range(4):
        simulation = Simulation(ledger_of(None, 20_000), lambda now: 5 if now < stood else 50, seed=seed)
        simulation.run(until=20_000)
        assert simulation.reached(50, stood, 20_000) <= min(LONGEST, max(TRUSTED, stood)) + 120
        assert simulation.refused_between(0, 1800) <= 3


@pytest.mark.parametrize(("limit", "jobs"), [(5, 1000), (10, 1000), (50, 1000), (50, 8000)])
def test_auto_is_as_quick_as_the_right_number(limit: int, jobs: int) -> None:
    """On a steady account it takes at most a hundredth longer than a ceiling that is the limit, which refuses nothing.

    Its refusals are the one that finds the limit and those of the trials: less than one for every hundred tasks.
    """
    makespans: list[float] = []
    for ceiling in (limit, None):
        simulation = Simulation(ledger_of(ceiling, jobs), lambda _now: limit)
        simulation.run()
        makespans.append(simulation.ended)
        assert len(simulation.accepted) == jobs
        assert len(simulation.refusals) <= (0 if ceiling else 0.01 * jobs)
    assert makespans[1] <= 1.01 * makespans[0]


def test_a_session_that_begins_finds_fifty_in_half_a_minute() -> None:
    """While no task can have ended unseen, trials follow each other quickly, and one create is refused."""
    for seed in range(4):
        simulation = Simulation(ledger_of(None, 200), lambda _now: 50, seed=seed)
        simulation.run(until=TRUSTED)
        assert simulation.reached(50, 0.0, TRUSTED) <= 35
        assert len(simulation.refusals) == 1


def test_what_grows_later_grows_slowly() -> None:
    """A minute after the first accepted create there is one trial every fifteen seconds."""
    ledger = ledger_of(None, 99)
    fill(ledger)
    _, now = next_trial(ledger, 0.0)
    assert now == EARLY_TRIAL_EVERY
    ledger.accepted(5, now)
    now = 90.0
    trial = first(ledger, now)
    ledger.accepted(trial, now)
    fill(ledger, now)
    assert next_trial(ledger, now)[1] == now + TRIAL_EVERY


def test_an_account_without_a_limit() -> None:
    """One that refuses nothing gets as many as wait, within some minutes and one by one beyond what it has taken."""
    simulation = Simulation(ledger_of(None, 2000), lambda _now: 10_000, lasting=(600.0, 700.0))
    simulation.run(until=500)
    assert simulation.refusals == []
    assert simulation.held_at(75) >= 40
    assert simulation.held_at(499) >= 600
