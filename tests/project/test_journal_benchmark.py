"""The benchmark of the journal runs, and pairs what it should; no figure is judged here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import parts
from benchmarks.journal.slots import empty_times

ROOT = Path(__file__).parents[2]


def test_all_parts_run(tmp_path: Path) -> None:
    """`journal` is three scenarios; one short round of each leaves its JSON, with every candidate."""
    command = [sys.executable, "-m", "benchmarks", "journal", "--rounds", "1", "--tasks", "20", "--task-seconds", "0.1"]
    ended = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in tmp_path.glob("*.json")}
    assert set(found) == {"journal-cost", "journal-slots", "journal-size"}
    assert set(found["journal-cost"]["rows"]) == {"no journal", "records in memory", "journal"}
    assert len(found["journal-slots"]["rows"]) == 6
    assert found["journal-size"]["settings"]["jobs"] == 100
    assert all("file system" in each["settings"] for each in found.values())


def test_an_empty_time_begins_where_an_end_is_seen() -> None:
    """The first creates found slots empty; each later one fills the slot whose task was seen to end before it."""
    gaps = empty_times([0.0, 0.1, 5.2, 6.5], [5.0, 6.0, 9.0, 9.5], slots=2)
    assert gaps == pytest.approx([0.2, 0.5])


def test_a_name_stands_for_its_parts() -> None:
    """A group's name gives its parts in order, a part's name itself, and any other nothing."""
    assert parts("journal") == ["journal-cost", "journal-slots", "journal-size"]
    assert parts("journal-size") == ["journal-size"]
    assert parts("import") == ["import"]
    assert parts("jour") == []
