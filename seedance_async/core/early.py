"""Deliveries about tasks that a session does not know yet, remembered briefly.

A delivery can overtake the answer of the create that it belongs to. What is remembered is bounded in time and number,
because anybody can send task ids that nobody has.
"""

from typing import Final

from attrs import define, field

#: Seconds for which a delivery is remembered: longer than a create's answer usually takes.
KEPT: Final = 120.0
#: How many are remembered. The oldest goes first.
MOST: Final = 512


@define
class Early:
    """The deliveries that came before their task was known."""

    # Tokens are in it.
    _ids: dict[str, tuple[float, str | None]] = field(
        init=False, factory=dict[str, tuple[float, str | None]], repr=False
    )

    def __len__(self) -> int:
        return len(self._ids)

    def remember(self, task_id: str, token: str | None, now: float) -> None:
        """Remember that a delivery about a task came, and with what token."""
        # Taken out first: the order is that of the last delivery.
        self._ids.pop(task_id, None)
        self._ids[task_id] = now, token
        if len(self._ids) > MOST:
            del self._ids[next(iter(self._ids))]

    def take(self, task_id: str, now: float) -> tuple[str | None] | None:
        """Return the token of the delivery about a task, as the only item; None where none is remembered."""
        found = self._ids.pop(task_id, None)
        return None if found is None or found[0] < now - KEPT else (found[1],)
