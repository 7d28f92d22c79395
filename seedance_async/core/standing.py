"""How a job of a folder stands, and what is to be done with it.

1. Never accepted (queued, withdrawn, refused for the account's sake): it is submitted.
2. Running: it is watched to its end and saved, whatever the options say, because it is paid for.
3. Finished: nothing, if its file is there in full length; else the file is fetched again, without a create.
4. Failed or refused for its own sake: kept, unless it is to be retried.
5. Unknown, or gone (paid, and the service answers for it no more): kept, unless it is to be resubmitted.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, unique
from typing import Final

from attrs import evolve, field, frozen

from seedance_async.core.budget import ZERO
from seedance_async.core.job_notes import JobNotes, MadeBy, read_notes
from seedance_async.core.lifecycle import State
from seedance_async.core.plan import Plan, PlannedRow
from seedance_async.core.pricing import quote_requests
from seedance_async.core.record import JobCredits, JobRecord
from seedance_async.core.run_options import RetryFailed, RunOptions

#: How long the service keeps finished videos (contract, section 13).
RETENTION: Final = timedelta(days=14)
#: States in which a key can get other inputs: nothing of it is paid, or it was refunded.
FREE: Final = frozenset({State.QUEUED, State.WITHDRAWN, State.REFUSED, State.FAILED})


@unique
class Standing(Enum):
    """How a job stands at the beginning of a run."""

    NEW = "new"
    """No job of this folder yet."""
    QUEUED = "queued"
    """Written down by an earlier run and never accepted."""
    RUNNING = "running"
    """Its task runs on the service, or did when it was last seen."""
    DONE = "done"
    """Its file is there."""
    MISSING = "missing"
    """It has finished, and its file is not there or too short: it is fetched again."""
    EXPIRED = "expired"
    """The same, and it finished longer ago than the service keeps files; fetching it is tried all the same."""
    FAILED = "failed"
    """It failed or was refused, cost nothing, and is left so."""
    RETRY = "retry"
    """It failed or was refused and gets another attempt."""
    UNKNOWN = "unknown"
    """It may be paid for, nobody can tell, and it is left so."""
    RESUBMIT = "resubmit"
    """The same, and it is sent again all the same."""
    CHANGED = "changed"
    """It runs or has finished with other inputs than the row has now; that video is kept."""
    REDO = "redo"
    """The next variant, for a row that changed."""
    REROLL = "reroll"
    """The next variant, because it was asked for."""
    HELD = "held"
    """It is not submitted this time, because of `limit` or `only`."""


@unique
class Duty(Enum):
    """What a run does with a job."""

    SUBMIT = "submit"
    FOLLOW = "follow"
    FETCH = "fetch"
    NOTHING = "nothing"


@frozen
class JobStanding:
    """One job of a folder, or one that is to be made.

    Attributes:
        row: What it makes: key and file are those of the job.
        standing: How it stands.
        duty: What is done with it.
        record: What the journal has of it; None for a new one.
        notes: The notes of that record.
        made_by: `"redo"` or `"reroll"`, for a variant that no row and no `count` asks for.
        needs_file: Whether another attempt was asked for and cannot be made without the batch file: the journal does
            not keep links that may be signed.
        wanted: For a changed row, what it asks for now.
        older: For a redo, the job that has made the row's video so far.
        superseded: For a job that no row stands for: whether a variant with the row's new inputs took its place.
        elsewhere: For a job that no row stands for: whether it is a row of another batch file.
    """

    row: PlannedRow
    standing: Standing
    duty: Duty
    record: JobRecord | None = field(default=None, repr=False)
    notes: JobNotes = field(factory=JobNotes, repr=False)
    made_by: MadeBy | None = None
    needs_file: bool = False
    wanted: PlannedRow | None = field(default=None, repr=False)
    older: "JobStanding | None" = field(default=None, repr=False)
    superseded: bool = False
    elsewhere: bool = False

    @property
    def submits(self) -> bool:
        """Whether a create is to leave for it."""
        return self.duty is Duty.SUBMIT

    @property
    def is_unfinished(self) -> bool:
        """Whether an earlier run wrote it down and did not bring it to its end."""
        unsaved = self.duty is Duty.FETCH and self.notes.saved is None
        return self.record is not None and (self.standing in {Standing.QUEUED, Standing.RUNNING} or unsaved)

    def held(self) -> "JobStanding":
        """Return how its row stands if it may not be submitted."""
        if self.older is not None:
            return self.older
        without = {Standing.RETRY: Standing.FAILED, Standing.RESUBMIT: Standing.UNKNOWN}
        return evolve(self, standing=without.get(self.standing, Standing.HELD), duty=Duty.NOTHING)


@frozen
class FolderStanding:
    """A plan and a folder, put together.

    Attributes:
        plan: The plan.
        rows: The jobs of its rows in its order, each followed by the variants that were made of it by `reroll`.
        left: Jobs that no row stands for: their row left the file, a newer variant took their place, or they are rows
            of another file. Those that run are watched and saved like the others; nothing is sent for them.
        credits: What the folder has cost so far, over all runs.
        at: When this was found.
        run: Number of this run, for the notes of the jobs that it writes down first.
    """

    plan: Plan = field(repr=False)
    rows: tuple[JobStanding, ...] = field(repr=False)
    left: tuple[JobStanding, ...] = field(repr=False)
    credits: JobCredits
    at: datetime
    run: int = 1

    @property
    def counts(self) -> dict[Standing, int]:
        """The jobs of rows by how they stand; what does not occur is missing."""
        return dict(Counter(job.standing for job in self.rows))

    @property
    def done(self) -> int:
        """How many of them are done here."""
        return self.counts.get(Standing.DONE, 0)

    @property
    def submits(self) -> tuple[JobStanding, ...]:
        """The jobs for which creates are to leave, in the order in which they do."""
        return tuple(job for job in self.rows if job.submits)

    @property
    def follows(self) -> tuple[JobStanding, ...]:
        """The jobs whose task runs, with or without a row."""
        return tuple(job for job in (*self.rows, *self.left) if job.duty is Duty.FOLLOW)

    @property
    def fetches(self) -> tuple[JobStanding, ...]:
        """The finished jobs whose file is to be fetched, with or without a row."""
        return tuple(job for job in (*self.rows, *self.left) if job.duty is Duty.FETCH)

    @property
    def left_rows(self) -> tuple[JobStanding, ...]:
        """The jobs whose row left the file."""
        return tuple(job for job in self.left if not job.superseded and not job.elsewhere)

    @property
    def rows_elsewhere(self) -> tuple[JobStanding, ...]:
        """The jobs of rows of other files."""
        return tuple(job for job in self.left if job.elsewhere)

    @property
    def to_submit(self) -> Plan:
        """The part of the plan that is still to be sent, with its own quote."""
        rows = tuple(job.row for job in self.submits)
        return evolve(self.plan, rows=rows, quote=quote_requests(row.request for row in rows))

    @property
    def spent(self) -> Decimal:
        """Credits that are gone, reserved for tasks that run, or perhaps gone: what a budget has to count."""
        return self.credits.used + self.credits.reserved + self.credits.maybe

    def age(self, job: JobStanding) -> float:
        """Return the seconds since a job's task was accepted; 0 where that was not written down."""
        accepted = None if job.record is None else job.record.accepted_at
        return 0.0 if accepted is None else max(0.0, (self.at - accepted).total_seconds())

    def credits_to_spend(self) -> Decimal:
        """Return the list price of what is still to be sent; what has no price is not counted."""
        return sum((job.row.request.credits or ZERO for job in self.submits), ZERO)


@frozen
class Judge:
    """Judges one job after the other by the rules at the top.

    Attributes:
        sizes: Bytes of the files that are there, by their path relative to the folder.
        options: What the user wants.
        now: The wall clock, for what the service keeps no longer.
    """

    sizes: Mapping[str, int]
    options: RunOptions
    now: datetime

    def judge(self, record: JobRecord, notes: JobNotes | None = None) -> tuple[Standing, Duty]:
        """Say how a job stands, and what is to be done with it."""
        match record.state:
            case State.QUEUED | State.WITHDRAWN:
                return Standing.QUEUED, Duty.SUBMIT
            case State.RUNNING:
                return Standing.RUNNING, Duty.FOLLOW
            case State.SUCCEEDED:
                return self._finished(record, read_notes(record) if notes is None else notes)
            case State.UNKNOWN | State.SENDING | State.GONE:
                if self.options.resubmit_unknown:
                    return Standing.RESUBMIT, Duty.SUBMIT
                return Standing.UNKNOWN, Duty.NOTHING
            case State.REFUSED if is_sent_unasked(record):
                return Standing.QUEUED, Duty.SUBMIT
            case State.REFUSED | State.FAILED:
                if is_retried(record, self.options.retry_failed):
                    return Standing.RETRY, Duty.SUBMIT
                return Standing.FAILED, Duty.NOTHING

    def _finished(self, record: JobRecord, notes: JobNotes) -> tuple[Standing, Duty]:
        if is_complete(notes, self.sizes):
            return Standing.DONE, Duty.NOTHING
        return Standing.EXPIRED if is_expired(record, self.now) else Standing.MISSING, Duty.FETCH


def is_complete(notes: JobNotes, sizes: Mapping[str, int]) -> bool:
    """Whether the file of a finished job is there in full length."""
    if notes.saved is None or notes.bytes is None:
        return False
    size = sizes.get(notes.saved.as_posix())
    return size is not None and size >= notes.bytes


def is_expired(record: JobRecord, now: datetime) -> bool:
    """Whether a finished job is older than the service keeps its files."""
    ended = None if record.result is None else record.result.completed_at
    if ended is None and record.last is not None:
        ended = record.last.ended_at
    return ended is not None and now - ended > RETENTION


#: Refusals that say nothing of the job: the key, the account, the budget, a service that was not reached.
_OTHERS_FAULT: Final = frozenset(
    {
        "AuthenticationError",
        "BudgetExceededError",
        "ConfigurationError",
        "ConnectionFailedError",
        "InsufficientCreditsError",
        "JournalError",
        "PermissionDeniedError",
        "SessionClosedError",
        "SlotTimeoutError",
        "WithdrawnError",
    }
)
_MAY_COME_OUT_DIFFERENTLY: Final = frozenset({"server", "reference", "unknown"})


def is_sent_unasked(record: JobRecord | None) -> bool:
    """Whether the next run sends a job by itself: it was never accepted, and nothing was found wrong with it."""
    if record is None or record.state in {State.QUEUED, State.WITHDRAWN}:
        return True
    return record.state is State.REFUSED and (record.error is None or record.error.type in _OTHERS_FAULT)


def is_retried(record: JobRecord, retry: RetryFailed) -> bool:
    """Whether a job that failed, or was refused for its own sake, gets another attempt."""
    error = record.error
    if retry != "again" or error is None:
        return retry != "no"
    if record.state is State.FAILED:
        return error.kind is None or error.kind in _MAY_COME_OUT_DIFFERENTLY
    return error.status is not None and error.status >= 500
