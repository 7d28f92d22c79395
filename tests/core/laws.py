"""Durations learned from given tasks, for the tests of polling."""

import random
from collections.abc import Iterable, Sequence
from typing import Final

from seedance_async.core.ages import EDGES, NEVER, bin_of
from seedance_async.core.durations import Durations
from seedance_async.core.kinds import Kind
from seedance_async.core.laws import Law
from seedance_async.core.polling import Look, Polling
from seedance_async.core.prior import Prior

KIND: Final = Kind("seedance-20", "720p", 240.0, 5, "TextToVideo")


def learned(seconds: Iterable[float], *, prior: Prior | None = None, every: float = 10.0) -> Durations:
    """What is known after tasks that took so long, one after the other, each seen once before its end."""
    durations, now = Durations(prior or Prior()), 0.0
    for each in seconds:
        now += every
        durations.alive(KIND, NEVER, each / 2, now)
        durations.ended(KIND, each / 2, each, now)
    return durations


def law_from(seconds: Iterable[float]) -> Law:
    """The law after tasks that took so long."""
    return learned(seconds).law(KIND, 1e6)


def lasting(law: Law, age: float) -> float:
    """The share of tasks that last longer than about this age, as far as is known."""
    left = 1.0
    for risk in law.risks[: bin_of(age)]:
        left *= 1.0 - risk
    return left


def median(law: Law) -> float:
    """The age that half of the tasks outlast."""
    return next(edge for edge in EDGES[1:] if lasting(law, edge) < 0.5)


def lognormal(median: float, sigma: float, number: int, seed: int = 1) -> list[float]:
    """Durations whose logarithm is normal."""
    chance = random.Random(seed)
    return [median * chance.lognormvariate(0.0, sigma) for _ in range(number)]


def ages_of_polls(
    policy: Polling, law: Law, *, until: float, phase: float = 0.5, waiters: bool = True, began: float = 0.0
) -> list[float]:
    """The ages at which a task is looked at, and once after `until`."""
    ages = [0.0]
    while ages[-1] < until:
        look = Look(now=began + ages[-1], age=ages[-1], typical=240.0, law=law, phase=phase, waiters=waiters)
        ages.append(ages[-1] + policy.delay(look))
    return ages[1:]


def mean_delay(policy: Polling, law: Law, ends: Sequence[float], *, waiters: bool = True) -> tuple[float, float]:
    """Polls per task and mean delay for tasks that end so late, their phases spread."""
    polls, delays = 0, 0.0
    for number, end in enumerate(ends):
        phase = number * 0.618 % 1.0
        ages = ages_of_polls(policy, law, until=end, phase=phase, waiters=waiters)
        polls += len(ages)
        delays += ages[-1] - end
    return polls / len(ends), delays / len(ends)
