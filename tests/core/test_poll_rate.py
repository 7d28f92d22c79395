"""How often all tasks of a session are polled together."""

import heapq
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.poll_rate import PollRate


def test_no_bound_is_no_pressure() -> None:
    """Without a bound any number of wishes is granted, at once."""
    rate = PollRate()
    for _ in range(1000):
        rate.wish(0.0, 0.001)
        rate.left(5.0)
    assert rate.pressure == 1.0
    assert rate.free_at() <= 5.0


def test_pressure_is_what_is_too_much() -> None:
    """Two hundred wishes of one poll per second under a bound of fifty are four times too many."""
    rate = PollRate(50.0)
    wishes = [rate.wish(0.0, 1.0) for _ in range(50)]
    assert rate.pressure == 1.0
    # While it grows, gaps are longer by the pressure there is; what is wished for stays the same.
    wishes.extend(rate.wish(0.0, rate.pressure) for _ in range(150))
    assert rate.pressure == pytest.approx(4.0)
    for wish in wishes:
        rate.wish(wish, None)
    assert rate.wished == pytest.approx(0.0, abs=1e-9)


@given(st.lists(st.tuples(st.floats(0.0, 5.0), st.integers(1, 30)), max_size=60), st.floats(0.5, 200.0))
def test_no_second_has_many_more_polls_than_the_bound(arrivals: list[tuple[float, int]], most: float) -> None:
    """Whatever is due when, one and a half seconds' worth of polls leave in a second, and one more."""
    rate, now, left = PollRate(most), 0.0, list[float]()
    for pause, number in arrivals:
        now += pause
        for _ in range(number):
            now = max(now, rate.free_at())
            rate.left(now)
            left.append(now)
    for moment in left:
        assert len([other for other in left if moment <= other < moment + 1.0]) <= 1.5 * most + 1.0 + 1e-6


@given(st.lists(st.one_of(st.none(), st.floats(0.0, 1e3)), max_size=100))
def test_wishes_are_never_negative(gaps: list[float | None]) -> None:
    """Whatever is planned and over, in whatever order, the sum stays a sum."""
    rate, wish = PollRate(10.0), 0.0
    for gap in gaps:
        wish = rate.wish(wish, gap)
        assert rate.wished >= 0.0
        assert 1.0 <= rate.pressure < inf
    rate.wish(wish, None)
    assert rate.wished == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("most", [1.0, 5.0, 100.0])
def test_gaps_that_do_not_yield_raise_the_pressure_once(most: float) -> None:
    """However often tasks at a fixed interval are planned, the pressure is what they are too much, and no more."""
    rate = PollRate(most)
    wishes = [rate.wish(0.0, 0.5, yields=False) for _ in range(100)]
    for _ in range(50):
        wishes = [rate.wish(wish, 0.5, yields=False) for wish in wishes]
    assert rate.pressure == pytest.approx(max(1.0, 200.0 / most))
    for wish in wishes:
        rate.wish(wish, None)
    assert rate.wished == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("allows", [2.0, 20.0, 60.0])
@pytest.mark.parametrize("yields", [True, False], ids=["yielding", "fixed"])
def test_a_bound_of_the_service_is_found(allows: float, yields: bool) -> None:
    """Where it takes so many polls a second and answers 429 to others, few are refused, one a second at most."""
    rate, now, tokens, filled = PollRate(100.0), 0.0, allows, 0.0
    wishes = [rate.wish(0.0, 1.0, yields=yields) for _ in range(80)]
    due = [(number / 80, number) for number in range(80)]
    answers, refusals = list[float](), list[float]()
    while now < 600.0:
        moment, task = heapq.heappop(due)
        now = max(now, moment, rate.free_at())
        rate.left(now)
        tokens, filled = min(allows, tokens + allows * (now - filled)), now
        if tokens >= 1.0:
            tokens -= 1.0
            answers.append(now)
            rate.answered()
        else:
            refusals.append(now)
            rate.refused(now, now)
        gap = rate.pressure if yields else 1.0
        wishes[task] = rate.wish(wishes[task], gap, yields=yields)
        heapq.heappush(due, (now + gap, task))
    settled = len([moment for moment in answers if moment >= 100.0]) / 500.0
    assert settled >= 0.65 * allows
    assert len(refusals) <= max(0.05 * len(answers), 600.0 if allows < 0.25 * 80.0 else 0.0)


def test_polls_that_left_together_are_refused_once() -> None:
    """Twenty that were on their way halve the rate once; a service that names a pause gets it."""
    rate = PollRate(100.0)
    rate.wish(0.0, 0.1)
    for _ in range(20):
        rate.refused(5.0, 5.5, 8.0)
    assert rate.bound == pytest.approx(5.0)
    assert rate.free_at() >= 13.5
    rate.refused(5.4, 6.0)
    assert rate.bound == pytest.approx(5.0)


def test_a_bound_that_is_gone_is_forgotten() -> None:
    """With each answer a little more is allowed, until nothing binds."""
    rate = PollRate()
    rate.wish(0.0, 0.1)
    rate.refused(1.0, 1.0)
    assert rate.pressure > 1.9
    for _ in range(1000):
        rate.answered()
    assert rate.bound == inf
    assert rate.pressure == 1.0
