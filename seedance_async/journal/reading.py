"""Look into a journal without taking it, also while a session writes to it, and after a crash. All of it blocks."""

import os
from typing import TYPE_CHECKING

from seedance_async.core.record import JobRecord
from seedance_async.journal import schema as tables
from seedance_async.journal.hosts import JournalHost
from seedance_async.journal.inspection import has_log, host_of, located, look, needs_log, read_records
from seedance_async.journal.services import other_service, service_name, service_of

if TYPE_CHECKING:
    import sqlite3


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


def lacks_log(path: str | os.PathLike[str]) -> bool:
    """Whether what was written to a journal last is missing, because it was copied without the log beside it. Blocks.

    Money: what is missing may have been accepted, and would be paid twice.

    Args:
        path: The journal's file; nobody may be writing to it.

    Raises:
        JournalError: There is none, or it cannot be read.
    """
    # Looked for first: reading makes an empty one.
    there = has_log(located(path))
    return not there and look(path, lambda connection, _file: needs_log(tables.about(connection)))


def foreign_service(path: str | os.PathLike[str], base_url: str) -> str | None:
    """Return which service has tasks of a journal, by host and port, if it is not the one of `base_url`. Blocks.

    Args:
        path: The journal's file.
        base_url: Where a session with it would send its jobs.

    Raises:
        JournalError: There is none, or it cannot be read.
    """

    def use(connection: "sqlite3.Connection", file: str) -> str | None:
        known = service_of(tables.about(connection))
        return other_service(read_records(connection, file)[0], known, service_name(base_url))

    return look(path, use)
