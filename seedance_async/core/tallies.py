"""Counts of how far tasks came and where they ended, from which a law of durations follows.

A task that still runs has reached what it has reached, so that slow ones count before they end. No shape is assumed: an
outlier or a failure changes the bins it touched, and no other.
"""

from collections.abc import Sequence
from typing import Final

from attrs import define, field

from seedance_async.core.ages import BINS

#: After so many tasks, or so many seconds, what was counted counts half: a service may be slower tonight than today.
FORGET_TASKS: Final = 150.0
FORGET_SECONDS: Final = 7200.0

_GROWTH: Final = 2.0 ** (1.0 / FORGET_TASKS)
#: The weight of the newest task at which counts are scaled back.
_TOO_LARGE: Final = 1e9


@define(eq=False)
class Tally:
    """Counts of tasks by bin of age.

    Attributes:
        counted_at: When the weight was last raised, in the loop's time.
        reached: For each bin, how many tasks reached it.
        ended: For each bin, how many tasks ended in it.
        tasks: How many tasks ended.
        weight: As how many a task counts that is counted now. It grows, which is the same as if what is older shrank.
    """

    counted_at: float
    reached: list[float] = field(factory=lambda: [0.0] * BINS, repr=False)
    ended: list[float] = field(factory=lambda: [0.0] * BINS, repr=False)
    tasks: float = 0.0
    weight: float = 1.0

    def came(self, before: int, after: int, now: float) -> None:
        """Count that a task has come from one bin to another."""
        self._let_time_pass(now)
        weight, reached = self.weight, self.reached
        for j in range(before + 1, after + 1):
            reached[j] += weight

    def ends(self, before: int, last: int, now: float) -> None:
        """Count that a task has come from one bin to another and ended there."""
        self.came(before, last, now)
        self.ended[last] += self.weight
        self.tasks += self.weight
        self.weight *= _GROWTH

    def risks(self, believed: Sequence[float], worth: float) -> list[float]:
        """Return for each bin the chance that a task that reaches it ends in it.

        This is the mean of a beta-Stacy process: what is believed counts like tasks of which a share reaches each bin.

        Args:
            believed: The chances without any counts.
            worth: As how many tasks of now that belief counts.
        """
        left = worth * self.weight
        risks = list[float]()
        for risk, ended, reached in zip(believed, self.ended, self.reached, strict=True):
            # Nobody may have reached a late bin, seen or believed. Counts of two times may differ in weight.
            pooled = (left * risk + ended) / (left + reached) if left + reached > 0.0 else risk
            risks.append(min(pooled, 1.0))
            left -= left * risk
        return risks

    @property
    def effective(self) -> float:
        """How many tasks of now those that were counted are worth."""
        return self.tasks / self.weight

    def scale(self, factor: float) -> None:
        """Let everything that was counted count so many times as much."""
        self.reached = [number * factor for number in self.reached]
        self.ended = [number * factor for number in self.ended]
        self.tasks *= factor

    def _let_time_pass(self, now: float) -> None:
        if now > self.counted_at:
            # A laptop may have slept for weeks; then nothing is left of older counts.
            self.weight *= 2.0 ** min((now - self.counted_at) / FORGET_SECONDS, 100.0)
            self.counted_at = now
        if self.weight > _TOO_LARGE:
            self.scale(1.0 / self.weight)
            self.weight = 1.0
