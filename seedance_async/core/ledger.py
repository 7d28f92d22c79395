"""Who holds a slot, who waits for one, and how many there are.

A slot is one task that the account may have in progress. Holders may exceed the limit: attached tasks enter whether
there is room or not.

1. Waiters leave in the order in which they came. One that comes back (429, not sent) has its old place again.
2. The limit is the least of the ceiling and what the last 429 with numbers said.
3. From such a 429, `foreign = max(0, current - own)` says how many slots others use. A waiter leaves if
   own + foreign < limit. Otherwise, where own < limit, only a timer lets one probe through, and each accepted probe
   counts one foreign task less. The timer's pause doubles with each refusal up to half a minute. While others use
   slots, a create for which there was room says nothing of them: it leaves the pause as it is, and an accepted probe
   halves it, since the room may have been that of a task of ours whose end is not seen yet.
4. A limit that a 429 lowered grows back towards the ceiling: once a create was accepted since, one waiter may leave
   above the limit, not more often than every `GROWTH_EVERY` seconds; if it is accepted the limit is one higher. Each
   refusal of such a growth probe makes the next one rarer. So do the refusal that follows a single growth (the room
   was that of a task which had ended unseen) and a second one that says the same limit (its create was on the wire
   with the first): a change costs two refusals in its first five minutes, not three.
5. A 429 without numbers, or one whose numbers leave room, changes no limit: nobody leaves until a timer.
6. Creates on the wire are bounded by a window of 2, and of 1 after a refusal until a create is accepted. Where many
   slots are empty it widens by one with each accepted create, up to a third of the slots that are not in use and to
   `WIDEST`, so that fifty slots fill within some round trips; where the slots are full it is 2 again. So a limit that
   falls while the slots are full costs a refusal or two, and a ceiling that was set far above the account's limit
   costs as many as the window is wide, once, and not one for each waiter.
"""

import heapq
from collections.abc import Hashable
from enum import Enum
from typing import Final, Generic, TypeVar

from attrs import define, field

from seedance_async.core.retry import Rand, grown_delay

#: Where `concurrency="auto"` starts: the limit that the vendor's repository shows in its examples (contract, section
#: 12, read 2026-09).
AUTO_START: Final = 5

GROWTH_EVERY: Final = 30.0
_GROWTH_BACKOFF: Final = 10.0
_GROWTH_RAREST: Final = 600.0

#: Seconds after which what a 429 said of other users of the account is too old to count.
FOREIGN_LASTS: Final = 60.0

#: Refusals in a row after which the pauses do not grow any more.
_MOST_STRIKES: Final = 5
#: Seconds between two creates that may be refused: after the first refusal, and at most.
_FIRST_PAUSE: Final = 2.0
_LONGEST_PAUSE: Final = 30.0

#: Of creates on the wire: one that hangs must not hold up the others.
_WINDOW: Final = 2
#: The most at a time, while many slots are empty: as many new connections are opened at once.
WIDEST: Final = 16


class _Leave(Enum):
    """Why a waiter may leave."""

    ROOM = "room"
    PROBE = "probe"
    GROWTH = "growth"


HolderT = TypeVar("HolderT", bound=Hashable)


@define
class SlotLedger(Generic[HolderT]):
    """The ledger. All times are monotonic seconds; no method waits.

    Attributes:
        ceiling: The most slots to use, or None to follow the service's numbers.
        limit: How many slots there are, as far as known.
        holders: Who holds a slot, in the order of taking.
    """

    ceiling: int | None = None
    limit: int = field(init=False)
    holders: dict[HolderT, None] = field(init=False, factory=dict[HolderT, None])
    _most: int = field(init=False)
    _on_wire: set[HolderT] = field(init=False, factory=set[HolderT])
    _waiting: dict[HolderT, int] = field(init=False, factory=dict[HolderT, int])
    _heap: list[tuple[int, HolderT]] = field(init=False, factory=list[tuple[int, HolderT]])
    _orders: dict[HolderT, int] = field(init=False, factory=dict[HolderT, int])
    _next_order: int = field(init=False, default=0)
    _window: int = field(init=False, default=_WINDOW)
    _foreign: int = field(init=False, default=0)
    _foreign_seen: float = field(init=False, default=0.0)
    _strikes: int = field(init=False, default=0)
    _pause_until: float = field(init=False, default=0.0)
    _probe_at: float = field(init=False, default=0.0)
    _probe: tuple[HolderT, _Leave] | None = field(init=False, default=None)
    _growth_at: float = field(init=False, default=0.0)
    _growth_every: float = field(init=False, default=GROWTH_EVERY)
    _may_grow: bool = field(init=False, default=False)
    _grown: int = field(init=False, default=0)
    _said: int | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.limit = self._most = AUTO_START if self.ceiling is None else self.ceiling

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def on_wire(self) -> int:
        """How many holders have a create on the wire."""
        return len(self._on_wire)

    def foreign(self, now: float) -> int:
        """How many slots others use, as far as known and recent."""
        # The same sum as in `wakeup`: a difference may be rounded the other way, and then nobody wakes up in time.
        return self._foreign if now < self._foreign_seen + FOREIGN_LASTS else 0

    def enqueue(self, holder: HolderT) -> None:
        """Take a place at the end of the queue."""
        self._next_order += 1
        self._orders[holder] = self._next_order
        self._wait(holder)

    def withdraw(self, holder: HolderT) -> bool:
        """Leave the queue; return whether the holder was in it."""
        if self._waiting.pop(holder, None) is None:
            return False
        # Its heap entry is dropped when it comes to the top, or here when most entries are dead.
        del self._orders[holder]
        if len(self._heap) > 64 and len(self._heap) > 2 * len(self._waiting):
            self._heap = [(order, waiter) for waiter, order in self._waiting.items()]
            heapq.heapify(self._heap)
        return True

    def position(self, holder: HolderT) -> int | None:
        """Return the place in the queue, 1 for the next; None for one who does not wait. Linear in the queue."""
        order = self._waiting.get(holder)
        return None if order is None else sum(1 for other in self._waiting.values() if other <= order)

    def adopt(self, holder: HolderT) -> None:
        """Hold a slot at once, above the limit if need be: the task runs already."""
        self.holders[holder] = None

    def take(self, now: float, *, one_at_a_time: bool = False) -> HolderT | None:
        """Give a slot to the first waiter, if it may leave now."""
        reason = self._may_leave(now, one_at_a_time=one_at_a_time)
        if reason is None:
            return None
        while True:
            order, holder = heapq.heappop(self._heap)
            if self._waiting.get(holder) == order:
                break
        del self._waiting[holder]
        self.holders[holder] = None
        self._on_wire.add(holder)
        if reason is not _Leave.ROOM:
            self._probe = (holder, reason)
        return holder

    def accepted(self, holder: HolderT, now: float) -> None:
        """Note that the holder's create was accepted: it keeps its slot until `release`."""
        self._window = max(_WINDOW, min(self._window + 1, self._widest()))
        self._leave_wire(holder)
        reason = self._end_probe(holder)
        self._said = None
        if not self.foreign(now):
            self._strikes = 0
        elif reason is _Leave.PROBE:
            self._strikes = max(0, self._strikes - 1)
        if not self._may_grow:
            # Not at once: while several tasks end, the account has room for a moment that is not the limit's.
            self._may_grow = True
            self._growth_at = max(self._growth_at, now + GROWTH_EVERY)
        match reason:
            case _Leave.PROBE:
                self._foreign = max(0, self._foreign - 1)
                self._probe_at = now
            case _Leave.GROWTH:
                self.limit = min(self._most, self.limit + 1)
                self._grown += 1
                if self._grown > 1:
                    self._growth_every = GROWTH_EVERY
                self._growth_at = now + GROWTH_EVERY
            case _:
                pass

    def refused(
        self,
        holder: HolderT,
        now: float,
        rand: Rand,
        *,
        limit: int | None,
        current: int | None,
        retry_after: float | None = None,
    ) -> bool:
        """Note a 429: the holder has its old place in the queue again. Return whether the limit changed by it."""
        self._give_up(holder)
        self._window = 1
        self._strikes = min(self._strikes + 1, _MOST_STRIKES)
        self._may_grow = False
        pause = max(retry_after or 0.0, grown_delay(self._strikes - 1, rand, first=_FIRST_PAUSE, most=_LONGEST_PAUSE))
        reason = self._end_probe(holder)
        straggler = reason is None and limit is not None and limit == self._said
        if reason is _Leave.GROWTH or self._grown == 1 or straggler:
            self._growth_every = min(_GROWTH_RAREST, self._growth_every * _GROWTH_BACKOFF)
        self._grown, self._said = 0, limit
        self._growth_at = now + self._growth_every
        if limit is None or current is None:
            self._pause_until = now + pause
            return False
        before, self.limit = self.limit, max(1, limit if self.ceiling is None else min(limit, self.ceiling))
        if self.ceiling is None:
            self._most = max(self._most, self.limit)
        self._foreign = max(0, current - len(self.holders))
        self._foreign_seen = now
        self._probe_at = now + pause
        if current < limit or retry_after is not None:
            self._pause_until = now + pause
        return self.limit != before

    def not_sent(self, holder: HolderT) -> None:
        """Note that nothing was sent: the holder has its old place in the queue again."""
        self._give_up(holder)
        self._end_probe(holder)

    def lost(self, holder: HolderT) -> None:
        """Note an unknown outcome: the slot stays held until `release`, because a task may be using it."""
        self._leave_wire(holder)
        self._end_probe(holder)

    def release(self, holder: HolderT) -> None:
        """Give the slot back. Harmless for one who holds none."""
        if holder not in self.holders:
            return
        del self.holders[holder]
        self._leave_wire(holder)
        self._end_probe(holder)

    def wakeup(self, now: float, *, one_at_a_time: bool = False) -> float | None:
        """Return when a waiter may leave although nothing else happens; None if time alone changes nothing.

        Once `take` has returned None, this is later than `now`: who waits for it does not spin.
        """
        if not self._waiting or self._wire_is_full(one_at_a_time=one_at_a_time):
            return None
        if now < self._pause_until:
            return self._pause_until
        own = len(self.holders)
        times: list[float] = []
        if own < self.limit and self._probe is None:
            times.append(max(now, self._probe_at))
        if own < self.limit <= own + self.foreign(now):
            times.append(self._foreign_seen + FOREIGN_LASTS)
        growth = self._growth_moment(own)
        if growth is not None:
            times.append(max(now, growth))
        return min(times, default=None)

    def _may_leave(self, now: float, *, one_at_a_time: bool) -> _Leave | None:
        if not self._waiting or now < self._pause_until:
            return None
        if self._wire_is_full(one_at_a_time=one_at_a_time):
            return None
        own = len(self.holders)
        if own + self.foreign(now) < self.limit:
            return _Leave.ROOM
        if self._probe is not None:
            return None
        if own < self.limit and now >= self._probe_at:
            return _Leave.PROBE
        growth = self._growth_moment(own)
        return _Leave.GROWTH if growth is not None and now >= growth else None

    def _wire_is_full(self, *, one_at_a_time: bool) -> bool:
        return len(self._on_wire) >= (1 if one_at_a_time else min(self._window, self._widest()))

    def _widest(self) -> int:
        not_in_use = self.limit - (len(self.holders) - len(self._on_wire))
        return max(_WINDOW, min(WIDEST, not_in_use // 3))

    def _growth_moment(self, own: int) -> float | None:
        if own != self.limit or self.limit >= self._most or not self._may_grow or self._probe is not None:
            return None
        # With foreign tasks in the account's slots, a refusal is certain: growth waits until they are gone or old.
        return max(self._growth_at, self._foreign_seen + FOREIGN_LASTS) if self._foreign else self._growth_at

    def _wait(self, holder: HolderT) -> None:
        order = self._orders[holder]
        self._waiting[holder] = order
        heapq.heappush(self._heap, (order, holder))

    def _give_up(self, holder: HolderT) -> None:
        self.holders.pop(holder, None)
        self._on_wire.discard(holder)
        self._wait(holder)

    def _leave_wire(self, holder: HolderT) -> None:
        self._on_wire.discard(holder)
        self._orders.pop(holder, None)

    def _end_probe(self, holder: HolderT) -> _Leave | None:
        if self._probe is None or self._probe[0] is not holder:
            return None
        reason = self._probe[1]
        self._probe = None
        return reason
