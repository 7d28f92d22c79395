"""The law of durations of one kind of task, made ready for planning polls.

With `f` the density of durations, `S` the share that lasts longer and `h = f / S` the hazard, polls at a rate of
`sqrt(h) / step` are the best that so many polls can do: their number is `area / step` and the mean delay
`step * area / 2`, with `area` the integral of `sqrt(f S)`. No schedule of polls that knows nothing but the age has a
smaller product than `area ** 2 / 2`. `depth` is the integral of `sqrt(h)` from 0 to an age, so that polls `step` apart
in depth are those polls.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, log1p, sqrt
from typing import Final

from attrs import field, frozen

from seedance_async.core.ages import BINS, EDGES, SPANS, WIDTH, bin_of

#: Least chance to reach an age at which what is known of the law still tells a hazard; beyond, the last one goes on.
_HARDLY: Final = 1e-9
#: Bounds of the chance that a task ends in a bin, so that depth always grows, and never without bound.
_LEAST, _MOST = 1e-12, 0.999

#: Bandwidth of the smoothing, as a share of the spread, for one task (it falls with the fifth root of their number),
#: and its upper bound in the logarithm of the age. Less than the 0.9 of Silverman's rule for densities: a law that
#: looks too wide costs more polls than one that is somewhat ragged.
_BANDWIDTH: Final = 0.8
_WIDEST: Final = 0.2
#: Quartiles of a normal law are so many standard deviations apart.
_QUARTILES: Final = 1.349


@frozen
class Law:
    """When tasks of one kind end, as far as is known.

    Attributes:
        tasks: How many ends it was learned from, old ones counting less.
        area: Integral of the root of density times survival, in root seconds: `area ** 2 / 2` is the least product of
            polls per task and mean seconds of delay.
        risks: For each bin of ages, the chance that a task that reaches it ends in it.
    """

    tasks: float
    area: float
    risks: Sequence[float] = field(repr=False)
    _depths: Sequence[float] = field(repr=False)
    _lasting: Sequence[float] = field(repr=False)
    _lived: Sequence[float] = field(repr=False)

    def depth(self, age: float) -> float:
        """Return the integral of the root of the hazard from 0 to this age."""
        j = max(0, bin_of(age))
        start = self._depths[j]
        return start + (age - EDGES[j]) / SPANS[j] * (self._depths[j + 1] - start)

    def age_at(self, depth: float) -> float:
        """Return the age that has this depth."""
        j = min(bisect_right(self._depths, depth) - 1, BINS - 1)
        start = self._depths[j]
        return EDGES[j] + SPANS[j] * (depth - start) / (self._depths[j + 1] - start)

    @property
    def mean(self) -> float:
        """Seconds that a task takes on average."""
        return self._lived[-1]

    def lasting(self, age: float) -> float:
        """Return the share of tasks that last longer than this."""
        return self._at(self._lasting, age)

    def loss(self, age: float, later: float) -> float:
        """Return the seconds that are lost on average where a task that runs at one age is not looked at until later.

        Ages that hardly any task reaches are not known well enough for this: 0.
        """
        lasting = self.lasting(age)
        if lasting < _HARDLY:
            return 0.0
        return later - age - (self._at(self._lived, later) - self._at(self._lived, age)) / lasting

    def age_when_ended(self, share: float) -> float:
        """Return about the age by which such a share of the tasks has ended."""
        return next(
            (edge for edge, lasting in zip(EDGES, self._lasting, strict=True) if lasting <= 1.0 - share), EDGES[-1]
        )

    def _at(self, values: Sequence[float], age: float) -> float:
        """Read values at the edges of bins, straight between two edges."""
        j = max(0, bin_of(age))
        return values[j] + min(1.0, (age - EDGES[j]) / SPANS[j]) * (values[j + 1] - values[j])


def law_of(risks: Sequence[float], tasks: float) -> Law:
    """Make the law from the chances to end in each bin, smoothed as befits so many tasks."""
    shares = list[float]()
    left = 1.0
    for risk in risks:
        shares.append(left * risk)
        left -= left * risk
    shares[-1] += left
    return _from_shares(_smoothed(shares, tasks), tasks)


def _from_shares(shares: Sequence[float], tasks: float) -> Law:
    """Make the law from the share of tasks that end in each bin, the hazard being constant within a bin."""
    left, depth, area, root, risk = 1.0, 0.0, 0.0, 0.0, _LEAST
    depths, smooth_risks, lasting, lived = [0.0], list[float](), [1.0], [0.0]
    for share, span in zip(shares, SPANS, strict=True):
        if left > _HARDLY:
            risk = min(max(share / left, _LEAST), _MOST)
            root = sqrt(-log1p(-risk) / span)
        smooth_risks.append(risk)
        depth += root * span
        depths.append(depth)
        area += share / root
        lived.append(lived[-1] + (left - share / 2.0) * span)
        left = max(0.0, left - share)
        lasting.append(left)
    return Law(tasks, area, smooth_risks, depths, lasting, lived)


def _smoothed(shares: Sequence[float], tasks: float) -> Sequence[float]:
    """Spread each bin's share over its neighbours, more where few tasks are known."""
    if tasks <= 0:
        return shares
    # The spread of the middle half, which outliers and early failures leave alone.
    quarter = _quantile(shares, 0.25)
    spread = (_quantile(shares, 0.75) - quarter + 0.5) / _QUARTILES
    bandwidth = min(_WIDEST / WIDTH, _BANDWIDTH * spread * max(tasks, 1.0) ** -0.2)
    reach = int(3 * bandwidth) + 1
    weights = [exp(-((i / bandwidth) ** 2) / 2) for i in range(-reach, reach + 1)]
    whole = sum(weights)
    weights = [weight / whole for weight in weights]
    smooth = [0.0] * BINS
    for j, share in enumerate(shares):
        # What weighs nothing stays where it is, which spares most of the work; so does what lies at the edges.
        if share < _HARDLY or not reach <= j < BINS - reach:
            smooth[j] += share
        else:
            for i, weight in enumerate(weights, j - reach):
                smooth[i] += share * weight
    return smooth


def _quantile(shares: Sequence[float], wanted: float) -> int:
    total = 0.0
    for j, share in enumerate(shares):
        total += share
        if total >= wanted:
            return j
    return BINS - 1
