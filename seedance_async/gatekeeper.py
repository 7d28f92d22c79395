"""The gatekeeper: the gate of the core, and what a session does while it is closed."""

import asyncio
import logging
import math
from contextlib import suppress
from itertools import takewhile

from attrs import define, field

from seedance_async.clock import Alarm
from seedance_async.core.answers import Cause
from seedance_async.core.gate import Gate
from seedance_async.core.lifecycle import Event, State
from seedance_async.core.outcome import Accepted, NotSent, Outcome, Rejected, Unknown
from seedance_async.core.retry import Rand, RetryPolicy
from seedance_async.errors import ConcurrencyLimitError, ConnectionFailedError
from seedance_async.events import GateClosed, GateOpened
from seedance_async.job import Job
from seedance_async.register import Register

logger = logging.getLogger("seedance_async")


@define(eq=False)
class Gatekeeper:
    """Closes and opens the gate of one session.

    Attributes:
        poller_alarm: Rung, like the register's, whenever the gate changes: probes are the poller's.
    """

    register: Register
    retry: RetryPolicy
    rand: Rand
    gate: Gate = field(init=False, factory=Gate)
    poller_alarm: Alarm = field(init=False, factory=Alarm)
    _closed_at: float = field(init=False, default=0.0)
    _opened: asyncio.Event = field(init=False, factory=asyncio.Event)
    _closing: asyncio.Event = field(init=False, factory=asyncio.Event)

    async def pause(self, job: Job, delay: float) -> bool:
        """Wait so many seconds, and until the gate is open.

        Returns:
            Whether the job is still to be sent: somebody wants it, and it has not waited too long for the service.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._closing.wait()
        while not self.gate.is_open and not self._closing.is_set():
            until = self._gives_up_at(job)
            if self.register.now() >= until:
                return False
            try:
                async with asyncio.timeout_at(None if until == math.inf else until):
                    await self._opened.wait()
            except TimeoutError:
                pass
        return job.claims > 0 and not self._closing.is_set()

    async def settle(self, delay: float) -> None:
        """Wait so many seconds, and until the gate is open, or until the session closes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._closing.wait()
        while not self.gate.is_open and not self._closing.is_set():
            await self._opened.wait()

    def close(self) -> None:
        """Let nothing wait for the gate any more: the session closes."""
        self._closing.set()
        self._opened.set()
        self._opened.clear()

    def heard_create(self, job: Job, outcome: Outcome) -> None:
        """Learn from a create."""
        now = self.register.now()
        match outcome:
            case Accepted():
                self._say_opened(self.gate.create_settled())
            case Rejected(error=error) if error.body is None and not isinstance(error, ConcurrencyLimitError):
                # A page of something in front of the service, which knows neither keys nor inputs.
                self._say_closed(self.gate.create_failed(str(error), now, self.rand))
            case Rejected():
                self._say_opened(self.gate.create_settled())
            case NotSent(cause=cause):
                self._say_closed(self.gate.create_unreached(str(cause), now, self.rand))
            case Unknown(cause=cause):
                closed = self.gate.create_lost(str(cause), now, self.rand)
                if cause.type_name.startswith("HTTP 5"):
                    closed = self.gate.create_failed(str(cause), now, self.rand) or closed
                self._say_closed(closed)
                logger.warning("the create of job %s has an unknown outcome: %s", job.key, cause)

    def heard_answer(self) -> None:
        """Learn from a proper answer to a poll or probe."""
        self._say_opened(self.gate.answered(self.register.now()))

    def heard_no_upload(self, reason: str) -> None:
        """Learn that there is no place for a file: it counts only where the service was never reached at all.

        Otherwise it may be the matter of uploads alone, which must not hold up jobs that need none.
        """
        if not self.gate.contacted:
            self._say_closed(self.gate.create_unreached(reason, self.register.now(), self.rand))

    def heard_nothing(self, cause: Cause) -> None:
        """Learn from a poll or probe without a proper answer."""
        self._say_closed(self.gate.poll_missed(str(cause), self.register.now(), self.rand))

    def give_up_impatient(self) -> None:
        """End the jobs that have waited too long for the service."""
        gate, now = self.gate, self.register.now()
        if gate.closed_at is None:
            return
        reason = gate.reason or "no answer"
        if not gate.contacted and now >= gate.closed_at + self.retry.first_contact:
            for job in [job for job in self.register.running if not job.settled]:
                self.register.end_wait(job, ConnectionFailedError(reason))
        jobs = self.register.impatient if gate.contacted else self.register.unsettled
        for job in list(takewhile(lambda job: self._gives_up_at(job) <= now, jobs)):
            if job.state is State.QUEUED:
                self.register.end_unsent(job, Event.REFUSED, ConnectionFailedError(reason))

    def next_moment(self) -> float | None:
        """Return when the next job may give up, while the gate is closed."""
        if self.gate.closed_at is None:
            return None
        if not self.gate.contacted and any(not job.settled for job in self.register.running):
            return self.gate.closed_at + self.retry.first_contact
        jobs = self.register.impatient if self.gate.contacted else self.register.unsettled
        # In the order in which they came, so the first one that waits is the next. Those on the wire are few.
        first = next((job for job in jobs if job.state is State.QUEUED), None)
        return None if first is None else self._gives_up_at(first)

    def _gives_up_at(self, job: Job) -> float:
        """Return the loop time at which a job has waited long enough for a closed gate; infinite for a patient one."""
        closed_at = self.gate.closed_at or 0.0
        if not self.gate.contacted:
            # Never reached at all: a wrong host or no network, which waiting does not mend. Everybody is told.
            return closed_at + self.retry.first_contact
        return math.inf if job.patient else max(closed_at, job.enqueued_at) + self.retry.give_up_after

    def _say_opened(self, changed: bool) -> None:  # noqa: FBT001 (the gate's answer, passed on)
        if changed:
            self._opened.set()
            self._opened.clear()
            logger.info("the service answers again")
            self.register.hooks.call(GateOpened(self.register.now() - self._closed_at))
            self._ring()

    def _say_closed(self, changed: bool) -> None:  # noqa: FBT001 (the gate's answer, passed on)
        if changed:
            reason, self._closed_at = self.gate.reason or "", self.register.now()
            logger.warning("no create leaves for now: %s", reason)
            self.register.hooks.call(GateClosed(reason))
            self._ring()

    def _ring(self) -> None:
        self.register.alarm.ring()
        self.poller_alarm.ring()
