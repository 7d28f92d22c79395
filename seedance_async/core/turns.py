"""When something may leave of which there may be only so many a second: places in time, taken in advance.

A place that was taken for later keeps nobody from leaving before it.
"""

from math import floor
from typing import Final

from attrs import define, field

#: Seconds of one span, in which so many leave as the rate allows for it, at once if need be.
_SPAN: Final = 0.5
#: Spans that are remembered before those of the past are looked for.
_MANY: Final = 256


@define
class Turns:
    """The places of one rate.

    Attributes:
        most: Most places per second, at least two.
    """

    most: float
    _taken: dict[int, int] = field(init=False, factory=dict[int, int])
    # Of spans that are full: where to look on. Followed to its end, and shortened on the way.
    _next: dict[int, int] = field(init=False, factory=dict[int, int])
    _forget_at: int = field(init=False, default=_MANY)

    def __len__(self) -> int:
        return len(self._taken)

    def free_at(self, moment: float) -> float:
        """Return the first moment from this one on that has a place."""
        span = self._free_span(floor(moment / _SPAN))
        return max(moment, span * _SPAN)

    def take(self, moment: float, now: float) -> None:
        """Take a place at a moment that `free_at` has returned."""
        span = floor(moment / _SPAN)
        self._taken[span] = self._taken.get(span, 0) + 1
        if self._taken[span] >= self.most * _SPAN:
            self._next[span] = span + 1
        if len(self._taken) > self._forget_at:
            self._forget(floor(now / _SPAN))

    def _free_span(self, span: int) -> int:
        passed: list[int] = []
        while (following := self._next.get(span)) is not None:
            passed.append(span)
            span = following
        for each in passed:
            self._next[each] = span
        return span

    def _forget(self, before: int) -> None:
        self._taken = {span: count for span, count in self._taken.items() if span >= before}
        self._next = {span: following for span, following in self._next.items() if span >= before}
        self._forget_at = 2 * len(self._taken) + _MANY
