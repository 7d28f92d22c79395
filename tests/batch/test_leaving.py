"""P2 and P3: what becomes of a row after nobody waits for it any more is booked as the journal has it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import evolve

from seedance_async import FixedPolling
from seedance_async.batch import BatchReport, BatchRunner, ExitCode, Plan
from seedance_async.batch.books import Books
from seedance_async.batch.manifest import Manifest
from seedance_async.batch.recorder import Recorder
from seedance_async.core.lifecycle import State
from seedance_async.core.record import JobRecord
from seedance_async.testing import Emulator, Fault
from tests.batch.driving import StartEmulator, json_lines, manifest, paid, run, session_for
from tests.batch.plans import plan_of, standing_of
from tests.batch.records import failed, gone, lost, refused, written

#: A video whose download takes so long that the batch, told to leave, waits for it.
SLOW_FILE = Fault("slow-headers", on="file", prompt="a lake [takes:10]", seconds=6)
LAKE = {"prompt": "a lake [takes:10]", "id": "made"}


async def left(service: Emulator, plan: Plan, folder: Path, after: float) -> BatchReport:
    """Run a batch and stop it as Ctrl-C does; the states of its jobs are looked at right before the end."""
    runner = BatchRunner(plan, folder)
    async with session_for(service, runner, polling=FixedPolling(1.0), concurrency=3) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(after)
        runner.stop()
        report = await running
    assert report.exit_code is ExitCode.INTERRUPTED
    return report


async def states(service: Emulator, folder: Path) -> dict[str, State]:
    """Where the jobs of a folder are by its journal."""
    async with session_for(service, BatchRunner(plan_of(LAKE), folder)) as session:
        return {record.key: record.state for record in session.journal.jobs()}


async def test_a_task_that_fails_meanwhile_has_failed(emulator: StartEmulator, tmp_path: Path) -> None:
    """Moderation refuses it while the last videos are fetched: it is in `failed.jsonl`, and not sent again unasked."""
    service = await emulator(limit=3, faults=[SLOW_FILE])
    sea = {"prompt": "a sea [fail:moderation] [takes:14]", "id": "refused"}
    plan = plan_of(LAKE, sea)
    report = await left(service, plan, tmp_path, after=12.5)
    assert {row.row.key: row.status for row in report.rows} == {"made": "done", "refused": "failed"}
    assert await states(service, tmp_path) == {"made": State.SUCCEEDED, "refused": State.FAILED}
    assert [row["id"] for row in json_lines(report.failed_file)] == ["refused"]
    assert report.remaining_file is None
    assert manifest(tmp_path)["refused"]["error"]["kind"] == "moderation"
    report = await run(service, BatchRunner(plan, tmp_path))
    assert report.counts == {"done": 1, "failed": 1}
    assert paid(service)[sea["prompt"]] == 1


async def test_a_task_that_is_lost_meanwhile_is_unknown(emulator: StartEmulator, tmp_path: Path) -> None:
    """The service does not know it any more: it does not run, and is not said to."""
    service = await emulator(limit=3, faults=[SLOW_FILE, Fault("http-400", on="poll", prompt="a sea", since=13)])
    plan = plan_of(LAKE, {"prompt": "a sea [takes:900]", "id": "gone"})
    report = await left(service, plan, tmp_path, after=12.5)
    assert {row.row.key: row.status for row in report.rows} == {"made": "done", "gone": "unknown"}
    assert await states(service, tmp_path) == {"made": State.SUCCEEDED, "gone": State.GONE}
    assert report.running == ()


async def test_a_run_that_never_began_queues_nothing_that_failed(emulator: StartEmulator, tmp_path: Path) -> None:
    """A row that failed and has other inputs now is sent by the next run; until then its failure stays on record."""
    service = await emulator(limit=3)
    await run(service, BatchRunner(plan_of({"prompt": "a sea [fail:moderation]", "id": "sea"}), tmp_path))
    runner = BatchRunner(plan_of({"prompt": "a calm sea", "id": "sea"}), tmp_path)
    runner.stop()
    assert (await run(service, runner)).counts == {"not_submitted": 1}
    assert await states(service, tmp_path) == {"sea": State.FAILED}
    report = await run(service, BatchRunner(plan_of({"prompt": "a calm sea", "id": "sea"}), tmp_path))
    assert report.counts == {"done": 1}


def ends(record: JobRecord) -> Mapping[str, JobRecord | None]:
    """What may have become of a job."""
    return {
        "failed": failed(record, "server"),
        "refused": refused(record, "BadRequestError", 400),
        "no credits": refused(record, "InsufficientCreditsError", 402),
        "closed": refused(record, "SessionClosedError"),
        "lost": lost(record),
        "gone": gone(record),
        "queued": record,
        "failed with other inputs": failed(evolve(record, digest="of former inputs"), "server"),
        "not written down": None,
    }


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("failed", "failed"),
        ("refused", "failed"),
        ("no credits", "not_submitted"),
        ("closed", "not_submitted"),
        ("lost", "unknown"),
        ("gone", "unknown"),
        ("queued", "not_submitted"),
        ("failed with other inputs", "not_submitted"),
        ("not written down", "not_submitted"),
    ],
)
async def test_a_row_that_nobody_waits_for_is_booked_as_the_journal_has_it(
    tmp_path: Path, end: str, status: str
) -> None:
    """Only what was never accepted, and has nothing wrong with it, is among the rows that remain."""
    plan = plan_of({"prompt": "a", "id": "a"})
    recorder = Recorder(Manifest(tmp_path), pytest.fail)
    books = Books(tmp_path, None)
    books.begin(standing_of(plan), recorder, record={"a": ends(written(plan.rows[0]))[end]}.get)
    books.close()
    await recorder.flush()
    recorder.manifest.close()
    (ended,) = books.report().rows
    assert ended.status == status
    assert (ended.error is None) == (status == "not_submitted")
