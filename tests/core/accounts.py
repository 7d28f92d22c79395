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
        freed: Seconds from the end of a task until the account counts it no more, by chance.
        slope: Creates a second that the account takes at most, and how many at once, else it refuses without numbers.
        numbers: Whether refusals tell limit and current.
        says_when: Whether the moment of a task's end is known once it is seen.
        taken: Every job that left, in order, with the moment.
        accepted: Every accepted job, with the moment of its answer.
        refusals: The moments of the refusals.
        ended: When the last task ended.
    """

    ledger: SlotLedger[int]
    limit: Callable[[float], int]
    lasting: tuple[float, float] = (60.0, 180.0)
    others: Callable[[float], int] = field(default=lambda _now: 0)
    round_trip: float = 0.4
    spread: float = 0.5
    unseen: float = 1.5
    freed: tuple[float, float] = (0.0, 0.0)
    slope: tuple[float, int] | None = None
    numbers: bool = True
    says_when: bool = True
    seed: int = 0
    now: float = 0.0
    taken: list[tuple[float, int]] = field(init=False, factory=list[tuple[float, int]])
    accepted: list[tuple[float, int]] = field(init=False, factory=list[tuple[float, int]])
    refusals: list[float] = field(init=False, factory=list[float])
    held: list[tuple[float, int]] = field(init=False, factory=list[tuple[float, int]])
    ended: float = field(init=False, default=0.0)
    _running: int = field(init=False, default=0)
    _tokens: float = field(init=False, default=0.0)
    _tokens_at: float = field(init=False, default=float("-inf"))
    _events: list[tuple[float, int, Callable[[], None]]] = field(
        init=False, factory=list[tuple[float, int, Callable[[], None]]]
    )
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

    def reached(self, level: int, begin: float, end: float) -> float:
        """Seconds from one moment until so many slots are held, before another."""
        moments = [when for when, held in self.held if begin <= when < end and held >= level]
        return min(moments, default=float("inf")) - begin

    def held_at(self, moment: float) -> int:
        """How many slots were held at a moment."""
        return [held for when, held in self.held if when <= moment][-1]

    def _leaves(self, job: int) -> None:
        half = self.round_trip / 2 * self._chance.uniform(1 - self.spread, 1 + self.spread)
        self.at(self.now + half, lambda: self._arrives(job, self.now + half))

    def _arrives(self, job: int, answer: float) -> None:
        if not self._slow_enough():
            self.at(answer, lambda: self._refused(job, None, None))
            return
        limit, current = self.limit(self.now), self._running + self.others(self.now)
        if current >= limit:
            self.at(answer, lambda: self._refused(job, limit, current))
            return
        self._running += 1
        # Of the job alone, so that two ledgers meet the same tasks.
        end = self.now + random.Random(self.seed * 1_000_003 + job).uniform(*self.lasting)
        self.at(answer, lambda: self._accepted(job))
        self.ended = max(self.ended, end)
        self.at(end + self._chance.uniform(*self.freed), self._ends)
        seen = max(end, answer) + self._chance.uniform(0, 2 * self.unseen)
        self.at(seen, lambda: self.ledger.release(job, end if self.says_when else seen))

    def _slow_enough(self) -> bool:
        """Whether a create comes slowly enough for the account: a bucket that fills with time."""
        if self.slope is None:
            return True
        rate, most = self.slope
        self._tokens = min(float(most), self._tokens + rate * (self.now - self._tokens_at))
        self._tokens_at = self.now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _ends(self) -> None:
        self._running -= 1

    def _accepted(self, job: int) -> None:
        self.accepted.append((self.now, job))
        self.ledger.accepted(job, self.now)

    def _refused(self, job: int, limit: int | None, current: int | None) -> None:
        self.refusals.append(self.now)
        said = (limit, current) if self.numbers else (None, None)
        self.ledger.refused(job, self.now, self._chance.random, limit=said[0], current=said[1])
