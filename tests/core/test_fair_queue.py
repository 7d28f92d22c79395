"""The fair queue: rule by rule, and beside a model that writes the whole order down."""

from typing import Any

from attrs import define
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seedance_async.core.fair_queue import FairQueue
from seedance_async.core.line import Line
from tests.core.turns import Turns

groups = st.sampled_from(["anna", "ben", "cleo", None])


def queue_of(*waiters: str) -> FairQueue[str]:
    """A queue in which these wait; the group is the first letter."""
    queue: FairQueue[str] = FairQueue()
    for waiter in waiters:
        queue.enqueue(waiter, waiter[0])
    return queue


def drain(queue: FairQueue[str]) -> list[str]:
    """Let all leave for good."""
    left: list[str] = []
    while (holder := queue.take()) is not None:
        queue.forget(holder)
        left.append(holder)
    return left


# Rule 1: turns


def test_groups_take_turns() -> None:
    """One of each group, in the order in which the groups came; first come first served inside each."""
    assert drain(queue_of("a1", "a2", "a3", "b1", "b2", "c1")) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_those_without_a_group_are_one_group() -> None:
    """Who names no group shares one turn with all who name none."""
    queue: FairQueue[str] = FairQueue()
    for waiter, group in (("1", None), ("2", None), ("3", None), ("a1", "a")):
        queue.enqueue(waiter, group)
    assert drain(queue) == ["1", "a1", "2", "3"]


def test_one_waits_for_one_of_five_hundred() -> None:
    """Somebody's 500 jobs delay another's single one by one of them, and not by 500."""
    queue = queue_of(*(f"a{number}" for number in range(500)))
    assert queue.take() == "a0"
    queue.enqueue("b", "b")
    assert queue.position("b") == 2
    assert [queue.take(), queue.take(), queue.take()] == ["a1", "b", "a2"]


def test_leaving_at_once_and_coming_again_gains_nothing() -> None:
    """A group that never has more than one in the queue gets no more turns than one that has many."""
    queue = queue_of("a1", "a2", "a3", "b1")
    left: list[str] = []
    for number in range(2, 5):
        left += [queue.take() or "", queue.take() or ""]
        queue.enqueue(f"b{number}", "b")
    assert left == ["a1", "b1", "a2", "b2", "a3", "b3"]


# Rule 2: coming back


def test_who_comes_back_has_the_old_place_and_turn() -> None:
    """One that comes back is before all that were behind it, also those of other groups; its group loses no turn."""
    queue = queue_of("a1", "a2", "b1", "b2", "c1")
    assert [queue.take(), queue.take()] == ["a1", "b1"]
    queue.back("b1")
    queue.back("a1")
    assert drain(queue) == ["a1", "b1", "c1", "a2", "b2"]


def test_the_last_of_a_group_comes_back() -> None:
    """A group that was forgotten meanwhile, or that others have joined meanwhile, has its turn again all the same."""
    queue = queue_of("a1", "b1", "b2")
    assert queue.take() == "a1"
    queue.enqueue("a2", "a")
    queue.back("a1")
    assert [queue.position(each) for each in ("a1", "b1", "a2", "b2")] == [1, 2, 3, 4]
    assert drain(queue) == ["a1", "b1", "a2", "b2"]


def test_who_comes_back_and_withdraws_takes_its_turn_along() -> None:
    """The turn at which it left is its own: nobody else of its group gets a second one by it."""
    queue = queue_of("a1", "a2", "a3", "b1")
    assert queue.take() == "a1"
    queue.back("a1")
    assert queue.withdraw("a1")
    assert drain(queue) == ["b1", "a2", "a3"]


# Rule 3: held


def test_who_is_held_keeps_its_place() -> None:
    """A waiter that is held is passed over, and has its old place again once it is ready."""
    queue = queue_of("a1", "a2", "a3", "b1")
    assert queue.hold("a1")
    assert queue.upcoming(9) == ("a1", "b1", "a2", "a3")
    assert queue.take() == "a2"
    assert queue.ready("a1")
    assert queue.ready("a1")
    assert drain(queue) == ["b1", "a1", "a3"]
    assert not queue.hold("a1")
    assert not queue.ready("a1")


def test_a_group_of_which_all_are_held_keeps_its_turn() -> None:
    """Others leave meanwhile, and it is the next as soon as one of it is ready."""
    queue: FairQueue[str] = FairQueue()
    queue.enqueue("a1", "a", held=True)
    assert not queue.is_ready
    assert queue.take() is None
    for waiter in ("b1", "b2", "c1"):
        queue.enqueue(waiter, waiter[0])
    assert [queue.take(), queue.take()] == ["b1", "c1"]
    queue.ready("a1")
    assert drain(queue) == ["a1", "b2"]


# Rule 4: memory


def test_an_empty_queue_remembers_nothing() -> None:
    """After thousands of groups have come and gone, whichever way, nothing of them is left."""
    queue: FairQueue[int] = FairQueue()
    for number in range(5000):
        queue.enqueue(number, f"user {number % 2500}", held=number % 7 == 0)
    for number in range(0, 5000, 5):
        assert queue.withdraw(number)
    for number in range(0, 5000, 7):
        queue.ready(number)
    while (holder := queue.take()) is not None:
        if holder % 11 == 0:
            queue.back(holder)
            assert queue.take() == holder
        queue.forget(holder)
    assert (len(queue), queue._groups, queue._seats, queue._waiting, queue._holders, queue._left) == (
        0,
        {},
        {},
        {},
        {},
        {},
    )
    assert len(queue._ready._numbers) + len(queue._held._numbers) < 200


@given(st.lists(st.integers(0, 300), unique=True), st.data())
def test_a_line_is_a_sorted_set(numbers: list[int], data: st.DataObject) -> None:
    """Whatever is added and removed, a line knows what is in it, what is first, and how many are before a number."""
    line, model = Line(), set[int]()
    for number in numbers:
        line.add(number)
        model.add(number)
        for gone in data.draw(st.lists(st.sampled_from(sorted(model)), unique=True, max_size=2)):
            line.remove(gone)
            model.remove(gone)
        asked = data.draw(st.integers(0, 300))
        assert list(line) == sorted(model)
        assert (asked in line, line.before(asked)) == (asked in model, sum(1 for each in model if each < asked))
        assert not model or line.first() == min(model)


# The bound of rule 1


class Onlookers:
    """A queue and the book on its turns."""

    def __init__(self) -> None:
        self.queue: FairQueue[int] = FairQueue()
        self.turns: Turns[int] = Turns()
        self.waiting: list[int] = []
        self.wire: list[int] = []

    def come(self, group: str | None) -> None:
        name = len(self.turns.group_of)
        self.turns.come(name, group)
        self.waiting.append(name)
        self.queue.enqueue(name, group)

    def leave(self, _which: int) -> None:
        left = self.queue.take()
        if left is None:
            assert not self.waiting
            return
        self.waiting.remove(left)
        self.wire.append(left)
        self.turns.leave(left)

    def come_back(self, which: int) -> None:
        if self.wire:
            name = self.wire.pop(which % len(self.wire))
            self.waiting.append(name)
            self.queue.back(name)

    def be_accepted(self, which: int) -> None:
        if self.wire:
            self.queue.forget(self.wire.pop(which % len(self.wire)))

    def withdraw(self, which: int) -> None:
        if self.waiting:
            name = self.waiting.pop(which % len(self.waiting))
            assert self.queue.withdraw(name)
            self.turns.withdraw(name)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("come"), groups),
        st.tuples(st.sampled_from(["leave", "leave", "come_back", "be_accepted", "withdraw"]), st.integers(0, 50)),
    ),
    max_size=60,
)


@given(steps)
def test_nobody_is_delayed_by_more_than_the_turns(doings: list[tuple[str, Any]]) -> None:
    """Before the k-th of a group leaves, at most k of any other leave that had not left when it came.

    Whatever comes, leaves, comes back and withdraws meanwhile; one alone in its group is the first of it.
    """
    onlookers = Onlookers()
    for doing, what in [*doings, *[("leave", 0)] * len(doings)]:
        getattr(onlookers, doing)(what)
    assert len(onlookers.queue) == 0


# Everything together


@define(eq=False)
class _Waiter:
    """A waiter of the model."""

    name: int
    group: str | None
    held: bool = False
    #: The turn at which it left; only for one that came back.
    turn: int | None = None


class QueueMachine(RuleBasedStateMachine):
    """Waiters come, are held, leave, come back and withdraw; a model with plain lists says in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: FairQueue[int] = FairQueue()
        self.clock = 0
        self.turns: dict[str | None, int] = {}
        self.waiting: list[_Waiter] = []
        self.wire: dict[int, _Waiter] = {}

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def order(self) -> list[_Waiter]:
        """Play the rules through: who leaves first, if everybody is ready, and so on to the end."""
        turns, rest, order = dict(self.turns), list(self.waiting), list[_Waiter]()
        clock = self.clock
        while rest:
            first = min(rest, key=lambda each: (turns[each.group] if each.turn is None else each.turn, each.name))
            rest.remove(first)
            order.append(first)
            if first.turn is None:
                clock += 1
                turns[first.group] = clock
        return order

    @rule(group=groups, held=st.booleans(), count=st.integers(1, 3))
    def come(self, group: str | None, held: bool, count: int) -> None:
        for _ in range(count):
            if not any(each.group == group and each.turn is None for each in self.waiting):
                self.turns[group] = self.tick()
            waiter = _Waiter(self.tick(), group, held)
            self.waiting.append(waiter)
            self.queue.enqueue(waiter.name, group, held=held)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: Any) -> None:
        waiter = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(waiter)
        assert self.queue.withdraw(waiter.name)
        assert not self.queue.withdraw(waiter.name)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), held=st.booleans())
    def hold_or_not(self, data: Any, held: bool) -> None:
        waiter = data.draw(st.sampled_from(self.waiting))
        waiter.held = held
        assert self.queue.hold(waiter.name) if held else self.queue.ready(waiter.name)

    @rule(count=st.integers(1, 4))
    def leave(self, count: int) -> None:
        for _ in range(count):
            # Who is held is passed over, with its turn; a group leaves at its turn by the first of it that is ready.
            ready = [each for each in self.waiting if not each.held]
            if not ready:
                assert self.queue.take() is None
                return
            turn = {each.name: self.turns[each.group] if each.turn is None else each.turn for each in ready}
            first = min(ready, key=lambda each: (turn[each.name], each.name))
            assert self.queue.take() == first.name
            self.waiting.remove(first)
            self.wire[first.name] = first
            if first.turn is None:
                first.turn = self.turns[first.group]
                self.turns[first.group] = self.tick()

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def come_back(self, data: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.wire)))
        waiter = self.wire.pop(name)
        waiter.held = False
        self.waiting.append(waiter)
        self.queue.back(name)

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def is_accepted(self, data: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.wire)))
        del self.wire[name]
        self.queue.forget(name)
        self.queue.forget(name)

    @invariant()
    def order_is_as_played(self) -> None:
        order = [each.name for each in self.order()]
        assert len(self.queue) == len(order)
        assert self.queue.is_ready is any(not each.held for each in self.waiting)
        assert self.queue.upcoming(len(order) + 1) == tuple(order)
        assert self.queue.upcoming(2) == tuple(order[:2])
        assert [self.queue.position(name) for name in order] == list(range(1, len(order) + 1))
        assert all(self.queue.position(name) is None for name in self.wire)

    @invariant()
    def nothing_is_left_of_the_gone(self) -> None:
        assert set(self.queue._groups) == {each.group for each in self.waiting if each.turn is None}
        assert set(self.queue._left) == set(self.wire)


TestQueue = QueueMachine.TestCase
