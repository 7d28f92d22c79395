"""The benchmark of the journal runs, and pairs what it should; no figure is judged here."""

import pytest

from benchmarks.__main__ import parts
from benchmarks.journal import cost, size, slots
from benchmarks.journal.many import HALFWAY
from benchmarks.journal.slots import empty_times
from benchmarks.options import Options

LITTLE = Options(rounds=1, tasks=20, seed=1, task_seconds=0.1)


def test_the_cost_of_a_job_is_measured_side_by_side() -> None:
    """One short round has every candidate, the ratios to none, and the disk."""
    report = cost.run(LITTLE)
    assert set(report.rows) == {"no journal", "records in memory", "journal"}
    assert len(report.ratios) == 4
    assert "file system" in report.settings


def test_the_empty_time_of_slots_is_measured() -> None:
    """Each candidate has its empty time, and those with a journal the part of it until the intent is durable."""
    report = slots.run(LITTLE, [2])
    waits = [name for name, row in report.rows.items() if "of it until the intent is durable" in row]
    assert waits == ["2 slots, journal", "2 slots, journal, slow disk"]
    slow = report.rows["2 slots, journal, slow disk"]
    # Where every write takes 20 ms, no create leaves sooner than that.
    assert min(slow["empty ms/task"].least, slow["of it until the intent is durable"].least) >= 19
    assert [ratio.aim for ratio in report.ratios] == [0.1, None]


def test_a_journal_of_many_jobs_is_measured() -> None:
    """A journal of five times the tasks is opened, resumed, listed in three ways, and grows by as many."""
    report = size.run(LITTLE, [HALFWAY])
    assert report.settings["jobs"] == 100
    assert [name for name, row in report.rows.items() if "hold-up ms" in row] == [
        f"{HALFWAY}: {step}" for step in ("open", "resume", "plan as many", "close")
    ]
    assert [ratio.aim for ratio in report.ratios] == [0.5, 0.5, 1.0]


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
