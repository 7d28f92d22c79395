"""How far apart creates leave where the service limits how fast they come.

1. A 429 without numbers may mean that: a slope limit. A create that is refused so, not long after another one left,
   widens the gap between two creates: at first to `FIRST_GAP`, then to twice what it was, up to `WIDEST_GAP`, and by a
   quarter where creates were accepted at that gap. One that left long after the others says nothing of how fast they
   came.
2. Each accepted create makes the gap a little narrower, until there is none: it is found again where it matters, at
   the next start or after the next pause.
3. Many refusals in a row, at wider and wider gaps, are rather an outage of something in front of the service. What gap
   is needed after it nobody knows: each accepted create halves it, until one is refused.
"""

from typing import Final

from attrs import define, field

FIRST_GAP: Final = 0.25
WIDEST_GAP: Final = 30.0
_NARROWS: Final = 0.98
_HALVES: Final = 0.5
#: Refusals in a row after which the gap is not known any more.
_OUTAGE: Final = 4
#: Accepted creates after which the gap is about right.
_SETTLED: Final = 8
#: Seconds below which a gap is none.
_NONE: Final = 0.05


@define
class Pacing:
    """The gap of one session. All times are monotonic seconds.

    Attributes:
        gap: Seconds between two creates, at least.
    """

    gap: float = field(init=False, default=0.0)
    _last: float = field(init=False, default=float("-inf"))
    _close: bool = field(init=False, default=False)
    _accepted: int = field(init=False, default=0)
    _in_a_row: int = field(init=False, default=0)

    def next_moment(self) -> float:
        """Return when the next create may leave."""
        return self._last + self.gap

    def left(self, now: float) -> None:
        """Note that a create leaves."""
        self._close = now - self._last <= WIDEST_GAP
        self._last = now

    def accepted(self) -> None:
        """Note an accepted create."""
        self._accepted += 1
        narrows = _NARROWS if self._in_a_row < _OUTAGE else _HALVES
        self.gap = self.gap * narrows if self.gap > _NONE else 0.0

    def refused(self) -> None:
        """Note a 429 without numbers."""
        if self._close:
            self.gap = min(WIDEST_GAP, max(FIRST_GAP, self.gap * (1.25 if self._accepted >= _SETTLED else 2.0)))
        self._in_a_row = 1 if self._accepted else self._in_a_row + 1
        self._accepted = 0
