"""The jobs of a folder, as a person or a script wants to see them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Literal

from attrs import field, frozen

from seedance_async.core.budget import ZERO
from seedance_async.core.job_notes import JobNotes, read_notes
from seedance_async.core.lifecycle import State
from seedance_async.core.record import Attempt, JobCredits, JobRecord, credits_by_group, credits_of
from seedance_async.core.standing import is_complete, is_expired

JobStatus = Literal[
    "queued", "sending", "running", "done", "not_saved", "expired", "failed", "refused", "withdrawn", "unknown"
]
"""How a job of a folder stands, in the words of `seedance jobs`.

`done`: the file is there. `not_saved`: finished and paid, the file is missing or short. `expired`: the same, and the
service keeps such old files no longer. `unknown`: a create was sent and nobody can tell, or the service does not know
the task any more. The others are the job's own states."""


@frozen
class FolderJob:
    """One job of a folder.

    Attributes:
        key: Its key: what `--only` and `--reroll` take.
        id: The row's `id`, or None.
        line: The line of the row in the file that it was last seen in, or None.
        status: How it stands.
        age: How long ago that began: since it was queued, accepted, or ended.
        task_id: Its newest task, or None where none was accepted.
        credits: What it has cost over all its attempts, or may have; None where nothing was charged.
        file: Where its video is, or is to be, relative to the folder; None where nothing was written down.
        error: Why it failed, was refused or is unknown, or None.
        prompt: What it shows.
        variant_of: The key of the row's first video, for a variant; else None.
        left: Whether no row of its file stands for it any more.
        source: Name of that file, without its folder; empty where it was not written down.
        group: The group that the application gave it; None for that of all jobs without one.
    """

    key: str
    id: str | None
    line: int | None
    status: JobStatus
    age: timedelta
    task_id: str | None
    credits: Decimal | None
    file: PurePosixPath | None
    error: str | None
    prompt: str = field(repr=False)
    variant_of: str | None = None
    left: bool = False
    source: str = ""
    group: str | None = None


@frozen
class FolderJobs:
    """Every job of a folder, in the order in which they were first written down.

    Attributes:
        jobs: The jobs.
        credits: What the folder has cost, over all runs.
        by_group: The same for each group, None for the jobs without one.
    """

    jobs: tuple[FolderJob, ...] = field(repr=False)
    credits: JobCredits
    by_group: Mapping[str | None, JobCredits] = field(factory=dict[str | None, JobCredits])

    @property
    def counts(self) -> dict[JobStatus, int]:
        """The jobs by how they stand; what does not occur is missing."""
        return dict(Counter(job.status for job in self.jobs))


def folder_jobs(records: Iterable[JobRecord], sizes: Mapping[str, int], now: datetime) -> FolderJobs:
    """Describe the jobs of a journal.

    Args:
        records: The journal's.
        sizes: Bytes of the files in the folder, by their relative path with `/`.
        now: The wall clock, in UTC.
    """
    known = list(records)
    jobs = tuple(_job(record, sizes, now) for record in known)
    return FolderJobs(jobs, credits_of(known), credits_by_group(known))


def _job(record: JobRecord, sizes: Mapping[str, int], now: datetime) -> FolderJob:
    notes = read_notes(record)
    prompt: object = record.inputs.get("prompt")
    return FolderJob(
        key=record.key,
        id=notes.id,
        line=notes.line,
        status=_status(record, notes, sizes, now),
        age=max(timedelta(0), now - _since(record)),
        task_id=record.task_id,
        credits=_cost(record),
        file=notes.saved or notes.file,
        error=None if record.error is None else record.error.message,
        prompt=prompt if isinstance(prompt, str) else "",
        variant_of=notes.variant_of,
        left=notes.left,
        source=notes.source,
        group=record.group,
    )


def _status(record: JobRecord, notes: JobNotes, sizes: Mapping[str, int], now: datetime) -> JobStatus:
    match record.state:
        case State.QUEUED:
            return "queued"
        case State.SENDING:
            return "sending"
        case State.RUNNING:
            return "running"
        case State.SUCCEEDED:
            if is_complete(notes, sizes):
                return "done"
            return "expired" if is_expired(record, now) else "not_saved"
        case State.FAILED:
            return "failed"
        case State.REFUSED:
            return "refused"
        case State.WITHDRAWN:
            return "withdrawn"
        case State.UNKNOWN | State.GONE:
            return "unknown"


def _since(record: JobRecord) -> datetime:
    """Return when the state began. Notes change a record too, so its own moment of change is the last choice."""
    last = record.last
    if last is None or record.state is State.QUEUED:
        return record.queued_at
    return last.ended_at or last.closed_at or last.intent_at


def _cost(record: JobRecord) -> Decimal | None:
    if not any(_costs(attempt) for attempt in record.attempts):
        return None
    spent = credits_of([record])
    return spent.used + spent.reserved + spent.maybe or (None if record.credits is None else ZERO)


def _costs(attempt: Attempt) -> bool:
    return attempt.costs and attempt.end != "failed"
