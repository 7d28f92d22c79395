"""P2 and P3: batches that stop early by signals, the account, drift or the disk lose nothing and pay nothing twice."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from seedance_async.batch import (
    BatchEvent,
    BatchRunner,
    DriftSeen,
    ExitCode,
    RowEnded,
    RowRunning,
    RowSaving,
    RunOptions,
    StopReason,
    SubmittingStopped,
)
from seedance_async.batch import folder as folder_module
from seedance_async.testing import Fault
from tests.batch.driving import Listener, StartEmulator, interrupted, json_lines, lakes, manifest, run, session_for
from tests.batch.plans import plan_of


def _nth(kind: type[BatchEvent], number: int) -> Callable[[BatchEvent], bool]:
    seen: list[BatchEvent] = []

    def when(event: BatchEvent) -> bool:
        if isinstance(event, kind):
            seen.append(event)
        return len(seen) == number

    return when


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("interrupt", ExitCode.INTERRUPTED),
        ("terminate", ExitCode.TERMINATED),
        ("hangup", ExitCode.HANGUP),
    ],
)
async def test_a_signal_leaves_running_tasks_with_their_ids(
    emulator: StartEmulator, tmp_path: Path, reason: StopReason, code: ExitCode
) -> None:
    """What is done is saved, what runs is named, what was not sent can be passed in again. It takes no time."""
    service = await emulator(limit=3)
    listener = Listener(_nth(RowEnded, 2), lambda: runner.stop(reason))
    runner = BatchRunner(lakes(12), tmp_path, on_event=listener)
    async with session_for(service, runner) as session:
        report = await runner.run(session)
    counts = report.counts
    assert report.exit_code is code
    assert counts["done"] >= 2
    assert counts["done"] + counts["running"] == service.statistics().accepted
    assert sum(counts.values()) == 12
    assert set(report.running) == set(service.world.tasks) - {
        row.task_id for row in report.rows if row.status == "done"
    }
    # Also for whoever asks when the run has ended: a second signal may come at any time.
    assert runner.running == report.running
    records = manifest(tmp_path)
    assert {record["task_id"] for record in records.values() if record["status"] == "running"} == set(report.running)
    left = {row["id"] for row in json_lines(report.remaining_file)}
    assert left == {row.row.id for row in report.rows if row.status == "not_submitted"}
    assert len(left) == counts["not_submitted"]
    # The ids are good for fetching the rest.
    async with session_for(service, runner) as session:
        for task_id in report.running:
            assert (await session.download(task_id, f"{tmp_path}/later/")).exists()


async def test_ids_are_written_down_before_the_patience_is_over(emulator: StartEmulator, tmp_path: Path) -> None:
    """Whoever presses Ctrl-C twice finds them in the manifest."""
    service = await emulator(limit=3, faults=[Fault("hang-after-accept", nth=3, seconds=60)])
    runner = BatchRunner(lakes(5), tmp_path, patience=30)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(20)
        runner.stop()
        await asyncio.sleep(1)
        assert not running.done()
        written = {record["task_id"] for record in manifest(tmp_path).values()}
        assert written == set(runner.running)
        assert len(written) == 2
        report = await running
    assert report.counts == {"running": 2, "unknown": 1, "not_submitted": 2}
    assert report.exit_code is ExitCode.INTERRUPTED


async def test_a_create_on_the_wire_gets_its_answer_after_a_signal(emulator: StartEmulator, tmp_path: Path) -> None:
    """A slow answer within the patience still brings its id."""
    service = await emulator(limit=1, faults=[Fault("slow-headers", on="create", seconds=5)])
    runner = BatchRunner(lakes(3), tmp_path)
    async with session_for(service, runner, concurrency=1) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(2)
        assert service.statistics().creates == 1
        runner.stop()
        report = await running
    assert report.counts == {"running": 1, "not_submitted": 2}
    assert report.running == tuple(service.world.tasks)


async def test_a_signal_before_the_start_sends_nothing(emulator: StartEmulator, tmp_path: Path) -> None:
    """Ctrl-C while the folder is looked at."""
    service = await emulator()
    runner = BatchRunner(lakes(3), tmp_path)
    runner.stop("terminate")
    report = await run(service, runner)
    assert report.counts == {"not_submitted": 3}
    assert report.exit_code is ExitCode.TERMINATED
    assert report.stop_message == "interrupted"  # nothing is left on the service
    assert service.statistics().creates == 0


async def test_a_signal_during_a_download_gives_it_a_moment(emulator: StartEmulator, tmp_path: Path) -> None:
    """What can be saved within the patience is saved; the rest is paid, said and fetched later."""
    service = await emulator(
        limit=2,
        faults=[
            Fault("slow-headers", on="file", prompt="lake 1", seconds=5),
            Fault("slow-headers", on="file", prompt="lake 2", seconds=50),
        ],
        durations=60,
    )
    listener = Listener(_nth(RowSaving, 2), lambda: runner.stop("interrupt"))
    runner = BatchRunner(lakes(2), tmp_path, on_event=listener)
    async with session_for(service, runner) as session:
        report = await runner.run(session)
    assert report.counts == {"done": 1, "not_saved": 1}
    assert len(report.not_saved) == 1
    assert manifest(tmp_path)["n2"]["status"] == "not_saved"
    assert manifest(tmp_path)["n2"]["credits"] == 415
    assert not (tmp_path / "n2.mp4").exists()


async def test_cancellation_loses_nothing(emulator: StartEmulator, tmp_path: Path) -> None:
    """A runner that is cancelled from outside leaves ids and reports."""
    service = await emulator(limit=2)
    runner = BatchRunner(lakes(5), tmp_path)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(30)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert {record["task_id"] for record in manifest(tmp_path).values()} == set(service.world.tasks)
        assert len(json_lines(tmp_path / "remaining.jsonl")) == 3
        assert (tmp_path / "results.csv").exists()
        assert service.statistics().creates - service.statistics().refusals == 2


async def test_an_account_without_credits_finishes_what_runs(emulator: StartEmulator, tmp_path: Path) -> None:
    """402 in the middle: what was accepted is saved, the rest is said to be unsent."""
    service = await emulator(limit=2, credits=Decimal(3 * 415 + 100))
    listener = Listener()
    report = await run(service, BatchRunner(lakes(8), tmp_path, on_event=listener))
    assert report.counts == {"done": 3, "not_submitted": 5}
    assert report.exit_code is ExitCode.ACCOUNT
    assert report.stop_message is not None
    assert "Insufficient credits" in report.stop_message
    assert [type(event) for event in listener.events].count(SubmittingStopped) == 1
    assert len(json_lines(report.remaining_file)) == 5
    assert report.running == ()


async def test_the_budget_of_the_session_ends_a_batch_alike(emulator: StartEmulator, tmp_path: Path) -> None:
    """A budget that the plan was not held against is held by the session."""
    service = await emulator(limit=2)
    report = await run(service, BatchRunner(lakes(4), tmp_path), budget=Decimal(1000))
    assert report.counts == {"done": 2, "not_submitted": 2}
    assert report.exit_code is ExitCode.ACCOUNT
    assert service.statistics().accepted == 2


async def test_a_key_that_is_refused_from_the_start(emulator: StartEmulator, tmp_path: Path) -> None:
    """Nothing was accepted, every row can be passed in again."""
    service = await emulator()
    report = await run(service, BatchRunner(lakes(3), tmp_path), api_key="wrong")
    assert report.counts == {"not_submitted": 3}
    assert report.exit_code is ExitCode.ACCOUNT


async def test_a_key_that_is_withdrawn_in_the_middle_keeps_every_id(emulator: StartEmulator, tmp_path: Path) -> None:
    """Tasks that nobody may look at any more are paid for: their ids are the way to them."""
    service = await emulator(limit=2)
    service.faults.add(Fault("http-401", on="poll", since=30))
    service.faults.add(Fault("http-401", on="create", since=30))
    report = await run(service, BatchRunner(lakes(4), tmp_path))
    assert report.counts == {"running": 2, "not_submitted": 2}
    assert report.exit_code is ExitCode.ACCOUNT
    assert set(report.running) == set(service.world.tasks)


@pytest.mark.parametrize("ended", [False, True], ids=["running", "finished"])
async def test_a_key_that_is_refused_while_nothing_is_sent(
    emulator: StartEmulator, tmp_path: Path, ended: bool
) -> None:
    """A run that only watches or fetches what earlier ones paid for says that it is the key, too."""
    service = await emulator(limit=2)
    await interrupted(service, lakes(2), tmp_path, after=30)
    if ended:
        await run(service, BatchRunner(lakes(2), tmp_path))
        for video in tmp_path.glob("*.mp4"):
            video.unlink()
    report = await run(service, BatchRunner(lakes(2), tmp_path), api_key="wrong")
    assert report.counts == {"not_saved" if ended else "running": 2}
    assert (report.stopped, report.exit_code) == ("account", ExitCode.ACCOUNT)
    assert "401" in (report.stop_message or "")
    assert (await run(service, BatchRunner(lakes(2), tmp_path))).exit_code is ExitCode.DONE


async def test_a_lost_answer_is_unknown_and_never_sent_again(emulator: StartEmulator, tmp_path: Path) -> None:
    """The others go on; the row is in neither of the files to pass in again."""
    service = await emulator(limit=2, faults=[Fault("drop-after-accept", prompt="lake 2")])
    report = await run(service, BatchRunner(lakes(4), tmp_path))
    assert report.counts == {"done": 3, "unknown": 1}
    assert report.exit_code is ExitCode.UNKNOWN
    assert (report.failed_file, report.remaining_file) == (None, None)
    assert manifest(tmp_path)["n2"]["error"]["charged"] == "maybe"
    assert service.statistics().accepted_by_prompt["lake 2"] == 1


async def test_drift_stops_the_submitting_and_finishes_what_runs(emulator: StartEmulator, tmp_path: Path) -> None:
    """From the first task on that costs something else than quoted not one further create leaves."""
    service = await emulator(limit=2, faults=[Fault("credits-drift", nth=1, value="2")])
    creates: list[int] = []
    listener = Listener(_nth(DriftSeen, 1), lambda: creates.append(session.statistics().creates))
    runner = BatchRunner(lakes(9), tmp_path, on_event=listener)
    async with session_for(service, runner) as session:
        report = await runner.run(session)
        assert creates == [session.statistics().creates]
    assert report.stopped == "drift"
    assert report.exit_code is ExitCode.FAILED
    assert report.counts["done"] == service.statistics().accepted < 9
    assert report.counts["not_submitted"] == 9 - report.counts["done"]
    assert report.credits_used == service.statistics().credits_spent
    (seen,) = (event for event in listener.events if isinstance(event, DriftSeen))
    assert "credits should be 415 and is 830" in seen.message


async def test_drift_may_be_accepted(emulator: StartEmulator, tmp_path: Path) -> None:
    """Whoever knows of the discount goes on."""
    service = await emulator(limit=2, faults=[Fault("credits-drift", value="0.7")])
    listener = Listener()
    report = await run(service, BatchRunner(lakes(4), tmp_path, RunOptions(on_drift="go"), on_event=listener))
    assert report.exit_code is ExitCode.DONE
    assert sum(isinstance(event, DriftSeen) for event in listener.events) == 4


async def test_a_signal_while_drift_is_being_finished_leaves_at_once(emulator: StartEmulator, tmp_path: Path) -> None:
    """The later signal outranks: what runs is left, and the exit code says so."""
    service = await emulator(limit=2, faults=[Fault("credits-drift", nth=1, value="2")])
    plan = plan_of({"prompt": "lake [takes:50]"}, *({"prompt": f"hill {number} [takes:900]"} for number in range(3)))
    runner = BatchRunner(plan, tmp_path)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        while runner.progress().stopping != "drift":
            await asyncio.sleep(1)
        await asyncio.sleep(10)
        assert not running.done()
        runner.stop("terminate")
        report = await running
    assert report.exit_code is ExitCode.TERMINATED
    assert report.counts["done"] == 1
    assert report.counts["running"] >= 1
    assert len(report.running) == report.counts["running"]


async def test_a_video_that_cannot_be_saved_is_said_with_its_id(emulator: StartEmulator, tmp_path: Path) -> None:
    """The file host fails for one of them: it is paid, and the others are not held up."""
    service = await emulator(limit=2, faults=[Fault("not-found", on="file", prompt="lake 2")])
    report = await run(service, BatchRunner(lakes(3), tmp_path))
    assert report.counts == {"done": 2, "not_saved": 1}
    assert report.exit_code is ExitCode.FAILED
    record = manifest(tmp_path)["n2"]
    assert (record["status"], record["task_id"], record["file"]) == ("not_saved", *report.not_saved, None)
    assert record["credits"] == 415
    assert record["error"]["charged"] == "yes"
    assert report.failed_file is None


async def test_a_file_that_appears_during_the_batch_is_not_overwritten(emulator: StartEmulator, tmp_path: Path) -> None:
    """Somebody else's file wins, also when it was not there at the start."""
    service = await emulator(limit=2)
    precious = tmp_path / "n1.mp4"
    listener = Listener(_nth(RowRunning, 1), lambda: precious.write_bytes(b"precious"))
    report = await run(service, BatchRunner(lakes(2), tmp_path, on_event=listener))
    assert report.counts == {"done": 1, "not_saved": 1}
    assert precious.read_bytes() == b"precious"


async def test_a_full_disk_stops_the_submitting(
    emulator: StartEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Videos that nobody can keep are not bought; what runs is named."""
    monkeypatch.setattr(folder_module, "LEAST_FREE_BYTES", 1 << 62)
    service = await emulator(limit=2, faults=[Fault("not-found", on="file", prompt="lake 1")])
    report = await run(service, BatchRunner(lakes(9), tmp_path))
    assert report.stopped == "disk"
    assert report.stop_message is not None
    assert "is full" in report.stop_message
    assert report.exit_code is ExitCode.FAILED
    assert report.counts["not_submitted"] >= 4
    assert report.counts.get("running", 0) == len(report.running) > 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
async def test_a_manifest_that_cannot_be_written_stops_the_submitting(emulator: StartEmulator, tmp_path: Path) -> None:
    """Without a memory nothing more is bought; the report still knows every id."""
    service = await emulator(limit=2)

    def fill_the_disk() -> None:
        recorder = runner._books.recorder
        assert recorder is not None
        recorder.manifest._file.close()
        recorder.manifest._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115

    listener = Listener(_nth(RowRunning, 1), fill_the_disk)
    runner = BatchRunner(lakes(9), tmp_path, on_event=listener)
    async with session_for(service, runner) as session:
        report = await runner.run(session)
    assert report.stopped == "disk"
    assert report.stop_message is not None
    assert "manifest.jsonl cannot be written: No space left on device" in report.stop_message
    saved = {row.task_id for row in report.rows if row.status == "done"}
    assert {*report.running, *report.not_saved} == set(service.world.tasks) - saved
    assert "not_submitted" in (tmp_path / "results.csv").read_text("utf-8")


async def test_a_signal_during_an_outage_does_not_wait_for_its_end(emulator: StartEmulator, tmp_path: Path) -> None:
    """A service that is away keeps nobody at the terminal."""
    service = await emulator(limit=2, faults=[Fault("outage", since=20)])
    runner = BatchRunner(lakes(6), tmp_path)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(600)
        assert runner.progress().unreachable is not None
        runner.stop()
        before = asyncio.get_running_loop().time()
        report = await running
        assert asyncio.get_running_loop().time() - before <= 10
    assert report.counts == {"running": 2, "not_submitted": 4}
    assert set(report.running) == set(service.world.tasks)
