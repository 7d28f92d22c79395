"""P2 and P3 through crashes: a batch that dies at any write of its journal is finished by the same command."""

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from seedance_async.batch import BatchRunner, Plan, RunOptions
from seedance_async.core.lifecycle import State
from seedance_async.errors import JournalError
from seedance_async.testing import MemoryJournal, MemoryStore
from tests.batch.driving import StartEmulator, paid, run, session_for, videos
from tests.batch.plans import plan_of


class Killed(MemoryStore):
    """A store whose process dies at one write: before its records are durable, or after."""

    def __init__(self, folder: Path, number: int, *, durable: bool) -> None:
        super().__init__(latency=0.1)
        self.left = folder.with_name("left")
        self.sending: set[str] = set()
        self.died = asyncio.Event()
        self._folder, self._number, self._durable = folder, number, durable

    async def write(self, journal: MemoryJournal, rows: Mapping[str, tuple[Any, ...]]) -> None:
        if self.died.is_set() or self.writes + 1 != self._number:
            await super().write(journal, rows)
            return
        if self._durable:
            await super().write(journal, rows)
        self.crash()
        # What the disk holds at that moment: whatever the dead process writes later was never written.
        shutil.copytree(self._folder, self.left)
        self.sending = {record.key for record in self.records.values() if record.state is State.SENDING}
        self.died.set()
        raise JournalError("the process is dead")


def rows() -> Plan:
    """Some rows of each kind."""
    return plan_of(
        *({"prompt": f"lake {number}", "id": f"n{number}"} for number in range(4)),
        {"prompt": "same"},
        {"prompt": "same"},
        {"prompt": "[fail:server,times=1] hill", "id": "hill"},
    )


@pytest.mark.parametrize("durable", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3, 5, 8, 12, 17, 20, 24])
async def test_a_killed_batch_is_finished_by_the_same_command(
    emulator: StartEmulator, tmp_path: Path, number: int, durable: bool
) -> None:
    """By the service's account no row is paid twice; what nobody can know is unknown, and only that."""
    service = await emulator(limit=2, durations=30)
    folder = tmp_path / "folder"
    store = Killed(folder, number, durable=durable)
    runner = BatchRunner(rows(), folder)
    async with session_for(service, runner, journal=MemoryJournal(store), concurrency=2) as session:
        running = asyncio.create_task(runner.run(session))
        dying = asyncio.create_task(store.died.wait())
        await asyncio.wait({running, dying}, return_when=asyncio.FIRST_COMPLETED)
        running.cancel()
        dying.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert store.died.is_set()
    store.latency = 0.0
    report = await run(service, BatchRunner(rows(), store.left), journal=MemoryJournal(store), concurrency=2)
    unknown = {ended.row.key for ended in report.rows if ended.status == "unknown"}
    assert unknown == store.sending
    assert report.counts.get("done", 0) + len(unknown) == 7
    accepted = paid(service)
    assert all(accepted.get(f"lake {index}", 0) <= 1 for index in range(4))
    assert accepted.get("same", 0) <= 2
    assert accepted.get("[fail:server,times=1] hill", 0) <= 2
    assert len(videos(store.left)) == report.counts.get("done", 0)
    again = await run(
        service, BatchRunner(rows(), store.left, RunOptions(resubmit_unknown=True)), journal=MemoryJournal(store)
    )
    assert again.counts == {"done": 7}
    assert len(videos(store.left)) == 7
