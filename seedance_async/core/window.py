"""How many creates may be on the wire at a time.

Two, and one after a refusal until a create is accepted. Where many slots are empty the window widens by one with each
accepted create, up to a third of the slots that are not in use and to `WIDEST`, so that fifty slots fill within some
round trips; where the slots are full it is 2 again, and above what was ever in use 1. So a limit that falls while the
slots are full costs a refusal or two, and a ceiling that was set far above the account's limit costs as many as the
window is wide, once, and not one for each waiter.
"""

from typing import Final

from attrs import define, field

#: One that hangs must not hold up the others.
_LEAST: Final = 2
#: The most at a time, while many slots are empty: as many new connections are opened at once.
WIDEST: Final = 16


@define
class Window:
    """The window of one session."""

    _size: int = field(init=False, default=_LEAST)

    def accepted(self, not_in_use: int) -> None:
        """Note an accepted create, with how many slots no task is in."""
        self._size = max(_LEAST, min(self._size + 1, _widest(not_in_use)))

    def refused(self) -> None:
        """Note a 429."""
        self._size = 1

    def size(self, not_in_use: int) -> int:
        """Return how many creates may be on the wire."""
        return min(self._size, _widest(not_in_use))


def _widest(not_in_use: int) -> int:
    return max(_LEAST, min(WIDEST, not_in_use // 3))
