"""The slots of one session: the ledger of the core with a clock.

`Slots` is what a session needs of any implementation. Its methods do not wait: an implementation that shares its
slots with other processes talks to them in tasks of its own, between `open` and `aclose`, and calls `changed` when a
waiter may be able to leave.

Waiters are in groups, which take turns; inside a group the first that came leaves first. A waiter that is held keeps
its place and is passed over until it is ready. `core.fair_queue` has the rules, and does this for any implementation.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from attrs import define, field, frozen

from seedance_async.core.ledger import SlotLedger
from seedance_async.core.retry import Rand


@frozen
class SlotStatistics:
    """The slots at one moment.

    Attributes:
        limit: How many there are, as far as known.
        in_progress: How many are held; attached tasks may make it more than the limit.
        on_wire: How many of these have a create on the wire.
        waiting: How many wait for one, those that are held included.
        foreign: How many others use, as far as known and recent.
    """

    limit: int
    in_progress: int
    on_wire: int
    waiting: int
    foreign: int


class Slots(Protocol):
    """What a session needs of its slots; the ledger's module says what each promises."""

    async def open(self, changed: Callable[[], None]) -> None:
        """Begin; call `changed` on the loop whenever a waiter may be able to leave."""
        ...

    async def aclose(self) -> None:
        """End, and give back everything."""
        ...

    def enqueue(self, holder: Hashable, group: str | None = None, *, held: bool = False) -> None:
        """Take the last place of a group; None is the group of all those without a name."""
        ...

    def withdraw(self, holder: Hashable) -> bool:
        """Leave the queue; return whether the holder was in it."""
        ...

    def hold(self, holder: Hashable) -> bool:
        """Let a waiter keep its place and be passed over by `take`; return whether it waits."""
        ...

    def ready(self, holder: Hashable) -> bool:
        """Let a waiter that was held leave when its turn comes; return whether it waits. Does not call `changed`."""
        ...

    def position(self, holder: Hashable) -> int | None:
        """Return the place in the order in which all leave, 1 for the next; who is held counts as if it were ready."""
        ...

    def upcoming(self, count: int) -> Sequence[Hashable]:
        """Return the first so many waiters in the order in which they leave, those that are held included."""
        ...

    def adopt(self, holder: Hashable) -> None:
        """Hold a slot at once, above the limit if need be."""
        ...

    def take(self, *, one_at_a_time: bool = False) -> Hashable | None:
        """Give a slot to the first waiter that is not held, if it may leave now."""
        ...

    def accepted(self, holder: Hashable) -> None:
        """Note an accepted create."""
        ...

    def refused(
        self, holder: Hashable, *, limit: int | None, current: int | None, retry_after: float | None = None
    ) -> bool:
        """Note a 429; return whether the limit changed by it."""
        ...

    def not_sent(self, holder: Hashable) -> None:
        """Note a create that was not sent."""
        ...

    def lost(self, holder: Hashable) -> None:
        """Note a create whose outcome is unknown."""
        ...

    def release(self, holder: Hashable, *, ended: float | None = None) -> None:
        """Give the slot back; `ended` is the loop time at which its task ended, None for now."""
        ...

    def wakeup(self, *, one_at_a_time: bool = False) -> float | None:
        """Return the loop time, later than now, at which a waiter may leave although nothing else happens."""
        ...

    def statistics(self) -> SlotStatistics:
        """Return the slots as they are now."""
        ...


@define
class LocalSlots:
    """The slots of one process."""

    _ceiling: int | None
    _rand: Rand
    _ledger: SlotLedger[Hashable] = field(init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._ledger = SlotLedger(self._ceiling)

    async def open(self, changed: Callable[[], None]) -> None:  # noqa: ARG002 (nobody else changes these)
        """Begin in the running loop."""
        self._loop = asyncio.get_running_loop()

    async def aclose(self) -> None:
        """End. There is nothing to give back."""

    def enqueue(self, holder: Hashable, group: str | None = None, *, held: bool = False) -> None:
        """Take the last place of a group."""
        self._ledger.enqueue(holder, group, held=held)

    def withdraw(self, holder: Hashable) -> bool:
        """Leave the queue."""
        return self._ledger.withdraw(holder)

    def hold(self, holder: Hashable) -> bool:
        """Let a waiter keep its place and be passed over."""
        return self._ledger.hold(holder)

    def ready(self, holder: Hashable) -> bool:
        """Let a waiter leave when its turn comes."""
        return self._ledger.ready(holder)

    def position(self, holder: Hashable) -> int | None:
        """Return the place in the queue. Beyond the first place of a group it is linear in the number of groups."""
        return self._ledger.position(holder)

    def upcoming(self, count: int) -> Sequence[Hashable]:
        """Return the first so many waiters. Linear in `count`."""
        return self._ledger.upcoming(count)

    def adopt(self, holder: Hashable) -> None:
        """Hold a slot at once."""
        self._ledger.adopt(holder)

    def take(self, *, one_at_a_time: bool = False) -> Hashable | None:
        """Give a slot to the first waiter that is not held, if it may leave now."""
        return self._ledger.take(self._loop.time(), one_at_a_time=one_at_a_time)

    def accepted(self, holder: Hashable) -> None:
        """Note an accepted create."""
        self._ledger.accepted(holder, self._loop.time())

    def refused(
        self, holder: Hashable, *, limit: int | None, current: int | None, retry_after: float | None = None
    ) -> bool:
        """Note a 429."""
        return self._ledger.refused(
            holder, self._loop.time(), self._rand, limit=limit, current=current, retry_after=retry_after
        )

    def not_sent(self, holder: Hashable) -> None:
        """Note a create that was not sent."""
        self._ledger.not_sent(holder)

    def lost(self, holder: Hashable) -> None:
        """Note a create whose outcome is unknown."""
        self._ledger.lost(holder)

    def release(self, holder: Hashable, *, ended: float | None = None) -> None:
        """Give the slot back."""
        now = self._loop.time()
        self._ledger.release(holder, now if ended is None else min(ended, now))

    def wakeup(self, *, one_at_a_time: bool = False) -> float | None:
        """Return the loop time, later than now, at which a waiter may leave although nothing else happens."""
        return self._ledger.wakeup(self._loop.time(), one_at_a_time=one_at_a_time)

    def statistics(self) -> SlotStatistics:
        """Return the slots as they are now."""
        ledger = self._ledger
        return SlotStatistics(
            limit=ledger.limit,
            in_progress=len(ledger.holders),
            on_wire=ledger.on_wire,
            waiting=ledger.waiting,
            foreign=ledger.foreign(self._loop.time()),
        )
