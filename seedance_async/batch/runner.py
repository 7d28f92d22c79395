"""Runs a plan over a folder: rows into the session, videos into the folder, what happens into journal and manifest.

1. With the journal in hand the runner looks at it and at the files, and decides what is to be done with every job
   (`core.stand`). All of it is in the journal before the first create leaves.
2. Running tasks of earlier runs are attached, and hold their slots, before that too. Then rows go through
   `session.map`, which keeps the slots full, waits out limits and outages and repeats what the service failed and
   refunded. A finished video is fetched beside it and never holds a slot.
3. What concerns every further row stops the submitting. For the account `map` does that itself; else it is told to
   finish: what is queued is withdrawn, creates on the wire get their answer.
4. After a signal, or with a disk or a journal that takes nothing more, tasks that run stay on the service, their ids
   written down. After any other reason they are followed to their end and saved.
5. On every way out the reports are written. Rows that were not sent are queued in the journal again; where there is no
   time for that they stand there as withdrawn, which the next run takes for the same.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from seedance_async.batch.books import LEAVING, Books
from seedance_async.batch.closing import write_reports
from seedance_async.batch.events import BatchEnded, BatchEvent, BatchStarted, Progress, StopReason, Warned
from seedance_async.batch.folder import check_folder
from seedance_async.batch.following import Follower
from seedance_async.batch.hints import read_tasks, resolve_unknown
from seedance_async.batch.manifest import Manifest
from seedance_async.batch.opening import sizes_of
from seedance_async.batch.passes import Passes
from seedance_async.batch.recorder import Recorder
from seedance_async.batch.report import BatchReport
from seedance_async.batch.saving import Saver
from seedance_async.batch.writing import planned, write_down
from seedance_async.clock import wall_now
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.order import starting_order
from seedance_async.core.plan import Plan
from seedance_async.core.record import JobRecord
from seedance_async.core.run_options import DEFAULT_OPTIONS, RunOptions
from seedance_async.core.stand import stand
from seedance_async.core.standing import FolderStanding, is_sent_unasked
from seedance_async.errors import ConfigurationError, JournalError
from seedance_async.hooks import Drift, HookEvent

if TYPE_CHECKING:
    from seedance_async.journal.book import JobBook
    from seedance_async.session import AsyncSeedance

logger = logging.getLogger("seedance_async")

_INTERRUPTED: Final = "interrupted"
_LEFT: Final = "interrupted; tasks that run are left on the service"


class BatchRunner:
    """One run of one plan over one folder.

    ```python
    runner = BatchRunner(plan, folder, RunOptions(limit=100))
    async with AsyncSeedance(journal=folder / JOURNAL, hooks=[runner.hook]) as session:
        report = await runner.run(session)
    ```
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        options: RunOptions = DEFAULT_OPTIONS,
        *,
        expected: FolderStanding | None = None,
        patience: float = 10.0,
        on_event: Callable[[BatchEvent], None] | None = None,
    ) -> None:
        """Set up without touching the loop or the disk.

        Args:
            plan: What to make.
            folder: Where to.
            options: What the user wants beyond the rows that were never accepted.
            expected: What the user agreed to. If other rows would be sent, because another run was quicker, `run`
                refuses.
            patience: Seconds that creates on the wire, and then running downloads, get after a signal.
            on_event: Told of everything that happens, from the loop. What it raises is logged.
        """
        self._plan = plan
        self._options = options
        self._expected = expected
        self._books = Books(folder, on_event)
        self._patience = patience
        self._session: AsyncSeedance | None = None
        self._passes: Passes | None = None
        self._fetched: frozenset[str] = frozenset()
        self._leave = asyncio.Event()
        self._moved = asyncio.Event()
        self._reporting = threading.Lock()

    # For the command line

    def hook(self, event: HookEvent) -> None:
        """Take an event of the session. Give this method to the session's `hooks`."""
        self._books.hear(event, asyncio.get_running_loop().time())
        self._moved.set()
        # A video that finished in an earlier run was reported on then.
        of_now = isinstance(event, Drift) and event.key in self._books.jobs and event.key not in self._fetched
        if isinstance(event, Drift) and of_now and self._options.on_drift == "stop":
            self.stop("drift", f"the service does something else than planned: {self._books.drift_text(event)}")

    def stop(self, reason: StopReason = "interrupt", message: str | None = None) -> None:
        """Submit nothing further; `run` then comes to its end. Call it in the loop, from anywhere but `on_event`.

        Money: What was not on the wire is not sent any more. Tasks that run are paid; with a reason that leaves them
        their ids are in the journal, and on their way into the manifest when this returns.
        """
        if reason in LEAVING:
            self._books.write_down_running()
            self._leave.set()
        self._moved.set()
        self._books.note_stop(reason, message or (_LEFT if self.busy else _INTERRUPTED))
        if self._passes is not None:
            self._passes.finish()

    @property
    def running(self) -> tuple[str, ...]:
        """Ids of tasks that are accepted and paid and whose video is not there; also after the end of `run`."""
        return self._books.task_ids()

    @property
    def busy(self) -> bool:
        """Whether a create is on the wire, a task runs, or a video is being fetched."""
        return bool(self._books.board.sending) or bool(self._books.running())

    def progress(self) -> Progress:
        """Return where the batch stands. Linear in the rows; call it in the loop."""
        statistics = None if self._session is None else self._session.statistics()
        return self._books.progress(statistics, asyncio.get_running_loop().time())

    # The run

    async def run(self, session: "AsyncSeedance") -> BatchReport:
        """Make the videos. Call it once, with a session that has the folder's journal and whose hooks include `hook`.

        Returns:
            How it ended. What goes wrong with rows, the account, the service, the journal or the disk is in it, not
            raised.

        Raises:
            ConfigurationError: The session has no journal, the folder cannot be used, or other rows would be sent
                than expected; nothing was sent.
            InputError: Files stand in the way, or the options name what is not there; nothing was sent.

        Cancellation: As an interruption without patience: the ids of running tasks and the reports are written.
        """
        books, book = self._books, session.journal
        resolved = resolve_unknown(session, await asyncio.to_thread(read_tasks, books.folder))
        standing = await asyncio.to_thread(self._stand, book.jobs())
        await asyncio.to_thread(check_folder, standing, books.folder, overwrite=self._options.overwrite)
        manifest = await asyncio.to_thread(Manifest, books.folder)
        recorder = Recorder(manifest, lambda message: self.stop("disk", message))
        self._session = session
        try:
            books.begin(standing, recorder, asyncio.get_running_loop().time(), book.get)
            books.tell(BatchStarted(len(standing.rows), standing.done, len(standing.submits)))
            for key in resolved:
                books.tell(Warned(f"{books.line(key)}its answer was lost for the journal and not for the manifest"))
            await self._until_ended(session, standing)
            books.close()
            await self._queue_again(book, standing)
            await recorder.flush()
            report, troubles = await asyncio.to_thread(self._write_reports, books.report(), manifest)
        except BaseException:
            self._last_words(manifest, recorder)
            raise
        finally:
            manifest.close()
        for trouble in troubles:
            books.tell(Warned(trouble))
        books.tell(BatchEnded(report.exit_code))
        return report

    def _stand(self, records: Sequence[JobRecord]) -> FolderStanding:
        catalogue = self._plan.rows[0].request.catalogue if self._plan.rows else Catalogue.CLASSIC
        sizes = sizes_of(self._books.folder, records)
        standing = stand(self._plan, records, sizes, self._options, now=wall_now(), catalogue=catalogue)
        if self._expected is not None:
            agreed = {(job.row.key, job.row.digest) for job in self._expected.submits}
            if not agreed.issuperset((job.row.key, job.row.digest) for job in standing.submits):
                raise ConfigurationError(
                    f"{self._books.folder} has changed since it was looked at, perhaps by another run; "
                    "look at it again before anything is sent"
                )
        return standing

    async def _until_ended(self, session: "AsyncSeedance", standing: FolderStanding) -> None:
        saver = Saver(session, self._books, self.stop, self._options.overwrite)
        follower = Follower(session, self._books, saver, self._options.attempts)
        collecting = asyncio.create_task(self._collect(session, standing, follower))
        leaving = asyncio.create_task(self._leave.wait())
        try:
            await asyncio.wait({collecting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if collecting.done():
                collecting.result()
            else:
                await self._wire_settled()
                collecting.cancel()
                await asyncio.wait({collecting})
            while follower.saving and not self._leave.is_set():
                await asyncio.wait({leaving, *follower.saving}, return_when=asyncio.FIRST_COMPLETED)
            if savers := set(follower.saving):
                await asyncio.wait(savers, timeout=self._patience)
                _cancel(savers)
                # A cancelled download still finishes the write it is in; what it leaves is complete or a part.
                await asyncio.wait(savers)
        finally:
            _cancel({collecting, leaving, *follower.saving, *follower.watching})

    async def _collect(self, session: "AsyncSeedance", standing: FolderStanding, follower: Follower) -> None:
        options = self._options
        self._passes = passes = Passes(session, self._books, follower, options, self.stop)
        if self._books.stopped is not None:
            passes.finish()
        if self._books.leaving:
            return
        try:
            await write_down(session.journal, standing, options)
        except JournalError as error:
            self.stop("disk", str(error))
            return
        self._fetched = frozenset(job.row.key for job in standing.fetches)
        follower.attach(standing)
        follower.fetch(standing)
        order = starting_order([job.row.request for job in standing.submits], options.order, options.budget)
        await passes.run([standing.submits[place] for place in order], attempts=options.attempts)
        await follower.watched()
        await passes.run(follower.again, attempts=max(1, options.attempts - 1), retry_failed=True)

    async def _queue_again(self, book: "JobBook", standing: FolderStanding) -> None:
        """Queue in the journal what was not sent, and what the next run would send all the same."""
        left = [
            job
            for job in standing.submits
            if self._books.was_not_sent(job.row.key) and is_sent_unasked(book.get(job.row.key))
        ]
        try:
            await book.plan(planned(left, standing, self._options))
        except JournalError as error:
            self._books.tell(Warned(str(error)))

    async def _wire_settled(self) -> None:
        """Wait until the creates on the wire have their outcome, for as long as patience lasts."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while self._books.board.sending:
                    self._moved.clear()
                    await self._moved.wait()

    def _last_words(self, manifest: Manifest, recorder: Recorder) -> None:
        """Write down what is known, blocking, on a way out that cannot wait."""
        self._books.close()
        try:
            recorder.write_now()
        except OSError:
            logger.exception("the manifest could not be written on the way out")
        self._write_reports(self._books.report(), manifest)

    def _write_reports(self, report: BatchReport, manifest: Manifest) -> tuple[BatchReport, tuple[str, ...]]:
        # A run that is cancelled here leaves a thread at work.
        with self._reporting:
            return write_reports(report, self._plan.source, manifest)


def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
