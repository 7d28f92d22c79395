"""Numbers in order, of which most are added at the end and most leave at the front."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final

from attrs import define, field

#: Numbers of the front that have left and are still stored, at least, before their room is freed.
_FEW: Final = 32


@define(eq=False)
class Line:
    """A set of whole numbers, sorted.

    Adding at the end and leaving at the front take constant time on average. Anything else is a binary search and, in
    the middle, one move of the eight bytes of each number behind it: of ten thousand, a few microseconds.
    """

    _numbers: list[int] = field(init=False, factory=list[int])
    _gone: int = field(init=False, default=0)

    def __len__(self) -> int:
        return len(self._numbers) - self._gone

    def __iter__(self) -> Iterator[int]:
        """Go from the smallest on; nothing may change meanwhile."""
        numbers = self._numbers
        return (numbers[place] for place in range(self._gone, len(numbers)))

    def __contains__(self, number: int) -> bool:
        place = bisect_left(self._numbers, number, self._gone)
        return place < len(self._numbers) and self._numbers[place] == number

    def first(self) -> int:
        """Return the smallest number; there must be one."""
        return self._numbers[self._gone]

    def before(self, number: int) -> int:
        """Return how many are smaller than a number."""
        return bisect_left(self._numbers, number, self._gone) - self._gone

    def add(self, number: int) -> None:
        """Add a number that is not there."""
        if not self or number > self._numbers[-1]:
            self._numbers.append(number)
        else:
            insort(self._numbers, number, self._gone)

    def remove(self, number: int) -> None:
        """Take out a number that is there."""
        place = bisect_left(self._numbers, number, self._gone)
        if place > self._gone:
            del self._numbers[place]
            return
        self._gone += 1
        if self._gone > max(_FEW, len(self)):
            del self._numbers[: self._gone]
            self._gone = 0
