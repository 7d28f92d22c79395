"""The money of an emulated account. Nothing is ever lost: what is reserved is held, then spent or given back."""

from decimal import Decimal

from attrs import define


@define
class Money:
    """Credits by what has become of them.

    Attributes:
        available: Left to reserve from.
        reserved: Reserved by creates, in total.
        held: Reserved by tasks that have not ended.
        refunded: Given back for failed tasks.
        spent: Paid for finished tasks.
    """

    available: Decimal
    reserved: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)

    def reserve(self, amount: Decimal) -> None:
        """Take what a task may cost."""
        self.available -= amount
        self.reserved += amount
        self.held += amount

    def refund(self, amount: Decimal) -> None:
        """Give it back in full."""
        self.held -= amount
        self.refunded += amount
        self.available += amount

    def spend(self, amount: Decimal) -> None:
        """Keep it."""
        self.held -= amount
        self.spent += amount

    def settle(self, paid: Decimal, due: Decimal) -> None:
        """Correct what was paid to what the task turned out to cost, which may be more."""
        self.spent += due - paid
        self.available -= due - paid
