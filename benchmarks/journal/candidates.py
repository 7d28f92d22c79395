"""Sessions with and without a journal, over the same jobs."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from seedance_async import AsyncSeedance, JobRecord, JobState, Polling
from seedance_async.hooks import HookEvent, SlotAcquired
from seedance_async.journal import Journal, SqliteJournal

NONE, MEMORY, FILE, SLOW = "no journal", "records in memory", "journal", "journal, slow disk"

#: Seconds that a write takes longer on the slow disk.
SLOWER = 0.02


class KeepsNothing:
    """A journal that forgets: what is left is what the session itself does for one."""

    async def open(self) -> Sequence[JobRecord]:
        """Have no records."""
        return ()

    async def write(self, records: Sequence[JobRecord]) -> None:
        """Forget them."""

    async def aclose(self) -> None:
        """Do nothing."""


class Watched(SqliteJournal):
    """A journal that notes how long slots are held before the intent of their create is durable.

    Attributes:
        waits: Seconds, of each create.
    """

    def __init__(self, path: Path, slower: float) -> None:
        super().__init__(path)
        self.waits: list[float] = []
        self._slower = slower
        self._taken: dict[str, float] = {}

    def heard(self, event: HookEvent) -> None:
        """Note when a slot is taken; a hook of the session."""
        if isinstance(event, SlotAcquired):
            self._taken[event.key] = time.perf_counter()

    async def write(self, records: Sequence[JobRecord]) -> None:
        """Write, and see whose intent is durable now."""
        if self._slower:
            await asyncio.to_thread(time.sleep, self._slower)
        await super().write(records)
        now = time.perf_counter()
        self.waits += [
            now - self._taken.pop(record.key)
            for record in records
            if record.state is JobState.SENDING and record.key in self._taken
        ]


def journal_of(name: str, file: Path) -> Journal | None:
    """The journal of a candidate whose cost is measured."""
    return {NONE: None, MEMORY: KeepsNothing(), FILE: SqliteJournal(file)}[name]


def watched_journal_of(name: str, file: Path) -> Watched | None:
    """The journal of a candidate whose slots are measured."""
    return None if name == NONE else Watched(file, SLOWER if name == SLOW else 0.0)


async def make_all(
    base_url: str, prompts: Sequence[str], concurrency: int, polling: Polling, journal: Journal | None, *, notes: bool
) -> int:
    """Make every video through `map`; with `notes` write down a file for each as a batch does."""
    pairs = [(f"job-{number}", prompt) for number, prompt in enumerate(prompts)]
    hooks = [journal.heard] if isinstance(journal, Watched) else []
    succeeded = 0
    async with (
        AsyncSeedance(
            "benchmark", base_url=base_url, concurrency=concurrency, polling=polling, journal=journal, hooks=hooks
        ) as session,
        session.map(pairs) as items,
    ):
        async for item in items:
            succeeded += item.error is None
            if notes and journal is not None and item.key is not None:
                await session.journal.note(item.key, saved=f"{item.key}.mp4", bytes=1_000_000)
    return succeeded
