"""What a run writes into the journal besides what the session does: its rows before the first create, and their rest.

1. Before the first create leaves, every row that is to be sent is in the journal as queued, with its file, line, `id`
   and carried columns, in one transaction: what is interrupted goes on without the batch file.
2. So is the budget of the run, "none" included: going on without the file keeps to it. Where these rows do not tell
   it, it is a note of the folder.
3. Jobs that no row of their file stands for any more are marked, so that going on without it does not send them.
4. Rows that were not sent when the run ends are queued again, whatever took them back.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from seedance_async.core.job_notes import last_run_of, note_of_run, notes_for, read_notes
from seedance_async.core.run_options import RunOptions
from seedance_async.core.standing import FolderStanding, JobStanding, Standing
from seedance_async.journal.book import JobBook, PlannedJob


async def write_down(book: JobBook, standing: FolderStanding, options: RunOptions) -> None:
    """Write down what the run is about to do (rules 1 to 3).

    Raises:
        JournalError: It is perhaps not written; nothing must be sent.
    """
    await book.plan(planned(standing.submits, standing, options))
    marks: list[tuple[str, Mapping[str, Any]]] = []
    marks += [(job.row.key, {"left": True}) for job in standing.left if not job.elsewhere and not job.notes.left]
    marks += [(job.row.key, {"left": None}) for job in standing.rows if not job.submits and job.notes.left]
    records = book.jobs()
    # What this run writes down first may tell it already.
    if records and last_run_of(read_notes(record) for record in records).budget != options.budget:
        marks.append((records[0].key, note_of_run(standing.run, options.budget)))
    await asyncio.gather(*(book.note(key, **notes) for key, notes in marks))


def planned(jobs: Iterable[JobStanding], standing: FolderStanding, options: RunOptions) -> list[PlannedJob]:
    """Return jobs as the journal takes them."""
    return [
        PlannedJob(
            job.row.key,
            job.row.request,
            notes_for(job.row, made_by=job.made_by, run=_run(job, standing), budget=options.budget),
        )
        for job in jobs
    ]


def _run(job: JobStanding, standing: FolderStanding) -> int:
    """Return the run that asked for a job: a job that is gone on with stays with the run that wrote it down."""
    return job.notes.run if job.standing is Standing.QUEUED and job.notes.run else standing.run
