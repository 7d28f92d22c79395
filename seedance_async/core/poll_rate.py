"""How often the tasks of a session are polled, all together, and the bound on it.

1. Each task wishes for so many polls per second. While the sum is above the bound, every policy is told by how much
   (`pressure`) and makes its gaps longer in that proportion. Gaps of one over the root of the hazard, all longer by one
   factor, are where so many polls shorten the mean delay the most.
2. A gap that does not yield (a fixed interval, a policy of the user's, the slow watch of a task that nobody waits for)
   is a wish all the same. The others are told by how much all together are too many.
3. A service may have a bound of its own and say so by a 429: from then on half of what was asked is allowed, and with
   each answer a little more, until it says so again. After several in a row, which are an outage rather, much more is.
4. Wishes are averages. What comes together by chance is held back so that no second has many more polls than the bound.
"""

from math import inf
from typing import Final

from attrs import define, field

#: What may leave at once: the polls of so many seconds at the bound.
_BURST_SECONDS: Final = 0.5

#: Polls per second that are allowed at least, whatever the service refuses, and the same as a share of what is wished
#: for: refusals may have nothing to do with how fast polls come.
_LEAST: Final = 0.2
_LEAST_SHARE: Final = 0.25
#: Each answer lets so many times as many polls leave: after a refusal hundreds go well before the next one.
_GROWS: Final = 1.005
#: The same after so many refusals without an answer.
_GROWS_BACK: Final = 1.5
_OUTAGE: Final = 3
#: Seconds after a refusal in which no poll leaves, twice as many after each further one in a row; and at most, also
#: where the service asks for more.
_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0

#: A gap shorter than this many seconds is one poll out of turn, and no lasting wish.
_SHORTEST_GAP: Final = 0.01


@define(eq=False)
class PollRate:
    """The rate of polls of one session.

    Attributes:
        most: Most polls per second; infinity for no bound.
        wished: Polls per second that all tasks together wish for.
        allowed: The same bound as the service lets it seem to be; infinity while it has refused none.
    """

    most: float = inf
    wished: float = field(init=False, default=0.0)
    allowed: float = field(init=False, default=inf)
    _paid_until: float = field(init=False, default=-inf)
    _refused_at: float = field(init=False, default=-inf)
    _answered: bool = field(init=False, default=False)
    _in_a_row: int = field(init=False, default=0)

    @property
    def bound(self) -> float:
        """Most polls per second at present."""
        return min(self.most, self.allowed)

    @property
    def pressure(self) -> float:
        """1, or how many times more polls than the bound are wished for."""
        return max(1.0, self.wished / self.bound)

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
        return self._paid_until - max(0.0, _BURST_SECONDS - 1.0 / self.bound)

    def left(self, now: float) -> None:
        """Count a poll that leaves."""
        self._paid_until = max(self._paid_until, now) + 1.0 / self.bound

    def refused(self, left: float, now: float, retry_after: float | None = None) -> None:
        """Note that the service refused a poll because they come too fast.

        Args:
            left: When the poll left. One that left before the last refusal tells nothing new.
            now: The loop's time.
            retry_after: Seconds until the service wants the next one, where it says so.
        """
        if left <= self._refused_at:
            return
        self._refused_at = now
        self._in_a_row = 1 if self._answered else self._in_a_row + 1
        self._answered = False
        self.allowed = max(_LEAST, _LEAST_SHARE * self.wished, min(self.bound, self.wished) / 2.0)
        pause = min(_LONGEST_PAUSE, max(_PAUSE * 2.0 ** min(self._in_a_row - 1, 8), retry_after or 0.0))
        self._paid_until = max(self._paid_until, now + pause + _BURST_SECONDS)

    def answered(self) -> None:
        """Note that the service answered a poll."""
        if self.allowed < inf:
            self._answered = True
            self.allowed *= _GROWS if self._in_a_row < _OUTAGE else _GROWS_BACK
            if self.allowed >= min(self.most, 10.0 * max(1.0, self.wished)):
                self.allowed = inf
