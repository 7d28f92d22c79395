"""How long the service keeps a slot taken after it has said that the task ended.

1. A create that leaves because a task of ours has ended, and meets a limit that the account is known to have, may have
   come too early. Which end it was that is not counted yet follows from the numbers, because slots come free in the
   order of the ends; the end before that one is counted, so the lag is less than its age.
2. The probes that follow tell: the lag lies between the age of that end at the last one that was refused and at the one
   that was accepted. Where two in a row agree, and few creates came between them, it is believed, and from then on a
   slot counts as taken for so long after each end. One alone may have been another user of the account, who took the
   slot and left.
3. A refusal that comes all the same makes the lag longer, up to `LATEST`. A lag that has to be made longer again and
   again is none: another user has a slot all the time, which looks late whenever no task of ours has ended for a while.
   Then refusals are his for some minutes, and for twice as long each further time.
4. After some accepted creates the lag is halved, to see whether it is still true; each time that it was, the next try
   is twice as rare.

One other user of an account on which tasks of ours end every few seconds is taken for late slots until then, and each
time anew: some slots stand empty for a minute or two.
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
#: A lag is none that grew more often than this since it was last halved, or to so many times what was believed at first
#: and more than so many seconds. That of a service that frees slots up to five seconds late stays below both.
_MOST_GROWN: Final = 3
_MOST_TIMES: Final = 3.0
_MUCH: Final = 10.0
#: Seconds for which refusals are then those of others, at first and at most.
_OTHERS_FIRST: Final = 300.0
_OTHERS_MOST: Final = 3600.0
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
    _first: float = field(init=False, default=0.0)
    _grown: int = field(init=False, default=0)
    _tried: bool = field(init=False, default=False)
    _others_until: float = field(init=False, default=float("-inf"))
    _others_for: float = field(init=False, default=_OTHERS_FIRST)

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
        if self.suspected(now) or now < self._others_until:
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
                return not self._is_none(probe_left)
        if not self.lag:
            if self._held >= _FORGOTTEN:
                self._agreed = None
        elif self._held >= self._hold:
            self._held = self._grown = 0
            self._tried = True
            self.lag = self.lag / 2 if self.lag / 2 >= _NONE else 0.0
        return False

    def _learn(self, most: float) -> None:
        """Take in that a slot came free between two lags."""
        self._held = 0
        if self.lag:
            # The first refusal after a try says that the lag is as before; any other one that it is longer.
            self._grown += not self._tried
            self._tried = False
            self.lag = max(self.lag, most)
            if self.lag >= _AS_BEFORE * self._before:
                self._hold = min(2 * self._hold, _HELD_MOST)
            self._before = self.lag
        elif self._agreed is not None and self._least < self._agreed[1] and most > self._agreed[0]:
            self._hold = _HELD_FIRST
            self.lag = self._before = self._first = min(most, self._agreed[1])
            self._grown, self._tried = 0, False
            self._agreed = None
        else:
            self._agreed = self._least, most

    def _is_none(self, now: float) -> bool:
        """Give the lag up where it had to grow too often or too far (rule 3); return whether it was."""
        too_far = self._grown > 0 and self.lag > max(_MUCH, _MOST_TIMES * self._first)
        if self._grown <= _MOST_GROWN and not too_far:
            return False
        self.lag, self._agreed, self._grown = 0.0, None, 0
        self._taken.clear()
        self._others_until = now + self._others_for
        self._others_for = min(_OTHERS_MOST, 2.0 * self._others_for)
        return True
