"""Where the videos of jobs go, when a folder holds videos already.

1. A video that is there keeps its name, whatever else was planned.
2. A job that may be paid keeps the file that was planned for it: what comes of it may be there already. That goes for
   unknown ones as well, because their task may turn up. If the name is another job's, its video gets a mark.
3. A job that is still to be sent goes where its row says. If the file of another job of the folder has that name, a
   name that follows from data gets a mark, and a name that the row's author wrote is a problem.
4. The names of jobs whose file was taken away, and that no row stands for, are free again.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import PurePosixPath

from attrs import evolve

from seedance_async.core.lifecycle import State
from seedance_async.core.row_files import numbered
from seedance_async.core.rows import where
from seedance_async.core.standing import Duty, JobStanding, is_complete
from seedance_async.errors import Problem

_MARK_DIGITS = 6
_PAID = frozenset({State.RUNNING, State.SUCCEEDED, State.SENDING, State.UNKNOWN, State.GONE})


def give_files(
    name: str, jobs: Sequence[JobStanding], left: Sequence[JobStanding], sizes: Mapping[str, int]
) -> tuple[tuple[JobStanding, ...], tuple[JobStanding, ...], list[Problem]]:
    """Give each job that has a video to come a file that is no other job's.

    Args:
        name: How messages call the batch file.
        jobs: The jobs of the rows, in order.
        left: The jobs of the folder that no row stands for.
        sizes: Bytes of the files that are there, by relative path.

    Returns:
        The jobs of the rows and the others with their files, and what is wrong.
    """
    taken: dict[str, str] = {}
    for job in (*jobs, *left):
        if _is_there(job, sizes):
            taken.setdefault(_folded(_kept(job)), job.row.key)
    for job in (*jobs, *(job for job in left if not _is_taken_away(job, sizes))):
        if not job.submits and job.record is not None and job.record.state in _PAID:
            taken.setdefault(_folded(_kept(job)), job.row.key)
    own = [_with_own_file(job, taken) for job in jobs]
    others = tuple(_with_own_file(job, taken) for job in left)
    given: list[JobStanding] = []
    problems: list[Problem] = []
    for job in own:
        if job.submits and _folded(job.row.file) in taken:
            if job.row.own_name:
                other = taken[_folded(job.row.file)]
                message = f"{job.row.file} is the file of another video of this folder ({other}); give it another name"
                problems.append(Problem(where(name, job.row.line, "output"), message))
            job = _marked(job)  # noqa: PLW2901
        if job.submits:
            taken[_folded(job.row.file)] = job.row.key
        given.append(job)
    return tuple(given), others, problems


def _with_own_file(job: JobStanding, taken: dict[str, str]) -> JobStanding:
    """Give a video that is to be saved a marked name, if its own has become that of another one."""
    if job.duty not in {Duty.FOLLOW, Duty.FETCH} or taken.get(_folded(job.row.file), job.row.key) == job.row.key:
        return job
    job = _marked(job)
    taken.setdefault(_folded(job.row.file), job.row.key)
    return job


def _marked(job: JobStanding) -> JobStanding:
    mark = sha256(job.row.key.encode()).hexdigest()[:_MARK_DIGITS]
    return evolve(job, row=evolve(job.row, file=numbered(job.row.file, mark)))


def _is_there(job: JobStanding, sizes: Mapping[str, int]) -> bool:
    return job.record is not None and job.record.state is State.SUCCEEDED and is_complete(job.notes, sizes)


def _is_taken_away(job: JobStanding, sizes: Mapping[str, int]) -> bool:
    saved = job.notes.saved
    finished = job.record is not None and job.record.state is State.SUCCEEDED
    return finished and saved is not None and saved.as_posix() not in sizes


def _kept(job: JobStanding) -> PurePosixPath:
    return job.notes.saved or job.notes.file or job.row.file


def _folded(file: PurePosixPath) -> str:
    return file.as_posix().casefold()
