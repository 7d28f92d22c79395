"""What the parts of a session have to say to its journal: one call for each event of a job.

Without a journal every call does nothing. The order of the calls is the order of the events; only `intend` and
`durable` wait.
"""

from attrs import define

from seedance_async.core.lifecycle import Event, State
from seedance_async.core.outcome import Outcome, Unknown
from seedance_async.core.record import AttemptOutcome
from seedance_async.core.record_errors import record_error
from seedance_async.core.record_results import record_result
from seedance_async.core.record_steps import closed, ended, intended, named, resolved, superseded, wanted
from seedance_async.core.results import VideoResult
from seedance_async.errors import SeedanceError
from seedance_async.job import Job
from seedance_async.journal.keeper import Keeper


@define(eq=False)
class Entries:
    """Writes down what happens to the jobs of one session.

    Attributes:
        keeper: Where to; None without a journal.
    """

    keeper: Keeper | None = None

    def queued(self, job: Job) -> None:
        """Note that a job was queued: a new one, or another attempt at a key."""
        if self.keeper is None:
            return
        request = job.request
        assert request is not None
        job.journalled = True
        known = self.keeper.records.get(job.key)
        record = wanted(known, job.key, request, self.keeper.wall(), group=job.group)
        if record is not known:
            self.keeper.put(record)

    def named(self, job: Job) -> None:
        """Note what the local files of a queued job hold, now that they were read."""
        if self.keeper is not None and job.journalled:
            assert job.request is not None
            record = named(self.keeper.records[job.key], job.request, self.keeper.wall())
            self.keeper.put(record)

    async def intend(self, job: Job) -> None:
        """Write down that a create of the job is about to leave.

        Raises:
            JournalError: It is perhaps not written: the create must not leave.
        """
        if self.keeper is not None and job.journalled:
            self.keeper.put(intended(self.keeper.records[job.key], self.keeper.wall()))
            await self.keeper.durable()

    def superseded(self, job: Job, outcome: Outcome) -> None:
        """Note the end of a create that another of the same job follows at once; `intend` makes it durable."""
        if self.keeper is None or not job.journalled:
            return
        record, now = self.keeper.records[job.key], self.keeper.wall()
        if isinstance(outcome, Unknown):
            record = superseded(record, "unknown", now, str(outcome.cause))
        else:
            record = superseded(record, "refused", now, "sent again with the duration in its other form")
        self.keeper.put(record)

    def accepted(self, job: Job) -> None:
        """Note that the job's task was accepted."""
        if self.keeper is not None and job.journalled:
            record, now = self.keeper.records[job.key], self.keeper.wall()
            self.keeper.put(closed(record, Event.ACCEPTED, now, task_id=job.task_id))

    def resolved(self, job: Job) -> None:
        """Note that the task id of an unknown job was learned after all."""
        if self.keeper is not None and job.journalled:
            assert job.task_id is not None
            self.keeper.put(resolved(self.keeper.records[job.key], job.task_id, self.keeper.wall()))

    def back(self, job: Job, event: Event) -> None:
        """Note that the job is back in the queue: its create was not sent, or refused with 429."""
        if self.keeper is not None and job.journalled:
            self.keeper.put(closed(self.keeper.records[job.key], event, self.keeper.wall()))

    def lost(self, job: Job, error: SeedanceError) -> None:
        """Note that the outcome of the job's create is unknown."""
        self._closed(job, Event.LOST, error)

    def unsent(self, job: Job, event: Event, error: SeedanceError) -> None:
        """Note that the job ended without a task: `event` is `REFUSED`, `WITHDRAWN`, or `LOST` after a 500."""
        # What makes such a job unknown is an earlier create; the newest one was refused.
        self._closed(job, event, error, "refused" if event is Event.LOST else None)

    def left(self, job: Job) -> None:
        """Note that the job ends with the session, or because its intent cannot be written: it stays queued."""
        if self.keeper is not None and job.journalled:
            record = self.keeper.records[job.key]
            if record.state is State.SENDING:
                self.keeper.put(closed(record, Event.NOT_SENT, self.keeper.wall()))

    def succeeded(self, job: Job, result: VideoResult) -> None:
        """Note that the task made its video."""
        if self.keeper is not None and job.journalled:
            record, now = self.keeper.records[job.key], self.keeper.wall()
            # One whose link was not kept runs once more in this session, and not in the journal.
            if record.state is State.RUNNING:
                what = record_result(result)
                self.keeper.put(ended(record, Event.SUCCEEDED, now, credits_used=result.credits_used, result=what))

    def ended(self, job: Job, event: Event, error: SeedanceError) -> None:
        """Note that the task failed, or that the service answers for it no more."""
        if self.keeper is not None and job.journalled:
            record, now = self.keeper.records[job.key], self.keeper.wall()
            if record.state is State.RUNNING:
                self.keeper.put(ended(record, event, now, error=record_error(error)))

    async def durable(self) -> None:
        """Wait until everything that was noted is durable.

        Raises:
            JournalError: It is perhaps not.
        """
        if self.keeper is not None:
            await self.keeper.durable()

    def digest(self, job: Job) -> str | None:
        """Return the name of a job's inputs; None for an attached task."""
        if self.keeper is not None and job.journalled:
            return self.keeper.records[job.key].digest
        return None if job.request is None else job.request.digest

    def _closed(self, job: Job, event: Event, error: SeedanceError, outcome: AttemptOutcome | None = None) -> None:
        if self.keeper is not None and job.journalled:
            record, now = self.keeper.records[job.key], self.keeper.wall()
            self.keeper.put(closed(record, event, now, outcome=outcome, error=record_error(error)))
