"""What survives the process: the jobs of a session, written down before money is spent on them.

`AsyncSeedance(journal="videos.db")` keeps them in a SQLite file; any object that keeps the promises of `Journal` may
take its place, and `seedance_async.testing.check_journal` finds out whether it does.
"""

from seedance_async.journal.protocol import Journal

__all__ = ["Journal"]
