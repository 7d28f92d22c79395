"""In which order many jobs are started, and what that is worth."""

import heapq
import random
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from seedance_async import Catalogue, TextToVideo
from seedance_async.core.order import ORDERS, starting_order
from seedance_async.core.request import Request, prepare

A_REQUEST = prepare(TextToVideo("a lake", output_resolution="480p"), Catalogue.CLASSIC)


def request(seconds: float, credits: int | None = 10, duration: int = 5) -> Request:
    """A request whose task usually takes so long."""
    return evolve(
        A_REQUEST,
        typical_seconds=seconds,
        credits=None if credits is None else Decimal(credits),
        inputs=TextToVideo("a lake", duration=duration, output_resolution="480p"),
    )


def makespan(seconds: list[float], slots: int) -> float:
    """How long tasks take that start in this order, each as soon as a slot is free."""
    free = [0.0] * slots
    for length in seconds:
        heapq.heapreplace(free, free[0] + length)
    return max(free)


def test_as_given() -> None:
    """By default nothing is moved."""
    assert starting_order([request(1), request(3), request(2)], "source") == [0, 1, 2]
    assert ORDERS[0] == "source"


@given(st.lists(st.tuples(st.sampled_from([180, 240, 660]), st.integers(4, 15)), max_size=30))
def test_long_ones_first(kinds: list[tuple[int, int]]) -> None:
    """Each once, the longer before the shorter, of equal ones the longer clip, and else as they were given."""
    order = starting_order([request(seconds, duration=length) for seconds, length in kinds], "longest-first")
    assert sorted(order) == list(range(len(kinds)))
    keys = [(-kinds[place][0], -kinds[place][1], place) for place in order]
    assert keys == sorted(keys)


@pytest.mark.parametrize(("left", "moved"), [(None, True), (Decimal(30), True), (Decimal(29), False)])
def test_only_where_all_can_be_paid(left: Decimal | None, moved: bool) -> None:
    """Where the budget ends before the work does, it is the user's order that says what is made."""
    order = starting_order([request(1), request(3), request(2)], "longest-first", left)
    assert order == ([1, 2, 0] if moved else [0, 1, 2])


def test_only_where_all_prices_are_known() -> None:
    """What has no price may cost more than is left; without a budget that does not matter."""
    requests = [request(1), request(3, credits=None)]
    assert starting_order(requests, "longest-first", Decimal(10_000)) == [0, 1]
    assert starting_order(requests, "longest-first") == [1, 0]


@pytest.mark.parametrize(
    ("kinds", "slots", "rounds", "least", "most"),
    [
        ((180.0, 240.0, 360.0, 660.0), 5, 5, 0.06, 0.12),
        ((180.0, 240.0, 360.0, 660.0), 50, 5, 0.14, 0.22),
        ((180.0, 240.0, 360.0, 660.0), 5, 20, 0.01, 0.05),
        ((70.0, 120.0), 5, 5, 0.02, 0.07),
        ((240.0,), 5, 5, 0.0, 0.0),
    ],
    ids=["models", "models, 50 slots", "models, 20 rounds", "two lengths", "alike"],
)
def test_what_it_is_worth(kinds: tuple[float, ...], slots: int, rounds: int, least: float, most: float) -> None:
    """Of mixed lengths it saves a part of the makespan that shrinks with the rounds; of equal ones nothing.

    What tasks really take is spread around what is usual (lognormal, sigma 0.25), as the emulator's are.
    """
    chance, given, moved = random.Random(1), 0.0, 0.0
    for _ in range(100):
        usual = [chance.choice(kinds) for _ in range(slots * rounds)]
        real = [seconds * chance.lognormvariate(0, 0.25) for seconds in usual]
        order = starting_order([request(seconds) for seconds in usual], "longest-first")
        given += makespan(real, slots)
        moved += makespan([real[place] for place in order], slots)
    assert least <= 1 - moved / given <= most
