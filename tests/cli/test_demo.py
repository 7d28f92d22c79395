"""`seedance demo`: a dozen real files through the real session and real HTTP, and nothing spent."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from seedance_async.batch import BatchReport, EndedRow, ExitCode, RowStatus
from seedance_async.cli.demo import exit_code, run_demo
from seedance_async.cli.options import CatalogueName, RowDefaults, ServiceOptions
from seedance_async.cli.quote import read_plan
from seedance_async.cli.terminal import Terminal
from seedance_async.core.inputs import TextToVideo
from seedance_async.testing.failures import read_marks

PROMPTS = Path(__file__).parents[2] / "examples" / "prompts.jsonl"
PACKAGED = Path(str(files("seedance_async.cli"))) / "prompts.jsonl"
MARKED = " [fail:moderation]"


def test_the_packaged_prompts_are_the_example_with_a_mark() -> None:
    """An installed package has no examples folder; only its copy has the mark: the real service has none."""
    packaged = [json.loads(line) for line in PACKAGED.read_text(encoding="utf-8").splitlines()]
    assert sum(row["prompt"].endswith(MARKED) for row in packaged) == 1
    for row in packaged:
        row["prompt"] = row["prompt"].removesuffix(MARKED)
        row.pop("#note", None)
    assert packaged == [json.loads(line) for line in PROMPTS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("catalogue", ["classic", "latest"])
@pytest.mark.parametrize(("file", "failing"), [(PROMPTS, 0), (PACKAGED, 1)], ids=["example", "packaged"])
def test_the_example_is_a_dozen_varied_prompts(catalogue: CatalogueName, file: Path, failing: int) -> None:
    """Valid under both catalogues, in all six ratios; in the demo the emulator refuses exactly one."""
    plan = read_plan(str(file), RowDefaults(), ServiceOptions(catalogue=catalogue))
    inputs = [row.inputs for row in plan.rows if isinstance(row.inputs, TextToVideo)]
    assert len(inputs) == 12
    assert {one.aspect_ratio for one in inputs} == {"16:9", "9:16", "1:1", "4:3", "3:4", "21:9"}
    assert len({one.duration for one in inputs}) >= 5
    assert {one.output_resolution for one in inputs} == {"480p", "720p", "1080p"}
    assert {one.model for one in inputs} == {"seedance-20", "seedance2-fast"}
    assert sum(read_marks(one.prompt).failure is not None for one in inputs) == failing


def make_demo(out: Path, *, json: bool = False, quiet: bool = False) -> int:
    """The same demo at a speed for tests."""
    return run_demo(str(out), Terminal(quiet=quiet), json=json, speed=600, look_every=0.05)


def test_the_demo(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Refusals and a failure on the way, eleven files of the size and length that were asked for, exit code 0."""
    av = pytest.importorskip("av")
    out = tmp_path / "demo"
    code = make_demo(out, json=True)
    printed = capfd.readouterr()
    told = json.loads(printed.out)
    assert (code, told["counts"]) == (0, {"done": 11, "failed": 1})
    assert "nothing is spent" in printed.err
    assert "takes 4 tasks at a time" in printed.err
    for words in ("seedance resume", "seedance jobs", "in your file"):  # there is nothing to go on with
        assert words not in printed.err
    assert "failed: marionette.mp4" in printed.err
    assert {"manifest.jsonl", "results.csv", "failed.jsonl"} <= {path.name for path in out.iterdir()}
    sizes = {
        "lake-dawn": (1280, 720, 5), "neon-rain": (1470, 630, 6), "glassblower": (720, 1280, 5),
        "dew-spider": (640, 640, 4), "whale-and-diver": (1920, 1080, 5), "ramen": (560, 752, 6),
    }  # fmt: skip
    for name, (width, height, seconds) in sizes.items():
        with av.open(str(out / f"{name}.mp4")) as video:
            stream = video.streams.video[0]
            assert (stream.width, stream.height) == (width, height)
            assert abs(video.duration / av.time_base - seconds) <= 0.1


def test_a_second_demo_replaces_the_first(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`make demo` may be run again and again."""
    for _ in range(2):
        assert make_demo(tmp_path / "demo", quiet=True) == 0
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "accepted" not in printed.err
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ({1: "done", 2: "failed"}, ExitCode.DONE),
        ({1: "failed", 2: "failed"}, ExitCode.FAILED),
        ({1: "failed", 2: "done"}, ExitCode.FAILED),
        ({1: "done", 2: "unknown"}, ExitCode.UNKNOWN),
        ({1: "not_saved", 2: "failed"}, ExitCode.FAILED),
    ],
)
def test_only_the_planned_failure_counts_as_success(ends: dict[int, RowStatus], code: ExitCode, tmp_path: Path) -> None:
    """Row 2 is meant to fail; whatever else goes wrong in a demo is a failure of the demo."""
    rows = read_plan(str(PROMPTS), RowDefaults(), ServiceOptions()).rows
    report = BatchReport(tmp_path, tuple(EndedRow(rows[index - 1], status) for index, status in ends.items()))
    assert exit_code(report, {2}) is code
