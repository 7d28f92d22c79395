"""Where the videos of jobs go, when a folder holds videos already.

1. A job that was accepted keeps the file that was planned for it: what comes of it may be there already.
2. A job that is still to be sent goes where its row says. If the file of another job of the folder has that name, a
   name that follows from data gets a mark, and a name that the row's author wrote is a problem.
3. The names of jobs whose file was taken away, and that no row stands for, are free again.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from attrs import evolve

from seedance_async.core.families import Member
from seedance_async.core.lifecycle import State
from seedance_async.core.row_files import numbered
from seedance_async.core.rows import where
from seedance_async.core.standing import JobStanding
from seedance_async.errors import Problem

_MARK_DIGITS = 6


def give_files(
    name: str, jobs: Sequence[JobStanding], members: Iterable[Member], sizes: Mapping[str, int]
) -> tuple[tuple[JobStanding, ...], list[Problem]]:
    """Give each job that is to be sent a file that is no other job's.

    Args:
        name: How messages call the batch file.
        jobs: The jobs of the rows, in order.
        members: Every job of the folder.
        sizes: Bytes of the files that are there, by relative path.

    Returns:
        The jobs with their files, and what is wrong.
    """
    sent = {job.row.key for job in jobs if job.submits}
    taken: dict[str, str] = {}
    for job in jobs:
        if not job.submits and job.record is not None and job.record.state in _PAID:
            taken[_folded(job)] = job.row.key
    for member in members:
        file = member.notes.saved or member.notes.file
        if file is not None and member.key not in sent and _keeps(member, sizes):
            taken.setdefault(file.as_posix().casefold(), member.key)
    given: list[JobStanding] = []
    problems: list[Problem] = []
    for job in jobs:
        if job.submits and _folded(job) in taken:
            if job.row.own_name:
                other = taken[_folded(job)]
                message = f"{job.row.file} is the file of another video of this folder ({other}); give it another name"
                problems.append(Problem(where(name, job.row.line, "output"), message))
            mark = sha256(job.row.key.encode()).hexdigest()[:_MARK_DIGITS]
            job = evolve(job, row=evolve(job.row, file=numbered(job.row.file, mark)))  # noqa: PLW2901
        if job.submits:
            taken[_folded(job)] = job.row.key
        given.append(job)
    return tuple(given), problems


_PAID = frozenset({State.RUNNING, State.SUCCEEDED})


def _keeps(member: Member, sizes: Mapping[str, int]) -> bool:
    """Whether a job's file is there or on its way."""
    saved = member.notes.saved
    if member.record.state is State.SUCCEEDED and saved is not None:
        return saved.as_posix() in sizes
    return member.record.state in _PAID


def _folded(job: JobStanding) -> str:
    return job.row.file.as_posix().casefold()
