"""Run benchmarks: `python -m benchmarks [scenario ...]`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import imports, install, machine
from benchmarks.journal import cost, size, slots
from benchmarks.options import Options
from benchmarks.overhead import scenario as overhead
from benchmarks.report import Report

SCENARIOS: dict[str, Callable[[Options], Report]] = {
    "overhead": overhead.run,
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
        help=f"one or more of {', '.join(SCENARIOS)}, or `journal` for all of its parts; all without a name",
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
        "--out",
        type=Path,
        default=Path("build/benchmarks"),
        help="folder for the JSON files (default: build/benchmarks)",
    )
    given = parser.parse_args()
    unknown = sorted(name for name in given.scenario if not parts(name))
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")

    options = Options(rounds=given.rounds, tasks=given.tasks, seed=given.seed, task_seconds=given.task_seconds)
    if given.quick:
        options = Options(rounds=2, tasks=100, seed=given.seed, task_seconds=0.5)
    facts = machine.facts()
    all_met = True
    chosen = [scenario for name in given.scenario for scenario in parts(name)]
    for scenario in chosen or SCENARIOS:
        report = SCENARIOS[scenario](options)
        all_met = all_met and report.met
        file = report.write(given.out, facts)
        print(report.as_json(facts) if given.json else f"{report.as_text()}\n  JSON: {file}\n", flush=True)
    if not given.json:
        print(
            f"on {facts['python']}, {facts['system']}, {facts['processor']}, {facts['cores']} cores; seed {given.seed}"
        )
    return 1 if given.check and not all_met else 0


def parts(name: str) -> list[str]:
    """The scenarios of this name, or whose name begins with it."""
    return [scenario for scenario in SCENARIOS if scenario == name or scenario.startswith(f"{name}-")]


if __name__ == "__main__":
    sys.exit(main())
