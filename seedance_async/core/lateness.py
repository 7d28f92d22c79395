"""How long the service keeps a slot taken after it has said that the task ended.

1. A create that leaves because a task of ours has ended, and meets a limit that the account is known to have, may have
   come too early. Which end it was that is not counted yet follows from the numbers, because slots come free in the
   order of the ends.
2. A probe that is accepted later tells: the slot came free at most so long after that end. Two such lags with few
   accepted creates between them are believed, and from then on a slot counts as taken for so long after each end. One
   alone may have been another user of the account, who took the slot and left.
3. A refusal that comes all the same makes the lag longer, up to `LATEST`.
4. After some accepted creates the lag is halved, to see whether it is still true; each time that it was, the next try
   is twice as rare.
"""

import heapq
from collections import deque
from typing import Final

from attrs import define, field

#: Seconds after an end beyond which a refusal has to do with others.
LATEST: Final = 30.0

_BELIEVED: Final = 2
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
    _late: int = field(init=False, default=0)
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
        """Note a create that left into a free slot and met the known limit, and how many tasks nobody knows of."""
        if self.suspected(now):
            return
        ends = sorted(end for end in self._ends if end + self.lag <= now <= end + LATEST)
        self._suspect = ends[-unexplained] if 0 < unexplained <= len(ends) else None

    def accepted(self, *, probe_left: float | None) -> bool:
        """Note an accepted create; for one of a timer, when it left. Return whether its slot had come free late."""
        self._held += 1
        suspect = self._suspect
        if probe_left is not None and suspect is not None:
            self._suspect = None
            if probe_left <= suspect + LATEST:
                self._learn(probe_left - suspect)
                return True
        if not self.lag:
            if self._held >= _FORGOTTEN:
                self._late = 0
        elif self._held >= self._hold:
            self._held = 0
            self.lag = self.lag / 2 if self.lag / 2 >= _NONE else 0.0
        return False

    def _learn(self, lag: float) -> None:
        self._held = 0
        self._late += 1
        if self.lag:
            self._hold = min(2 * self._hold, _HELD_MOST)
        elif self._late >= _BELIEVED:
            self._hold = _HELD_FIRST
        else:
            return
        self.lag = max(self.lag, lag)
