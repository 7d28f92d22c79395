"""The disk under the sessions of a test: it fails or the process dies at a write, and what it takes is looked at."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Literal

from seedance_async import JobRecord, JournalError
from seedance_async.core.record_codec import Column
from seedance_async.testing import MemoryJournal, MemoryStore
from tests.session.journal_checks import check_record, check_successor

#: What becomes of a write: it works, it fails before or after its records are durable, or the process dies there.
Fate = Literal["works", "fails before", "fails after", "dies before", "dies after"]


class Disk(MemoryStore):
    """What survives a crash.

    Attributes:
        fates: Of the writes to come, the next one first; those after the last one work.
        broken: Whether all writes fail.
        slowest: The longest that a write has taken or may take, in seconds.
        journal: The last one that opened it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fates: deque[Fate] = deque()
        self.broken = False
        self.slowest = 0.0
        self.journal: DiskJournal | None = None
        self._seen: dict[str, JobRecord] = {}

    @property
    def sound(self) -> bool:
        """Whether all writes to come will work."""
        return not self.broken and not self.fates

    def crash(self) -> None:
        """Crash; the journal of the process knows."""
        super().crash()
        if self.journal is not None:
            self.journal.dead = True

    async def write(self, journal: MemoryJournal, rows: Mapping[str, tuple[Column, ...]]) -> None:
        fate: Fate = self.fates.popleft() if self.fates else "works"
        number = self.writes + 1
        if self.broken or fate == "fails before":
            self.fail_before.add(number)
        elif fate == "fails after":
            self.fail_after.add(number)
        elif fate == "dies before":
            self.crash()
        try:
            await super().write(journal, rows)
        finally:
            # A dead journal's write has not counted.
            self.fail_before.discard(number)
            self.fail_after.discard(number)
            self._look()
        if fate == "dies after":
            self.crash()
            raise JournalError("the process is dead")

    def _look(self) -> None:
        """Check what has become durable."""
        records = dict(self.records)
        assert self._seen.keys() <= records.keys(), "a key that was durable stays"
        for key, record in records.items():
            before = self._seen.get(key)
            if record != before:
                check_record(record)
                if before is not None:
                    check_successor(before, record)
        self._seen = records


class DiskJournal(MemoryJournal):
    """The journal of one process.

    Attributes:
        dead: Whether the process has crashed: nothing it writes is kept any more.
        troubled: Whether a write of its life failed.
    """

    store: Disk

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk)
        self.dead = self.troubled = self._busy = False

    async def open(self) -> Sequence[JobRecord]:
        records = await super().open()
        self.store.journal = self
        return records

    async def write(self, records: Sequence[JobRecord]) -> None:
        assert not self._busy, "calls come one after the other"
        self._busy = True
        try:
            await super().write(records)
        except JournalError:
            self.troubled = True
            raise
        finally:
            self._busy = False

    async def aclose(self) -> None:
        assert not self._busy, "a journal is not closed while it writes"
        await super().aclose()
