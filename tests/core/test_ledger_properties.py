"""The slot ledger under anything that may happen, in any order."""

import copy
import random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from seedance_async.core.growth import AUTO_START, LONGEST, TRIAL_EVERY
from seedance_async.core.lateness import LATEST
from seedance_async.core.ledger import SlotLedger
from tests.core.turns import Turns

numbers = st.one_of(
    st.just((None, None)),
    st.tuples(st.integers(0, 8), st.integers(0, 12)),
    st.tuples(st.none(), st.integers(0, 9)),
)
chances = st.floats(0, 1, exclude_max=True)


class LedgerMachine(RuleBasedStateMachine):
    """Jobs come, leave, are answered in every way, end or are lost; a model keeps the books."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.ledger: SlotLedger[int] = SlotLedger()
        self.names = 0
        self.queue: set[int] = set()
        self.turns: Turns[int] = Turns()
        self.wire: set[int] = set()
        self.others: set[int] = set()
        self.left: dict[int, float] = {}
        self.most = 0
        self.named = 0
        self.careful = False
        self.last_trial = float("-inf")

    @initialize(ceiling=st.none() | st.integers(1, 6), start=st.floats(0, 1e5))
    def begin(self, ceiling: int | None, start: float) -> None:
        self.now = start
        self.ledger = SlotLedger(ceiling)
        self.most = self.named = self.ledger.limit
        assert self.ledger.limit == (AUTO_START if ceiling is None else ceiling)

    # What may happen

    @rule(count=st.integers(1, 5), group=st.sampled_from([None, "anna", "ben"]))
    def come(self, count: int, group: str | None) -> None:
        for _ in range(count):
            self.names += 1
            self.queue.add(self.names)
            self.turns.come(self.names, group)
            self.ledger.enqueue(self.names, group)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def withdraw(self, data: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.queue)))
        assert self.ledger.withdraw(name)
        assert not self.ledger.withdraw(name)
        self.queue.remove(name)
        self.turns.withdraw(name)

    @rule(one=st.booleans())
    def leave(self, one: bool) -> None:
        """As many leave as may, each is the first of those who wait, and nobody waits for more than the turns."""
        while True:
            upcoming = self.ledger.upcoming(1)
            if (name := self.ledger.take(self.now, one_at_a_time=one)) is None:
                break
            assert upcoming == (name,)
            self.queue.remove(name)
            self.turns.leave(name)
            self.wire.add(name)
            self.left[name] = self.now
            held = len(self.wire) + len(self.others)
            assert held <= self.ledger.limit + 1
            if held > self.ledger.limit:
                assert self.now >= self.last_trial + TRIAL_EVERY
                assert self.ledger.ceiling is None or held <= self.ledger.ceiling
                self.last_trial = self.now
            if one or self.careful:
                assert len(self.wire) == 1
        moment = self.ledger.wakeup(self.now, one_at_a_time=one)
        assert moment is None or moment > self.now, "the dispatcher would spin"

    @rule()
    def adopt(self) -> None:
        self.names += 1
        self.ledger.adopt(self.names)
        self.others.add(self.names)

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def accepted(self, data: Any) -> None:
        name, before = self._off_wire(data), self.ledger.limit
        self.ledger.accepted(name, self.now)
        self.others.add(name)
        self.careful = False
        assert before <= self.ledger.limit <= 2 * before
        assert self.ledger.limit == before or self.last_trial == self.left[name]
        self.most = max(self.most, self.ledger.limit)

    @precondition(lambda self: self.wire)
    @rule(data=st.data(), said=numbers, later=st.none() | st.floats(0, 100), chance=chances)
    def refused(self, data: Any, said: tuple[int | None, int | None], later: float | None, chance: float) -> None:
        name, (limit, current), before = self._off_wire(data), said, self.ledger.limit
        changed = self.ledger.refused(name, self.now, lambda: chance, limit=limit, current=current, retry_after=later)
        # A limit of 0 is none: for a moment the account may do nothing.
        limit = limit or None
        self.queue.add(name)
        self.careful = True
        assert changed is (self.ledger.limit != before)
        if limit is None or current is None:
            # What grew, and was never in use, is taken back; never what the service or the user named.
            assert self.named <= self.ledger.limit <= before
        elif self.ledger.ceiling is None:
            assert self.ledger.limit == max(1, limit)
        else:
            assert self.ledger.limit == max(1, min(limit, self.ledger.ceiling))
        if limit is not None and current is not None:
            self.named = self.ledger.limit
        self.most = max(self.most, self.ledger.limit)

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def not_sent(self, data: Any) -> None:
        name = self._off_wire(data)
        self.ledger.not_sent(name)
        if self.left[name] == self.last_trial:
            # A trial that was not sent was none.
            self.last_trial = float("-inf")
        self.queue.add(name)

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def lost(self, data: Any) -> None:
        name = self._off_wire(data)
        self.ledger.lost(name)
        self.others.add(name)

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def refused_for_good(self, data: Any) -> None:
        name = self._off_wire(data)
        self.ledger.release(name)

    @precondition(lambda self: self.others)
    @rule(data=st.data(), count=st.integers(1, 3), ago=st.none() | st.floats(0, 20))
    def end(self, data: Any, count: int, ago: float | None) -> None:
        ended = None if ago is None else self.now - ago
        for _ in range(min(count, len(self.others))):
            name = data.draw(st.sampled_from(sorted(self.others)))
            self.others.remove(name)
            self.ledger.release(name, ended)
            self.ledger.release(name, ended)

    @rule(seconds=st.floats(0, 100))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def wake_up(self) -> None:
        moment = self.ledger.wakeup(self.now)
        if moment is not None:
            self.now = max(self.now, moment)

    def _off_wire(self, data: Any) -> int:
        name = data.draw(st.sampled_from(sorted(self.wire)))
        self.wire.remove(name)
        return int(name)

    # What is always true

    @invariant()
    def books_agree(self) -> None:
        ledger = self.ledger
        assert ledger.waiting == len(self.queue)
        assert set(ledger.holders) == self.wire | self.others
        assert ledger.on_wire == len(self.wire)
        assert 1 <= ledger.limit <= self.most
        assert ledger.foreign(self.now) >= 0
        assert 0 <= ledger.lag <= LATEST

    @invariant()
    def places_are_kept(self) -> None:
        order = self.ledger.upcoming(len(self.queue) + 1)
        assert set(order) == self.queue
        assert [self.ledger.position(name) for name in order] == list(range(1, len(order) + 1))
        assert all(self.ledger.position(name) is None for name in self.wire | self.others)

    @invariant()
    def nobody_starves(self) -> None:
        """Once everybody who holds a slot has ended, one who waits leaves within the longest pause."""
        if not self.queue:
            return
        ledger, now = copy.deepcopy(self.ledger), self.now
        for name in self.wire | self.others:
            ledger.release(name, now)
        for _ in range(12):
            if ledger.take(now) is not None:
                return
            moment = ledger.wakeup(now)
            assert moment is not None, "somebody waits, nobody holds, and no time helps"
            assert now < moment <= self.now + LONGEST
            now = moment
        raise AssertionError("waking up does not help")

    @invariant()
    def every_wakeup_is_new(self) -> None:
        """From one wake-up to the next the clock moves, whatever happens then."""
        ledger, now = copy.deepcopy(self.ledger), self.now
        for _ in range(6):
            while ledger.take(now) is not None:
                pass
            moment = ledger.wakeup(now)
            if moment is None:
                return
            assert moment > now
            now = moment

    @invariant()
    def one_more_is_let_in(self) -> None:
        """With room for it, nothing paused and nothing on the wire, the first who waits may leave now."""
        ledger = self.ledger
        room = len(ledger.holders) + ledger.foreign(self.now) < ledger.limit
        if self.queue and not self.wire and room and ledger.wakeup(self.now) == self.now:
            assert copy.deepcopy(ledger).take(self.now) is not None


TestLedger = LedgerMachine.TestCase


def test_random_walks() -> None:
    """Long runs: a thousand jobs with an account that changes its mind all the time are all served, in order."""
    for seed in range(5):
        chance, now = random.Random(seed), 0.0
        ledger: SlotLedger[int] = SlotLedger(10)
        running: dict[int, float] = {}
        taken: list[int] = []
        for name in range(1000):
            ledger.enqueue(name)
        served: set[int] = set()
        while len(served) < 1000:
            limit = 1 + int(now / 300) % 10
            while (job := ledger.take(now)) is not None:
                taken.append(job)
                if len(running) < limit:
                    ledger.accepted(job, now)
                    running[job] = now + chance.uniform(5, 100)
                    served.add(job)
                else:
                    ledger.refused(job, now, chance.random, limit=limit, current=len(running))
            moments = [*running.values()]
            wakeup = ledger.wakeup(now)
            now = min([*moments, *([] if wakeup is None else [wakeup])])
            for name in [name for name, end in running.items() if end <= now]:
                del running[name]
                ledger.release(name, now)
        first_times = list(dict.fromkeys(taken))
        assert first_times == sorted(first_times)
