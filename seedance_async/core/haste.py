"""How soon a delivery makes a session look at a task: at once, and never often.

A delivery is unsigned, so there may be any number of them, and none may be true. What the looks of one task come to is
bounded by their number so far, and not by the number of deliveries:

1. The first look that deliveries cause leaves at once. Each that finds the task running makes the next one leave later
   after the poll before it, up to `GAPS[-1]` seconds.
2. A delivery that said the task has ended while its record does not is followed by some more looks by itself: the two
   may be written by different machines.
3. Nothing is dropped: a delivery that comes too soon after a look is looked into when that time has passed.
"""

from typing import Final

from attrs import define

#: Least seconds between a poll and the next one that a delivery causes, by how many were caused in vain before.
GAPS: Final = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)

#: Looks that follow by themselves after a delivery that said the end.
MOST_AGAIN: Final = 3


@define
class Haste:
    """What deliveries have done for one task.

    Attributes:
        vain: Looks that deliveries caused and that found the task running.
        again: Looks that still follow by themselves.
        caused: Whether a delivery caused the look that is due or in flight.
        missed_in_a_row: Such looks that failed since the last one that told of the task.
        told: Whether the last look told of the task, and did not fail.
    """

    vain: int = 0
    again: int = 0
    caused: bool = False
    told: bool = False
    missed_in_a_row: int = 0

    def heard(self, now: float, asked_at: float, *, ended: bool) -> float:
        """Take in a delivery and return when to look.

        Args:
            now: The loop's time.
            asked_at: When the last poll left, or the task was accepted.
            ended: Whether the delivery says that the task has ended.
        """
        self.caused = True
        if ended:
            self.again = MOST_AGAIN
        return self._next(now, asked_at)

    def in_vain(self, now: float, asked_at: float) -> float | None:
        """Take in that a look found the task running; return when to look again, None where nothing hurries."""
        if not self.caused:
            return None
        self.vain += 1
        self.missed_in_a_row = 0
        if not self.again:
            self.caused = False
            return None
        self.again -= 1
        return self._next(now, asked_at)

    def missed(self, now: float) -> float | None:
        """Take in that a look failed, or told nothing of the task; return when to look again, None as above."""
        if not self.caused:
            return None
        self.missed_in_a_row += 1
        return now + min(GAPS[-1], 1.5 ** min(self.missed_in_a_row, 20))

    def _next(self, now: float, asked_at: float) -> float:
        # Gaps count from a poll that deliveries caused; before one, any moment will do.
        return max(now, asked_at + GAPS[min(self.vain, len(GAPS) - 1)])
