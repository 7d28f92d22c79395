"""When tasks are looked at (P1: slots stay full because ends are seen early)."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.laws import Law
from seedance_async.core.polling import FixedPolling, Look, Polling, PollingPolicy, ticked
from seedance_async.core.prior import Prior
from seedance_async.errors import ConfigurationError
from tests.core.laws import ages_of_polls, law_from, lognormal, mean_delay

LAWS = {
    "unknown": law_from([]),
    "one": law_from([100.0]),
    "usual": law_from(lognormal(100.0, 0.3, 300)),
    "narrow": law_from(lognormal(100.0, 0.02, 300)),
    "two humps": law_from([*lognormal(50.0, 0.1, 100), *lognormal(200.0, 0.1, 100)]),
    "early failures": law_from(
        [
            3.0 + 7.0 * number / 300 if number % 5 == 0 else each
            for number, each in enumerate(lognormal(100.0, 0.3, 300))
        ]
    ),
    "at once": law_from([0.1] * 50),
}
laws = st.sampled_from(list(LAWS.values()))
seconds = st.floats(0.01, 600.0)
policies = st.builds(
    PollingPolicy, target_delay=seconds, min_interval=seconds, max_interval=seconds, patience=st.floats(0.1, 10.0)
)
looks = st.builds(
    Look,
    now=st.floats(0.0, 1e7),
    age=st.floats(0.0, 1e6),
    typical=st.just(240.0),
    law=laws,
    phase=st.floats(0.0, 1.0, exclude_max=True),
    waiters=st.booleans(),
    pressure=st.floats(1.0, 1000.0),
)


@given(policies, looks)
def test_bounds(policy: PollingPolicy, look: Look) -> None:
    """No gap is shorter than `min_interval`; none is longer than `max_interval`, but for the pressure and a tick."""
    delay = policy.delay(look)
    longest = max(policy.min_interval, policy.max_interval * look.pressure)
    assert policy.min_interval <= delay <= longest * 1.125 + 1e-6


@given(policies, laws, st.floats(0.0, 1e5), st.floats(0.0, 1e5), st.floats(0.0, 1e6))
def test_the_order_is_kept(policy: PollingPolicy, law: Law, one: float, other: float, began: float) -> None:
    """Of two looks at a task, the later one never plans an earlier poll, but for a tick."""
    first, second = sorted((one, other))
    planned = [began + age + policy.delay(look_at(law, age, now=began + age)) for age in (first, second)]
    ticks = (planned[0] - began - first) / 8 + (planned[1] - began - second) / 8
    assert planned[0] <= planned[1] + ticks + 1e-6


@given(looks, st.floats(1.0, 100.0))
def test_pressure_and_patience_never_shorten_a_gap(look: Look, factor: float) -> None:
    """Whoever is to be polled more rarely is not polled sooner, but for a tick."""
    policy = PollingPolicy()
    before = policy.delay(look)
    look.pressure *= factor
    under_pressure = policy.delay(look)
    assert under_pressure >= before * 0.75
    look.waiters = False
    assert policy.delay(look) >= under_pressure * 0.75


@pytest.mark.parametrize("target", [0.4, 0.75, 1.5, 4.0])
@pytest.mark.parametrize(("name", "error"), [("usual", 0.16), ("two humps", 0.25)])
def test_the_mean_delay_is_what_was_asked_for(name: str, error: float, target: float) -> None:
    """Tasks wait `target_delay` seconds on average until they are seen; somewhat less where the law looks wider."""
    ends = (
        lognormal(100.0, 0.3, 300, seed=2) if name == "usual" else [*lognormal(50, 0.1, 150), *lognormal(200, 0.1, 150)]
    )
    policy = PollingPolicy(target_delay=target, min_interval=0.05)
    assert mean_delay(policy, LAWS[name], ends)[1] == pytest.approx(target, rel=error)


def test_delay_is_worth_less_where_nobody_waits() -> None:
    """Without jobs that wait for slots a task is polled half as often, and seen twice as late."""
    ends = lognormal(100.0, 0.3, 300, seed=2)
    many, early = mean_delay(PollingPolicy(), LAWS["usual"], ends)
    few, late = mean_delay(PollingPolicy(), LAWS["usual"], ends, waiters=False)
    assert few / many == pytest.approx(0.5, rel=0.1)
    assert late / early == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize(("name", "most"), [("usual", 0.56), ("narrow", 0.2), ("two humps", 0.6)])
def test_fewer_polls_than_a_fixed_interval(name: str, most: float) -> None:
    """At the same mean delay, a known law saves requests: half of them where the logarithm spreads by 0.3."""
    ends = {
        "usual": lognormal(100.0, 0.3, 300, seed=2),
        "narrow": lognormal(100.0, 0.02, 300, seed=2),
        "two humps": [*lognormal(50, 0.1, 150, seed=2), *lognormal(200, 0.1, 150, seed=2)],
    }[name]
    polls, delay = mean_delay(PollingPolicy(target_delay=1.5), LAWS[name], ends)
    fixed = sum(end / (2.0 * delay) + 0.5 for end in ends) / len(ends)
    assert polls / fixed <= most


@pytest.mark.parametrize("waiters", [True, False], ids=["waited for", "not waited for"])
@pytest.mark.parametrize("sigma", [0.0, 0.05])
@pytest.mark.parametrize("typical", [0.3, 2.0, 5.0, 20.0, 60.0])
def test_tasks_that_need_one_poll_each_are_seen_in_time(typical: float, sigma: float, waiters: bool) -> None:
    """Where all end at one age, a poll or two for each are enough, and none waits for the next step of a longer law."""
    policy, law = PollingPolicy(), law_from(lognormal(typical, sigma, 150))
    polls, delay = mean_delay(policy, law, lognormal(typical, sigma, 150, seed=2), waiters=waiters)
    assert polls <= 8.0
    assert delay <= 1.75 * policy.target_delay * (1.0 if waiters else policy.patience)


@pytest.mark.parametrize(("usual", "slower"), [(5.0, 5.6), (20.0, 24.0), (20.0, 60.0), (60.0, 75.0)])
def test_tasks_that_are_slower_than_all_before_do_not_starve(usual: float, slower: float) -> None:
    """Of a kind that always took the same, one that is slower is looked at before it is a quarter older."""
    ages = [0.0, *ages_of_polls(PollingPolicy(), law_from([usual] * 150), until=slower)]
    assert ages[-1] - slower <= max(3.0, 0.3 * slower)


def test_a_task_that_is_far_too_slow_does_not_starve() -> None:
    """Far beyond the ages at which tasks ended so far, one is looked at before it is a tenth older."""
    ages = [age for age in ages_of_polls(PollingPolicy(), LAWS["narrow"], until=1100.0) if age > 150.0]
    assert all(later - sooner < 0.1 * sooner for sooner, later in pairwise(ages))
    assert len(ages) > 30


def test_nothing_known_looks_early() -> None:
    """The first task of a kind is looked at within seconds: it may fail, or the service be quicker than it says."""
    ages = ages_of_polls(PollingPolicy(), LAWS["unknown"], until=240.0)
    assert 2.0 < ages[0] <= 3.0
    assert all(later - sooner <= max(3.1, sooner * 1.125) for sooner, later in pairwise(ages))


def test_a_quiet_time_is_left_alone() -> None:
    """Where no task was ever seen to end, hardly any poll is sent: one of hundreds of known tasks, by its tenth."""
    ages = ages_of_polls(PollingPolicy(), LAWS["usual"], until=100.0)
    assert len([age for age in ages if age < 40.0]) <= 1
    assert len([age for age in ages if age > 70.0]) > 15


def test_failures_that_come_early_are_looked_for() -> None:
    """Where one task in five fails after three to ten seconds, tasks are looked at then, and around their usual end."""
    ages = ages_of_polls(PollingPolicy(), LAWS["early failures"], until=120.0)
    assert len([age for age in ages if 3.0 <= age < 12.0]) >= 4
    assert len([age for age in ages if 15.0 <= age < 50.0]) <= 3
    assert len([age for age in ages if age >= 80.0]) >= 10


@pytest.mark.parametrize("target", [3.0, 5.0])
def test_nobody_is_left_behind_before_a_quiet_time(target: float) -> None:
    """Those that fail early are seen long before the usual ones begin to end, although one step leads that far."""
    early = [3.0 + 7.0 * number / 60 for number in range(60)]
    _, delay = mean_delay(PollingPolicy(target_delay=target), LAWS["early failures"], early)
    assert delay <= 3.0 * target
    law = LAWS["early failures"]
    assert law.loss(0.0, 40.0) > 5.0
    assert law.loss(50.0, 50.0) == 0.0


def test_a_batch_is_not_polled_in_step() -> None:
    """Of fifty tasks accepted together, no second sees more than twice the mean number of polls."""
    seen: dict[int, int] = {}
    for number in range(50):
        for age in ages_of_polls(PollingPolicy(), LAWS["usual"], until=100.0, phase=number * 0.618 % 1.0):
            seen[int(age)] = seen.get(int(age), 0) + 1
    busy = [seen.get(second, 0) for second in range(60, 100)]
    assert max(busy) <= 2 * sum(busy) / len(busy)


def test_polls_leave_on_common_ticks() -> None:
    """Polls of fifty tasks that began at odd moments leave in fewer wake-ups than half of their number."""
    moments = [
        began + age
        for began in (number * 0.7317 for number in range(50))
        for age in ages_of_polls(PollingPolicy(), LAWS["usual"], until=100.0, phase=began % 1.0, began=began)
        if 60.0 < began + age < 110.0
    ]
    assert len({round(moment, 6) for moment in moments}) < len(moments) / 2


@given(st.floats(0.0, 1e6), st.floats(0.011, 600.0))
def test_ticks(moment: float, gap: float) -> None:
    """A tick is at most an eighth of the gap away; ticks of a long gap are ticks of a short one."""
    there = ticked(moment, gap)
    assert abs(there - moment) <= gap / 8 + 1e-9
    assert ticked(there, gap / 4) == there


@given(seconds, looks)
def test_fixed_polling(interval: float, look: Look) -> None:
    """A fixed interval stays within a tenth, whatever the age, law and waiters, and is the same each time."""
    delay = FixedPolling(interval).delay(look)
    assert 0.89 * interval <= delay <= 1.11 * interval
    look.age, look.waiters = 2 * look.age, not look.waiters
    assert FixedPolling(interval).delay(look) == delay


def test_own_policy() -> None:
    """Any object with the method is a policy."""

    class Every:
        def delay(self, look: Look) -> float:
            return 7.0 if look.waiters else 30.0

    policy: Polling = Every()
    assert ages_of_polls(policy, LAWS["usual"], until=20.0) == [7.0, 14.0, 21.0]


@pytest.mark.parametrize("value", [0, -1, float("nan"), True, "5", None, PollingPolicy], ids=str)
@pytest.mark.parametrize("name", ["target_delay", "max_rate", "min_interval", "max_interval", "patience"])
def test_policies_are_checked(name: str, value: Any) -> None:
    """No number of a policy is 0, negative or none at all; the error names it."""
    with pytest.raises(ConfigurationError, match=rf"^PollingPolicy\.{name} must be a number above 0, and is "):
        PollingPolicy(**{name: value})
    with pytest.raises(ConfigurationError, match=r"^FixedPolling\.interval must be a number above 0, and is "):
        FixedPolling(value)


def test_no_bound_on_the_rate() -> None:
    """A rate may be unbounded, an interval may not."""
    assert PollingPolicy(max_rate=float("inf")).max_rate == float("inf")
    with pytest.raises(ConfigurationError, match=r"^PollingPolicy\.max_interval must not be infinite"):
        PollingPolicy(max_interval=float("inf"))


@pytest.mark.parametrize("value", [0.5, Prior, "240"], ids=str)
def test_a_prior_is_one(value: Any) -> None:
    """A bare number is no prior; the error says how to give it."""
    with pytest.raises(ConfigurationError, match=r"^PollingPolicy\.prior must be a Prior, such as Prior\(seconds=90\)"):
        PollingPolicy(prior=value)


def look_at(law: Law, age: float, *, now: float) -> Look:
    """A look at a task of that age."""
    return Look(now=now, age=age, typical=240.0, law=law)
