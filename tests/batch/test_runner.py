"""Whole batches that go as they should, or nearly."""

from pathlib import Path

import pytest

from seedance_async.batch import (
    BatchEnded,
    BatchRunner,
    BatchStarted,
    ExitCode,
    Progress,
    RowEnded,
    RowQueued,
    RowRunning,
    RowSaving,
    RunOptions,
    ServiceBack,
    ServiceUnreachable,
    SubmittingStopped,
    Warned,
    read_rows,
)
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.plan import make_plan
from seedance_async.errors import ConfigurationError, InputError, OutcomeUnknownError
from seedance_async.testing import Fault
from tests.batch.driving import Listener, StartEmulator, json_lines, lakes, manifest, run, session_for
from tests.batch.plans import plan_of


async def test_a_batch_leaves_videos_manifest_and_results(emulator: StartEmulator, tmp_path: Path) -> None:
    """More rows than slots, a sub-folder, a carried column; every row is paid once and saved under its name."""
    service = await emulator(limit=3)
    plan = plan_of(
        *({"prompt": f"lake {number}", "id": f"n{number}", "#take": number} for number in range(7)),
        {"prompt": "hill", "id": "hill", "output": "sub/hill.mp4"},
    )
    listener = Listener()
    report = await run(service, BatchRunner(plan, tmp_path, on_event=listener))
    assert report.exit_code is ExitCode.DONE
    assert report.counts == {"done": 8}
    assert report.credits_used == plan.quote.credits == service.statistics().credits_spent
    assert service.statistics().accepted == 8
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        *(f"n{number}.mp4" for number in range(7)),
        "sub/hill.mp4",
        "manifest.jsonl",
        "results.csv",
        "journal.db",
    }
    assert all((tmp_path / name).stat().st_size > 1000 for name in files if name.endswith(".mp4"))
    records = manifest(tmp_path)
    assert records["hill"]["file"] == "sub/hill.mp4"
    assert records["n3"]["#take"] == 3
    assert records["n3"]["size"] == "1920x1080"
    assert {record["status"] for record in records.values()} == {"done"}
    assert isinstance(listener.events[0], BatchStarted)
    assert isinstance(listener.events[-1], BatchEnded)
    kinds = [type(event) for event in listener.events if getattr(event, "row", None) == plan.rows[7]]
    assert kinds[0] is RowQueued
    assert kinds.index(RowRunning) < kinds.index(RowSaving) < kinds.index(RowEnded)


async def test_failures_of_the_service_are_repeated_and_others_written_to_edit(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """A refunded server failure gets further attempts; what moderation refuses goes to failed.jsonl."""
    service = await emulator(limit=4)
    plan = plan_of(
        {"prompt": "fine"},
        {"prompt": "[fail:server,times=2] third time lucky"},
        {"prompt": "[fail:server] never"},
        {"prompt": "[fail:moderation] no", "id": "mod", "#note": "x"},
    )
    report = await run(service, BatchRunner(plan, tmp_path, RunOptions(attempts=3)))
    assert report.exit_code is ExitCode.FAILED
    assert report.counts == {"done": 2, "failed": 2}
    by_prompt = service.statistics().accepted_by_prompt
    assert by_prompt["[fail:server,times=2] third time lucky"] == 3
    assert by_prompt["[fail:server] never"] == 3
    assert by_prompt["[fail:moderation] no"] == 1
    failed = json_lines(report.failed_file)
    assert [row["prompt"] for row in failed] == ["[fail:server] never", "[fail:moderation] no"]
    assert failed[1]["id"] == "mod"
    assert failed[1]["#note"] == "x"
    assert "moderation" in failed[1]["#error"]
    assert manifest(tmp_path)["mod"]["error"]["kind"] == "moderation"
    assert report.credits_used == service.statistics().credits_spent


async def test_failed_rows_can_be_edited_and_passed_in_again(emulator: StartEmulator, tmp_path: Path) -> None:
    """The second run adds to the folder; the table then tells of both."""
    service = await emulator()
    plan = plan_of({"prompt": "fine", "id": "a"}, {"prompt": "[fail:input] lake", "id": "b"})
    first = await run(service, BatchRunner(plan, tmp_path))
    assert first.failed_file is not None
    first.failed_file.write_text(first.failed_file.read_text("utf-8").replace("[fail:input] ", ""), "utf-8")
    again = make_plan(read_rows(first.failed_file), defaults={}, catalogue=Catalogue.CLASSIC)
    second = await run(service, BatchRunner(again, tmp_path))
    assert second.exit_code is ExitCode.DONE
    assert (tmp_path / "b.mp4").exists()
    assert not first.failed_file.exists()
    table = (tmp_path / "results.csv").read_text("utf-8").splitlines()
    assert [line.split(",")[4] for line in table] == ["status", "done", "done"]


async def test_nothing_is_sent_into_a_folder_that_cannot_take_it(emulator: StartEmulator, tmp_path: Path) -> None:
    """A file of somebody else's is in the way, or nothing can be written down."""
    service = await emulator()
    (tmp_path / "n2.mp4").write_bytes(b"precious")
    with pytest.raises(InputError, match="exists already"):
        await run(service, BatchRunner(lakes(2), tmp_path))
    with pytest.raises(ConfigurationError, match="no journal"):
        await run(service, BatchRunner(lakes(2), tmp_path), journal=None)
    assert service.statistics().creates == 0
    assert (tmp_path / "n2.mp4").read_bytes() == b"precious"
    report = await run(service, BatchRunner(lakes(2), tmp_path, RunOptions(overwrite=True)))
    assert report.exit_code is ExitCode.DONE
    assert (tmp_path / "n2.mp4").read_bytes() != b"precious"


async def test_an_outage_is_a_pause(emulator: StartEmulator, tmp_path: Path) -> None:
    """Two hours without the service fail no row, and the listener is told of both ends."""
    service = await emulator(limit=3, faults=[Fault("outage", since=60, until=7200)])
    listener = Listener()
    report = await run(service, BatchRunner(lakes(9), tmp_path, on_event=listener))
    assert report.counts == {"done": 9}
    pauses = [type(event) for event in listener.events if isinstance(event, ServiceUnreachable | ServiceBack)]
    assert pauses == [ServiceUnreachable, ServiceBack]
    assert service.statistics().accepted == 9


async def test_progress_adds_up_at_every_moment(emulator: StartEmulator, tmp_path: Path) -> None:
    """Every row is in exactly one place, and the estimate goes to nothing."""
    service = await emulator(limit=2)
    seen: list[Progress] = []
    runner = BatchRunner(lakes(6), tmp_path, on_event=lambda _event: seen.append(runner.progress()))
    async with session_for(service, runner) as session:
        await runner.run(session)
    for progress in seen:
        assert progress.total == sum(progress.ended.values()) + progress.running + progress.saving + progress.waiting
        assert progress.running <= progress.slot_limit
    assert any(progress.running == 2 and progress.credits_reserved == 830 for progress in seen)
    left = [progress.seconds_left for progress in seen if progress.seconds_left is not None]
    assert left[0] > 100
    assert left[-1] == 0
    assert seen[-1].credits_used == 2490


async def test_a_listener_that_fails_disturbs_nobody(
    emulator: StartEmulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A progress display with a bug must not cost videos."""
    service = await emulator()

    def listener(_event: object) -> None:
        raise ValueError("a bug")

    report = await run(service, BatchRunner(lakes(2), tmp_path, on_event=listener))
    assert report.exit_code is ExitCode.DONE
    assert "a listener of the batch failed" in caplog.text


async def test_a_service_that_was_never_reached_is_said_within_seconds(emulator: StartEmulator, tmp_path: Path) -> None:
    """A wrong host is no outage: nothing is sent and every row can be passed in again."""
    service = await emulator()
    listener = Listener()
    runner = BatchRunner(lakes(5), tmp_path, on_event=listener)
    report = await run(service, runner, base_url="http://127.0.0.1:9/api/v1")
    assert report.counts == {"not_submitted": 5}
    assert report.exit_code is ExitCode.FAILED
    assert report.stopped == "error"
    assert report.stop_message is not None
    assert "the service was not reached" in report.stop_message
    assert [type(event) for event in listener.events].count(SubmittingStopped) == 1
    assert len(json_lines(report.remaining_file)) == 5


async def test_many_rows_go_through_few_slots(emulator: StartEmulator, tmp_path: Path) -> None:
    """Three hundred rows: each create accepted once, few refusals, every file there."""
    service = await emulator(limit=20, credits=10**6, durations=30, clips=b"clip" * 100)
    report = await run(service, BatchRunner(lakes(300), tmp_path), concurrency=25)
    assert report.counts == {"done": 300}
    assert service.statistics().peak_in_progress == 20
    assert service.statistics().accepted == 300
    assert len(list(tmp_path.glob("n*.mp4"))) == 300


async def test_a_create_that_may_have_been_doubled_is_said(emulator: StartEmulator, tmp_path: Path) -> None:
    """The service's own 500 is repeated once more; the listener learns which line may be paid twice."""
    service = await emulator(faults=[Fault("error-after-accept", nth=1, value="500")])
    listener = Listener()
    report = await run(service, BatchRunner(lakes(1), tmp_path, on_event=listener))
    assert report.counts == {"done": 1}
    (warning,) = (event for event in listener.events if isinstance(event, Warned))
    assert warning.message.startswith("line 1: sent again after an error of the service, may be paid twice")


async def test_a_lost_answer_is_not_told_with_the_task_of_an_attempt_before(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """That one failed and was refunded. Of the second create nobody knows a task: it is unknown for its own reason."""
    service = await emulator(faults=[Fault("drop-after-accept", on="create", nth=2, count=1)])
    report = await run(service, BatchRunner(plan_of({"prompt": "[fail:server,times=1] a", "id": "a"}), tmp_path))
    (row,) = report.rows
    assert (row.status, row.task_id) == ("unknown", None)
    assert isinstance(row.error, OutcomeUnknownError)
    assert manifest(tmp_path)["a"].get("task_id") is None
    assert service.statistics().accepted == 2
