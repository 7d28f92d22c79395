"""P2 and P3 with a journal that cannot be written: nothing is sent that is not written down, and no id is lost."""

from pathlib import Path

import pytest

from seedance_async.batch import BatchRunner, ExitCode, SubmittingStopped
from seedance_async.testing import Fault, MemoryJournal, MemoryStore
from tests.batch.driving import Listener, StartEmulator, lakes, paid, run, session_for, videos


async def test_nothing_is_sent_if_the_plan_cannot_be_written_down(emulator: StartEmulator, tmp_path: Path) -> None:
    """A full disk is found out before anything is paid; afterwards the same command does the work."""
    service = await emulator()
    store = MemoryStore(fail_before={1})
    report = await run(service, BatchRunner(lakes(3), tmp_path), journal=MemoryJournal(store))
    assert (report.stopped, report.exit_code) == ("disk", ExitCode.FAILED)
    assert report.counts == {"not_submitted": 3}
    assert service.statistics().creates == 0
    report = await run(service, BatchRunner(lakes(3), tmp_path), journal=MemoryJournal(store))
    assert report.counts == {"done": 3}


@pytest.mark.parametrize("first", range(2, 14))
async def test_a_journal_that_fails_stops_the_batch_and_loses_nothing(
    emulator: StartEmulator, tmp_path: Path, first: int
) -> None:
    """From any write on: no row is paid twice, and every accepted task is saved or known, in the journal or here."""
    service = await emulator(limit=2, durations=60)
    store = MemoryStore(fail_before=range(first, 1000))
    listener = Listener()
    runner = BatchRunner(lakes(6), tmp_path, on_event=listener)
    async with session_for(service, runner, journal=MemoryJournal(store), concurrency=2) as session:
        report = await runner.run(session)
    assert [event.reason for event in listener.events if isinstance(event, SubmittingStopped)] == ["disk"]
    assert report.exit_code in {ExitCode.FAILED, ExitCode.UNKNOWN}
    known = {record.task_id for record in store.records.values()} | {ended.task_id for ended in report.rows}
    assert set(service.world.tasks) <= known
    assert set(paid(service).values()) <= {1}
    saved = {ended.row.file.as_posix() for ended in report.rows if ended.status == "done"}
    assert sorted(saved) == videos(tmp_path)
    # With a journal that works again the rest is done. Ids that it never heard of are in the manifest.
    store.fail_before = set()
    report = await run(service, BatchRunner(lakes(6), tmp_path), journal=MemoryJournal(store), concurrency=2)
    assert set(paid(service).values()) == {1}
    assert report.counts == {"done": 6}


async def test_an_id_of_an_earlier_attempt_resolves_nothing(emulator: StartEmulator, tmp_path: Path) -> None:
    """A manifest of a folder that had no journal yet, or of a task before: the unknown create is another one."""
    service = await emulator(limit=2, faults=[Fault("drop-after-accept")])
    report = await run(service, BatchRunner(lakes(2), tmp_path))
    assert report.counts == {"unknown": 2}
    service.faults.clear()
    for text in ("", ', "at": "2020-01-01T00:00:00Z"', ', "at": "soon"', ', "at": 7'):
        with (tmp_path / "manifest.jsonl").open("a", encoding="utf-8") as file:
            file.write(f'{{"key": "n1", "status": "running", "task_id": "task_old"{text}}}\n')
        report = await run(service, BatchRunner(lakes(2), tmp_path))
        assert report.counts == {"unknown": 2}
    assert service.statistics().creates == 2


async def test_a_note_that_fails_after_it_was_written_changes_nothing(emulator: StartEmulator, tmp_path: Path) -> None:
    """The disk took it and failed to say so: the batch stops, and the next run finds everything."""
    service = await emulator(limit=2, durations=60)
    store = MemoryStore(fail_after=range(5, 1000))
    runner = BatchRunner(lakes(4), tmp_path)
    report = await run(service, runner, journal=MemoryJournal(store))
    assert report.stopped == "disk"
    store.fail_after = set()
    report = await run(service, BatchRunner(lakes(4), tmp_path), journal=MemoryJournal(store))
    assert report.counts == {"done": 4}
    assert set(paid(service).values()) == {1}
