"""P2 and P3 over several runs of one folder: nothing is paid twice, and everything paid is saved."""

import asyncio
import json
from pathlib import Path

import pytest

from seedance_async.batch import (
    JOURNAL,
    BatchRunner,
    BatchStarted,
    ExitCode,
    RowEnded,
    RunOptions,
    Standing,
    Warned,
    make_plan,
    open_folder,
    read_rows,
)
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.lifecycle import State
from seedance_async.errors import ConfigurationError, InputError
from seedance_async.hooks import PossibleDouble
from seedance_async.journal import read_journal
from seedance_async.testing import Fault
from tests.batch.driving import (
    Listener,
    StartEmulator,
    interrupted,
    json_lines,
    lakes,
    manifest,
    paid,
    run,
    session_for,
    videos,
)
from tests.batch.plans import plan_of, table


async def test_the_same_command_finishes_the_rest(emulator: StartEmulator, tmp_path: Path) -> None:
    """Stopped in the middle and run again: every row is paid once and its file is there."""
    service = await emulator(limit=3)
    await interrupted(service, lakes(10), tmp_path, after=200)
    assert 3 <= len(paid(service)) < 10
    report = await run(service, BatchRunner(lakes(10), tmp_path))
    assert report.exit_code is ExitCode.DONE
    assert report.counts == {"done": 10}
    assert not report.can_resume
    assert paid(service) == {f"lake {number}": 1 for number in range(1, 11)}
    assert len(videos(tmp_path)) == 10
    assert report.credits_used == service.statistics().credits_spent
    assert {row["status"] for row in table(tmp_path / "results.csv")} == {"done"}
    assert not (tmp_path / "remaining.jsonl").exists()


async def test_a_second_signal_loses_nothing_either(emulator: StartEmulator, tmp_path: Path) -> None:
    """The run is torn away from what it does: what it could not queue again is withdrawn, which is the same."""
    service = await emulator(limit=2)
    runner = BatchRunner(lakes(5), tmp_path)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(30)
        runner.stop()
        running.cancel()
        await asyncio.wait({running})
    states = {record.key: record.state for record in read_journal(tmp_path / JOURNAL)}
    assert set(states.values()) <= {State.RUNNING, State.WITHDRAWN, State.QUEUED}
    report = await run(service, BatchRunner(lakes(5), tmp_path))
    assert report.counts == {"done": 5}
    assert set(paid(service).values()) == {1}


async def test_drift_is_told_once(emulator: StartEmulator, tmp_path: Path) -> None:
    """A video that was paid by other prices and has to be fetched again does not stop the next run."""
    service = await emulator(limit=2, faults=[Fault("credits-drift", value="0.7", count=2)])
    await run(service, BatchRunner(lakes(2), tmp_path, RunOptions(on_drift="go")))
    service.faults.clear()
    (tmp_path / "n1.mp4").unlink()
    report = await run(service, BatchRunner(lakes(3), tmp_path))
    assert report.stopped is None
    assert report.counts == {"done": 3}


async def test_a_third_run_has_nothing_to_do(emulator: StartEmulator, tmp_path: Path) -> None:
    """No request leaves, nobody is told of rows, and the reports stay as they are."""
    service = await emulator(limit=3)
    await run(service, BatchRunner(lakes(4), tmp_path))
    before, results = (tmp_path / "manifest.jsonl").read_bytes(), (tmp_path / "results.csv").read_bytes()
    seen = service.statistics()
    listener = Listener()
    report = await run(service, BatchRunner(lakes(4), tmp_path, on_event=listener))
    assert report.exit_code is ExitCode.DONE
    assert service.statistics() == seen
    assert [event for event in listener.events if isinstance(event, RowEnded)] == []
    assert listener.events[0] == BatchStarted(4, done=4, submits=0)
    assert (tmp_path / "manifest.jsonl").read_bytes() == before
    assert (tmp_path / "results.csv").read_bytes() == results


async def test_tasks_that_run_hold_their_slots_before_the_first_create(emulator: StartEmulator, tmp_path: Path) -> None:
    """Else the account would refuse creates until they have ended."""
    service = await emulator(limit=3)
    await interrupted(service, lakes(9), tmp_path, after=30, concurrency=3)
    assert service.statistics().in_progress == 3
    report = await run(service, BatchRunner(lakes(9), tmp_path), concurrency=3)
    assert report.exit_code is ExitCode.DONE
    assert service.statistics().refusals == 0
    assert service.statistics().accepted == 9


async def test_rows_may_be_inserted_deleted_and_moved(emulator: StartEmulator, tmp_path: Path) -> None:
    """With and without an `id`: a row that was made is not made again, wherever it stands now."""
    service = await emulator(limit=4)
    first = plan_of({"prompt": "a"}, {"prompt": "b", "id": "bee"}, {"prompt": "a"}, {"prompt": "gone"}, {"prompt": "d"})
    await run(service, BatchRunner(first, tmp_path))
    second = plan_of(
        {"prompt": "new"},
        {"prompt": "d"},
        {"prompt": "a"},
        {"prompt": "b", "id": "bee"},
        {"prompt": "a"},
        {"prompt": "a"},
    )
    report = await run(service, BatchRunner(second, tmp_path))
    assert report.exit_code is ExitCode.DONE
    assert paid(service) == {"a": 3, "b": 1, "gone": 1, "d": 1, "new": 1}
    files = ["001-a.mp4", "001-new.mp4", "003-a.mp4", "004-gone.mp4", "005-d.mp4", "006-a.mp4", "bee.mp4"]
    assert videos(tmp_path) == files
    results = table(tmp_path / "results.csv")
    assert [row["prompt"] for row in results] == ["gone", "new", "d", "a", "b", "a", "a"]
    assert [row["line"] for row in results[1:]] == ["1", "2", "3", "4", "5", "6"]


async def test_a_row_that_left_the_file_is_listed_and_its_task_saved(emulator: StartEmulator, tmp_path: Path) -> None:
    """What runs is paid for and saved; what was only queued is not sent, and neither is a failure."""
    service = await emulator(limit=1)
    await interrupted(service, lakes(3), tmp_path, after=30)
    report = await run(service, BatchRunner(plan_of({"prompt": "hill", "id": "h"}), tmp_path))
    assert report.exit_code is ExitCode.DONE
    assert report.counts == {"done": 1}
    assert {ended.row.id: ended.status for ended in report.left} == {"n1": "done", "n2": "held", "n3": "held"}
    assert videos(tmp_path) == ["h.mp4", "n1.mp4"]
    assert paid(service) == {"lake 1": 1, "hill": 1}
    # Nor are they sent by going on without the file, until a row asks for them again.
    report = await run(service, BatchRunner(open_folder(tmp_path).plan(Catalogue.CLASSIC), tmp_path))
    assert report.counts == {"done": 1}
    assert paid(service) == {"lake 1": 1, "hill": 1}
    report = await run(service, BatchRunner(lakes(3), tmp_path))
    assert report.counts == {"done": 3}
    assert paid(service) == {"lake 1": 1, "lake 2": 1, "lake 3": 1, "hill": 1}
    assert [row.key for row in open_folder(tmp_path).plan(Catalogue.CLASSIC).rows] == ["n1", "n2", "n3"]


async def test_a_job_without_a_row_is_not_called_by_a_line(emulator: StartEmulator, tmp_path: Path) -> None:
    """Another row has that line now. It goes by its id, else by its key."""
    service = await emulator(limit=3)
    left = plan_of({"prompt": "one", "id": "n1"}, {"prompt": "two"})
    await interrupted(service, left, tmp_path, after=30)
    listener = Listener()
    runner = BatchRunner(plan_of({"prompt": "new", "id": "n9"}), tmp_path, on_event=listener)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        while len(runner.running) < 3:
            await asyncio.sleep(1)
        for key in ("n9", "n1", left.rows[1].key, "somebody"):
            runner.hook(PossibleDouble(key, "500"))
        await running
    told = [event.message for event in listener.events if isinstance(event, Warned)]
    assert [message.partition("sent again")[0] for message in told] == ["line 1: ", "n1: ", f"{left.rows[1].key}: ", ""]


async def test_rows_of_another_file_are_left_alone_and_not_forgotten(emulator: StartEmulator, tmp_path: Path) -> None:
    """The rows that failed are passed in again by themselves: the others are not gone, and `resume` sends them."""
    service = await emulator(limit=1)
    folder = tmp_path / "videos"
    plan = plan_of({"prompt": "[fail:input] lake"}, {"prompt": "hill"}, {"prompt": "sea"})
    await run(service, BatchRunner(plan, folder, RunOptions(limit=1)))
    await interrupted(service, plan, folder, after=20)
    failed = folder / "failed.jsonl"
    failed.write_text(failed.read_text("utf-8").replace("[fail:input] lake", "lake"), "utf-8")
    again = make_plan(read_rows(failed), defaults={}, catalogue=Catalogue.CLASSIC)
    report = await run(service, BatchRunner(again, folder))
    assert report.counts == {"done": 1}
    assert [(ended.row.inputs.prompt, ended.status) for ended in report.left] == [("hill", "done")]
    standing = open_folder(folder).standing(again)
    assert (len(standing.rows_elsewhere), standing.left_rows) == (3, ())
    report = await run(service, BatchRunner(open_folder(folder).plan(Catalogue.CLASSIC), folder))
    assert report.counts == {"done": 3, "failed": 1}
    assert paid(service) == {"[fail:input] lake": 1, "lake": 1, "hill": 1, "sea": 1}


async def test_rows_that_were_not_sent_stay_queued(emulator: StartEmulator, tmp_path: Path) -> None:
    """Whatever took them back; and their links are kept until they are sent."""
    service = await emulator(limit=1)
    await interrupted(service, lakes(3), tmp_path, after=30)
    states = {record.key: record.state for record in read_journal(tmp_path / JOURNAL)}
    assert states == {"n1": State.RUNNING, "n2": State.QUEUED, "n3": State.QUEUED}
    assert len(json_lines(tmp_path / "remaining.jsonl")) == 2


async def test_every_row_is_written_down_before_the_first_create(emulator: StartEmulator, tmp_path: Path) -> None:
    """With what is needed to go on without the batch file."""
    service = await emulator(limit=1)
    plan = plan_of(
        {"prompt": "a", "#scene": {"n": 1}, "output": "x/a.mp4"},
        *({"prompt": f"lake {number}"} for number in range(200)),
    )
    seen: list[int] = []

    def look(_event: object) -> None:
        if not seen and runner.progress().slots_used:
            seen.append(len(read_journal(tmp_path / JOURNAL)))
            runner.stop()

    runner = BatchRunner(plan, tmp_path, on_event=look)
    await run(service, runner)
    assert seen == [201]
    (record, *_) = read_journal(tmp_path / JOURNAL)
    notes = {name: value for name, value in record.notes.items() if name != "run"}
    assert json.loads(json.dumps(dict(notes), default=dict)) == {
        "file": "x/a.mp4", "source": "rows.jsonl", "index": 1, "line": 1, "carried": {"#scene": {"n": 1}},
    }  # fmt: skip


async def test_failures_are_kept_or_tried_again_by_their_kind(emulator: StartEmulator, tmp_path: Path) -> None:
    """Without the option none; with it those that may come out differently; with `all` every one."""
    service = await emulator(limit=4)
    prompts = ["[fail:server] s", "[fail:moderation] m", "[fail:reference] r", "fine"]
    plan = plan_of(*({"prompt": prompt} for prompt in prompts))
    options = RunOptions(attempts=1)
    report = await run(service, BatchRunner(plan, tmp_path, options))
    assert report.counts == {"failed": 3, "done": 1}
    made = paid(service)
    report = await run(service, BatchRunner(plan, tmp_path, options))
    assert report.counts == {"failed": 3, "done": 1}
    assert report.exit_code is ExitCode.FAILED
    assert report.failed_file is not None
    assert len(json_lines(report.failed_file)) == 3
    assert paid(service) == made
    await run(service, BatchRunner(plan, tmp_path, RunOptions(attempts=1, retry_failed="again")))
    assert paid(service) == {**made, "[fail:server] s": 2, "[fail:reference] r": 2}
    await run(service, BatchRunner(plan, tmp_path, RunOptions(attempts=1, retry_failed="all")))
    assert paid(service) == {"fine": 1, "[fail:server] s": 3, "[fail:reference] r": 3, "[fail:moderation] m": 2}


async def test_an_unknown_row_is_sent_again_only_when_told(emulator: StartEmulator, tmp_path: Path) -> None:
    """By then nobody can know whether it is paid twice; until then the exit code says that it may be paid."""
    service = await emulator(limit=2, faults=[Fault("drop-after-accept", prompt="lake 2", count=1)])
    report = await run(service, BatchRunner(lakes(3), tmp_path))
    assert report.exit_code is ExitCode.UNKNOWN
    report = await run(service, BatchRunner(lakes(3), tmp_path))
    assert report.exit_code is ExitCode.UNKNOWN
    assert report.counts == {"done": 2, "unknown": 1}
    assert paid(service)["lake 2"] == 1
    report = await run(service, BatchRunner(lakes(3), tmp_path, RunOptions(resubmit_unknown=True)))
    assert report.counts == {"done": 3}
    assert paid(service) == {"lake 1": 1, "lake 2": 2, "lake 3": 1}
    again = await run(service, BatchRunner(lakes(3), tmp_path, RunOptions(resubmit_unknown=True)))
    assert again.counts == {"done": 3}
    assert paid(service)["lake 2"] == 2


async def test_a_task_that_fails_after_the_restart_gets_its_further_attempts(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """The service's own failures are refunded and tried again, whoever watches the task."""
    service = await emulator(limit=2)
    plan = plan_of({"prompt": "[fail:server,times=2] a", "id": "a"}, {"prompt": "[fail:server] b", "id": "b"})
    await interrupted(service, plan, tmp_path, after=20)
    report = await run(service, BatchRunner(plan, tmp_path, RunOptions(attempts=3)))
    assert report.counts == {"done": 1, "failed": 1}
    assert paid(service) == {"[fail:server,times=2] a": 3, "[fail:server] b": 3}


async def test_limit_sends_the_first_rows_that_are_still_to_be_done(emulator: StartEmulator, tmp_path: Path) -> None:
    """A try of ten is no failure, and goes on with the next ones; without the file nothing beyond them is sent."""
    service = await emulator(limit=3)
    report = await run(service, BatchRunner(lakes(7), tmp_path, RunOptions(limit=2)))
    assert report.counts == {"done": 2, "held": 5}
    assert report.exit_code is ExitCode.DONE
    assert report.remaining_file is None
    assert not report.can_resume
    report = await run(service, BatchRunner(lakes(7), tmp_path, RunOptions(limit=3)))
    assert sorted(paid(service)) == [f"lake {number}" for number in range(1, 6)]
    assert open_folder(tmp_path).plan(Catalogue.CLASSIC).rows[-1].key == "n5"


async def test_only_sends_the_rows_that_are_named(emulator: StartEmulator, tmp_path: Path) -> None:
    """By id or pattern; a name that no row has is a mistake, and nothing is sent."""
    service = await emulator(limit=3)
    with pytest.raises(InputError, match="only: is the id or key of no row"):
        await run(service, BatchRunner(lakes(12), tmp_path, RunOptions(only=("n1", "m*"))))
    assert service.statistics().creates == 0
    report = await run(service, BatchRunner(lakes(12), tmp_path, RunOptions(only=("n2", "n1?"))))
    assert report.counts == {"done": 4, "held": 8}
    assert sorted(paid(service)) == ["lake 10", "lake 11", "lake 12", "lake 2"]


async def test_rows_that_nobody_agreed_to_are_not_sent(emulator: StartEmulator, tmp_path: Path) -> None:
    """Between the look and the yes another run may have changed what is to be done."""
    service = await emulator(limit=3)
    agreed = open_folder(tmp_path).standing(lakes(3))
    await run(service, BatchRunner(lakes(2), tmp_path))
    creates = service.statistics().creates
    report = await run(service, BatchRunner(lakes(3), tmp_path, expected=agreed))
    assert report.counts == {"done": 3}
    with pytest.raises(ConfigurationError, match="has changed since it was looked at"):
        await run(service, BatchRunner(lakes(4), tmp_path, expected=agreed))
    assert service.statistics().creates == creates + 1


async def test_the_truth_is_the_journal(emulator: StartEmulator, tmp_path: Path) -> None:
    """Reports are for people: whoever deletes them loses nothing, and they are written anew."""
    service = await emulator(limit=3)
    await run(service, BatchRunner(lakes(3), tmp_path))
    (tmp_path / "manifest.jsonl").unlink()
    (tmp_path / "results.csv").unlink()
    report = await run(service, BatchRunner(lakes(3), tmp_path))
    assert report.counts == {"done": 3}
    assert service.statistics().accepted == 3
    records = manifest(tmp_path)
    assert {record["status"] for record in records.values()} == {"done"}
    assert (records["n1"]["file"], records["n1"]["credits"], records["n1"]["size"]) == ("n1.mp4", 415, "1920x1080")
    assert {job.standing for job in open_folder(tmp_path).standing(lakes(3)).rows} == {Standing.DONE}
