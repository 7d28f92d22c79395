"""The SQLite file of a journal, for one writer. Everything here blocks; calls come one after the other.

1. The lock comes first, and is given back last: nobody else changes the file in between.
2. A new journal is made aside and gets its name when it is complete. A file of that name is therefore a journal, or
   none of ours: it is looked at before SQLite may write to it.
3. While it is open the file has a write-ahead log beside it, so that readers and the writer never wait for each other.
   After `close` it is one file again. In places that lend no memory to several processes there is no such log, and
   readers and writer wait for each other, for milliseconds.
4. What was written last is in the log, and to go on without it is to pay twice. So the file itself says `needs_log`
   while there is more in the log; the log says that all is there, so that whoever brings the two together, as any
   SQLite program does that opens the file last, makes the file say so too. That is why the log is brought into the file
   by us alone (`_mark`), and never by the way.
5. Who removes, moves or replaces the file, or its lock, while it is open, ends the writing: what is written to a file
   without a name is not durable, and without a lock there may be a second writer. Nothing is tidied up then.
6. The file says which service its jobs were sent to, and is not used with another one: that would not know the tasks.
7. A forked child never touches the file: for SQLite to close it there could cost the parent its locks.
"""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from seedance_async._version import __version__
from seedance_async.clock import wall_now
from seedance_async.core.record import JobRecord
from seedance_async.core.record_codec import Kept, row_of
from seedance_async.errors import JournalError
from seedance_async.files import put_in_place, remove, sync_folder
from seedance_async.journal import forks
from seedance_async.journal import schema as tables
from seedance_async.journal.connections import beside, connect, exists, set_journal_mode
from seedance_async.journal.explained import explained
from seedance_async.journal.hosts import JournalHost, host_identity, host_name
from seedance_async.journal.inspection import (
    Contents,
    has_log,
    host_of,
    inspect,
    located,
    needs_log,
    refuse_foreign,
    refuse_odd,
)
from seedance_async.journal.lockfile import LockFile, NoLocksError, TakenError
from seedance_async.journal.places import Place, place_of
from seedance_async.journal.schema import SCHEMA, Schema
from seedance_async.journal.services import other_service, service_of

if TYPE_CHECKING:
    import sqlite3

#: Pages that a log may have before it is brought into the file: some megabytes. A record fills less than one as a rule,
#: and a write has others beside it.
_LONGEST_LOG: Final = 2000
_PAGES_BESIDE: Final = 3
#: Seconds that a closing waits for readers, so that one file is left.
_PATIENCE_AT_CLOSE: Final = 2.0
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Database:
    """One journal, as blocking calls.

    Attributes:
        path: The file; once it was opened, without links on the way to it, so that it has one lock by all its names.
        last_host: Who wrote the journal before this opening; None for a new one.
        service: The name of the service that it is used with, set before `open`; None where nobody says.
    """

    def __init__(
        self,
        path: Path,
        *,
        take_over: bool = False,
        move_service: bool = False,
        schema: Schema = SCHEMA,
        place: Callable[[Path], tuple[Place, str]] = place_of,
    ) -> None:
        self.path = path
        self.last_host: JournalHost | None = None
        self.service: str | None = None
        self._take_over = take_over
        self._move_service = move_service
        self._schema = schema
        self._place_of = place
        self._place: Place = "disk"
        self._lock: LockFile | None = None
        self._connection: sqlite3.Connection | None = None
        self._status: os.stat_result | None = None
        self._in_log = 0
        self._kept: Mapping[str, Kept] = {}

    def open(self) -> tuple[JobRecord, ...]:
        """Take the journal and return its records.

        Raises:
            JournalError: It cannot be had or read; nothing is open or locked then.
        """
        with explained(str(self.path)):
            self.path = located(self.path)
            refuse_odd(self.path)
            self._refuse_place()
            self._take_lock()
            forks.watch(self)
            try:
                contents = self._inspected() if exists(self.path) else self._made()
                self._refuse_service(contents)
                self._kept = contents.kept
                self.last_host = host_of(contents.about)
                connection = self._connect()
                self._sign(connection)
                self._begin_log(connection)
            except BaseException:
                self.close()
                raise
        return contents.records

    def write(self, records: Sequence[JobRecord]) -> None:
        """Make records durable, all or none.

        Raises:
            JournalError: They are perhaps not written.
        """
        try:
            rows = [row_of(record, self._kept.get(record.key)) for record in records]
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise JournalError(f"a record is no JSON ({error})", str(self.path)) from error
        with explained(str(self.path)):
            loss = self._loss()
            if loss is not None:
                raise JournalError(loss, str(self.path))
            assert self._connection is not None
            tables.write(self._connection, rows)
            self._in_log += len(rows) + _PAGES_BESIDE
            if self._in_log >= _LONGEST_LOG:
                self._mark(self._connection)

    def close(self) -> None:
        """Give the journal back. May be called twice, and after `open` failed."""
        import sqlite3  # noqa: PLC0415 (loaded by those who have a journal)

        try:
            # To change the mode removes the log by its name, and that may be another journal's by now.
            if self._connection is not None and self._loss() is None:
                # What cannot be tidied up is in the log beside the file, and durable; the next opening does it.
                with contextlib.suppress(sqlite3.Error):
                    set_journal_mode(self._connection, "delete", _PATIENCE_AT_CLOSE)
        finally:
            self._disconnect()
            self._kept = {}
            if self._lock is not None:
                self._lock.give_back()

    def forget(self) -> object:
        """Let go of everything in a forked child. Return what must never be closed there (rule 7)."""
        if self._lock is not None:
            self._lock.let_go()
        connection, self._connection = self._connection, None
        return connection

    def _refuse_place(self) -> None:
        self._place, name = self._place_of(self.path.parent)
        if self._place == "network":
            raise JournalError(
                f"lies on a network file system ({name}), whose locks do not keep a second writer out, who would pay "
                "twice; put it on a disk of this machine",
                str(self.path),
            )

    def _take_lock(self) -> None:
        lock = LockFile(beside(self.path, ".lock"))
        try:
            lock.take(host_name(), wall_now())
        except TakenError as error:
            raise JournalError(
                f"is in use by {error.holder}; wait for it or end it, or give this run a journal of its own",
                str(self.path),
            ) from None
        except NoLocksError:
            raise JournalError(
                "lies on a file system without locks, so nothing keeps a second writer out, who would pay twice; put "
                "it on another disk",
                str(self.path),
            ) from None
        self._lock = lock

    def _inspected(self) -> Contents:
        """Return what the journal holds, before anything is written to it."""
        refuse_foreign(self.path)
        # Looked for first: reading makes an empty one.
        there = has_log(self.path)
        contents = inspect(self.path, self._schema)
        if needs_log(contents.about) and not there and not self._take_over:
            raise JournalError(
                f"was not closed where it was last in use, and {self.path.name}-wal with what was written to it last "
                "is not beside it; copy that file too, or open the journal with take_over=True: creates that are not "
                "in it may then be paid twice",
                str(self.path),
            )
        # Only now it is known that the file is a journal, and what lies beside it ours.
        self._clear_up()
        return contents

    def _refuse_service(self, contents: Contents) -> None:
        other = other_service(contents.records, service_of(contents.about), self.service)
        if other is not None and not self._move_service:
            raise JournalError(
                f"holds jobs that were sent to {other}, and this session talks to {self.service}, where their tasks "
                "would count as gone; use the base_url that they were sent to, give this session a journal of its own, "
                "or, if both are the same service, open the journal with move_service=True",
                str(self.path),
            )

    def _made(self) -> Contents:
        """Make an empty journal (rule 2)."""
        for suffix in ("-wal", "-journal"):
            if exists(beside(self.path, suffix)):
                raise JournalError(
                    f"is gone, and {self.path.name}{suffix} with what was written to it last is still there; put the "
                    "journal back, or remove that file to begin a new one",
                    str(self.path),
                )
        self._clear_up()
        aside = beside(self.path, ".new")
        os.close(os.open(aside, _CREATE, 0o600))
        with contextlib.closing(connect(aside, "rw")) as connection:
            tables.migrate(connection, 0, self._schema)
        if not put_in_place(aside, self.path, overwrite=False):
            raise JournalError("another program has made a file of this name just now; try again", str(self.path))
        sync_folder(self.path.parent)
        return Contents()

    def _clear_up(self) -> None:
        """Remove what a process leaves that is killed in `_made`, perhaps after the journal had its name."""
        aside = beside(self.path, ".new")
        for leftover in (aside, beside(aside, "-journal")):
            remove(leftover)

    def _connect(self) -> "sqlite3.Connection":
        connection = connect(self.path, "rw")
        try:
            version = tables.check(connection, str(self.path), self._schema)
            tables.migrate(connection, version, self._schema)
            self._status = self.path.stat()
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # What was not committed is rolled back. SQLite leaves the log alone if the file was moved away.
            connection.close()

    def _sign(self, connection: "sqlite3.Connection") -> None:
        """Note who has the journal now."""
        tables.note(
            connection,
            host=host_name(),
            host_identity=host_identity(),
            path=str(self.path),
            opened_at=wall_now().isoformat(),
            written_by=__version__,
            needs_log="no",
            **({} if self.service is None else {"service": self.service}),
        )

    def _begin_log(self, connection: "sqlite3.Connection") -> None:
        """Write to a log beside the file from now on, where there can be one."""
        if set_journal_mode(connection, "wal" if self._place == "disk" else "delete") == "wal":
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            self._mark(connection)

    def _mark(self, connection: "sqlite3.Connection") -> None:
        """Bring the log into the file, and make the file say that there will be more in the log (rule 4)."""
        import sqlite3  # noqa: PLC0415 (loaded by those who have a journal)

        # What was written is durable, whatever becomes of this; it is tried again after the next write.
        with contextlib.suppress(sqlite3.Error):
            tables.note(connection, needs_log="yes")
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            tables.note(connection, needs_log="no")
            self._in_log = 0

    def _loss(self) -> str | None:
        """Say how the file or the lock is no longer the one that was opened (rule 5)."""
        assert self._status is not None
        try:
            same = os.path.samestat(self._status, self.path.stat())
        except FileNotFoundError:
            same = False
        if not same:
            return "was removed, moved or replaced while it was in use"
        if self._lock is None or not self._lock.held:
            return "lost its lock file, so that another process may write to it; end this one or the other"
        return None
