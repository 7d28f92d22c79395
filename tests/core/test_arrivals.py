"""How rarely a task is polled whose webhook is waited for, and how a session learns whether they come."""

from random import Random

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.arrivals import GRACE, LONGEST, Arrivals, spaced
from seedance_async.core.polling import FixedPolling, Look, PollingPolicy
from tests.core.laws import law_from, lognormal
from tests.core.test_polling import looks, policies

spacings = st.floats(1.0, 100.0)


@given(policies, looks, spacings)
def test_never_sooner_than_without_webhooks_and_never_later_than_the_bound(
    policy: PollingPolicy, look: Look, spacing: float
) -> None:
    """The bound is that of the policy, or `LONGEST`."""
    normal, rarely = policy.delay(look), spaced(policy, look, spacing)
    assert normal <= rarely <= max(normal, LONGEST * look.pressure)


@given(looks, spacings, spacings)
def test_more_trust_is_not_less_spacing(look: Look, one: float, other: float) -> None:
    """But for a tick."""
    least, most = sorted((one, other))
    assert spaced(PollingPolicy(), look, least) <= spaced(PollingPolicy(), look, most) * 1.25 + 1e-6


@given(policies, looks)
def test_without_trust_it_is_the_policy(policy: PollingPolicy, look: Look) -> None:
    """Where every webhook is lost, tasks are polled as if there were none."""
    assert spaced(policy, look, 1.0) == policy.delay(look)


@given(looks, spacings)
def test_a_fixed_interval_stays_what_it_is(look: Look, spacing: float) -> None:
    """Whoever gives one, means it."""
    assert spaced(FixedPolling(3.0), look, spacing) == FixedPolling(3.0).delay(look)


def seen(arrivals: Arrivals, *, lost: bool, now: float) -> None:
    """A task that ended at a moment, with its webhook or without."""
    arrivals.ended("task", now, now + (GRACE if lost else 1.0), heard_at=None if lost else now + 0.5)


def test_nothing_is_known_at_first() -> None:
    """Half of the webhooks are taken to be lost."""
    assert Arrivals().lost(0.0) == 0.5


def test_webhooks_that_come_are_believed_soon() -> None:
    """After ten one in twenty is taken to be lost, later one in two hundred: gaps are fourteen times longer."""
    arrivals = Arrivals()
    for _ in range(10):
        seen(arrivals, lost=False, now=0.0)
    assert arrivals.lost(0.0) < 0.05
    for _ in range(500):
        seen(arrivals, lost=False, now=0.0)
    assert 13.0 < arrivals.spacing(0.0) < 15.0


def test_webhooks_that_never_come_leave_polling_as_it_is() -> None:
    """After ten tasks within three percent."""
    arrivals = Arrivals()
    for _ in range(10):
        seen(arrivals, lost=True, now=0.0)
    assert arrivals.spacing(0.0) < 1.03


def test_an_endpoint_that_stops_is_noticed_within_a_few_tasks() -> None:
    """However well it worked before; and one lost webhook in hundred is not taken for it."""
    arrivals = Arrivals()
    for _ in range(500):
        seen(arrivals, lost=False, now=0.0)
    seen(arrivals, lost=True, now=0.0)
    assert arrivals.spacing(0.0) > 2.5
    for _ in range(3):
        seen(arrivals, lost=True, now=0.0)
    assert arrivals.spacing(0.0) < 1.5
    for _ in range(4):
        seen(arrivals, lost=True, now=0.0)
    assert arrivals.spacing(0.0) == 1.0
    for _ in range(60):
        seen(arrivals, lost=False, now=0.0)
    assert arrivals.spacing(0.0) > 3.0


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_the_share_that_is_lost_is_learned(share: float) -> None:
    """Within what chance allows; of late counts, so it is more often too high than too low."""
    arrivals, chance, found = Arrivals(), Random(1), []
    for number in range(2000):
        seen(arrivals, lost=chance.random() < share, now=0.0)
        if number > 200:
            found.append(arrivals.lost(0.0))
    assert share - 0.05 <= sum(found) / len(found) <= share + 0.12


def test_a_webhook_may_come_after_the_poll_that_saw_the_end() -> None:
    """Within some seconds it counts as one that came; later it is of no use."""
    arrivals = Arrivals()
    arrivals.ended("in time", 100.0, 100.5, heard_at=None)
    arrivals.ended("too late", 100.0, 100.5, heard_at=None)
    assert arrivals.lost(101.0) == 0.5
    arrivals.came("in time", 103.0)
    assert arrivals.lost(104.0) == 0.25
    assert arrivals.lost(100.0 + GRACE) == 0.5
    arrivals.came("too late", 100.0 + GRACE + 1)
    assert arrivals.lost(200.0) == 0.5


def test_a_delivery_long_before_the_end_counts_for_nothing() -> None:
    """It was forged, or about something else; the true one is missing."""
    arrivals = Arrivals()
    arrivals.ended("task", 100.0, 120.0, heard_at=30.0)
    assert arrivals.lost(120.0) == 0.75


def test_what_is_waited_for_is_bounded() -> None:
    """Ten thousand tasks that end at once are not all remembered."""
    arrivals = Arrivals()
    for number in range(10_000):
        arrivals.ended(str(number), 0.0, 0.0, heard_at=None)
        arrivals.came("nobody's", 0.0)
    assert len(arrivals._awaited) == 1000
    arrivals.lost(GRACE)
    assert len(arrivals._awaited) == 0


def test_a_task_is_looked_at_a_few_times_while_such_tasks_end() -> None:
    """Where webhooks are trusted and the law is known; without them it would be thirty times."""
    law = law_from(lognormal(100.0, 0.3, 300))
    look, ages = Look(now=0.0, age=0.0, typical=240.0, law=law), []
    while look.age < 1000.0:
        step = spaced(PollingPolicy(), look, 14.0)
        look = evolve(look, now=look.now + step, age=look.age + step)
        ages.append(look.age)
    assert ages[0] > 60.0
    assert len([age for age in ages if age < 150.0]) <= 4
