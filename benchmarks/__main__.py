"""Run benchmarks: `python -m benchmarks [scenario ...]`."""

import argparse
import shlex
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from attrs import evolve

from benchmarks import imports, install, machine, queue, results
from benchmarks.account import faults, honest, limit, saturated, tail
from benchmarks.journal import cost, size, slots
from benchmarks.options import Options
from benchmarks.overhead import scenario as overhead
from benchmarks.polling import scenario as polling
from benchmarks.report import Report
from benchmarks.scale import scenario as scale
from benchmarks.web import scenario as web
from benchmarks.webhooks import scenario as webhooks

SCENARIOS: dict[str, Callable[[Options], Report]] = {
    "saturated-5": saturated.run_5,
    "saturated-50": saturated.run_50,
    "saturated-500": saturated.run_500,
    "mixed": saturated.run_mixed,
    "limit": limit.run,
    "faults": faults.run,
    "tail": tail.run,
    "clock": honest.run,
    "polling": polling.run,
    "webhooks": webhooks.run,
    "queue": queue.run,
    "web": web.run,
    "overhead": overhead.run,
    "requests": overhead.run_requests,
    "scale": scale.run,
    "import": imports.run,
    "install": install.run,
    "journal-cost": cost.run,
    "journal-slots": slots.run,
    "journal-size": size.run,
}


def main() -> int:
    """Run the scenarios that are named, all without a name; 1 if `--check` is given and an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "scenario",
        nargs="*",
        help=f"one or more of {', '.join(SCENARIOS)}, or what is before the dash for all of its parts; all without a "
        "name",
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each candidate runs (default: 5)")
    parser.add_argument(
        "--tasks",
        type=int,
        default=2000,
        help="tasks per round, in `overhead` and `journal-cost` (default: 2000); `journal-size` has five times as "
        "many jobs, and `journal-slots` one for each slot and 250 of them",
    )
    parser.add_argument(
        "--task-seconds",
        type=float,
        default=2.0,
        help="how long tasks take, in `journal-slots` (default: 2.0)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="decides the order of candidates within a round (default: 1)"
    )
    parser.add_argument("--quick", action="store_true", help="two short rounds: shows that it works, measures nothing")
    parser.add_argument("--check", action="store_true", help="end with exit code 1 if an aim is missed")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--results",
        action="store_true",
        help="write all that is found into benchmarks/RESULTS.md, too, and draw the curves of `polling` anew",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/benchmarks"),
        help="folder for the JSON files (default: build/benchmarks)",
    )
    given = parser.parse_args()
    unknown = sorted(name for name in given.scenario if not parts(name))
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")

    if given.quick and given.results:
        parser.error("--quick measures nothing, so that there are no --results to write")

    options = Options(
        rounds=given.rounds,
        tasks=given.tasks,
        seed=given.seed,
        task_seconds=given.task_seconds,
        draw=given.results,
    )
    if given.quick:
        options = Options(rounds=2, tasks=100, seed=given.seed, task_seconds=0.5, quick=True)
    facts = machine.facts()
    began = time.monotonic()
    reports: list[Report] = []
    chosen = [scenario for name in given.scenario for scenario in parts(name)]
    for scenario in chosen or SCENARIOS:
        report = run(scenario, options)
        reports.append(report)
        file = report.write(given.out, facts)
        if given.results:
            # After each, so that a run that is broken off leaves what it has found.
            minutes = (time.monotonic() - began) / 60
            results.write(reports, facts, minutes=minutes, arguments=shlex.join(sys.argv[1:]))
        print(report.as_json(facts) if given.json else f"{report.as_text()}\n  JSON: {file}\n", flush=True)
    if not given.json:
        print(
            f"on {facts['python']}, {facts['system']}, {facts['processor']}, {facts['cores']} cores; seed {given.seed}"
        )
    if any(report.failed for report in reports):
        return 1
    return 1 if given.check and not all(report.met for report in reports) else 0


def run(scenario: str, options: Options) -> Report:
    """Run one scenario, and say how long it took. One that fails must not cost what the others have found."""
    began = time.monotonic()
    try:
        report = SCENARIOS[scenario](options)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever it is, it is told, and ends with code 1)
        traceback.print_exc()
        report = Report(scenario, "It failed.", {}, [], {}, [f"{type(error).__name__}: {error}"], failed=True)
    return evolve(report, settings={**report.settings, "took s": round(time.monotonic() - began)})


def parts(name: str) -> list[str]:
    """The scenarios of this name, or whose name begins with it."""
    return [scenario for scenario in SCENARIOS if scenario == name or scenario.startswith(f"{name}-")]


if __name__ == "__main__":
    sys.exit(main())
