"""Goes on with what earlier runs have paid for: running tasks are watched, finished videos fetched.

Every running task holds its slot before the first create of this run leaves, so that the account's limit is met from
the start. Nothing here sends a create.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field

from seedance_async.batch.board import Place
from seedance_async.batch.books import Books
from seedance_async.batch.outcomes import row_that_failed
from seedance_async.batch.report import EndedRow
from seedance_async.batch.saving import Saver
from seedance_async.core.results import VideoResult
from seedance_async.core.standing import FolderStanding, JobStanding, Standing
from seedance_async.errors import JournalError, SeedanceError, TaskFailedError, concerns_everything

if TYPE_CHECKING:
    from seedance_async.handle import TaskHandle
    from seedance_async.session import AsyncSeedance

logger = logging.getLogger("seedance_async")

#: Finished videos that are asked for at a time. Their bytes have places of their own in the session.
_FETCHERS: Final = 16


@define(eq=False)
class Follower:
    """Goes on with the tasks of earlier runs.

    Attributes:
        again: Jobs of rows whose task failed for the service's own reasons, and that get another attempt.
        watching: Tasks that wait for tasks of the service.
    """

    session: "AsyncSeedance"
    books: Books
    saver: Saver
    attempts: int
    again: list[JobStanding] = field(init=False, factory=list[JobStanding])
    watching: set[asyncio.Task[None]] = field(init=False, factory=set[asyncio.Task[None]])
    saving: set[asyncio.Task[None]] = field(init=False, factory=set[asyncio.Task[None]])

    def attach(self, standing: FolderStanding) -> None:
        """Attach every running task; each holds a slot when this returns."""
        for job in standing.follows:
            self.watch(job, self.session.attach(key=job.row.key))

    def watch(self, job: JobStanding, handle: "TaskHandle") -> None:
        """Watch a task to its end and save its video."""
        self.start(self.watching, self._booked(job, self._watch(job, handle)))

    def fetch(self, standing: FolderStanding) -> None:
        """Begin to fetch finished videos whose file is not there."""
        waiting = deque(standing.fetches)
        for _ in range(min(_FETCHERS, len(waiting))):
            self.start(self.saving, self._fetch_from(waiting))

    def save(self, job: JobStanding, result: VideoResult) -> None:
        """Begin to save a video."""
        self.books.results[job.row.key] = result
        self.start(self.saving, self._booked(job, self.saver.save(job, result)))

    async def watched(self) -> None:
        """Wait until every task of an earlier run has ended."""
        while self.watching:
            await asyncio.wait(set(self.watching))

    @staticmethod
    def start(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        """Do work in a task, and keep that while it lasts."""
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _watch(self, job: JobStanding, handle: "TaskHandle") -> None:
        try:
            result = await handle.wait()
        except SeedanceError as error:
            if self._gets_another(job, error):
                self.again.append(job)
            else:
                self._note_stop(error)
                self.books.end(row_that_failed(job.row, error, self.books.board.task_id(job.row.key)))
        else:
            self.save(job, result)

    def _note_stop(self, error: SeedanceError) -> None:
        """Stop the batch for what every further request would meet as well."""
        if isinstance(error, JournalError):
            self.saver.stop("disk", str(error))
        elif concerns_everything(error):
            self.saver.stop("account", str(error))

    def _gets_another(self, job: JobStanding, error: SeedanceError) -> bool:
        worth_it = isinstance(error, TaskFailedError) and error.kind == "server" and self.attempts > 1
        wanted = job.row.key in self.books.jobs and job.standing is not Standing.CHANGED and job.row.whole
        return worth_it and wanted and self.books.stopped is None

    async def _fetch_from(self, waiting: deque[JobStanding]) -> None:
        while waiting and not self.books.leaving:
            job = waiting.popleft()
            await self._booked(job, self._fetch(job))

    async def _fetch(self, job: JobStanding) -> None:
        try:
            # A link that may be signed is not in the journal: the service is asked for it.
            result = await self.session.attach(key=job.row.key).wait()
        except SeedanceError as error:
            self._note_stop(error)
            self.saver.not_saved(job, error)
        else:
            self.books.results[job.row.key] = result
            await self.saver.save(job, result)

    async def _booked(self, job: JobStanding, work: Coroutine[Any, Any, None]) -> None:
        """Do work for a job. What nobody has thought of ends that job for this run, and no other."""
        try:
            await work
        except Exception as error:
            logger.exception("the job %s was given up for this run", job.row.key)
            self.books.end(self._given_up(job, f"{type(error).__name__}: {error}"))

    def _given_up(self, job: JobStanding, why: str) -> EndedRow:
        board, key = self.books.board, job.row.key
        result = self.books.results.get(key)
        finished = result is not None or board.place(key) is Place.FINISHED
        return EndedRow(job.row, "not_saved" if finished else "running", board.task_id(key), result=result, note=why)
