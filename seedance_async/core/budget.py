"""What may be spent, what is reserved, and what the account was last heard to have.

`Budget` is the user's own limit. `Balance` is the service's: the API has no balance endpoint, so all that is ever
known of it is the `available` of a 402 and what was accepted or refunded since.
"""

from decimal import Decimal
from typing import Final

from attrs import define

from seedance_async.errors import BudgetExceededError

ZERO: Final = Decimal(0)

#: Seconds after a 402 until one job may try again although it does not fit: somebody may have bought credits, and a
#: refused create costs nothing.
TRY_AGAIN_AFTER: Final = 60.0


@define
class Budget:
    """Credits reserved and spent, against the most that may be.

    Attributes:
        limit: The most, or None for no limit.
        reserved: Held for jobs that are queued or run.
        used: Gone for finished tasks, as the service counted them.
        maybe: Held for creates whose outcome is unknown.
    """

    limit: Decimal | None = None
    reserved: Decimal = ZERO
    used: Decimal = ZERO
    maybe: Decimal = ZERO

    @property
    def left(self) -> Decimal | None:
        """What may still be reserved; None without a limit."""
        return None if self.limit is None else self.limit - self.reserved - self.used - self.maybe

    def reserve(self, credits: Decimal | None) -> None:
        """Hold credits for a job.

        Raises:
            BudgetExceededError: They do not fit, or the price is unknown and there is a limit.
        """
        left = self.left
        if left is not None and (credits is None or credits > left):
            raise BudgetExceededError(credits, max(left, ZERO))
        self.reserved += credits or ZERO

    def give_back(self, reserved: Decimal) -> None:
        """Free what was held for a job that cost nothing."""
        self.reserved -= reserved

    def keep_as_maybe(self, reserved: Decimal) -> None:
        """Keep what was held for a create whose outcome is unknown."""
        self.reserved -= reserved
        self.maybe += reserved

    def settle(self, reserved: Decimal, used: Decimal) -> None:
        """Replace what was held for a finished task by what it cost."""
        self.reserved -= reserved
        self.used += used


@define
class Balance:
    """What the account was last heard to have; unknown until a 402 tells."""

    available: Decimal | None = None
    _try_at: float = 0.0
    _on_wire: Decimal = ZERO

    @property
    def free(self) -> Decimal | None:
        """What is left of it if every create on the wire is accepted; None while it is unknown."""
        return None if self.available is None else max(ZERO, self.available - self._on_wire)

    def refused(self, available: Decimal | None, now: float) -> None:
        """Note a 402. One that gives no number is read as an empty account."""
        self.available = ZERO if available is None else available
        self._try_at = now + TRY_AGAIN_AFTER

    def admits(self, credits: Decimal | None, now: float) -> bool:
        """Say whether a create of this price may leave.

        A job that does not fit is let through once in `TRY_AGAIN_AFTER` seconds.
        """
        free = self.free
        if free is None or (credits is not None and credits <= free):
            return True
        if now < self._try_at:
            return False
        self._try_at = now + TRY_AGAIN_AFTER
        return True

    def left(self, credits: Decimal | None) -> None:
        """Note a create that leaves: others must fit beside it."""
        self._on_wire += credits or ZERO

    def ended(self, credits: Decimal | None) -> None:
        """Note that a create which left is on the wire no more."""
        self._on_wire -= credits or ZERO

    def accepted(self, credits: Decimal | None) -> None:
        """Note an accepted create. One that did not fit shows that the number is out of date."""
        if self.available is None:
            return
        if credits is None or credits > self.available:
            self.available = None
        else:
            self.available -= credits

    def refunded(self, credits: Decimal) -> None:
        """Note a failed task, which the service refunds."""
        if self.available is not None:
            self.available += credits
