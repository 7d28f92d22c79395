"""Who holds a slot, who waits for one, and how many there are.

A slot is one task that the account may have in progress. Holders may exceed the limit: attached tasks enter whether
there is room or not.

1. In which order waiters leave is `core.fair_queue`'s. One that comes back (429, not sent) has its old place again.
2. How many slots there are, and when one more is tried, is `core.growth`'s.
3. From a 429 with numbers, `foreign = max(0, current - own)` says how many slots others use. A waiter leaves if
   own + foreign < limit. Otherwise, where own < limit, only a timer lets one probe through, and each accepted probe
   counts one foreign task less, until a task of ours is seen to have ended before it: then it took the room of that
   one. The timer's pause doubles with each refusal up to half a minute. While others use slots, a create for which
   there was room says nothing of them: it leaves the pause as it is, and an accepted probe halves it, since the room
   may have been that of a task of ours whose end is not seen yet.
4. Where the service frees slots late, those whose tasks have just ended count as our own (`core.lateness`).
5. A 429 without numbers, or one whose numbers leave room, changes no limit that the service or the user named: nobody
   leaves until a timer, and then one after the other (`core.pacing`). A limit of 0 is no number: for a moment the
   account may do nothing.
6. How many creates may be on the wire is `core.window`'s.
"""

from collections.abc import Hashable
from enum import Enum
from typing import Final, Generic, TypeVar

from attrs import define, field, frozen

from seedance_async.core.fair_queue import FairQueue, Group
from seedance_async.core.growth import Growth
from seedance_async.core.lateness import Lateness
from seedance_async.core.pacing import Pacing
from seedance_async.core.retry import Rand, grown_delay
from seedance_async.core.window import Window

#: Seconds after which what a 429 said of other users of the account is too old to count.
FOREIGN_LASTS: Final = 60.0

#: Refusals in a row after which the pauses do not grow any more.
_MOST_STRIKES: Final = 5
#: Seconds between two creates that may be refused: after the first refusal, and at most.
_FIRST_PAUSE: Final = 2.0
_LONGEST_PAUSE: Final = 30.0
#: The same where a slot of ours may be late, which is over soon: the lag that a probe finds is as much too long.
_LATE_PAUSE: Final = 12.0
#: The most that is believed of what a refusal asks for: one wrong header must not stop a session for a day.
_LONGEST_ASKED: Final = 600.0


class _Leave(Enum):
    """Why a waiter may leave: there is room, as a probe of what others use, or as a trial above the limit."""

    ROOM = "room"
    PROBE = "probe"
    TRIAL = "trial"


HolderT = TypeVar("HolderT", bound=Hashable)


@frozen
class _Single(Generic[HolderT]):
    """The probe or trial that is on the wire: there is one of both together."""

    holder: HolderT
    reason: _Leave
    left: float


@define
class SlotLedger(Generic[HolderT]):
    """The ledger. All times are monotonic seconds; no method waits.

    Attributes:
        ceiling: The most slots to use, or None to find the account's limit.
        holders: Who holds a slot, in the order of taking.
    """

    ceiling: int | None = None
    holders: dict[HolderT, None] = field(init=False, factory=dict[HolderT, None])
    _growth: Growth = field(init=False)
    _lateness: Lateness = field(init=False, factory=Lateness)
    _pacing: Pacing = field(init=False, factory=Pacing)
    _on_wire: set[HolderT] = field(init=False, factory=set[HolderT])
    _queue: FairQueue[HolderT] = field(init=False, factory=FairQueue[HolderT])
    _window: Window = field(init=False, factory=Window)
    _foreign: int = field(init=False, default=0)
    _foreign_seen: float = field(init=False, default=0.0)
    _strikes: int = field(init=False, default=0)
    _pause_until: float = field(init=False, default=0.0)
    _probe_at: float = field(init=False, default=0.0)
    _single: _Single[HolderT] | None = field(init=False, default=None)
    _doubtful: float | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._growth = Growth(self.ceiling)

    @property
    def limit(self) -> int:
        """How many slots there are, as far as known."""
        return self._growth.limit

    @property
    def lag(self) -> float:
        """Seconds for which the service keeps a slot after its task's end, as far as known."""
        return self._lateness.lag

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    @property
    def on_wire(self) -> int:
        """How many holders have a create on the wire."""
        return len(self._on_wire)

    def foreign(self, now: float) -> int:
        """How many slots others use, as far as known and recent."""
        # The same sum as in `wakeup`: a difference may be rounded the other way, and then nobody wakes up in time.
        return self._foreign if now < self._foreign_seen + FOREIGN_LASTS else 0

    def enqueue(self, holder: HolderT, group: Group = None, *, held: bool = False) -> None:
        """Take the last place of a group."""
        self._queue.enqueue(holder, group, held=held)

    def withdraw(self, holder: HolderT) -> bool:
        """Leave the queue; return whether the holder was in it."""
        return self._queue.withdraw(holder)

    def hold(self, holder: HolderT) -> bool:
        """Let a waiter keep its place and be passed over; return whether it waits."""
        return self._queue.hold(holder)

    def ready(self, holder: HolderT) -> bool:
        """Let a waiter leave again when its turn comes; return whether it waits."""
        return self._queue.ready(holder)

    def position(self, holder: HolderT) -> int | None:
        """Return the place in the queue, 1 for the next; None for one who does not wait."""
        return self._queue.position(holder)

    def upcoming(self, count: int) -> tuple[HolderT, ...]:
        """Return the first so many waiters in the order in which they leave, those that are held included."""
        return self._queue.upcoming(count)

    def adopt(self, holder: HolderT) -> None:
        """Hold a slot at once, above the limit if need be: the task runs already."""
        self.holders[holder] = None

    def take(self, now: float, *, one_at_a_time: bool = False) -> HolderT | None:
        """Give a slot to the first waiter that is not held, if it may leave now."""
        reason = self._may_leave(now, one_at_a_time=one_at_a_time)
        if reason is None or (holder := self._queue.take()) is None:
            return None
        self.holders[holder] = None
        self._on_wire.add(holder)
        self._pacing.left(now)
        if reason is not _Leave.ROOM:
            self._single = _Single(holder, reason, now)
        return holder

    def accepted(self, holder: HolderT, now: float) -> None:
        """Note that the holder's create was accepted: it keeps its slot until `release`."""
        single = self._end_single(holder)
        probe = single if single is not None and single.reason is _Leave.PROBE else None
        self._leave_wire(holder)
        self._window.accepted(self._not_in_use(now))
        was_late = self._lateness.accepted(probe_left=None if probe is None else probe.left)
        if was_late or not self.foreign(now):
            self._strikes = 0
        elif probe is not None:
            self._strikes = max(0, self._strikes - 1)
        if probe is not None:
            # Where one slot came free late, those that were taken for others' did so too.
            self._doubtful = (probe.left + now) / 2 if self.foreign(now) and not was_late else None
            self._foreign = 0 if was_late else max(0, self._foreign - 1)
            self._probe_at = now
        self._pacing.accepted()
        trial = single is not None and probe is None
        self._growth.accepted(self._used(now) - len(self._on_wire), now, trial=trial)

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
        single = self._end_single(holder)
        self._give_up(holder)
        self._window.refused()
        limit = limit or None
        trial = single is not None and single.reason is _Leave.TRIAL
        if limit is not None and current is not None:
            # While a slot may be late, the next probe tells, and nobody else.
            known = single is None and self._lateness.suspected(now) and now < self._probe_at
        else:
            # While all wait, only those come back that had left before.
            known = now < self._pause_until
        self._strikes = min(self._strikes + (not known), _MOST_STRIKES)
        if limit is None or current is None:
            self._pause_until = max(self._pause_until, now + self._pause(rand, retry_after))
            if not known:
                self._pacing.refused()
            return self._growth.refused_without_numbers(self._strikes, now, trial=trial)
        changed = self._growth.refused(limit, now, trial=trial)
        others = max(0, current - self._used(now))
        if current >= limit and not changed and not trial and not self.foreign(now):
            # While others are known to be there, it may be one of theirs as well.
            self._lateness.refused(others, now)
        if single is not None:
            self._lateness.met(single.left)
        self._foreign, self._foreign_seen = others, now
        self._doubtful = None
        pause = self._pause(rand, retry_after, late=self._lateness.suspected(now))
        if not known:
            self._probe_at = now + pause
        if current < limit or retry_after is not None:
            self._pause_until = now + pause
        return changed

    def not_sent(self, holder: HolderT) -> None:
        """Note that nothing was sent: the holder has its old place in the queue again."""
        self._give_up(holder)
        self._end_single(holder)

    def lost(self, holder: HolderT) -> None:
        """Note an unknown outcome: the slot stays held until `release`, because a task may be using it."""
        self._leave_wire(holder)
        self._end_single(holder)

    def release(self, holder: HolderT, ended: float | None = None) -> None:
        """Give the slot back. Harmless for one who holds none.

        Args:
            holder: Who held it.
            ended: When its task ended, in the ledger's time; None if none did.
        """
        if holder not in self.holders:
            return
        if ended is not None and holder not in self._on_wire:
            self._lateness.ended(ended)
            if self._doubtful is not None and ended <= self._doubtful:
                self._doubtful = None
                self._foreign += 1
        del self.holders[holder]
        self._leave_wire(holder)
        self._end_single(holder)

    def wakeup(self, now: float, *, one_at_a_time: bool = False) -> float | None:
        """Return when a waiter may leave although nothing else happens; None if time alone changes nothing.

        Once `take` has returned None, this is later than `now`: who waits for it does not spin.
        """
        if not self._queue.is_ready or self._wire_is_full(now, one_at_a_time=one_at_a_time):
            return None
        if now < (paused := max(self._pause_until, self._pacing.next_moment())):
            return paused
        used = self._used(now)
        times: list[float] = []
        if used < self.limit and self._single is None:
            times.append(max(now, self._probe_at))
        if used < self.limit <= used + self.foreign(now):
            times.append(self._foreign_seen + FOREIGN_LASTS)
        if (trial := self._trial_moment(used)) is not None:
            times.append(max(now, trial))
        if (freed := self._lateness.next_moment()) is not None:
            times.append(freed)
        return min(times, default=None)

    def _may_leave(self, now: float, *, one_at_a_time: bool) -> _Leave | None:
        if not self._queue.is_ready or now < max(self._pause_until, self._pacing.next_moment()):
            return None
        if self._wire_is_full(now, one_at_a_time=one_at_a_time):
            return None
        used = self._used(now)
        if used + self.foreign(now) < self.limit:
            return _Leave.ROOM
        if self._single is not None:
            return None
        if used < self.limit and now >= self._probe_at:
            return _Leave.PROBE
        trial = self._trial_moment(used)
        return _Leave.TRIAL if trial is not None and now >= trial else None

    def _pause(self, rand: Rand, retry_after: float | None, *, late: bool = False) -> float:
        most = _LATE_PAUSE if late else _LONGEST_PAUSE
        asked = min(retry_after or 0.0, _LONGEST_ASKED)
        return max(asked, grown_delay(self._strikes - 1, rand, first=_FIRST_PAUSE, most=most))

    def _used(self, now: float) -> int:
        """How many slots are ours: those that are held, and those that the service still keeps."""
        return len(self.holders) + self._lateness.taken(now)

    def _wire_is_full(self, now: float, *, one_at_a_time: bool) -> bool:
        one = one_at_a_time or self._used(now) >= self._growth.proven
        return len(self._on_wire) >= (1 if one else self._window.size(self._not_in_use(now)))

    def _not_in_use(self, now: float) -> int:
        return self.limit - (self._used(now) - len(self._on_wire))

    def _trial_moment(self, used: int) -> float | None:
        return self._growth.moment() if used == self.limit and self._single is None else None

    def _give_up(self, holder: HolderT) -> None:
        self.holders.pop(holder, None)
        self._on_wire.discard(holder)
        self._queue.back(holder)

    def _leave_wire(self, holder: HolderT) -> None:
        self._on_wire.discard(holder)
        self._queue.forget(holder)

    def _end_single(self, holder: HolderT) -> _Single[HolderT] | None:
        single = self._single
        if single is None or single.holder is not holder:
            return None
        self._single = None
        return single
