"""A simulated account on simulated time: what a ledger meets, without sockets."""

import heapq
import random
from collections.abc import Callable

from attrs import define, field

from seedance_async.core.ledger import SlotLedger


@define
class Simulation:
    """Creates of one ledger against one account.

    Attributes:
        ledger: Who may leave.
        limit: What the account allows, by time.
        others: How many tasks of others it has, by time.
        lasting: Seconds that a task takes, by chance.
        round_trip: Seconds from leaving to the answer, on average; the account decides in the middle.
        spread: How much of that is chance.
        unseen: Seconds from the end of a task until its slot is given back.
        numbers: Whether refusals tell limit and current.
        taken: Every job that left, in order, with the moment.
        accepted: Every accepted job, with the moment of its answer.
        refusals: The moments of the refusals.
        peak: Most tasks that the account had in progress.
    """

    ledger: SlotLedger[int]
    limit: Callable[[float], int]
    lasting: tuple[float, float] = (60.0, 180.0)
    others: Callable[[float], int] = field(default=lambda _now: 0)
    round_trip: float = 0.4
    spread: float = 0.5
    unseen: float = 1.5
    numbers: bool = True
    seed: int = 0
    now: float = 0.0
    taken: list[tuple[float, int]] = field(init=False, factory=list)
    accepted: list[tuple[float, int]] = field(init=False, factory=list)
    refusals: list[float] = field(init=False, factory=list)
    held: list[tuple[float, int]] = field(init=False, factory=list)
    _running: int = field(init=False, default=0)
    _events: list[tuple[float, int, Callable[[], None]]] = field(init=False, factory=list)
    _count: int = field(init=False, default=0)
    _chance: random.Random = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def at(self, moment: float, call: Callable[[], None]) -> None:
        """Plan something."""
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, call))

    def run(self, until: float = float("inf")) -> None:
        """Go on until nothing happens any more, or so long."""
        while True:
            while (job := self.ledger.take(self.now)) is not None:
                self.taken.append((self.now, job))
                self._leaves(job)
            self.held.append((self.now, len(self.ledger.holders)))
            wakeup = self.ledger.wakeup(self.now)
            assert wakeup is None or wakeup > self.now
            times = [] if wakeup is None else [wakeup]
            times += [self._events[0][0]] if self._events else []
            moment = min(times, default=until)
            if moment >= until:
                self.now = until
                return
            self.now = moment
            while self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()

    def refused_between(self, begin: float, end: float) -> int:
        """How many refusals came between two moments."""
        return sum(begin <= moment < end for moment in self.refusals)

    def held_at(self, moment: float) -> int:
        """How many slots were held at a moment."""
        return [held for when, held in self.held if when <= moment][-1]

    def _leaves(self, job: int) -> None:
        half = self.round_trip / 2 * self._chance.uniform(1 - self.spread, 1 + self.spread)
        self.at(self.now + half, lambda: self._arrives(job, self.now + half))

    def _arrives(self, job: int, answer: float) -> None:
        limit, current = self.limit(self.now), self._running + self.others(self.now)
        if current >= limit:
            self.at(answer, lambda: self._refused(job, limit, current))
            return
        self._running += 1
        end = self.now + self._chance.uniform(*self.lasting)
        self.at(answer, lambda: self._accepted(job))
        self.at(end, self._ends)
        self.at(max(end, answer) + self._chance.uniform(0, 2 * self.unseen), lambda: self.ledger.release(job))

    def _ends(self) -> None:
        self._running -= 1

    def _accepted(self, job: int) -> None:
        self.accepted.append((self.now, job))
        self.ledger.accepted(job, self.now)

    def _refused(self, job: int, limit: int, current: int) -> None:
        self.refusals.append(self.now)
        said = (limit, current) if self.numbers else (None, None)
        self.ledger.refused(job, self.now, self._chance.random, limit=said[0], current=said[1])
