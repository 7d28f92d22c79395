"""P2 and P3 for the files of a folder: what is missing is fetched without a create, what is there is never replaced."""

import asyncio
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from attrs import evolve

from seedance_async import AsyncSeedance
from seedance_async.batch import (
    JOURNAL,
    BatchEvent,
    BatchRunner,
    ExitCode,
    RowEnded,
    RowSaving,
    RunOptions,
    Standing,
    StopReason,
    Warned,
    open_folder,
)
from seedance_async.batch.aside import set_aside, settle
from seedance_async.batch.books import Books
from seedance_async.batch.manifest import Manifest
from seedance_async.batch.recorder import Recorder
from seedance_async.batch.saving import Saver
from seedance_async.clock import wall_now
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.job_notes import read_notes
from seedance_async.core.lifecycle import State
from seedance_async.core.stand import stand
from seedance_async.errors import ConnectionFailedError, InputError, TaskNotFoundError
from seedance_async.journal import read_journal
from seedance_async.testing import Fault
from tests.batch.driving import Listener, StartEmulator, interrupted, lakes, paid, run, session_for, videos
from tests.batch.plans import plan_of


def ignored(_reason: StopReason, _message: str) -> None:
    """Nothing is to be stopped."""


async def test_missing_and_short_files_are_fetched_again_without_a_create(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """A video that was deleted, one that a crash of the disk cut, one of which nothing is left."""
    service = await emulator(limit=4)
    await run(service, BatchRunner(lakes(4), tmp_path))
    whole = {name: (tmp_path / name).read_bytes() for name in videos(tmp_path)}
    (tmp_path / "n1.mp4").unlink()
    (tmp_path / "n2.mp4").write_bytes(whole["n2.mp4"][:100])
    (tmp_path / "n3.mp4").write_bytes(b"")
    counts = open_folder(tmp_path).standing(lakes(4)).counts
    assert counts == {Standing.MISSING: 3, Standing.DONE: 1}
    report = await run(service, BatchRunner(lakes(4), tmp_path))
    assert report.counts == {"done": 4}
    assert {name: (tmp_path / name).read_bytes() for name in videos(tmp_path)} == whole
    assert service.statistics().creates == 4


async def test_a_shorter_file_of_somebody_else_is_moved_aside(emulator: StartEmulator, tmp_path: Path) -> None:
    """Whoever put it there finds it beside the video."""
    service = await emulator()
    await run(service, BatchRunner(lakes(1), tmp_path))
    (tmp_path / "n1.mp4").write_bytes(b"precious")
    listener = Listener()
    report = await run(service, BatchRunner(lakes(1), tmp_path, on_event=listener))
    assert report.counts == {"done": 1}
    assert (tmp_path / "n1.short.mp4").read_bytes() == b"precious"
    assert any(isinstance(event, Warned) and "n1.short.mp4" in event.message for event in listener.events)
    assert service.statistics().creates == 1


async def test_a_longer_file_is_left_alone(emulator: StartEmulator, tmp_path: Path) -> None:
    """Whoever edits a video in its place keeps the edited one."""
    service = await emulator()
    await run(service, BatchRunner(lakes(1), tmp_path))
    edited = (tmp_path / "n1.mp4").read_bytes() + b"more"
    (tmp_path / "n1.mp4").write_bytes(edited)
    polls = service.statistics().polls
    assert (await run(service, BatchRunner(lakes(1), tmp_path))).counts == {"done": 1}
    assert (tmp_path / "n1.mp4").read_bytes() == edited
    assert service.statistics().polls == polls


def test_a_file_that_was_set_aside_gets_its_name_back_if_nothing_comes(tmp_path: Path) -> None:
    """A download that fails takes nothing away."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"part")
    (tmp_path / "a.short.mp4").touch()
    aside = set_aside(path)
    assert aside == tmp_path / "a.short-2.mp4"
    assert not settle(aside, path)
    assert path.read_bytes() == b"part"
    assert set_aside(tmp_path / "none.mp4") is None


def _first(kind: type[BatchEvent], act: Callable[[], object]) -> Listener:
    return Listener(lambda event: isinstance(event, kind), act)


async def test_a_crash_between_the_name_and_the_note_is_healed(emulator: StartEmulator, tmp_path: Path) -> None:
    """The file is there and the journal does not know: it is compared and taken, not made or named again."""
    service = await emulator()
    crashed, folder = tmp_path / "crashed", tmp_path / "folder"
    listener = _first(RowSaving, lambda: shutil.copytree(folder, crashed))
    await run(service, BatchRunner(lakes(1), folder, on_event=listener))
    # The image of the moment before the note, with the file that had its name by then.
    shutil.copy(folder / "n1.mp4", crashed)
    (record,) = read_journal(crashed / JOURNAL)
    assert record.state in {State.RUNNING, State.SUCCEEDED}
    assert read_notes(record).saved is None
    report = await run(service, BatchRunner(lakes(1), crashed))
    assert report.counts == {"done": 1}
    assert videos(crashed) == ["n1.mp4"]
    assert service.statistics().creates == 1
    assert {job.standing for job in open_folder(crashed).standing(lakes(1)).rows} == {Standing.DONE}


async def test_a_crash_after_the_note_and_before_the_name_lasts_is_healed(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """A file system may forget the name of a file that was noted: the video is fetched again."""
    service = await emulator()
    await run(service, BatchRunner(lakes(2), tmp_path))
    (tmp_path / "n2.mp4").rename(tmp_path / ".n2.mp4.0123456789ab.0.part")
    report = await run(service, BatchRunner(lakes(2), tmp_path))
    assert report.counts == {"done": 2}
    assert videos(tmp_path) == ["n1.mp4", "n2.mp4"]
    assert service.statistics().creates == 2


async def test_a_crash_in_the_middle_loses_no_row_and_pays_nothing_twice(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """An image of the folder while tasks run and rows wait; the process it belonged to sends nothing more."""
    service = await emulator(limit=3)
    crashed, folder = tmp_path / "crashed", tmp_path / "folder"
    runner = BatchRunner(lakes(8), folder)
    async with session_for(service, runner, concurrency=3) as session:
        running = asyncio.create_task(runner.run(session))
        while service.statistics().succeeded < 2 or service.statistics().in_progress < 3:
            await asyncio.sleep(1)
        await asyncio.sleep(2)
        running.cancel()
        shutil.copytree(folder, crashed)
        await asyncio.wait({running})
    assert service.statistics().accepted < 8
    states = {record.state for record in read_journal(crashed / JOURNAL)}
    assert {State.RUNNING, State.QUEUED} <= states
    report = await run(service, BatchRunner(lakes(8), crashed))
    assert report.exit_code is ExitCode.DONE
    assert paid(service) == {f"lake {number}": 1 for number in range(1, 9)}
    assert len(videos(crashed)) == 8


async def test_a_folder_may_move(emulator: StartEmulator, tmp_path: Path) -> None:
    """Paths are relative to it."""
    service = await emulator()
    await run(service, BatchRunner(lakes(2), tmp_path / "here"))
    (tmp_path / "here").rename(tmp_path / "there")
    report = await run(service, BatchRunner(lakes(3), tmp_path / "there"))
    assert report.counts == {"done": 3}
    assert service.statistics().creates == 3


async def test_files_of_somebody_else_are_never_replaced(emulator: StartEmulator, tmp_path: Path) -> None:
    """Not before a create, and not by a task of an earlier run either."""
    service = await emulator(limit=1)
    await interrupted(service, lakes(3), tmp_path, after=30)
    (tmp_path / "n1.mp4").write_bytes(b"precious")
    (tmp_path / "n2.mp4").write_bytes(b"precious")
    with pytest.raises(InputError, match=r"line 2: output.*exists already") as caught:
        await run(service, BatchRunner(lakes(3), tmp_path))
    assert len(caught.value.problems) == 1
    (tmp_path / "n2.mp4").unlink()
    report = await run(service, BatchRunner(lakes(3), tmp_path))
    assert report.counts == {"done": 2, "not_saved": 1}
    assert (tmp_path / "n1.mp4").read_bytes() == b"precious"
    (tmp_path / "n1.mp4").unlink()
    report = await run(service, BatchRunner(lakes(3), tmp_path))
    assert report.counts == {"done": 3}
    assert service.statistics().accepted == 3


async def test_a_video_that_could_not_be_saved_is_fetched_by_the_next_run(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """It is paid: the same command gets it, and sends nothing."""
    service = await emulator(faults=[Fault("not-found", on="file")])
    report = await run(service, BatchRunner(lakes(1), tmp_path))
    assert report.counts == {"not_saved": 1}
    assert report.can_resume
    service.faults.clear()
    report = await run(service, BatchRunner(lakes(1), tmp_path))
    assert report.counts == {"done": 1}
    assert service.statistics().creates == 1


async def test_a_signal_before_a_file_is_fetched_again_leaves_it_paid(emulator: StartEmulator, tmp_path: Path) -> None:
    """It is finished, whatever comes of this run: not a row that could be passed in elsewhere."""
    service = await emulator()
    await run(service, BatchRunner(lakes(1), tmp_path))
    (tmp_path / "n1.mp4").unlink()
    runner = BatchRunner(lakes(1), tmp_path)
    runner.stop()
    report = await run(service, runner)
    assert report.counts == {"not_saved": 1}
    assert report.remaining_file is None
    assert report.not_saved == tuple(service.world.tasks)


async def test_what_the_service_keeps_no_longer_is_said_to_be_so(emulator: StartEmulator, tmp_path: Path) -> None:
    """After fourteen days a missing file may be gone for good; nothing is paid for it again."""
    service = await emulator()
    await run(service, BatchRunner(lakes(1), tmp_path))
    (tmp_path / "n1.mp4").unlink()
    found, plan = open_folder(tmp_path), lakes(1)
    later = wall_now() + timedelta(days=15)
    standing = stand(
        plan, found.records, found.sizes, RunOptions(), now=later, catalogue=plan.rows[0].request.catalogue
    )
    assert standing.counts == {Standing.EXPIRED: 1}
    assert (standing.submits, len(standing.fetches)) == ((), 1)


async def test_a_video_that_nobody_has_any_more_leaves_nothing_to_go_on_with(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """Its task is not known any more after all this time: no further run helps, and the way out is named."""
    service = await emulator()
    plan = lakes(1)
    await run(service, BatchRunner(plan, tmp_path))
    (tmp_path / "n1.mp4").unlink()
    found = open_folder(tmp_path)
    later = wall_now() + timedelta(days=15)
    (expired,) = stand(plan, found.records, {}, RunOptions(), now=later, catalogue=Catalogue.CLASSIC).rows
    for error, open_ in ((TaskNotFoundError(404, "no such task"), False), (ConnectionFailedError("away"), True)):
        books, manifest = Books(tmp_path, None), Manifest(tmp_path)
        books.begin(found.standing(plan), recorder := Recorder(manifest, print))
        Saver(cast("AsyncSeedance", None), books, ignored, overwrite=False).not_saved(expired, error)
        await recorder.flush()
        manifest.close()
        report = books.report()
        assert report.counts == {"not_saved": 1}
        assert (report.exit_code, report.can_resume) == (ExitCode.FAILED, open_)
        message = report.rows[0].message
        assert message is not None
        assert ("--reroll" in message) is not open_


async def test_many_missing_files_are_fetched_a_few_at_a_time(emulator: StartEmulator, tmp_path: Path) -> None:
    """More than are asked for at once; each comes, and the rest of the rows is sent meanwhile."""
    service = await emulator(limit=20, durations=30, credits=10**6, clips=b"clip" * 100)
    await run(service, BatchRunner(lakes(40), tmp_path), concurrency=20)
    for path in tmp_path.glob("*.mp4"):
        path.unlink()
    listener = Listener()
    report = await run(service, BatchRunner(lakes(41), tmp_path, on_event=listener), concurrency=20)
    assert report.counts == {"done": 41}
    assert sum(isinstance(event, RowEnded) for event in listener.events) == 41
    assert service.statistics().accepted == 41


async def test_names_follow_the_first_plan_and_never_meet(emulator: StartEmulator, tmp_path: Path) -> None:
    """A new row whose name from its number and prompt is taken gets a mark; a name that was written is a mistake."""
    service = await emulator()
    await run(service, BatchRunner(plan_of({"prompt": "a", "duration": 5}), tmp_path))
    plan = plan_of({"prompt": "a", "duration": 8}, {"prompt": "a", "duration": 5})
    report = await run(service, BatchRunner(plan, tmp_path))
    assert report.counts == {"done": 2}
    old, new = sorted(videos(tmp_path), key=len)
    assert old == "001-a.mp4"
    assert re.fullmatch(r"001-a-[0-9a-f]{6}\.mp4", new)
    taken = plan_of({"prompt": "b", "output": "001-a.mp4"}, {"prompt": "a", "duration": 5})
    with pytest.raises(InputError, match=r"line 1: output: 001-a\.mp4 is the file of another video of this folder"):
        await run(service, BatchRunner(taken, tmp_path, RunOptions(overwrite=True)))
    assert service.statistics().accepted == 2


async def test_the_file_of_an_unknown_job_stays_free_for_its_video(emulator: StartEmulator, tmp_path: Path) -> None:
    """Its task turns up after another row came that would be called the same: each video has a name of its own."""
    service = await emulator(limit=1, faults=[Fault("drop-after-accept", count=1)])
    await run(service, BatchRunner(plan_of({"prompt": "one two"}), tmp_path))
    (task_id,) = service.world.tasks
    plan = plan_of({"prompt": "one-two"}, {"prompt": "one two"})
    assert (await run(service, BatchRunner(plan, tmp_path))).counts == {"done": 1, "unknown": 1}
    runner = BatchRunner(plan, tmp_path, RunOptions(overwrite=True))
    async with session_for(service, runner) as session:
        session.attach(task_id, key=plan.rows[1].key)
        report = await runner.run(session)
    assert report.counts == {"done": 2}
    assert [re.sub(r"-[0-9a-f]{6}\.", "-mark.", name) for name in videos(tmp_path)] == [
        "001-one-two-mark.mp4",
        "001-one-two.mp4",
    ]


async def test_overwrite_never_replaces_the_video_of_another_job(emulator: StartEmulator, tmp_path: Path) -> None:
    """It is paid for. Only what is none of this folder's videos may be replaced."""
    service = await emulator()
    runner = BatchRunner(lakes(2), tmp_path)
    async with session_for(service, runner) as session:
        await runner.run(session)
        before = {name: (tmp_path / name).read_bytes() for name in videos(tmp_path)}
        (done, other) = open_folder(tmp_path).standing(lakes(2)).rows
        books, manifest = Books(tmp_path, None), Manifest(tmp_path)
        books.begin(open_folder(tmp_path / "none").standing(lakes(2)), recorder := Recorder(manifest, print))
        saver = Saver(session, books, ignored, overwrite=True)
        result = await session.attach(key=other.row.key).wait()
        await saver.save(evolve(other, row=evolve(other.row, file=done.row.file)), result)
        assert {name: (tmp_path / name).read_bytes() for name in videos(tmp_path)} == before
        (tmp_path / other.row.file).write_bytes(b"somebody's")
        await saver.save(other, result)
        await recorder.flush()
        manifest.close()
    assert {name: (tmp_path / name).read_bytes() for name in videos(tmp_path)} == before


async def test_a_video_that_lands_in_a_folder_of_its_name_is_noted_there(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """Somebody made a folder of that name while the task ran: the next run finds the video and has nothing to do."""
    service = await emulator()
    runner = BatchRunner(lakes(1), tmp_path)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        while not runner.running:
            await asyncio.sleep(1)
        (tmp_path / "n1.mp4").mkdir()
        report = await running
    (task_id,) = service.world.tasks
    assert report.rows[0].path == tmp_path / "n1.mp4" / f"{task_id}.mp4"
    (record,) = open_folder(tmp_path).records
    assert record.notes["saved"] == f"n1.mp4/{task_id}.mp4"
    polls = service.statistics().polls
    assert (await run(service, BatchRunner(lakes(1), tmp_path))).counts == {"done": 1}
    assert service.statistics().polls == polls
