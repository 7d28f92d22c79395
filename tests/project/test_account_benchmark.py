"""The account that candidates are compared on: its clock, its ledger, and how a run becomes a row of the table."""

import json
from math import inf
from typing import Any

import pytest

from benchmarks import results
from benchmarks.__main__ import SCENARIOS
from benchmarks.__main__ import run as run_scenario
from benchmarks.account.figures import figures, ideal_under, idle_share, times_to_limit
from benchmarks.account.limit import FOUND_WITHIN
from benchmarks.account.running import Candidate, Run, Setting, run
from benchmarks.account.service import FAULTS, Service
from benchmarks.account.workload import body_of, tasks_of
from benchmarks.options import Options
from benchmarks.polling.laws import LAWS, ONE, Task
from benchmarks.report import Ratio, Report, Spread

HUNDRED = Task(ONE, 100.0)


def setting(**changed: Any) -> Setting:
    """Six tasks on two slots."""
    return Setting(**{"law": "lognormal 0.3", "tasks": 6, "limits": [(0.0, 2)], "seed": 1, **changed})


def made(number: int, accepted: float, ends: float, *, fails: bool = False) -> dict[str, Any]:
    """A task in the ledger, seen one second after its end."""
    return {"number": number, "accepted": accepted, "ends": ends, "fails": fails, "told": ends + 1.0}


@pytest.mark.parametrize("candidate", ["ours", "oracle"])
def test_both_processes_go_by_one_clock(candidate: str) -> None:
    """Minutes of an account pass in a moment, and whoever knows when tasks end loses a fifth of a second on each."""
    found = figures(run(Candidate(candidate, {"concurrency": 2}), setting()))
    assert (found.done, found.failed, found.unknown, found.lost, found.doubled) == (6, 0, 0, 0, 0)
    assert found.creates == 1
    assert found.sockets <= 4
    if candidate == "oracle":
        assert found.polls == 1
        assert found.delay == pytest.approx(0.051, abs=1e-3)
        # Three tasks after another, each with 0.2 seconds of requests.
        assert found.makespan == pytest.approx(1.0, abs=0.005)
        assert found.makespan > 1.0
    else:
        assert found.polls > 5
        assert 1.0 < found.makespan < 1.05


def test_what_was_paid_and_not_handed_over_is_found() -> None:
    """The ledger tells who lost a video, who made one twice, and who said that he does not know."""
    ledger = {
        "made": {
            "a": made(0, 0.0, 100.0),
            "b": made(0, 1.0, 90.0),
            "c": made(1, 100.0, 180.0),
            "d": made(2, 100.0, 180.0),
            "e": made(3, 180.0, 200.0, fails=True),
        },
        "refused": [],
        "creates": 5,
        "polls": 20,
        "most_open": 3,
    }
    report = {
        "began": 0.0,
        "seconds": 220.0,
        "cpu": 0.1,
        "word": {"0": "done", "1": "failed", "2": "unknown", "3": "failed"},
        "task_ids": {"0": "b"},
        "megabytes": 50.0,
        "megabytes before": 40.0,
    }
    found = figures(Run(setting(tasks=4), ledger, report))
    assert (found.done, found.failed, found.unknown) == (1, 2, 1)
    assert found.lost == 1  # task 1: its caller was told that there is no video
    assert found.doubled == 1  # task 0
    assert found.unseen == 3
    assert found.delay == pytest.approx(1.05)
    assert found.polls == 5.0


def test_idle_time_counts_until_the_last_create() -> None:
    """Two slots, of which one stands empty for ten of two hundred seconds of slots."""
    tasks = [made(0, 0.0, 100.0), made(1, 0.0, 90.0), made(2, 100.0, 180.0)]
    assert idle_share(tasks, [(0.0, 2)], 0.0) == pytest.approx(10.0 / 200.0)


def test_the_ideal_follows_a_limit_that_moves() -> None:
    """One slot until 50 seconds, three from then on, and two after one has ended."""
    assert ideal_under([HUNDRED] * 3, [(0.0, 1), (50.0, 3)]) == pytest.approx(150.0)
    assert ideal_under([HUNDRED] * 3, [(0.0, 2), (50.0, 1)]) == pytest.approx(200.0)
    assert ideal_under([HUNDRED] * 2, [(0.0, 1)]) == pytest.approx(200.0)


def test_how_long_a_limit_takes_to_be_used() -> None:
    """One that rose is used when as many tasks run; one that fell when as few do; one that is never used, never."""
    tasks = [made(0, 0.0, 100.0), made(1, 60.0, 140.0)]
    assert times_to_limit(tasks, [(0.0, 1), (50.0, 2), (80.0, 1)]) == [0.0, 10.0, 20.0]
    assert times_to_limit(tasks, [(0.0, 1), (50.0, 3)])[1] == inf
    assert FOUND_WITHIN == 1.0


def test_the_service_spoils_as_many_requests_as_it_says() -> None:
    """Faults come at their rates, and what is refused or reset before the service looks makes no task."""
    work = tasks_of("lognormal 0.3", 4000, seed=1)
    service = Service(work, [(0.0, 4000)], faults=True, seed=1, began=0.0)
    answers = [service.create(json.loads(json.dumps(body_of(number, task))), 1.0) for number, task in enumerate(work)]
    before = sum(share for fault, share in FAULTS["create"].items() if fault.endswith("before"))
    assert len(service.made) == pytest.approx(4000 * (1 - before), rel=0.02)
    assert sum(answer.status == 200 and isinstance(answer.content, dict) for answer in answers) < len(service.made)
    assert set(LAWS) >= {"lognormal 0.3", "two lengths"}


def test_a_scenario_that_fails_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported as failed, which is no aim met."""

    def broken(_options: Options) -> Report:
        raise OSError("no such disk")

    monkeypatch.setitem(SCENARIOS, "import", broken)
    report = run_scenario("import", Options(rounds=1, tasks=1, seed=1))
    assert report.failed
    assert not report.met
    assert "no such disk" in report.as_text()
    assert "took s" in report.settings


def test_a_full_run_is_written_down_with_its_command() -> None:
    """Every aim with its verdict, every table, the command and the machine."""
    report = Report(
        "x", "Why?", {"ours": {"ms": Spread.of([1.0])}}, [Ratio("a : b", Spread.of([2.0]), 1.5)], {"seed": 3}
    )
    facts = {
        "python": "CPython 3.11", "system": "Linux", "processor": "fast", "cores": 2, "load": [0.1],
        "versions": {"aiohttp": "3.14", "httpx": None},
    }  # fmt: skip
    text = results.as_markdown([report], facts, minutes=12.4, arguments="--results")
    assert 'make bench ARGS="--results"' in text
    assert "0 of 1 aims are met, 1 missed" in text
    assert "MISSED" in text
    assert "aiohttp 3.14" in text
    assert "httpx" not in text
    assert "seed 3" in text
