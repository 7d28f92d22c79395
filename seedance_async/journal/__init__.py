"""What survives the process: the jobs of a session, written down before money is spent on them.

`AsyncSeedance(journal="videos.db")` keeps them in a SQLite file, a `SqliteJournal`; any object that keeps the promises
of `Journal` may take its place, and `seedance_async.testing.check_journal` finds out whether it does. `read_journal`
looks into a file without taking it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from seedance_async.journal.protocol import Journal

if TYPE_CHECKING:
    from seedance_async.journal.hosts import JournalHost
    from seedance_async.journal.reading import foreign_service, journal_host, lacks_log, read_journal
    from seedance_async.journal.sqlite import SqliteJournal

__all__ = ["Journal", "JournalHost", "SqliteJournal", "foreign_service", "journal_host", "lacks_log", "read_journal"]

_HOME = {
    "JournalHost": "hosts",
    "SqliteJournal": "sqlite",
    "foreign_service": "reading",
    "journal_host": "reading",
    "lacks_log": "reading",
    "read_journal": "reading",
}


def __getattr__(name: str) -> object:
    """Load what is asked for from the module that has it: a session without a journal needs none of it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
