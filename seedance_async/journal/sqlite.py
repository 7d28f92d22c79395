"""The journal in one SQLite file.

    async with AsyncSeedance(journal="videos.db") as seedance: ...

The file can be looked at with any SQLite program, also while a session writes (`schema` says what is in it), copied
when no session has it open, and moved to another machine. While it is open, `videos.db.lock`, `videos.db-wal` and
`videos.db-shm` lie beside it; after a clean close it is one file.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from seedance_async.core.record import JobRecord
from seedance_async.errors import JournalError
from seedance_async.filethreads import FileThreads
from seedance_async.journal.database import Database
from seedance_async.journal.hosts import JournalHost


class SqliteJournal:
    """A `Journal` in one SQLite file.

    It may be made anywhere; `open` and what follows belong to one event loop. SQLite runs in a thread of its own.

    Attributes:
        path: The file, as it was given. Which one that is, if it is relative, `open` decides.
    """

    def __init__(self, path: str | os.PathLike[str], *, take_over: bool = False, move_service: bool = False) -> None:
        """Note where the journal is. Nothing is touched before `open`.

        Args:
            path: The file. It is made by `open` where there is none, its folder is not.
            take_over: Open the journal although what was written to it last is missing, because it was copied while
                it was in use. Creates that are not in it may then be paid twice.
            move_service: Open the journal although its jobs were sent to another `base_url`, which is the same service
                by another name. One that does not know their tasks would answer that they are gone.
        """
        self.path = Path(path)
        self._database = Database(self.path, take_over=take_over, move_service=move_service)
        self._threads: FileThreads | None = None
        self._pid = 0

    def __repr__(self) -> str:
        return f"SqliteJournal({str(self.path)!r})"

    @property
    def last_host(self) -> JournalHost | None:
        """Where the journal was written before this opening; None for a new one, and before `open`."""
        return self._database.last_host

    def for_service(self, name: str) -> None:
        """Note which service the jobs are sent to; before `open`, which refuses to mix those of two."""
        self._database.service = name

    async def open(self) -> Sequence[JobRecord]:
        """Take the journal and return its records.

        Cancellation: waits for the opening and gives the journal back before it raises.

        Raises:
            JournalError: Another writer has it, it cannot be made, read or followed by this release, or its jobs were
                sent to another service; the text says which, and what can be done. Nothing in it was changed.
        """
        if self._threads is not None:
            self._refuse_other_process()
            raise JournalError("is open already", str(self.path))
        self._threads, self._pid = FileThreads(1), os.getpid()
        try:
            return await self._threads.run(self._database.open)
        except BaseException:
            # Also where only the caller was cancelled, and the journal is open.
            await self.aclose()
            raise

    async def write(self, records: Sequence[JobRecord]) -> None:
        """Make records durable, in one transaction.

        Cancellation: comes to its end all the same, then raises.

        Raises:
            JournalError: They are perhaps not written: the disk is full or gone, the file was removed, or this is
                another process than the one that opened the journal.
        """
        if self._threads is None:
            raise JournalError("is not open", str(self.path))
        self._refuse_other_process()
        if records:
            await self._threads.run(self._database.write, tuple(records))

    async def aclose(self) -> None:
        """Give the journal back. Waits two seconds at most for readers to end, so that one file is left."""
        if self._threads is None:
            return
        self._refuse_other_process()
        threads, self._threads = self._threads, None
        try:
            await threads.run(self._database.close)
        finally:
            threads.close()

    def _refuse_other_process(self) -> None:
        if os.getpid() != self._pid:
            raise JournalError(
                f"was opened by process {self._pid}, and this is another one, forked from it; open a journal of its "
                "own after the fork",
                str(self.path),
            )
