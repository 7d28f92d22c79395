"""What a session needs of a journal."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from seedance_async.core.record import JobRecord


class Journal(Protocol):
    """Keeps one record for each key, for one session at a time.

    What an implementation promises:

    1. `open` takes the journal for this writer. While another one has it, in this process or elsewhere, `open` raises
       at once and says who has it and what can be done. A writer that died leaves nothing in the way.
    2. `open` returns the record written last for each key, in the order in which the keys were first written, and
       equal to what was written.
    3. When `write` returns, its records are durable: they survive the loss of power. All of them are written or none.
    4. `write` replaces the record of a key. A record that was replaced is never read again.
    5. `write` that raises leaves the journal usable: its records are perhaps written, a later `write` may succeed, and
       what was durable before still is.
    6. Calls come one after the other, from one event loop. One whose caller is cancelled comes to its end all the same
       before it raises.
    7. `aclose` gives the journal back, so that another writer may open it at once. It may be called twice, and
       without `open`. A journal that was closed may be opened again.
    8. Use by another process than the one that opened it, after a fork, raises and writes nothing.
    9. It never holds the loop up: what blocks runs in a thread.
    10. Nothing but the records is kept: no API key reaches a journal.
    """

    async def open(self) -> Sequence[JobRecord]:
        """Take the journal and return its records (promises 1 and 2).

        Raises:
            JournalError: Another writer has it, or it cannot be read; nothing in it was changed.
        """
        ...

    async def write(self, records: Sequence[JobRecord]) -> None:
        """Make records durable (promises 3 to 6).

        Raises:
            JournalError: They are perhaps not written: the disk is full or gone, or this is another process.
        """
        ...

    async def aclose(self) -> None:
        """Give the journal back (promise 7)."""
        ...


@runtime_checkable
class ServiceJournal(Protocol):
    """What a journal may have besides: a look at which service its jobs were sent to."""

    def for_service(self, name: str) -> None:
        """Note the service that a session sends its jobs to, by host and port; called before `open`.

        `open` then raises `JournalError` where the journal holds tasks of another one: this one would call them gone.
        """
        ...
