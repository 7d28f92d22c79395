"""Who waits, and in which order they leave: groups take turns, first come first served inside a group.

1. A group that begins to wait has the last turn of all. Its first waiter leaves at that turn, and then the group has
   the last turn again. So before the k-th waiter of a group leaves, at most k of any other group leave that had not
   left when it came: whoever waits alone in a group is delayed by one of each other group, however many those have.
2. Who comes back has the turn again at which it left, and uses it alone: it leaves before all that were behind it
   then, and its group's next waiter has the turn that the group would have had without that.
3. A waiter that is held keeps its place and is passed over. So is a group of which everybody is held: it keeps its
   turn, and has it as soon as one of them is ready.
4. A group nobody waits in is forgotten.

One step costs a search among the groups and one in a group (`Line`). A place beyond the first of its group is counted
over all groups, when somebody asks for it.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import Generic, TypeVar

from attrs import define, field, frozen

from seedance_async.core.line import Line

Group = str | None
"""The name of a group; None is the group of all those without a name."""

HolderT = TypeVar("HolderT")


@define(eq=False)
class _Seat:
    """A turn and who may use it, by the numbers of their coming: a group, or one who came back."""

    turn: int
    group: Group
    ready: Line = field(init=False, factory=Line)
    held: Line = field(init=False, factory=Line)
    line: Line | None = field(init=False, default=None)

    def __len__(self) -> int:
        return len(self.ready) + len(self.held)

    def numbers(self) -> Iterator[int]:
        """Return everybody's number in order; nothing may change meanwhile."""
        return merge(self.ready, self.held) if self.held else iter(self.ready)


@frozen
class _Place:
    """Where one was in the queue who has left it."""

    number: int
    turn: int
    group: Group


@define(eq=False)
class FairQueue(Generic[HolderT]):
    """The queue. Numbers and turns are counted together and never given twice."""

    _last: int = field(init=False, default=0)
    _groups: dict[Group, _Seat] = field(init=False, factory=dict[Group, _Seat])
    _seats: dict[int, _Seat] = field(init=False, factory=dict[int, _Seat])
    _ready: Line = field(init=False, factory=Line)
    _held: Line = field(init=False, factory=Line)
    _waiting: dict[HolderT, tuple[_Seat, int]] = field(init=False, factory=dict[HolderT, tuple[_Seat, int]])
    _holders: dict[int, HolderT] = field(init=False, factory=dict[int, HolderT])
    _left: dict[HolderT, _Place] = field(init=False, factory=dict[HolderT, _Place])

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_ready(self) -> bool:
        """Whether somebody waits who is not held."""
        return bool(self._ready)

    def enqueue(self, holder: HolderT, group: Group = None, *, held: bool = False) -> None:
        """Take the last place of a group."""
        seat = self._groups.get(group)
        if seat is None:
            seat = self._groups[group] = _Seat(self._next(), group)
        self._sit(holder, seat, self._next(), held=held)

    def withdraw(self, holder: HolderT) -> bool:
        """Leave for good; return whether the holder waited."""
        found = self._waiting.get(holder)
        if found is None:
            return False
        self._rise(holder, *found)
        self._settle(found[0])
        return True

    def take(self) -> HolderT | None:
        """Let the first leave who is not held. The queue remembers the place until `back` or `forget`."""
        if not self._ready:
            return None
        seat = self._seats[self._ready.first()]
        number = seat.ready.first()
        holder = self._holders[number]
        self._left[holder] = _Place(number, seat.turn, seat.group)
        self._rise(holder, seat, number)
        self._give_up_turn(seat)
        seat.turn = self._next()
        self._settle(seat)
        return holder

    def back(self, holder: HolderT) -> None:
        """Have the old place again; only for one that has left by `take`."""
        place = self._left.pop(holder)
        self._sit(holder, _Seat(place.turn, place.group), place.number, held=False)

    def forget(self, holder: HolderT) -> None:
        """Forget the place of one that has left: it will not be back. Harmless for others."""
        self._left.pop(holder, None)

    def hold(self, holder: HolderT) -> bool:
        """Let a waiter keep its place and be passed over; return whether it waits."""
        return self._move(holder, held=True)

    def ready(self, holder: HolderT) -> bool:
        """Let a waiter leave again when its turn comes; return whether it waits."""
        return self._move(holder, held=False)

    def position(self, holder: HolderT) -> int | None:
        """Return the place in the order in which all leave, 1 for the next; None for one who does not wait.

        Who is held counts as if it were ready.
        """
        found = self._waiting.get(holder)
        if found is None:
            return None
        seat, number = found
        rank = seat.ready.before(number) + seat.held.before(number)
        if rank == 0:
            return 1 + self._ready.before(seat.turn) + self._held.before(seat.turn)
        others = (min(len(each), rank + (each.turn < seat.turn)) for each in self._seats.values() if each is not seat)
        return rank + 1 + sum(others)

    def upcoming(self, count: int) -> tuple[HolderT, ...]:
        """Return the first so many in the order in which they leave, those that are held included."""
        return tuple(islice(self._in_order(), max(0, count)))

    def _in_order(self) -> Iterator[HolderT]:
        again: list[Iterator[int]] = []
        for turn in merge(self._ready, self._held):
            numbers = self._seats[turn].numbers()
            yield self._holders[next(numbers)]
            again.append(numbers)
        while again:
            rest, again = again, []
            for numbers in rest:
                if (number := next(numbers, None)) is not None:
                    yield self._holders[number]
                    again.append(numbers)

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _sit(self, holder: HolderT, seat: _Seat, number: int, *, held: bool) -> None:
        self._waiting[holder], self._holders[number] = (seat, number), holder
        (seat.held if held else seat.ready).add(number)
        self._settle(seat)

    def _rise(self, holder: HolderT, seat: _Seat, number: int) -> None:
        del self._waiting[holder], self._holders[number]
        (seat.ready if number in seat.ready else seat.held).remove(number)

    def _move(self, holder: HolderT, *, held: bool) -> bool:
        found = self._waiting.get(holder)
        if found is None:
            return False
        seat, number = found
        source, target = (seat.ready, seat.held) if held else (seat.held, seat.ready)
        if number in source:
            source.remove(number)
            target.add(number)
            self._settle(seat)
        return True

    def _settle(self, seat: _Seat) -> None:
        """Put a seat among those with somebody ready, or among those of whom all are held, or nowhere."""
        line = self._ready if seat.ready else self._held if seat.held else None
        if line is not seat.line:
            self._give_up_turn(seat)
            if line is not None:
                line.add(seat.turn)
                seat.line, self._seats[seat.turn] = line, seat
        if line is None and self._groups.get(seat.group) is seat:
            del self._groups[seat.group]

    def _give_up_turn(self, seat: _Seat) -> None:
        if seat.line is not None:
            seat.line.remove(seat.turn)
            seat.line = None
            del self._seats[seat.turn]
