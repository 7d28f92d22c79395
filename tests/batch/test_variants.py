"""P2 for rows of which several videos are made: by count, by reroll, and after the row has changed."""

from pathlib import Path

import pytest

from seedance_async.batch import BatchRunner, ExitCode, Plan, RunOptions, Standing, make_plan, open_folder
from seedance_async.batch.formats import read_csv
from seedance_async.core.catalogue import Catalogue
from seedance_async.errors import InputError
from tests.batch.driving import StartEmulator, interrupted, paid, run, videos
from tests.batch.plans import plan_of, table


def csv_plan(text: str, count: int = 1) -> Plan:
    """Plan a CSV of several lines."""
    return make_plan(read_csv("rows.csv", text, bom=False), defaults={}, catalogue=Catalogue.CLASSIC, count=count)


async def test_count_makes_variants(emulator: StartEmulator, tmp_path: Path) -> None:
    """By a column or by an option, each with a key and a file of its own, priced and made once."""
    service = await emulator(limit=5)
    plan = csv_plan("id,prompt,count\na,lake,3\nb,hill,\n", count=2)
    assert [row.key for row in plan.rows] == ["a", "a#2", "a#3", "b", "b#2"]
    assert plan.quote.requests == 5
    report = await run(service, BatchRunner(plan, tmp_path))
    assert report.counts == {"done": 5}
    assert paid(service) == {"lake": 3, "hill": 2}
    assert videos(tmp_path) == ["a-2.mp4", "a-3.mp4", "a.mp4", "b-2.mp4", "b.mp4"]
    report = await run(service, BatchRunner(csv_plan("id,prompt,count\na,lake,4\nb,hill,1\n"), tmp_path))
    assert report.counts == {"done": 5}
    assert paid(service) == {"lake": 4, "hill": 2}
    assert videos(tmp_path)[2] == "a-4.mp4"


@pytest.mark.parametrize("count", ["0", "x", "1.5", "101", "-1"])
def test_a_count_is_a_whole_number(count: str) -> None:
    """From 1 to 100: more is a slip of the hand that would be paid for."""
    with pytest.raises(InputError, match="count: must be a whole number from 1 to 100"):
        csv_plan(f"prompt,count\nlake,{count}\n")


def test_an_id_that_names_another_rows_variant_is_a_mistake() -> None:
    """Two rows would stand for one job."""
    with pytest.raises(InputError, match="line 3: id: is the name of video 2 of line 2"):
        csv_plan("id,prompt,count\na,lake,2\na#2,hill,\n")
    assert [row.key for row in csv_plan("id,prompt\na,lake\na#2,hill\n").rows] == ["a", "a#2"]


async def test_variants_that_were_not_sent_can_be_passed_in_again(emulator: StartEmulator, tmp_path: Path) -> None:
    """In the same folder each of them stands for its own job, without an `id` too."""
    service = await emulator(limit=1)
    plan = csv_plan("prompt,count\nlake,3\n")
    report = await interrupted(service, plan, tmp_path, after=30)
    assert report.remaining_file is not None
    rest = table(report.remaining_file)
    assert [row["output"] for row in rest] == ["001-lake-2.mp4", "001-lake-3.mp4"]
    again = csv_plan(report.remaining_file.read_text("utf-8"))
    assert [row.key for row in again.rows] == [row.key for row in plan.rows[1:]]
    await run(service, BatchRunner(again, tmp_path))
    assert paid(service) == {"lake": 3}
    assert videos(tmp_path) == ["001-lake-2.mp4", "001-lake-3.mp4", "001-lake.mp4"]


async def test_a_reroll_makes_the_next_variant_and_keeps_the_older_file(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """With other fields or the same; it is asked for each time anew."""
    service = await emulator(catalogue=Catalogue.LATEST)
    plan = plan_of({"prompt": "lake", "id": "a"}, {"prompt": "hill", "id": "b"}, catalogue=Catalogue.LATEST)
    await run(service, BatchRunner(plan, tmp_path), catalogue=Catalogue.LATEST)
    older = (tmp_path / "a.mp4").read_bytes()
    options = RunOptions(reroll=("a",), reroll_fields={"seed": 7})
    assert open_folder(tmp_path).standing(plan, options, catalogue=Catalogue.LATEST).counts == {
        Standing.DONE: 2, Standing.REROLL: 1,
    }  # fmt: skip
    report = await run(service, BatchRunner(plan, tmp_path, options), catalogue=Catalogue.LATEST)
    assert report.counts == {"done": 3}
    assert [ended.row.key for ended in report.rows] == ["a", "a#2", "b"]
    assert report.rows[1].row.inputs.seed == 7
    assert videos(tmp_path) == ["a-2.mp4", "a.mp4", "b.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == older
    report = await run(service, BatchRunner(plan, tmp_path), catalogue=Catalogue.LATEST)
    assert report.counts == {"done": 3}
    assert paid(service) == {"lake": 2, "hill": 1}
    await run(service, BatchRunner(plan, tmp_path, RunOptions(reroll=("a",))), catalogue=Catalogue.LATEST)
    assert videos(tmp_path) == ["a-2.mp4", "a-3.mp4", "a.mp4", "b.mp4"]


async def test_a_reroll_that_was_interrupted_is_not_made_twice(emulator: StartEmulator, tmp_path: Path) -> None:
    """The same command, given again, finishes what it began, also where the reroll itself is done already."""
    service = await emulator(limit=1)
    await run(service, BatchRunner(plan_of({"prompt": "lake", "id": "a"}), tmp_path))
    plan = plan_of({"prompt": "lake", "id": "a"}, {"prompt": "hill", "id": "b"}, {"prompt": "sea", "id": "c"})
    options = RunOptions(reroll=("a",))
    runner = BatchRunner(plan, tmp_path, options, on_event=lambda _event: stop_when_two_are_paid())

    def stop_when_two_are_paid() -> None:
        if service.statistics().succeeded >= 2 and service.statistics().accepted == 3:
            runner.stop()

    report = await run(service, runner)
    assert report.counts["not_submitted"] == 1
    assert paid(service) == {"lake": 2, "hill": 1}
    report = await run(service, BatchRunner(plan, tmp_path, options))
    assert report.counts == {"done": 4}
    assert paid(service) == {"lake": 2, "hill": 1, "sea": 1}
    await run(service, BatchRunner(plan, tmp_path, options))
    assert paid(service)["lake"] == 3


@pytest.mark.parametrize(
    ("names", "fields", "message"),
    [
        (("x",), {}, "reroll: is the id or key of no row"),
        (("b",), {}, "reroll: no video of this row was made yet"),
        (("a",), {"sede": 1}, "reroll a: sede"),
        (("a",), {"duration": 99}, "reroll a: duration"),
    ],
)
async def test_a_reroll_of_nothing_is_a_mistake(
    emulator: StartEmulator, tmp_path: Path, names: tuple[str, ...], fields: dict[str, object], message: str
) -> None:
    """P5: said before anything is sent."""
    service = await emulator()
    await run(service, BatchRunner(plan_of({"prompt": "lake", "id": "a"}), tmp_path))
    plan = plan_of({"prompt": "lake", "id": "a"}, {"prompt": "hill", "id": "b"})
    with pytest.raises(InputError, match=message):
        await run(service, BatchRunner(plan, tmp_path, RunOptions(reroll=names, reroll_fields=fields)))
    assert service.statistics().creates == 1


async def test_a_changed_row_keeps_its_video_until_it_is_made_anew(emulator: StartEmulator, tmp_path: Path) -> None:
    """It is listed and no failure; made anew it is the next variant, and then it is not changed any more."""
    service = await emulator()
    await run(service, BatchRunner(plan_of({"prompt": "lake", "id": "a"}), tmp_path))
    plan = plan_of({"prompt": "a deep lake", "id": "a"})
    report = await run(service, BatchRunner(plan, tmp_path))
    assert report.counts == {"changed": 1}
    assert report.exit_code is ExitCode.DONE
    assert report.rows[0].path == tmp_path / "a.mp4"
    assert paid(service) == {"lake": 1}
    report = await run(service, BatchRunner(plan, tmp_path, RunOptions(redo_changed=True)))
    assert report.counts == {"done": 1}
    assert paid(service) == {"lake": 1, "a deep lake": 1}
    assert videos(tmp_path) == ["a-2.mp4", "a.mp4"]
    for options in (RunOptions(), RunOptions(redo_changed=True)):
        report = await run(service, BatchRunner(plan, tmp_path, options))
        assert report.counts == {"done": 1}
        assert report.rows[0].row.key == "a#2"
    # And back again: the first video is what the row asks for.
    report = await run(service, BatchRunner(plan_of({"prompt": "lake", "id": "a"}), tmp_path))
    assert (report.counts, report.rows[0].row.key) == ({"done": 1}, "a")
    assert service.statistics().accepted == 2


async def test_a_changed_row_that_runs_is_watched_while_it_is_made_anew(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """Both are paid and both are saved."""
    service = await emulator(limit=2)
    await interrupted(service, plan_of({"prompt": "lake", "id": "a"}), tmp_path, after=20)
    plan = plan_of({"prompt": "hill", "id": "a"})
    report = await run(service, BatchRunner(plan, tmp_path, RunOptions(redo_changed=True)))
    assert report.counts == {"done": 1}
    assert [(ended.row.key, ended.status) for ended in report.left] == [("a", "done")]
    assert videos(tmp_path) == ["a-2.mp4", "a.mp4"]
    assert paid(service) == {"lake": 1, "hill": 1}


async def test_a_row_that_changed_before_it_was_paid_gets_another_attempt(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """Failed or never accepted: under the same key and name, without any option."""
    service = await emulator(limit=1)
    first = plan_of({"prompt": "[fail:moderation] lake", "id": "a"}, {"prompt": "hill", "id": "b"})
    await run(service, BatchRunner(first, tmp_path, RunOptions(limit=1)))
    second = plan_of({"prompt": "lake", "id": "a"}, {"prompt": "a high hill", "id": "b"})
    report = await run(service, BatchRunner(second, tmp_path))
    assert report.counts == {"done": 2}
    assert videos(tmp_path) == ["a.mp4", "b.mp4"]
    assert paid(service) == {"[fail:moderation] lake": 1, "lake": 1, "a high hill": 1}


async def test_a_task_of_former_inputs_that_fails_leaves_the_row_to_the_next_run(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """Its own inputs were not tried: nothing is sent with the former ones again."""
    service = await emulator(limit=1)
    await interrupted(service, plan_of({"prompt": "[fail:server] lake", "id": "a"}), tmp_path, after=20)
    plan = plan_of({"prompt": "hill", "id": "a"})
    report = await run(service, BatchRunner(plan, tmp_path))
    assert report.counts == {"failed": 1}
    report = await run(service, BatchRunner(plan, tmp_path))
    assert report.counts == {"done": 1}
    assert paid(service) == {"[fail:server] lake": 1, "hill": 1}


async def test_limit_and_only_leave_changed_rows_changed(emulator: StartEmulator, tmp_path: Path) -> None:
    """A row that is not made anew this time keeps its video, and is not lost."""
    service = await emulator()
    await run(service, BatchRunner(plan_of({"prompt": "x", "id": "a"}, {"prompt": "y", "id": "b"}), tmp_path))
    plan = plan_of({"prompt": "xx", "id": "a"}, {"prompt": "yy", "id": "b"})
    report = await run(service, BatchRunner(plan, tmp_path, RunOptions(redo_changed=True, limit=1)))
    assert report.counts == {"done": 1, "changed": 1}
    assert videos(tmp_path) == ["a-2.mp4", "a.mp4", "b.mp4"]
