"""How long the service keeps a slot taken after it has said that the task ended.

1. A create that leaves because a task of ours has ended, and meets a limit that the account is known to have, may have
   come too early. Which end it was that is not counted yet follows from the numbers, because slots come free in the
   order of the ends; the end before that one is counted, so the lag is less than its age.
2. The probes that follow tell: the lag lies between the age of that end at the last one that was refused and at the one
   that was accepted. Where two in a row agree, and few creates came between them, it is believed, and from then on a
   slot counts as taken for so long after each end. One alone may have been another user of the account, who took the
   slot and left.
3. A refusal that comes all the same makes the lag longer, up to `LATEST`.
4. After some accepted creates the lag is halved, to see whether it is still true; each time that it was, the next try
   is twice as rare.

One other user of an account on which tasks of ours end every few seconds cannot be told from slots that come free late:
the lag that is found then keeps about as many slots as he has.
"""

import heapq
from collections import deque
from typing import Final

from attrs import define, field

#: Seconds after an end beyond which a refusal has to do with others.
LATEST: Final = 30.0

#: Share of the lag before it was halved, from which on it counts as confirmed.
_AS_BEFORE: Final = 0.75
#: Accepted creates after which a single late slot is forgotten.
_FORGOTTEN: Final = 16
#: Accepted creates after which the lag is halved, at first and at most.
_HELD_FIRST: Final = 32
_HELD_MOST: Final = 2048
#: Seconds below which a lag is none: a create takes longer than that to arrive.
_NONE: Final = 0.25


@define
class Lateness:
    """What is known of one account. All times are monotonic seconds.

    Attributes:
        lag: Seconds for which a slot counts as taken after its task's end.
    """

    lag: float = field(init=False, default=0.0)
    _taken: list[float] = field(init=False, factory=list[float])
    _ends: deque[float] = field(init=False, factory=deque[float])
    _suspect: float | None = field(init=False, default=None)
    _least: float = field(init=False, default=0.0)
    _most: float = field(init=False, default=LATEST)
    _agreed: tuple[float, float] | None = field(init=False, default=None)
    _before: float = field(init=False, default=0.0)
    _held: int = field(init=False, default=0)
    _hold: int = field(init=False, default=_HELD_FIRST)

    def ended(self, moment: float) -> None:
        """Note that a task of ours ended, and when."""
        self._ends.append(moment)
        while self._ends[0] < moment - LATEST:
            self._ends.popleft()
        if self.lag:
            heapq.heappush(self._taken, moment + self.lag)

    def taken(self, now: float) -> int:
        """Return how many slots of tasks that have ended still count."""
        while self._taken and self._taken[0] <= now:
            heapq.heappop(self._taken)
        return len(self._taken)

    def next_moment(self) -> float | None:
        """Return when the next of them does not count any more; ask `taken` first."""
        return self._taken[0] if self._taken else None

    def suspected(self, now: float) -> bool:
        """Return whether a slot may be late of which the next probe tells."""
        return self._suspect is not None and now <= self._suspect + LATEST

    def refused(self, unexplained: int, now: float) -> None:
        """Note a create that left into a free slot and met the known limit, and how many tasks nobody knows of.

        While one slot is suspected already, the next probe tells of it, and not of another.
        """
        if self.suspected(now):
            return
        ends = sorted(end for end in self._ends if end + self.lag <= now <= end + LATEST)
        self._suspect = ends[-unexplained] if 0 < unexplained <= len(ends) else None
        self._least, self._most = 0.0, LATEST
        if self._suspect is not None and unexplained < len(ends):
            self._most = now - ends[-unexplained - 1]

    def met(self, left: float) -> None:
        """Note that a probe which left at a moment was refused: the slot was still taken then."""
        if self._suspect is not None:
            self._least = left - self._suspect

    def accepted(self, *, probe_left: float | None) -> bool:
        """Note an accepted create; for one of a timer, when it left. Return whether its slot had come free late."""
        self._held += 1
        suspect = self._suspect
        if probe_left is not None and suspect is not None:
            self._suspect = None
            if probe_left <= suspect + LATEST:
                self._learn(min(probe_left - suspect, self._most))
                return True
        if not self.lag:
            if self._held >= _FORGOTTEN:
                self._agreed = None
        elif self._held >= self._hold:
            self._held = 0
            self.lag = self.lag / 2 if self.lag / 2 >= _NONE else 0.0
        return False

    def _learn(self, most: float) -> None:
        """Take in that a slot came free between two lags."""
        self._held = 0
        if self.lag:
            self.lag = max(self.lag, most)
            if self.lag >= _AS_BEFORE * self._before:
                self._hold = min(2 * self._hold, _HELD_MOST)
            self._before = self.lag
        elif self._agreed is not None and self._least < self._agreed[1] and most > self._agreed[0]:
            self._hold = _HELD_FIRST
            self.lag = self._before = min(most, self._agreed[1])
            self._agreed = None
        else:
            self._agreed = self._least, most
