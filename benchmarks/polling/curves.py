"""What each number of requests buys: curves of polls per task against mean delay, per law and candidate."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from math import exp, log
from random import Random
from statistics import fmean
from typing import Final

from attrs import evolve, frozen

from benchmarks.polling.account import Figures, Loop, Session, simulate
from benchmarks.polling.laws import LAWS, Draw
from seedance_async.core.ages import BINS, bin_of
from seedance_async.core.kinds import Kind
from seedance_async.core.laws import Law, law_of

#: Seconds of the loops, and targets of the policy. Both lists have what is the default on either side.
INTERVALS: Final = (1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
TARGETS: Final = (0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.2, 3.3)
USUAL_INTERVAL: Final = 3.0
DEFAULT_TARGET: Final = 0.75

#: Tasks from which a law is known for certain.
_MANY: Final = 20_000


@frozen
class Curves:
    """What was found for one law.

    Attributes:
        fixed: By interval, a loop that asks so often.
        ours: By target, the policy with what it learns on its own.
        known: By target, the policy if it knew the law from the start.
        backing_off: A loop whose sleep grows by half each time, from one second to thirty.
        least: The product of polls and mean delay that no schedule falls short of.
    """

    fixed: Mapping[float, Figures]
    ours: Mapping[float, Figures]
    known: Mapping[float, Figures]
    backing_off: Figures
    least: float

    @property
    def requests_at_equal_delay(self) -> float:
        """Our polls over those of the usual loop, both with the loop's mean delay."""
        usual = self.fixed[USUAL_INTERVAL]
        return between([(each.delay, each.polls) for each in self.ours.values()], usual.delay) / usual.polls

    @property
    def idle_at_equal_requests(self) -> float:
        """Our idle share over that of the usual loop, both with the loop's number of polls."""
        usual = self.fixed[USUAL_INTERVAL]
        return between([(each.polls, each.idle) for each in self.ours.values()], usual.polls) / usual.idle


def curves(draw: Draw, *, tasks: int, seeds: Sequence[int], known: bool = True) -> Curves:
    """Simulate every candidate, on the same tasks; the one that knows the law only where that is wished."""
    laws = known_laws(draw)

    def mean(make: "Session | Loop") -> Figures:
        # A session has learned something after a run; each begins anew.
        runs = [
            simulate(
                draw,
                Session(make.policy, make.laws) if isinstance(make, Session) else make,
                tasks=tasks,
                seed=seed,
            )
            for seed in seeds
        ]
        return mean_of(runs)

    return Curves(
        fixed={interval: mean(Loop(interval)) for interval in INTERVALS},
        ours={target: mean(Session.aiming_at(target)) for target in TARGETS},
        known={target: mean(Session.aiming_at(target, laws)) for target in TARGETS if known},
        backing_off=mean(Loop(1.0, growth=1.5, most=30.0)),
        least=least_product(draw, laws),
    )


def mean_of(runs: Sequence[Figures]) -> Figures:
    """The mean of each figure."""
    first = runs[0]
    return evolve(
        first,
        polls=fmean(run.polls for run in runs),
        delay=fmean(run.delay for run in runs),
        late=fmean(run.late for run in runs),
        idle=fmean(run.idle for run in runs),
        makespan=fmean(run.makespan for run in runs),
        rate=max(run.rate for run in runs),
    )


def known_laws(draw: Draw) -> dict[Kind, Law]:
    """The law of each kind, from very many tasks; without the drift, which nobody can know beforehand."""
    chance = Random(0)
    ended: dict[Kind, list[int]] = {}
    for number in range(_MANY):
        kind, seconds = draw(chance, number / _MANY)
        ended.setdefault(kind, [0] * BINS)[bin_of(seconds)] += 1
    laws: dict[Kind, Law] = {}
    for kind, counts in ended.items():
        left, risks = sum(counts), list[float]()
        for count in counts:
            risks.append(count / left if left else 1.0)
            left -= count
        laws[kind] = law_of(risks, sum(counts))
    return laws


def least_product(draw: Draw, laws: Mapping[Kind, Law]) -> float:
    """Half of the square of the mean area: the least product of polls per task and mean delay."""
    chance = Random(1)
    return fmean(laws[draw(chance, number / 1000).kind].area for number in range(1000)) ** 2 / 2


def between(points: Sequence[tuple[float, float]], x: float) -> float:
    """Read a falling curve at x, straight between its points on logarithmic axes; beyond its ends, the last point."""
    ordered = sorted(points)
    if x <= ordered[0][0]:
        return ordered[0][1]
    for (left, before), (right, after) in pairwise(ordered):
        if x <= right:
            part = (log(x) - log(left)) / (log(right) - log(left))
            return exp(log(before) + part * (log(after) - log(before)))
    return ordered[-1][1]


def all_curves(*, tasks: int, seeds: Sequence[int]) -> dict[str, Curves]:
    """The curves of every law, as many at a time as there are processors."""
    return {name: merged(rounds) for name, rounds in each_round(tasks=tasks, seeds=seeds).items()}


def each_round(*, tasks: int, seeds: Sequence[int], known: bool = True) -> dict[str, list[Curves]]:
    """The same, for each round by itself."""
    jobs = [(name, tasks, seed, known) for name in LAWS for seed in seeds]
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(_one, jobs))
    return {name: found[place * len(seeds) : (place + 1) * len(seeds)] for place, name in enumerate(LAWS)}


def merged(rounds: Sequence[Curves]) -> Curves:
    """The means over some rounds."""
    first = rounds[0]
    return Curves(
        fixed={interval: mean_of([each.fixed[interval] for each in rounds]) for interval in first.fixed},
        ours={target: mean_of([each.ours[target] for each in rounds]) for target in first.ours},
        known={target: mean_of([each.known[target] for each in rounds]) for target in first.known},
        backing_off=mean_of([each.backing_off for each in rounds]),
        least=first.least,
    )


def _one(job: tuple[str, int, int, bool]) -> Curves:
    name, tasks, seed, known = job
    return curves(LAWS[name], tasks=tasks, seeds=[seed], known=known)
