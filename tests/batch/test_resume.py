"""P2 and P3 without the batch file: a folder knows what is left to do, and what it has cost."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from seedance_async.batch import (
    JOURNAL,
    BatchRunner,
    ExitCode,
    Plan,
    RunOptions,
    describe_standing,
    judge_standing,
    open_folder,
)
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.job_notes import JobNotes, LastRun, last_run_of, read_notes
from seedance_async.core.record import JobCredits
from seedance_async.errors import InputError, JournalError
from seedance_async.testing import Fault
from tests.batch.driving import StartEmulator, interrupted, json_lines, lakes, manifest, paid, run, session_for, videos
from tests.batch.plans import SIGNED, plan_of, table
from tests.batch.records import written


def plan_in(folder: Path) -> Plan:
    """Plan what the folder itself asks for."""
    return open_folder(folder).plan(Catalogue.CLASSIC)


async def test_a_folder_is_gone_on_with_alone(emulator: StartEmulator, tmp_path: Path) -> None:
    """Same keys, same files, same carried columns; nothing is paid twice."""
    service = await emulator(limit=2)
    plan = plan_of(
        *({"prompt": f"lake {number}", "#take": number} for number in range(5)),
        {"prompt": "hill", "id": "h", "output": "x/hill.mp4", "duration": 8},
        {"prompt": "lake 0"},
    )
    await interrupted(service, plan, tmp_path, after=200)
    found = open_folder(tmp_path)
    assert found.catalogue is Catalogue.CLASSIC
    assert [row.key for row in plan_in(tmp_path).rows] == [row.key for row in plan.rows]
    report = await run(service, BatchRunner(plan_in(tmp_path), tmp_path))
    assert report.exit_code is ExitCode.DONE
    assert report.counts == {"done": 7}
    assert paid(service) == {"lake 0": 2, **{f"lake {number}": 1 for number in range(1, 5)}, "hill": 1}
    assert sorted(row.file.as_posix() for row in plan.rows) == videos(tmp_path)
    records = manifest(tmp_path)
    assert {record["#take"] for record in records.values() if "#take" in record} == set(range(5))
    assert (records["h"]["duration"], records["h"]["line"]) == (8, 6)
    # And with the file afterwards: nothing is left to do.
    assert open_folder(tmp_path).standing(plan).done == 7


async def test_what_is_left_can_still_be_passed_in(emulator: StartEmulator, tmp_path: Path) -> None:
    """The rows of a run without a file are written from the journal, with all their fields."""
    service = await emulator(limit=1)
    plan = plan_of(
        {"prompt": "a"}, {"prompt": "b", "id": "b", "duration": 8, "#x": "1"}, {"prompt": "[fail:moderation] c"}
    )
    await interrupted(service, plan, tmp_path, after=30)
    runner = BatchRunner(plan_in(tmp_path), tmp_path)
    runner.stop()
    report = await run(service, runner)
    assert report.counts == {"running": 1, "not_submitted": 2}
    assert report.running == tuple(service.world.tasks)
    rows = json_lines(report.remaining_file)
    assert [(row["prompt"], row["output"]) for row in rows] == [
        ("b", "b.mp4"), ("[fail:moderation] c", "003-fail-moderation-c.mp4"),
    ]  # fmt: skip
    assert (rows[0]["id"], rows[0]["duration"], rows[0]["#x"]) == ("b", 8, "1")
    report = await run(service, BatchRunner(plan_in(tmp_path), tmp_path))
    assert [row["prompt"] for row in json_lines(report.failed_file)] == ["[fail:moderation] c"]
    assert not (tmp_path / "remaining.jsonl").exists()


async def test_links_that_may_be_signed_need_the_batch_file(emulator: StartEmulator, tmp_path: Path) -> None:
    """They are kept until the create and no longer: a further attempt cannot be made without them, and says so."""
    service = await emulator(limit=1)
    picture = SIGNED.replace(".mp4", ".png")
    plan = plan_of(
        {"prompt": "[fail:reference] a", "first_frame": picture}, {"prompt": "b", "first_frame": picture, "id": "b"}
    )
    await interrupted(service, plan, tmp_path, after=400)
    assert paid(service) == {"[fail:reference] a": 1, "b": 1}
    retry = RunOptions(retry_failed="again")
    standing = open_folder(tmp_path).standing(plan_in(tmp_path), retry)
    assert any("not tried again without the batch file" in line for line in describe_standing(standing, 5))
    report = await run(service, BatchRunner(plan_in(tmp_path), tmp_path, retry))
    assert report.counts == {"failed": 1, "done": 1}
    assert report.failed_file is None
    await run(service, BatchRunner(plan, tmp_path, retry))
    assert paid(service) == {"[fail:reference] a": 2, "b": 1}
    assert b"abc123" not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".jsonl")


async def test_the_jobs_of_a_folder_can_be_listed_while_it_is_written(emulator: StartEmulator, tmp_path: Path) -> None:
    """States, ages, credits, files and errors, without touching the journal."""
    service = await emulator(limit=2, durations=60, faults=[Fault("drop-after-accept", prompt="lake 2")])
    plan = plan_of(*({"prompt": f"lake {number}", "id": f"n{number}"} for number in range(1, 6)))
    runner = BatchRunner(plan, tmp_path)
    async with session_for(service, runner, concurrency=2) as session:
        running = asyncio.create_task(runner.run(session))
        while "n1.mp4" not in videos(tmp_path):
            await asyncio.sleep(5)
        await asyncio.sleep(5)
        listed = await asyncio.to_thread(lambda: open_folder(tmp_path).jobs())
        runner.stop()
        await running
    jobs = {job.key: job for job in listed.jobs}
    assert [jobs[f"n{number}"].status for number in range(1, 6)] == ["done", "unknown", "running", "queued", "queued"]
    assert listed.counts == {"done": 1, "unknown": 1, "running": 1, "queued": 2}
    assert (str(jobs["n1"].file), str(jobs["n1"].credits), jobs["n1"].error) == ("n1.mp4", "415", None)
    assert (str(jobs["n2"].credits), jobs["n4"].credits, jobs["n4"].task_id) == ("415", None, None)
    assert jobs["n2"].error == "ServerDisconnectedError: Server disconnected"
    assert jobs["n3"].task_id in service.world.tasks
    assert all(timedelta(0) <= job.age < timedelta(minutes=5) for job in listed.jobs)
    assert listed.credits == JobCredits(Decimal(415), Decimal(415), Decimal(415))


def test_a_folder_without_a_journal_is_empty(tmp_path: Path) -> None:
    """A mistyped folder shows as one where nothing is done."""
    found = open_folder(tmp_path / "none")
    assert (found.records, found.budget, found.catalogue) == ((), None, None)
    assert found.plan(Catalogue.CLASSIC).rows == ()
    standing = found.standing(lakes(2000))
    assert describe_standing(standing, 5)[0] == "0 of 2,000 rows done here"
    assert not (tmp_path / "none").exists()


def test_a_journal_that_is_none_is_said(tmp_path: Path) -> None:
    """Something else of that name is not written over."""
    (tmp_path / JOURNAL).write_text("precious")
    with pytest.raises(JournalError):
        open_folder(tmp_path)


async def test_a_budget_holds_for_the_life_of_a_folder(emulator: StartEmulator, tmp_path: Path) -> None:
    """Used, reserved and perhaps paid credits of all runs count; a run without the file knows the budget."""
    service = await emulator(limit=2, faults=[Fault("drop-after-accept", prompt="lake 2")])
    budget = Decimal(4 * 415)
    options = RunOptions(budget=budget, limit=3)
    await run(service, BatchRunner(lakes(6), tmp_path, options), budget=budget)
    found = open_folder(tmp_path)
    assert found.budget == budget
    standing = found.standing(lakes(6))
    assert standing.spent == 3 * 415
    verdict = judge_standing(standing, budget)
    assert (verdict.fits, verdict.fitting) == (False, 1)
    assert verdict.message is not None
    assert "of the budget of 1,660 credits 1,245 are spent or reserved in this folder; 415 are left" in verdict.message
    report = await run(service, BatchRunner(lakes(6), tmp_path), budget=budget)
    assert report.exit_code is ExitCode.UNKNOWN
    assert report.stopped == "account"
    assert report.counts == {"done": 3, "unknown": 1, "not_submitted": 2}
    assert service.statistics().accepted == 4
    assert judge_standing(open_folder(tmp_path).standing(lakes(4)), budget).fits


async def test_the_budget_of_the_last_run_holds_whatever_that_run_had_to_send(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """A run that goes on with queued rows, sends nothing, or has no budget any more: its word is the folder's."""
    service = await emulator(limit=2)

    async def ran(budget: Decimal | None, rows: int, limit: int | None = None) -> Decimal | None:
        options = RunOptions(budget=budget, limit=limit)
        await run(service, BatchRunner(lakes(rows), tmp_path, options), budget=budget)
        return open_folder(tmp_path).budget

    first, second = Decimal(415), Decimal(5 * 415)
    assert await ran(first, 3) == first
    assert [row["id"] for row in json_lines(tmp_path / "remaining.jsonl")] == ["n2", "n3"]
    assert await ran(second, 3, limit=1) == second
    assert await ran(None, 3) is None
    assert await ran(first, 3) == first  # nothing is left to be sent
    assert await ran(second, 3) == second
    assert await ran(None, 3) is None
    assert await ran(first, 4, limit=0) == first
    assert service.statistics().accepted == 3


async def test_the_budget_is_written_down_before_the_first_create(emulator: StartEmulator, tmp_path: Path) -> None:
    """A crash at that moment leaves a folder that knows it."""
    service = await emulator(limit=1)
    await run(service, BatchRunner(lakes(2), tmp_path, RunOptions(budget=Decimal(415))), budget=Decimal(415))
    runner = BatchRunner(lakes(2), tmp_path, RunOptions(budget=Decimal(1000)))
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        while not all(record.attempts for record in session.journal.jobs()):
            await asyncio.sleep(0.0001)
        assert open_folder(tmp_path).budget == Decimal(1000)
        await running


def test_a_folder_of_an_earlier_release_tells_its_budget_by_its_newest_jobs() -> None:
    """It has no note of its own; one that makes no sense counts as none."""
    first, second = JobNotes(run=1, budget=Decimal(5)), JobNotes(run=2, budget=Decimal(7))
    assert last_run_of([]) == LastRun()
    assert last_run_of([first, second]) == last_run_of([second, first]) == LastRun(2, Decimal(7))
    (row,) = lakes(1).rows
    for broken in ("x", {"run": "2"}, {"budget": "1"}, {"run": True}):
        assert read_notes(written(row, last_run=broken)).last_run is None
    assert read_notes(written(row, last_run={"run": 3, "budget": "x"})).last_run == LastRun(3)


async def test_an_unknown_row_may_be_told_its_task(emulator: StartEmulator, tmp_path: Path) -> None:
    """A webhook or a line in a log brought the id: the row is an ordinary one from then on, paid once."""
    service = await emulator(limit=2, faults=[Fault("drop-after-accept", prompt="lake 2")])
    await run(service, BatchRunner(lakes(2), tmp_path))
    (task_id,) = (task_id for task_id, task in service.world.tasks.items() if task.order.prompt == "lake 2")
    runner = BatchRunner(lakes(2), tmp_path)
    async with session_for(service, runner) as session:
        session.attach(task_id, key="n2")
        report = await runner.run(session)
    assert report.counts == {"done": 2}
    assert service.statistics().accepted == 2


async def test_a_reroll_needs_no_batch_file(emulator: StartEmulator, tmp_path: Path) -> None:
    """The journal knows the inputs; the beginning of a key is enough to name it."""
    service = await emulator()
    await run(service, BatchRunner(plan_of({"prompt": "lake"}, {"prompt": "hill"}), tmp_path))
    key = plan_in(tmp_path).rows[0].key
    options = RunOptions(reroll=(key[:12],), reroll_fields={"duration": 8})
    report = await run(service, BatchRunner(plan_in(tmp_path), tmp_path, options))
    assert report.counts == {"done": 3}
    assert paid(service) == {"lake": 2, "hill": 1}
    assert videos(tmp_path) == ["001-lake-2.mp4", "001-lake.mp4", "002-hill.mp4"]
    with pytest.raises(InputError, match="reroll"):
        await run(service, BatchRunner(plan_in(tmp_path), tmp_path, RunOptions(reroll=("v1:",))))
    assert {row["status"] for row in table(tmp_path / "results.csv")} == {"done"}
