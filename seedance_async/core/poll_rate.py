"""How often the tasks of a session are polled, all together, and the bound on it.

1. Each task wishes for so many polls per second. While the sum is above the bound, every policy is told by how much
   (`pressure`) and makes its gaps longer in that proportion. Gaps of one over the root of the hazard, all longer by one
   factor, are where so many polls shorten the mean delay the most.
2. A gap that does not yield (a fixed interval, a policy of the user's, the slow watch of a task that nobody waits for)
   is a wish all the same. The others are told by how much all together are too many.
3. Wishes are averages. What comes together by chance is held back so that no second has many more polls than the bound.
"""

from math import inf
from typing import Final

from attrs import define, field

#: What may leave at once: the polls of so many seconds at the bound.
_BURST_SECONDS: Final = 0.5

#: A gap shorter than this many seconds is one poll out of turn, and no lasting wish.
_SHORTEST_GAP: Final = 0.01


@define(eq=False)
class PollRate:
    """The rate of polls of one session.

    Attributes:
        most: Most polls per second; infinity for no bound.
        wished: Polls per second that all tasks together wish for.
    """

    most: float = inf
    wished: float = field(init=False, default=0.0)
    _paid_until: float = field(init=False, default=-inf)

    @property
    def pressure(self) -> float:
        """1, or how many times more polls than the bound are wished for."""
        return max(1.0, self.wished / self.most)

    def wish(self, before: float, gap: float | None, *, yields: bool = True) -> float:
        """Change what one task wishes for and return its new wish, in polls per second.

        Args:
            before: What it wished for so far; 0 for a new one.
            gap: Seconds until its next poll; None for a task that is over.
            yields: Whether the gap is longer in proportion to the present pressure. To count one that is not as if it
                were would raise the pressure with each poll, without end, and nobody else would be polled any more.
        """
        wish = 0.0 if gap is None else (self.pressure if yields else 1.0) / max(gap, _SHORTEST_GAP)
        # Sums of floats drift a little; less than nothing is never wished for.
        self.wished = max(0.0, self.wished - before + wish)
        return wish

    def free_at(self) -> float:
        """Return the moment from which the next poll may leave."""
        return self._paid_until - max(0.0, _BURST_SECONDS - 1.0 / self.most)

    def left(self, now: float) -> None:
        """Count a poll that leaves."""
        self._paid_until = max(self._paid_until, now) + 1.0 / self.most
