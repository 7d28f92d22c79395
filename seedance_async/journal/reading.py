"""Look into a journal without taking it, also while a session writes to it, and after a crash. All of it blocks."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from seedance_async.core.record import JobRecord
from seedance_async.errors import JournalError
from seedance_async.journal import schema as tables
from seedance_async.journal.connections import connect, needs_recovery
from seedance_async.journal.explained import explained
from seedance_async.journal.hosts import JournalHost
from seedance_async.journal.inspection import host_of, read_records, refuse_odd
from seedance_async.journal.schema import SCHEMA, Schema

if TYPE_CHECKING:
    import sqlite3

_T = TypeVar("_T")


def read_journal(path: str | os.PathLike[str]) -> tuple[JobRecord, ...]:
    """Return the records of a journal, in the order in which their keys came, as of one moment.

    Blocks, for half a second with 10,000 jobs: run it in a thread where there is an event loop.

    Args:
        path: The journal's file.

    Raises:
        JournalError: There is none, or it cannot be read.
    """
    return look(path, lambda connection, file: read_records(connection, file)[0])


def journal_host(path: str | os.PathLike[str]) -> JournalHost | None:
    """Return where a journal was last opened for writing; None where it does not say. Blocks.

    Args:
        path: The journal's file.

    Raises:
        JournalError: There is none, or it cannot be read.
    """
    return look(path, lambda connection, _file: host_of(tables.about(connection)))


def look(path: str | os.PathLike[str], use: "Callable[[sqlite3.Connection, str], _T]", schema: Schema = SCHEMA) -> _T:
    """Return what `use` makes of a journal as of one moment, in the newest version of its tables.

    Args:
        path: The journal's file.
        use: Is given a connection to read from, and the name of the file for what it raises.
        schema: The tables that this code knows.
    """
    import sqlite3  # noqa: PLC0415 (loaded by those who have a journal)

    file = Path(os.path.realpath(os.fspath(path)))
    with explained(str(file)):
        refuse_odd(file)
        if not file.exists():
            raise JournalError("does not exist", str(file))
        try:
            return _look(file, "ro", use, schema)
        except sqlite3.OperationalError as error:
            if not needs_recovery(error):
                raise
            return _look(file, "rw", use, schema)


def _look(file: Path, mode: Literal["ro", "rw"], use: "Callable[[sqlite3.Connection, str], _T]", schema: Schema) -> _T:
    import sqlite3  # noqa: PLC0415 (loaded by those who have a journal)

    with contextlib.closing(connect(file, mode)) as connection:
        connection.execute("BEGIN")
        version = tables.check(connection, str(file), schema)
        if version >= len(schema):
            return use(connection, str(file))
        # Reading changes nothing, so an older journal is migrated in memory.
        with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            connection.backup(copy)
            tables.migrate(copy, version, schema)
            return use(copy, str(file))
