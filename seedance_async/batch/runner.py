"""Runs a plan: rows into the session, videos into the folder, lines into the manifest.

1. Rows go through `session.map`, which keeps the slots full, waits out limits and outages and repeats what the
   service failed and refunded. A finished video is fetched beside it and never holds a slot.
2. What concerns every further row stops the submitting. For the account `map` does that itself; else it is told to
   finish: what is queued is withdrawn, creates on the wire get their answer.
3. After a signal, or with a disk that is full, tasks that run stay on the service, their ids written down. After any
   other reason they are followed to their end and saved.
4. The reports are written on every way out.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from seedance_async.batch.books import LEAVING, Books
from seedance_async.batch.closing import write_reports
from seedance_async.batch.events import (
    BatchEnded,
    BatchEvent,
    BatchStarted,
    Progress,
    RowSaving,
    StopReason,
    Warned,
)
from seedance_async.batch.folder import check_folder, why_no_room
from seedance_async.batch.manifest import Manifest
from seedance_async.batch.outcomes import ACCOUNT_ERRORS, row_that_failed
from seedance_async.batch.recorder import Recorder
from seedance_async.batch.report import BatchReport, EndedRow
from seedance_async.core.inputs import Inputs
from seedance_async.core.plan import Plan, PlannedRow
from seedance_async.core.results import VideoResult
from seedance_async.errors import DownloadError, SeedanceError
from seedance_async.hooks import Drift, HookEvent
from seedance_async.items import Items

if TYPE_CHECKING:
    from seedance_async.session import AsyncSeedance

logger = logging.getLogger("seedance_async")

_INTERRUPTED: Final = "interrupted"
_LEFT: Final = "interrupted; tasks that run are left on the service"


class BatchRunner:
    """One run of one plan into one folder.

    ```python
    runner = BatchRunner(plan, folder)
    async with AsyncSeedance(hooks=[runner.hook]) as session:
        report = await runner.run(session)
    ```
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        *,
        attempts: int = 3,
        overwrite: bool = False,
        on_drift: Literal["stop", "go"] = "stop",
        patience: float = 10.0,
        on_event: Callable[[BatchEvent], None] | None = None,
    ) -> None:
        """Set up without touching the loop or the disk.

        Args:
            plan: What to make.
            folder: Where to.
            attempts: How often a task is made that the service fails for reasons of its own and refunds.
            overwrite: Replace files that stand where videos go.
            on_drift: Whether a server that charges or delivers something else than planned stops the submitting.
            patience: Seconds that creates on the wire, and then running downloads, get after a signal.
            on_event: Told of everything that happens, from the loop. What it raises is logged.
        """
        self._books = Books(plan, folder, on_event)
        self._attempts = attempts
        self._overwrite = overwrite
        self._on_drift = on_drift
        self._patience = patience
        self._session: AsyncSeedance | None = None
        self._savers: set[asyncio.Task[None]] = set()
        self._items: Items | None = None
        self._leave = asyncio.Event()
        self._moved = asyncio.Event()

    # For the command line

    def hook(self, event: HookEvent) -> None:
        """Take an event of the session. Give this method to the session's `hooks`."""
        self._books.hear(event, asyncio.get_running_loop().time())
        self._moved.set()
        if isinstance(event, Drift) and event.key in self._books.rows and self._on_drift == "stop":
            self.stop("drift", f"the service does something else than planned: {self._books.drift_text(event)}")

    def stop(self, reason: StopReason = "interrupt", message: str | None = None) -> None:
        """Submit nothing further; `run` then comes to its end. Call it in the loop, from anywhere but `on_event`.

        Money: What was not on the wire is not sent any more. Tasks that run are paid; with a reason that leaves them
        their ids are on their way into the manifest when this returns.
        """
        if reason in LEAVING:
            self._books.write_down_running()
            self._leave.set()
        self._moved.set()
        self._books.note_stop(reason, message or (_LEFT if self.busy else _INTERRUPTED))
        if self._items is not None:
            self._items.finish()

    @property
    def running(self) -> tuple[str, ...]:
        """Ids of tasks that are accepted and paid and whose video is not there; also after the end of `run`."""
        return self._books.left()

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
        """Make the videos. Call it once, with a session whose hooks include `hook`.

        Returns:
            How it ended. What goes wrong with rows, the account, the service or the disk is in it, not raised.

        Raises:
            ConfigurationError: The folder cannot be used; nothing was sent.
            InputError: Files stand in the way; nothing was sent.

        Cancellation: As an interruption without patience: the ids of running tasks and the reports are written.
        """
        books = self._books
        await asyncio.to_thread(check_folder, books.plan, books.folder, overwrite=self._overwrite)
        manifest = await asyncio.to_thread(Manifest, books.folder)
        recorder = Recorder(manifest, lambda message: self.stop("disk", message))
        self._session, books.recorder = session, recorder
        try:
            books.tell(BatchStarted(len(books.rows)))
            await self._until_ended(session)
            books.close()
            await recorder.flush()
            report, troubles = await asyncio.to_thread(write_reports, books.report(), books.plan.source, manifest)
        except BaseException:
            self._last_words(manifest, recorder)
            raise
        finally:
            _cancel(self._savers)
            manifest.close()
        for trouble in troubles:
            books.tell(Warned(trouble))
        books.tell(BatchEnded(report.exit_code))
        return report

    async def _until_ended(self, session: "AsyncSeedance") -> None:
        collecting = asyncio.create_task(self._collect(session))
        leaving = asyncio.create_task(self._leave.wait())
        try:
            await asyncio.wait({collecting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if collecting.done():
                collecting.result()
            else:
                await self._wire_settled()
                collecting.cancel()
                await asyncio.wait({collecting})
            while self._savers and not self._leave.is_set():
                await asyncio.wait({leaving, *self._savers}, return_when=asyncio.FIRST_COMPLETED)
            if savers := set(self._savers):
                await asyncio.wait(savers, timeout=self._patience)
                _cancel(savers)
                # A cancelled download still finishes the write it is in; what it leaves is complete or a part.
                await asyncio.wait(savers)
        finally:
            _cancel({collecting, leaving})

    async def _collect(self, session: "AsyncSeedance") -> None:
        try:
            async with session.map(self._pairs(), attempts=self._attempts) as items:
                self._items = items
                if self._books.stopped is not None:
                    items.finish()
                async for item in items:
                    assert item.key is not None  # every row was given one
                    row = self._books.rows[item.key]
                    if item.result is not None:
                        self._made(row, item.result)
                    elif item.error is not None:
                        self._failed(row, item.error)
        except SeedanceError as error:
            self._books.note_stop("account" if isinstance(error, ACCOUNT_ERRORS) else "error", str(error))

    def _pairs(self) -> Iterator[tuple[str, Inputs]]:
        for row in self._books.plan.rows:
            if self._books.stopped is not None:
                return
            yield row.key, row.inputs

    async def _wire_settled(self) -> None:
        """Wait until the creates on the wire have their outcome, for as long as patience lasts."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while self._books.board.sending:
                    self._moved.clear()
                    await self._moved.wait()

    # Rows

    def _made(self, row: PlannedRow, result: VideoResult) -> None:
        self._books.results[row.key] = result
        _start(self._savers, self._save(row, result))

    def _failed(self, row: PlannedRow, error: SeedanceError) -> None:
        ended = row_that_failed(row, error, self._books.board.task_id(row.key))
        if ended.status == "not_submitted":
            self._books.note_stop("account" if isinstance(error, ACCOUNT_ERRORS) else "error", str(error))
        self._books.end(ended)

    async def _save(self, row: PlannedRow, result: VideoResult) -> None:
        assert self._session is not None
        books = self._books
        books.tell(RowSaving(row, result.task_id))
        target = books.folder / row.file
        try:
            path = await self._session.download(result, target, overwrite=self._overwrite)
        except (SeedanceError, OSError) as error:
            known = (
                error if isinstance(error, SeedanceError) else DownloadError(str(error), str(target), result.task_id)
            )
            books.end(EndedRow(row, "not_saved", result.task_id, result=result, error=known))
            trouble = await asyncio.to_thread(why_no_room, books.folder)
            if trouble is not None:
                self.stop("disk", trouble)
        else:
            books.end(EndedRow(row, "done", result.task_id, path=path, result=result))

    def _last_words(self, manifest: Manifest, recorder: Recorder) -> None:
        """Write down what is known, blocking, on a way out that cannot wait."""
        self._books.close()
        try:
            recorder.write_now()
        except OSError:
            logger.exception("the manifest could not be written on the way out")
        write_reports(self._books.report(), self._books.plan.source, manifest)


def _start(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
