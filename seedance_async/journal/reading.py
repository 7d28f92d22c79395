"""Look into a journal without taking it, also while a session writes to it, and after a crash. All of it blocks."""

import os

from seedance_async.core.record import JobRecord
from seedance_async.journal import schema as tables
from seedance_async.journal.hosts import JournalHost
from seedance_async.journal.inspection import host_of, look, read_records


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
