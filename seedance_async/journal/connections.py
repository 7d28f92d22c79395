"""Connections to the SQLite file of a journal. Everything here blocks."""

import os
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, Literal

from seedance_async.errors import JournalError

if TYPE_CHECKING:
    import sqlite3

#: Seconds to wait for another program's lock: a person's `sqlite3` shell, or a reader where there is no log.
PATIENCE: Final = 10.0
# UPSERT came with 3.24, in 2018.
_OLDEST_SQLITE: Final = (3, 24, 0)


def connect(path: Path, mode: Literal["ro", "rw"]) -> "sqlite3.Connection":
    """Connect to a file that is there, in autocommit.

    Args:
        path: An absolute path.
        mode: Read it only, or write too. Reading one that was not closed still makes SQLite's own files beside it.

    Raises:
        sqlite3.Error: SQLite failed.
        JournalError: It is too old.
    """
    import sqlite3  # noqa: PLC0415 (loaded by those who have a journal)

    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise JournalError(f"Python comes with SQLite {sqlite3.sqlite_version}, and a journal needs 3.24 or newer")
    # Worker threads take turns: the pool of a journal has one at a time, and not always the same.
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False
    )
    if mode == "rw":
        connection.execute("PRAGMA synchronous = FULL")
        # Signed links that were cut from a record do not stay in pages that are free.
        connection.execute("PRAGMA secure_delete = ON")
        if sys.platform == "darwin":
            # Elsewhere fsync is enough.
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA checkpoint_fullfsync = ON")
    return connection


def set_journal_mode(
    connection: "sqlite3.Connection", mode: Literal["wal", "delete"], patience: float | None = None
) -> str:
    """Change SQLite's journal mode, and return the one it has then.

    Args:
        connection: The connection.
        mode: With a log beside the file, or without one.
        patience: Seconds to wait for readers to end.
    """
    import sqlite3  # noqa: PLC0415 (loaded by those who have a journal)

    until = monotonic() + (PATIENCE if patience is None else patience)
    while True:
        try:
            (now,) = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
        except sqlite3.OperationalError as error:
            # SQLite does not wait here by itself.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(0.01)
        else:
            return str(now)


def needs_recovery(error: "sqlite3.Error") -> bool:
    """Whether a journal without a write-ahead log must be rolled back, by one who may write, before it can be read."""
    return getattr(error, "sqlite_errorname", "") in {"SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY"}


def beside(path: Path, suffix: str) -> Path:
    """Return the file that SQLite, or we, keep beside a journal."""
    return path.with_name(path.name + suffix)


def exists(path: Path) -> bool:
    """Whether there is something of this name, a link to nowhere included."""
    return os.path.lexists(path)
