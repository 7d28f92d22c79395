"""A saturated account in virtual time: K slots, more tasks than slots, and a policy that looks.

A request takes 0.1 seconds, half of them to the service. A slot is idle from the end of its task until the next create
has reached the service. Events are simulated one by one, so that what is learned is learned in the order in which a
session would learn it. A thousand tasks take a fraction of a second.
"""

import heapq
from collections.abc import Mapping, Sequence
from random import Random
from statistics import fmean
from typing import Final, Protocol

from attrs import define, field, frozen

from benchmarks.polling.laws import TYPICAL, Draw, Task
from seedance_async.core.ages import NEVER
from seedance_async.core.durations import Durations
from seedance_async.core.kinds import Kind
from seedance_async.core.laws import Law
from seedance_async.core.poll_rate import PollRate
from seedance_async.core.polling import Look, Polling, PollingPolicy

ROUND_TRIP: Final = 0.1
#: Multiples of it, without the whole part, are spread evenly however many there are.
GOLDEN: Final = 0.6180339887498949


@frozen
class Figures:
    """What a run has cost and bought.

    Attributes:
        polls: Requests per task, creates not counted.
        delay: Mean seconds from the end of a task until it is known.
        late: The same for one task in twenty, at least.
        idle: Share of the slots' time in which they stood empty while tasks waited.
        makespan: How long the run took, over what it takes where the next task starts at once (list schedule).
        rate: Most polls in any second.
    """

    polls: float
    delay: float
    late: float
    idle: float
    makespan: float
    rate: int


class Looking(Protocol):
    """Somebody who polls the tasks of an account."""

    def accepted(self, running: "Running", *, waiters: bool) -> float:
        """Return when the first poll leaves."""
        ...

    def alive(self, running: "Running", asked: float, now: float, *, waiters: bool) -> float:
        """Take in that a task runs, and return when the next poll leaves."""
        ...

    def ended(self, running: "Running", now: float) -> None:
        """Take in that a task has ended."""
        ...


@define(eq=False)
class Running:
    """A task on the account.

    Attributes:
        number: Its place among all tasks.
        task: What it is.
        began: When the service accepted it.
        known: When that was known.
        alive_at: Age at which it was last seen running.
        gap: Seconds between its last two polls.
        wish: See `PollRate`.
    """

    number: int
    task: Task
    began: float
    known: float
    alive_at: float = NEVER
    gap: float = 0.0
    wish: float = 0.0


@define
class Loop:
    """What users write: sleep, ask, sleep again. The sleep begins when the answer is there.

    Attributes:
        interval: Seconds of the first sleep.
        growth: Factor from one sleep to the next.
        most: Longest sleep.
    """

    interval: float
    growth: float = 1.0
    most: float = 3600.0

    def accepted(self, running: Running, *, waiters: bool) -> float:  # noqa: ARG002
        running.gap = self.interval
        return running.known + running.gap

    def alive(self, running: Running, asked: float, now: float, *, waiters: bool) -> float:  # noqa: ARG002
        running.gap = min(self.most, running.gap * self.growth)
        return now + running.gap

    def ended(self, running: Running, now: float) -> None: ...


@define
class Session:
    """A policy with what a session knows: durations learned, waiters, the rate of polls.

    Attributes:
        policy: When to look.
        laws: The law of each kind, where it is known beforehand and nothing is learned.
    """

    policy: Polling
    laws: Mapping[Kind, Law] | None = None
    durations: Durations = field(factory=Durations)
    rate: PollRate = field(factory=PollRate)

    @classmethod
    def aiming_at(cls, target_delay: float, laws: Mapping[Kind, Law] | None = None) -> "Session":
        """A session with the default policy but for its target."""
        return cls(PollingPolicy(target_delay=target_delay), laws)

    def accepted(self, running: Running, *, waiters: bool) -> float:
        return self._planned(running, running.known, running.known, waiters=waiters)

    def alive(self, running: Running, asked: float, now: float, *, waiters: bool) -> float:
        if self.laws is None:
            self.durations.alive(running.task.kind, running.alive_at, asked - running.known, now)
        running.alive_at = asked - running.known
        return self._planned(running, asked, now, waiters=waiters)

    def ended(self, running: Running, now: float) -> None:
        running.wish = self.rate.wish(running.wish, None)
        if self.laws is None:
            self.durations.ended(running.task.kind, running.alive_at, running.task.seconds, now)

    def _planned(self, running: Running, asked: float, now: float, *, waiters: bool) -> float:
        kind = running.task.kind
        law = self.durations.law(kind, now) if self.laws is None else self.laws[kind]
        gap = self.policy.delay(
            Look(
                now=asked,
                age=asked - running.known,
                typical=TYPICAL,
                law=law,
                phase=running.number * GOLDEN % 1.0,
                waiters=waiters,
                pressure=self.rate.pressure,
            )
        )
        running.wish = self.rate.wish(running.wish, gap)
        return max(now, asked + gap)


def simulate(draw: Draw, looking: Looking, *, slots: int = 50, tasks: int = 1000, seed: int = 1) -> Figures:
    """Run all tasks through the account and return what it came to."""
    chance = Random(seed)
    waiting = [draw(chance, number / tasks) for number in range(tasks)]
    run = _Run(waiting, looking)
    for _ in range(min(slots, tasks)):
        run.start(0.0, 0.0)
    while run.due:
        run.poll()
    worked = sum(task.seconds for task in waiting)
    return Figures(
        polls=run.polls / tasks,
        delay=fmean(run.delays),
        late=sorted(run.delays)[int(0.95 * tasks)],
        idle=run.idle / (run.idle + worked),
        makespan=run.last / ideal(waiting, slots),
        rate=max(run.seconds.values()),
    )


def ideal(tasks: Sequence[Task], slots: int) -> float:
    """When the last task ends if each starts, in order, the moment a slot is free, and requests take no time."""
    free = [0.0] * slots
    for task in tasks:
        heapq.heapreplace(free, free[0] + task.seconds)
    return max(free)


@define
class _Run:
    waiting: Sequence[Task]
    looking: Looking
    due: list[tuple[float, int, Running]] = field(factory=list[tuple[float, int, Running]])
    started: int = 0
    polls: int = 0
    order: int = 0
    idle: float = 0.0
    last: float = 0.0
    delays: list[float] = field(factory=list[float])
    seconds: dict[int, int] = field(factory=dict[int, int])

    def start(self, now: float, freed: float) -> None:
        """Send the next create; its slot is free since then."""
        running = Running(self.started, self.waiting[self.started], began=now + ROUND_TRIP / 2, known=now + ROUND_TRIP)
        self.started += 1
        self.idle += running.began - freed
        self._push(self.looking.accepted(running, waiters=self._waiters), running)

    def poll(self) -> None:
        """Send the poll that is due first."""
        asked, _, running = heapq.heappop(self.due)
        self.polls += 1
        self.seconds[int(asked)] = self.seconds.get(int(asked), 0) + 1
        now, ends = asked + ROUND_TRIP, running.began + running.task.seconds
        if asked + ROUND_TRIP / 2 < ends:
            self._push(self.looking.alive(running, asked, now, waiters=self._waiters), running)
            return
        self.delays.append(now - ends)
        self.last = max(self.last, now)
        self.looking.ended(running, now)
        if self._waiters:
            self.start(now, ends)

    @property
    def _waiters(self) -> bool:
        return self.started < len(self.waiting)

    def _push(self, moment: float, running: Running) -> None:
        self.order += 1
        heapq.heappush(self.due, (moment, self.order, running))
