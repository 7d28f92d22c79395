"""From a finished task to a file that is there and written down as there.

1. The file appears under its planned name, complete. One that is there already with the same bytes is taken for it: a
   run may have ended between giving it its name and writing that down. Any other file stays as it is, unless the user
   wants it replaced; the video of another job of the folder stays in any case.
2. Path and length are noted in the journal, durably, and only then the row is done.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field

from seedance_async.batch.aside import set_aside, settle
from seedance_async.batch.books import Books
from seedance_async.batch.earlier import CHANGED
from seedance_async.batch.events import RowSaving, StopReason, Warned
from seedance_async.batch.folder import why_no_room
from seedance_async.batch.outcomes import is_gone
from seedance_async.batch.report import EndedRow
from seedance_async.core.job_notes import read_notes
from seedance_async.core.lifecycle import State
from seedance_async.core.plan import PlannedRow
from seedance_async.core.results import VideoResult
from seedance_async.core.standing import RETENTION, JobStanding, Standing
from seedance_async.errors import DownloadError, JournalError, SeedanceError

if TYPE_CHECKING:
    from seedance_async.session import AsyncSeedance


@define(eq=False)
class Saver:
    """Saves the videos of one run.

    Attributes:
        session: Fetches them, and has the journal.
        books: Where the ends of rows are booked.
        stop: Called with a reason and a sentence when nothing more can be kept.
        overwrite: Whether a different file of the same name is replaced.
    """

    session: "AsyncSeedance"
    books: Books
    stop: Callable[[StopReason, str], None]
    overwrite: bool
    _owners: dict[str, set[str]] | None = field(init=False, default=None)

    async def save(self, job: JobStanding, result: VideoResult) -> None:
        """Save a video and book how that ended."""
        row, books = job.row, self.books
        books.tell(RowSaving(row, result.task_id))
        target = books.folder / row.file
        # Without a length nothing was written down of the file: it is compared when the video is there.
        short = job.standing in {Standing.MISSING, Standing.EXPIRED, Standing.CHANGED} and job.notes.saved is not None
        try:
            aside = await asyncio.to_thread(set_aside, target) if short else None
            try:
                path = await self.session.download(result, target, overwrite=self._may_replace(row))
            finally:
                if aside is not None and await asyncio.to_thread(settle, aside, target):
                    books.tell(Warned(f"{target} was shorter than its video; what was there is {aside.name} now"))
            size = (await asyncio.to_thread(path.stat)).st_size
        except (SeedanceError, OSError) as error:
            await self._failed(job, result, error, target)
            return
        # Where a folder has the planned name, the video lies in it.
        saved = path.relative_to(books.folder) if path.is_relative_to(books.folder) else row.file
        try:
            await self.session.journal.note(row.key, saved=saved.as_posix(), bytes=size)
        except JournalError as error:
            # The file is there all the same; the next run finds out that it is the right one.
            self.stop("disk", str(error))
        if job.standing is Standing.CHANGED:
            books.end(EndedRow(row, "changed", result.task_id, path=path, result=result, note=CHANGED))
        else:
            books.end(EndedRow(row, "done", result.task_id, path=path, result=result))

    def _may_replace(self, row: PlannedRow) -> bool:
        if not self.overwrite:
            return False
        if self._owners is None:
            self._owners = {}
            for record in self.session.journal.jobs(State.SUCCEEDED):
                if (saved := read_notes(record).saved) is not None:
                    self._owners.setdefault(saved.as_posix().casefold(), set()).add(record.key)
        owners = self._owners.setdefault(row.file.as_posix().casefold(), set())
        owners.add(row.key)
        return owners == {row.key}

    async def _failed(self, job: JobStanding, result: VideoResult, error: Exception, target: Path) -> None:
        known = error
        if not isinstance(known, SeedanceError):
            known = DownloadError(str(error), str(target), result.task_id)
        self.not_saved(job, known, result)
        trouble = await asyncio.to_thread(why_no_room, self.books.folder)
        if trouble is not None:
            self.stop("disk", trouble)

    def not_saved(self, job: JobStanding, error: SeedanceError, result: VideoResult | None = None) -> None:
        """Book that the video of a finished task was not saved."""
        task_id = error.task_id or (None if job.record is None else job.record.task_id)
        for_good = job.standing is Standing.EXPIRED and is_gone(error)
        if job.standing is Standing.EXPIRED:
            text = f"it finished more than {RETENTION.days} days ago, and the service keeps files for {RETENTION.days}"
            way_out = "; --reroll makes a new video, which costs what it costs" if for_good else ""
            error = DownloadError(f"{text}: {error}{way_out}", str(self.books.folder / job.row.file), task_id)
        self.books.end(EndedRow(job.row, "not_saved", task_id, result=result, error=error, for_good=for_good))
