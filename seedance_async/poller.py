"""The poller: one heap of due times for all tasks of a session.

1. A task has at most one poll in flight, and a session at most `MOST_IN_FLIGHT`.
2. A task whose wait is over is watched on, slowly.
3. All tasks together are polled at most as often as the session's policy allows.
4. A delivery brings a poll forward, see `core.haste`; all of them together at most `MOST_HURRIED` a second.
5. While the gate is closed one poll at a time leaves as a probe: of the task that is due first or, where no task
   runs, of one that does not exist, which costs nothing and gets a 404 from a service that works. Other polls pause
   where they would fail as well.
"""

import asyncio
import heapq
from contextvars import Context
from typing import Final

from attrs import define, field

from seedance_async.core.answers import Answer, Cause, Reply
from seedance_async.core.retry import Rand
from seedance_async.core.turns import Turns
from seedance_async.errors import ConfigurationError
from seedance_async.events import PollEnded
from seedance_async.gatekeeper import Gatekeeper
from seedance_async.job import Job
from seedance_async.planner import Planner
from seedance_async.register import Register
from seedance_async.transport import Transport
from seedance_async.watch import Watch

MOST_IN_FLIGHT: Final = 24

#: Seconds between two polls of a task that nobody waits for any more, at first and once its slot was given up.
_SLOW: Final = 60.0
_SLOWEST: Final = 600.0

#: Least seconds between two polls of one task, whatever a policy of the user's wishes. The first may leave at once.
_LEAST: Final = 0.01

#: Most polls per second that deliveries bring forward, of all tasks together.
MOST_HURRIED: Final = 50.0

_NO_TASK: Final = "task_000000000000000000000000"


@define(eq=False)
class Poller:
    """Asks for the tasks of one session."""

    register: Register
    gatekeeper: Gatekeeper
    planner: Planner
    transport: Transport
    watch: Watch
    rand: Rand
    _hurried: Turns = field(init=False, factory=lambda: Turns(MOST_HURRIED))
    _heap: list[tuple[float, int, Job]] = field(init=False, factory=list[tuple[float, int, Job]])
    _entries: int = field(init=False, default=0)
    _in_flight: set[Job] = field(init=False, factory=set[Job])
    _flights: set[asyncio.Task[None]] = field(init=False, factory=set[asyncio.Task[None]])
    _crash: BaseException | None = field(init=False, default=None)

    def add(self, job: Job) -> None:
        """Begin to poll a job whose task was accepted."""
        self.planner.begins(job)
        moment = self._in_time(job, job.asked_at + max(0.0, self.planner.wish(job)), job.asked_at)
        self._plan(job, self.planner.planned(job, moment))

    def look_now(self, job: Job) -> None:
        """Poll a job at once, or as soon as there is room."""
        if job.kind is None:
            self.planner.begins(job)
        self._plan(job, self.register.now())

    def hasten(self, job: Job, moment: float) -> None:
        """Poll a job at a moment, or as soon after it as there is room for what deliveries ask for."""
        if job in self.register.running and not self._looks_by(job, moment):
            moment = self._hurried.free_at(moment)
            # A place within the rate is taken only where it brings the poll forward.
            if not self._looks_by(job, moment):
                self._hurried.take(moment, self.register.now())
                self._plan(job, moment)

    async def run(self) -> None:
        """Poll, for as long as the session lives."""
        gate = self.gatekeeper.gate
        try:
            while True:
                if self._crash is not None:
                    raise self._crash
                if not gate.polls_pause:
                    self._poll_due()
                self._probe_if_due()
                await self.gatekeeper.poller_alarm.wait_until(self._next_moment())
        finally:
            flights = list(self._flights)
            for flight in flights:
                flight.cancel()
            if flights:
                await asyncio.wait(flights)

    def _plan(self, job: Job, moment: float) -> None:
        job.due = moment
        self._entries += 1
        # The count keeps the order of those due together and spares the heap a comparison of jobs.
        heapq.heappush(self._heap, (job.due, self._entries, job))
        if self._heap[0][2] is job:
            self.gatekeeper.poller_alarm.ring()

    def _looks_by(self, job: Job, moment: float) -> bool:
        """Whether a poll of a job is planned by a moment, or one in flight leads to the next decision about it."""
        return job in self._in_flight or 0.0 <= job.due <= moment

    def _next_job(self, until: float) -> Job | None:
        """Take the job that is due first, if it is due by then."""
        while self._heap and self._heap[0][0] <= until:
            due, _, job = heapq.heappop(self._heap)
            if job.due != due or job not in self.register.running:
                continue
            job.due = -1.0
            # One that is on its way already is planned anew when it is back.
            if job not in self._in_flight:
                return job
        return None

    def _poll_due(self) -> None:
        now, rate = self.register.now(), self.planner.rate
        while len(self._flights) < MOST_IN_FLIGHT and rate.free_at() <= now:
            job = self._next_job(now)
            if job is None:
                return
            rate.left(now)
            self._fly(job)

    def _probe_if_due(self) -> None:
        gate = self.gatekeeper.gate
        due = gate.probe_at is not None and gate.probe_at <= self.register.now()
        # What left before the outage counts as a probe: there is one at a time.
        if due and not (gate.polls_pause and self._flights):
            gate.probe_started()
            self._fly(self._next_job(float("inf")))

    def _next_moment(self) -> float | None:
        gate = self.gatekeeper.gate
        moments: list[float] = []
        if self._heap and not gate.polls_pause and len(self._flights) < MOST_IN_FLIGHT:
            moments.append(max(self._heap[0][0], self.planner.rate.free_at()))
        if gate.probe_at is not None and not (gate.polls_pause and self._flights):
            moments.append(gate.probe_at)
        return min(moments, default=None)

    def _fly(self, job: Job | None) -> None:
        if job is not None:
            self._in_flight.add(job)
            job.asked_at = self.register.now()
        flight = asyncio.get_running_loop().create_task(self._flight(job), context=Context())
        self._flights.add(flight)

    async def _flight(self, job: Job | None) -> None:
        try:
            await self._poll(job)
        except Exception as error:  # noqa: BLE001 (a mistake of this package: whoever runs the poller raises it)
            self._crash = error
        finally:
            flight = asyncio.current_task()
            assert flight is not None
            # Rung where something waited for the landing: room, a probe, a crash. Most land unnoticed.
            if len(self._flights) >= MOST_IN_FLIGHT or not self.gatekeeper.gate.is_open or self._crash is not None:
                self.gatekeeper.poller_alarm.ring()
            self._flights.discard(flight)

    async def _poll(self, job: Job | None) -> None:
        self.register.counts.polls += 1
        if job is None:
            left = self.register.now()
            reply = await self.transport.poll(_NO_TASK)
            self._tell(None, reply, left)
            if isinstance(reply, Answer) and reply.proper:
                self.gatekeeper.heard_answer()
            else:
                cause = Cause(f"HTTP {reply.status}", "no proper answer") if isinstance(reply, Answer) else reply.cause
                self.gatekeeper.heard_nothing(cause)
            return
        assert job.task_id is not None
        if job.haste is not None:
            job.haste.told = False
        try:
            left = job.asked_at
            reply = await self.transport.poll(job.task_id)
            self._tell(job, reply, left)
            self._look_at_http_session()
            with self.register.hooks.held():
                goes_on = self.watch.heard(job, reply)
        finally:
            self._in_flight.discard(job)
        if goes_on:
            self._plan(job, self._next_look(job))
        else:
            self.planner.over(job)

    def _tell(self, job: Job | None, reply: Reply, left: float) -> None:
        if self.register.hooks:
            if job is not None and job.noting:
                # Somebody looked before its id was written down; it is told before what was seen of it.
                self.register.tell_accepted(job)
            key, task_id = (None, None) if job is None else (job.key, job.task_id)
            status = reply.status if isinstance(reply, Answer) else None
            self.register.hooks.call(PollEnded(key, task_id, status, self.register.now() - left))

    def _next_look(self, job: Job) -> float:
        now = self.register.now()
        # What deliveries ask for is a poll out of turn, and no lasting wish.
        moment = self.planner.planned(job, self._next_by_policy(job, now))
        if job.haste is None:
            return moment
        # Also where the wait is over. A poll that failed has not answered what the delivery asks.
        hurried = job.haste.in_vain(now, job.asked_at) if job.haste.told else job.haste.missed(now)
        if hurried is None or hurried >= moment:
            return moment
        hurried = self._hurried.free_at(hurried)
        if hurried < moment:
            self._hurried.take(hurried, now)
        return min(moment, hurried)

    def _next_by_policy(self, job: Job, now: float) -> float:
        if job.waits_over:
            slow = _SLOW if job.slot_until != float("inf") else _SLOWEST
            return now + slow * (0.8 + 0.4 * self.rand())
        wish = max(_LEAST, self.planner.wish(job))
        # Counted from when the last one left, so that the time of an answer does not add to every gap. A service that
        # takes long to answer is not asked again at once all the same.
        moment = max(job.asked_at + wish, now + wish / 4.0)
        if job.misses:
            # A task of which polls fail is asked more rarely: the budget of failures lasts minutes, not seconds.
            moment = max(moment, now + min(30.0, 1.5**job.misses))
        return self._in_time(job, moment, now)

    def _in_time(self, job: Job, moment: float, now: float) -> float:
        """Let no policy look past the deadline: a wait ends at the first answer after it."""
        return min(moment, job.deadline if job.deadline > now else now + _SLOW)

    def _look_at_http_session(self) -> None:
        if self.transport.given is not None and self.transport.given.closed:
            # No poll can ever succeed again; waiting as in an outage would be waiting for ever.
            reason = "the http_session that was given to the session is closed; close it after the session"
            self.register.end_everything(ConfigurationError(reason))
