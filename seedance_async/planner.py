"""The planner: when each running task is looked at next, and what a session learns from looking."""

import asyncio
import logging
import math
from collections.abc import Iterable
from typing import Final

from attrs import define, field

from seedance_async.clock import wall_now
from seedance_async.core.arrivals import Arrivals, spaced
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.durations import Durations
from seedance_async.core.kinds import Kind, kind_of, seconds_taken
from seedance_async.core.poll_rate import PollRate
from seedance_async.core.polling import Look, Polling, PollingPolicy
from seedance_async.core.recalled import recall
from seedance_async.core.record import JobRecord
from seedance_async.core.results import TaskSnapshot
from seedance_async.job import Job
from seedance_async.register import Register

logger = logging.getLogger("seedance_async")

#: Multiples of the golden section, without their whole part, are spread evenly however many there are.
_GOLDEN: Final = 0.6180339887498949
#: The slot of a create whose outcome is unknown is kept for as long as so many of such tasks take. If its task still
#: runs then, the next create is refused, which costs nothing; until then the slot may stand empty.
_MOST_HAVE_ENDED: Final = 0.75
#: Ends from which on what was learned of a kind counts for this.
_KNOWN: Final = 3.0

#: A task that was attached may be so many seconds old; more is a clock that is wrong.
_OLDEST: Final = 86400.0


@define(eq=False)
class Planner:
    """Asks the policies of one session, and learns how long its tasks take.

    Attributes:
        polling: The session's own policy: its `prior` and `max_rate` hold for the session.
    """

    register: Register
    polling: Polling
    durations: Durations = field(init=False)
    rate: PollRate = field(init=False)
    arrivals: Arrivals = field(init=False, factory=Arrivals)
    _begun: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        policy = self.polling if isinstance(self.polling, PollingPolicy) else None
        self.durations = Durations() if policy is None else Durations(policy.prior)
        self.rate = PollRate() if policy is None else PollRate(policy.max_rate)

    def recall(self, records: Iterable[JobRecord], catalogue: Catalogue) -> None:
        """Begin with what the jobs of a journal took."""
        recall(self.durations, records, catalogue, self.register.now())

    def begins(self, job: Job) -> None:
        """Prepare to look at a job for the first time."""
        self._begun += 1
        job.phase = self._begun * _GOLDEN % 1.0
        job.kind = Kind("", "", job.typical) if job.request is None else kind_of(job.request)
        job.asked_at = self.register.now()

    def wish(self, job: Job) -> float:
        """Return the seconds from its last poll until a job's policy wants the next.

        A policy of the user's that fails or answers nonsense is replaced for this job.
        """
        assert job.kind is not None
        look = Look(
            now=job.asked_at,
            age=max(0.0, job.asked_at - job.accepted_at),
            typical=job.typical,
            law=self.durations.law(job.kind, job.asked_at),
            phase=job.phase,
            waiters=len(self.register.unsettled) > self.register.on_wire,
            pressure=self.rate.pressure,
        )
        try:
            delay = float(self._delay(job, look))
        # Nothing is awaited here: a cancellation is the policy's own, of something it has asked for.
        except (Exception, asyncio.CancelledError):
            logger.exception("the polling policy of job %s failed; the default one takes over", job.key)
            delay = math.nan
        if not math.isfinite(delay):
            job.polling = PollingPolicy()
            delay = self._delay(job, look)
        return delay

    def _delay(self, job: Job, look: Look) -> float:
        # Once a delivery has come there is none to wait for any more.
        if job.callback is None or job.callback.heard_at is not None:
            return job.polling.delay(look)
        return spaced(job.polling, look, self.arrivals.spacing(self.register.now()))

    def usual(self, job: Job) -> float:
        """Return the seconds after which most tasks like a job's have ended: as learned, or the catalogue's figure."""
        if job.request is None:
            return job.typical
        law = self.durations.law(kind_of(job.request), self.register.now())
        return law.age_when_ended(_MOST_HAVE_ENDED) if law.tasks >= _KNOWN else job.typical

    def planned(self, job: Job, moment: float) -> float:
        """Note when a job is looked at next by its policy's wish, and return it."""
        yields = isinstance(job.polling, PollingPolicy) and not job.waits_over
        job.wish = self.rate.wish(job.wish, moment - job.asked_at, yields=yields)
        return moment

    def alive(self, job: Job, snapshot: TaskSnapshot) -> None:
        """Learn that a task still runs."""
        if job.request is None:
            self._find_age(job, snapshot)
            return
        assert job.kind is not None
        age = job.asked_at - job.accepted_at
        self.durations.alive(job.kind, job.alive_at, age, self.register.now())
        job.alive_at = max(job.alive_at, age)

    def ended(self, job: Job, snapshot: TaskSnapshot) -> float | None:
        """Learn that a task has ended. How long those took that somebody else created is not learned.

        Returns:
            When it ended, in the loop's time; None where that is not known.
        """
        if job.request is None or job.kind is None:
            return None
        moment = self._learn_end(job, snapshot)
        if job.callback is not None and job.task_id is not None:
            now, heard_at = self.register.now(), job.callback.heard_at
            self.arrivals.ended(job.task_id, moment, now, heard_at=heard_at)
        return moment

    def _learn_end(self, job: Job, snapshot: TaskSnapshot) -> float:
        assert job.kind is not None
        age = self.register.now() - job.accepted_at
        seconds = seconds_taken(snapshot.created_at, snapshot.completed_at, job.alive_at, age)
        self.durations.ended(job.kind, job.alive_at, seconds, self.register.now())
        return job.accepted_at + seconds

    def over(self, job: Job) -> None:
        """Note that a job is not looked at any more."""
        job.wish = self.rate.wish(job.wish, None)

    def _find_age(self, job: Job, snapshot: TaskSnapshot) -> None:
        """Take the age of a task that was attached by its id from the service, as far as both clocks agree."""
        if snapshot.created_at is not None and job.alive_at < 0.0:
            age = (wall_now() - snapshot.created_at).total_seconds()
            if 0.0 <= age <= _OLDEST:
                job.accepted_at = min(job.accepted_at, self.register.now() - age)
            job.alive_at = job.asked_at - job.accepted_at
