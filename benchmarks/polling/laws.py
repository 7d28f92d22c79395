"""Laws of durations to poll against. None of them is known to the policy."""

from collections.abc import Callable, Mapping
from math import exp, pi, sin
from random import Random
from typing import Final, NamedTuple

from seedance_async.core.kinds import Kind

#: What the catalogue says of every task here. It is the contract's for 720p and 1080p, and far from all of these laws.
TYPICAL: Final = 240.0

ONE: Final = Kind("seedance-20", "720p", TYPICAL, 5, "TextToVideo")
OTHER: Final = Kind("seedance-20", "720p", TYPICAL, 10, "TextToVideo")


class Task(NamedTuple):
    """One task of a simulation: its kind, as the policy knows it, and how long it takes."""

    kind: Kind
    seconds: float


#: Draws a task, given chance and how much of the run is over, from 0 to 1.
Draw = Callable[[Random, float], Task]


def lognormal(median: float, sigma: float) -> Draw:
    """Durations whose logarithm is normal."""
    return lambda chance, _: Task(ONE, median * exp(chance.gauss(0.0, sigma)))


def two_lengths(chance: Random, _: float) -> Task:
    """Clips of two lengths, half and half; the policy knows which is which."""
    kind, median = (ONE, 70.0) if chance.random() < 0.5 else (OTHER, 120.0)
    return Task(kind, median * exp(chance.gauss(0.0, 0.15)))


def two_humps(chance: Random, over: float) -> Task:
    """The same durations, and nothing that tells one from the other."""
    return Task(ONE, two_lengths(chance, over).seconds)


def drifting(chance: Random, over: float) -> Task:
    """A service that becomes half as slow again, then half as fast again, and normal once more."""
    return Task(ONE, 100.0 * exp(0.4 * sin(2.0 * pi * over)) * exp(chance.gauss(0.0, 0.15)))


def slower(chance: Random, over: float) -> Task:
    """A service that takes twice as long from one moment on."""
    return Task(ONE, (80.0 if over < 0.5 else 160.0) * exp(chance.gauss(0.0, 0.15)))


def failing(chance: Random, over: float) -> Task:
    """One task in ten fails within seconds."""
    early = chance.random() < 0.1
    return Task(ONE, chance.uniform(3.0, 10.0)) if early else lognormal(100.0, 0.3)(chance, over)


LAWS: Final[Mapping[str, Draw]] = {
    "lognormal 0.3": lognormal(100.0, 0.3),
    "two lengths": two_lengths,
    "lognormal 0.1": lognormal(100.0, 0.1),
    "uniform": lambda chance, _: Task(ONE, chance.uniform(50.0, 150.0)),
    "two humps": two_humps,
    "heavy tail": lambda chance, _: Task(ONE, 60.0 * chance.paretovariate(2.0)),
    "drifting": drifting,
    "twice as slow": slower,
    "failing early": failing,
    "memoryless": lambda chance, _: Task(ONE, chance.expovariate(0.01)),
}
