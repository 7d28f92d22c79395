"""How much a session gets done: when there will be room for one more who wants to wait."""

import math
from typing import Final

from attrs import define, field

#: Tasks over which the time of one is averaged, about.
_TASKS: Final = 20


@define
class Throughput:
    """What one session has learned of how long a task of its own holds a slot.

    Attributes:
        seconds: The mean of the last ones; None before the first has ended.
    """

    seconds: float | None = field(init=False, default=None)
    _ended: int = field(init=False, default=0)

    def ended(self, seconds: float) -> None:
        """Note that a task has ended, and for how long it held its slot."""
        self._ended += 1
        before = seconds if self.seconds is None else self.seconds
        self.seconds = before + (seconds - before) / min(self._ended, _TASKS)

    def wait(self, leaves: int, slots: int, typical: float) -> float:
        """Return after how many seconds so many waiters have probably left.

        Args:
            leaves: How many.
            slots: How many slots the session can use.
            typical: For how long a task holds a slot, as far as is known before any has ended.
        """
        return leaves * (typical if self.seconds is None else self.seconds) / max(1, slots)


def whole_seconds(seconds: float) -> int:
    """Return whole seconds from 1 on that are not less, as a `Retry-After` has them."""
    return max(1, math.ceil(seconds)) if math.isfinite(seconds) else 1
