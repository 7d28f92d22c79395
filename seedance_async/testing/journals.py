"""A journal in memory that a test can break at any write, and kill.

```python
store = MemoryStore(fail_before={3})
async with AsyncSeedance(emulator.api_key, base_url=emulator.base_url, journal=MemoryJournal(store)) as seedance: ...
store.crash()
async with AsyncSeedance(emulator.api_key, base_url=emulator.base_url, journal=MemoryJournal(store)) as seedance: ...
```
"""

import asyncio
import os
from collections.abc import Coroutine, Iterable, Mapping, Sequence

import anyio

from seedance_async.core.record import JobRecord
from seedance_async.core.record_codec import Column, record_of, row_of
from seedance_async.errors import JournalError


class MemoryStore:
    """What survives a crash: the records that were written. Only its process ends it.

    Attributes:
        writes: How many writes were begun, over all journals of this store. The first one is number 1.
        fail_before: Numbers of writes that raise and write nothing. May be changed at any time.
        fail_after: Numbers of writes that raise after their records are durable: the disk took them and failed to say.
        latency: Seconds of the loop's time that a write takes, half of them before its records are durable.
    """

    def __init__(
        self, *, fail_before: Iterable[int] = (), fail_after: Iterable[int] = (), latency: float = 0.0
    ) -> None:
        self.writes = 0
        self.fail_before = set(fail_before)
        self.fail_after = set(fail_after)
        self.latency = latency
        self._rows: dict[str, tuple[Column, ...]] = {}
        self._holder: MemoryJournal | None = None

    @property
    def records(self) -> Mapping[str, JobRecord]:
        """What is durable, by key, in the order in which the keys were first written."""
        return {key: record_of(row)[0] for key, row in self._rows.items()}

    @property
    def taken(self) -> bool:
        """Whether a journal has it open."""
        return self._holder is not None

    def crash(self) -> None:
        """End the journal that has it open as a killed process ends: what is not durable by now never is.

        Its later calls raise, and the next journal of this store opens.
        """
        self._holder = None

    def take(self, journal: "MemoryJournal") -> tuple[JobRecord, ...]:
        """Give the store to one journal; for `MemoryJournal`."""
        if self._holder is not None:
            raise JournalError("is in use by another journal of this store; close that one")
        self._holder = journal
        return tuple(self.records.values())

    def give_back(self, journal: "MemoryJournal") -> None:
        """Take the store back, if this journal has it; for `MemoryJournal`."""
        if self._holder is journal:
            self._holder = None

    async def write(self, journal: "MemoryJournal", rows: Mapping[str, tuple[Column, ...]]) -> None:
        """Make rows durable, unless this write is to fail; for `MemoryJournal`."""
        self._refuse_stranger(journal)
        self.writes += 1
        number = self.writes
        await anyio.sleep(self.latency / 2)
        self._refuse_stranger(journal)
        if number in self.fail_before:
            raise JournalError(f"write {number} was made to fail, and nothing of it is written")
        self._rows.update(rows)
        await anyio.sleep(self.latency / 2)
        self._refuse_stranger(journal)
        if number in self.fail_after:
            raise JournalError(f"write {number} was made to fail after it was written")

    def _refuse_stranger(self, journal: "MemoryJournal") -> None:
        if self._holder is not journal:
            raise JournalError("was ended by a crash of its store")


class MemoryJournal:
    """A `Journal` in memory, with the promises of one and the failures that its store is told.

    Records are kept as the rows that a SQLite file would have, so what cannot be written there cannot be written here.
    """

    def __init__(self, store: MemoryStore | None = None) -> None:
        """Note where records are kept.

        Args:
            store: Kept by the test, to open another journal on it; one of its own by default.
        """
        self.store = MemoryStore() if store is None else store
        self._pid: int | None = None

    async def open(self) -> Sequence[JobRecord]:
        """Take the store and return its records.

        Raises:
            JournalError: Another journal has it.
        """
        records = self.store.take(self)
        self._pid = os.getpid()
        return records

    async def write(self, records: Sequence[JobRecord]) -> None:
        """Make records durable.

        Cancellation: comes to its end all the same, then raises.

        Raises:
            JournalError: The store was told to fail, or a crash ended this journal.
        """
        if self._pid is None:
            raise JournalError("is not open")
        if self._pid != os.getpid():
            raise JournalError("was opened by another process")
        try:
            rows = {record.key: row_of(record) for record in records}
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise JournalError(f"a record is no JSON ({error})") from error
        await _to_its_end(self.store.write(self, rows))

    async def aclose(self) -> None:
        """Give the store back."""
        self._pid = None
        self.store.give_back(self)


async def _to_its_end(work: Coroutine[None, None, None]) -> None:
    """Run a write that its caller may leave and that nobody cuts short."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    # The scope keeps anyio from delivering the same cancellation over and over meanwhile.
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is None:
        task.result()
        return
    if not task.cancelled():
        # Looked at, or asyncio would report that nobody did.
        task.exception()
    raise cancelled
