"""When tasks are looked at."""

import random
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.polling import FixedPolling, Polling, PollingPolicy
from seedance_async.core.retry import Rand
from seedance_async.errors import ConfigurationError

seconds = st.floats(0.01, 600)
policies = st.builds(PollingPolicy, target_delay=seconds, min_interval=seconds, quiet=st.floats(0.01, 3))
ages = st.floats(0, 1e6)
chances = st.floats(0, 1, exclude_max=True)


def polls(policy: Polling, *, typical: float, until: float, rand: Rand) -> list[float]:
    """The ages at which a task is looked at."""
    moments = [0.0]
    while moments[-1] < until:
        moments.append(moments[-1] + policy.delay(age=moments[-1], typical=typical, rand=rand))
    return moments[1:]


@given(policies, ages, st.floats(0, 1e5), chances)
def test_bounds(policy: PollingPolicy, age: float, typical: float, chance: float) -> None:
    """No gap is shorter than `min_interval`, nor longer than the even one or the age, with some chance on top."""
    delay = policy.delay(age=age, typical=typical, rand=lambda: chance)
    even = max(2 * policy.target_delay, policy.min_interval)
    assert policy.min_interval <= delay <= 1.15 * max(even, age) + 1e-9


@given(policies, ages, st.floats(0, 1e5), chances)
def test_old_tasks_are_polled_evenly(policy: PollingPolicy, age: float, typical: float, chance: float) -> None:
    """From the quiet time on, gaps do not grow with the age."""
    old = policy.quiet * typical + age
    even = max(2 * policy.target_delay, policy.min_interval)
    assert policy.delay(age=old, typical=typical, rand=lambda: chance) <= 1.15 * even + 1e-9


@given(policies, st.floats(1, 5000), st.integers(0, 2**32))
def test_no_gap_jumps_over_the_likely_time(policy: PollingPolicy, typical: float, seed: int) -> None:
    """A gap that begins in the quiet time ends at most an even one after it."""
    end, even = policy.quiet * typical, max(2 * policy.target_delay, policy.min_interval)
    moments = polls(policy, typical=typical, until=end, rand=random.Random(seed).random)
    assert moments[-1] <= end + even + policy.min_interval


def test_mean_delay_is_what_was_asked_for() -> None:
    """A task that ends at any moment after the quiet time waits `target_delay` seconds on average."""
    rand = random.Random(5).random
    policy, waits = PollingPolicy(target_delay=1.5), list[float]()
    for number in range(300):
        end = 100.0 + number * 0.37
        waits.append(
            next(moment for moment in polls(policy, typical=200.0, until=300.0, rand=rand) if moment >= end) - end
        )
    assert sum(waits) / len(waits) == pytest.approx(1.5, rel=0.2)


def test_few_polls_of_a_young_task() -> None:
    """A task of four minutes is looked at fewer than ten times in its quiet time, and soon after it began."""
    moments = polls(PollingPolicy(), typical=240.0, until=96.0, rand=lambda: 0.5)
    assert moments[0] <= 5.0
    assert len(moments) < 10


def test_a_batch_is_not_polled_in_step() -> None:
    """Tasks accepted together are spread by chance."""
    rand = random.Random(1).random
    policy = PollingPolicy()
    fifth = {round(polls(policy, typical=60.0, until=60.0, rand=rand)[4], 2) for _ in range(50)}
    assert len(fifth) > 30


@given(seconds, ages, st.floats(0, 1e5), chances)
def test_fixed_polling(interval: float, age: float, typical: float, chance: float) -> None:
    """A fixed interval stays within a tenth, whatever the age."""
    delay = FixedPolling(interval).delay(age=age, typical=typical, rand=lambda: chance)
    assert 0.9 * interval <= delay <= 1.1 * interval


def test_own_policy() -> None:
    """Any object with the method is a policy."""

    class Every:
        def delay(self, *, age: float, typical: float, rand: Rand) -> float:
            return 7.0

    policy: Polling = Every()
    assert list(accumulate([7.0] * 3)) == polls(policy, typical=1.0, until=20.0, rand=lambda: 0.5)


@pytest.mark.parametrize("value", [0, -1, float("nan"), True, "5", None, PollingPolicy], ids=str)
@pytest.mark.parametrize("name", ["target_delay", "min_interval", "quiet"])
def test_policies_are_checked(name: str, value: Any) -> None:
    """No number of a policy is 0, negative or none at all; the error names it."""
    with pytest.raises(ConfigurationError, match=rf"^PollingPolicy\.{name} must be a number above 0, and is "):
        PollingPolicy(**{name: value})
    with pytest.raises(ConfigurationError, match=r"^FixedPolling\.interval must be a number above 0, and is "):
        FixedPolling(value)
