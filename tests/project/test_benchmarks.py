"""The benchmarks run, and their reports say what they should; no figure is judged here."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.options import Options
from benchmarks.overhead import scenario
from benchmarks.report import Ratio, Report, Spread

ROOT = Path(__file__).parents[2]


def test_overhead_and_import_run(tmp_path: Path) -> None:
    """One short round of the scenarios that need no network leaves their JSON, with every candidate."""
    command = [sys.executable, "-m", "benchmarks", "overhead", "import", "--rounds", "1", "--tasks", "60"]
    ended = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    overhead = json.loads((tmp_path / "overhead.json").read_text(encoding="utf-8"))
    assert {"bare", "bare, connection per create", "ours, map", "ours, generate"} <= set(overhead["rows"])
    assert {"machine", "settings", "ratios"} <= set(overhead)
    # The comparison is fair: the same requests on both sides.
    assert all(row["polls/task"]["median"] == 1 for row in overhead["rows"].values())
    assert json.loads((tmp_path / "import.json").read_text(encoding="utf-8"))["rows"]["seedance_async"]


def test_an_unknown_scenario_is_refused() -> None:
    """A name that is none ends with the usage and the names there are."""
    command = [sys.executable, "-m", "benchmarks", "nonsense"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "overhead" in ended.stderr


def test_a_missed_aim_is_said() -> None:
    """The median decides, the table says so, and a report without aims misses none."""
    missed = Ratio("ours : theirs", Spread.of([1.4, 1.6, 2.0]), aim=1.5)
    report = Report("x", "Why?", {"ours": {"ms": Spread.of([1, 2, 3])}}, [missed])
    assert missed.met is False
    assert not report.met
    assert "MISSED" in report.as_text()
    assert "2 (1-3)" in report.as_text()
    assert Report("x", "Why?", {}, [Ratio("a : b", Spread.of([9]))]).met


def test_turns_alternate_and_repeat() -> None:
    """Every candidate runs once a round, and a seed gives the same order again."""
    options = Options(rounds=6, tasks=1, seed=3)
    turns = list(options.turns(["a", "b", "c"]))
    assert all(sorted(turn) == ["a", "b", "c"] for turn in turns)
    assert len({tuple(turn) for turn in turns}) > 1
    assert turns == list(options.turns(["a", "b", "c"]))


def test_requests_run() -> None:
    """Both sides poll each task equally often."""
    report = scenario.run_requests(Options(rounds=1, tasks=60, seed=1), [scenario.APART, scenario.TICKS])
    assert [row["polls/task"].median for row in report.rows.values()] == [3, 3]
    assert [ratio.aim for ratio in report.ratios] == [1.25]


def test_scale_runs(tmp_path: Path) -> None:
    """One short round measures memory, sockets and time."""
    command = [sys.executable, "-m", "benchmarks", "scale", "--rounds", "1", "--tasks", "10", "--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads((tmp_path / "scale.json").read_text(encoding="utf-8"))
    assert {"pending: 50", "submits: 50", "map: 50", "map, ten times as many: 500"} == set(found["rows"])
    assert all(row["sockets"]["most"] >= 1 for row in found["rows"].values())
