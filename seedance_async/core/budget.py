"""What may be spent, what is reserved, and what the account was last heard to have.

`Budget` is the user's own limit. `Balance` is the service's: the API has no balance endpoint, so all that is ever
known of it is the `available` of a 402 and what was accepted or refunded since.
"""

from decimal import Decimal
from typing import Final

from attrs import define, field

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
    """What the account was last heard to have; unknown until a 402 tells.

    1. What fits beside the creates on the wire may leave.
    2. What does not fit waits while a create is on the wire whose answer will tell more: one that does not fit
       either, or any for a job that would fit if that create came to nothing.
    3. Otherwise it is refused, but for one trial in `TRY_AGAIN_AFTER` seconds, counted from the last 402. A trial
       that ends without a word about credits (429, not sent, unknown) has told nothing, and the next may leave.
    """

    available: Decimal | None = None
    _try_at: float = 0.0
    #: What is on the wire, by price. The window of the slots keeps it short.
    _on_wire: list[Decimal | None] = field(init=False, factory=list[Decimal | None])

    @property
    def free(self) -> Decimal | None:
        """What is left of it if every create on the wire that fits is accepted; None while it is unknown."""
        available = self.available
        if available is None:
            return None
        return max(ZERO, available - sum((price or ZERO for price in self._on_wire if _fits(price, available)), ZERO))

    def refused(self, available: Decimal | None, now: float) -> None:
        """Note a 402. One that gives no number is read as an empty account."""
        self.available = ZERO if available is None else available
        self._try_at = now + TRY_AGAIN_AFTER

    def admits(self, credits: Decimal | None, now: float) -> bool:
        """Say whether a create of this price may leave now."""
        if self.available is None or _fits(credits, self.free):
            return True
        return now >= self._try_at and not self.undecided(credits)

    def undecided(self, credits: Decimal | None) -> bool:
        """Say whether a create on the wire will tell more, so that a job that may not leave yet waits for it."""
        available = self.available
        if available is None:
            return False
        if _fits(credits, available):
            return bool(self._on_wire)
        return not all(_fits(price, available) for price in self._on_wire)

    def left(self, credits: Decimal | None) -> None:
        """Note a create that leaves: others must fit beside it."""
        self._on_wire.append(credits)

    def ended(self, credits: Decimal | None) -> None:
        """Note that a create which left is on the wire no more."""
        self._on_wire.remove(credits)

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


def _fits(credits: Decimal | None, available: Decimal | None) -> bool:
    return credits is not None and available is not None and credits <= available
