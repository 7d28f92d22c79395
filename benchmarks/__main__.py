"""Run benchmarks: `python -m benchmarks [scenario ...]`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import imports, install, machine
from benchmarks.options import Options
from benchmarks.overhead import scenario as overhead
from benchmarks.report import Report

SCENARIOS: dict[str, Callable[[Options], Report]] = {
    "overhead": overhead.run,
    "import": imports.run,
    "install": install.run,
}


def main() -> int:
    """Run the scenarios that are named, all without a name; 1 if `--check` is given and an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"one or more of {', '.join(SCENARIOS)}; all without a name")
    parser.add_argument("--rounds", type=int, default=5, help="how often each candidate runs (default: 5)")
    parser.add_argument("--tasks", type=int, default=2000, help="tasks per round, in `overhead` (default: 2000)")
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
    unknown = sorted(set(given.scenario) - set(SCENARIOS))
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")

    options = Options(rounds=given.rounds, tasks=given.tasks, seed=given.seed)
    if given.quick:
        options = Options(rounds=2, tasks=100, seed=given.seed)
    facts = machine.facts()
    all_met = True
    for name in given.scenario or SCENARIOS:
        report = SCENARIOS[name](options)
        all_met = all_met and report.met
        file = report.write(given.out, facts)
        print(report.as_json(facts) if given.json else f"{report.as_text()}\n  JSON: {file}\n", flush=True)
    if not given.json:
        print(
            f"on {facts['python']}, {facts['system']}, {facts['processor']}, {facts['cores']} cores; seed {given.seed}"
        )
    return 1 if given.check and not all_met else 0


if __name__ == "__main__":
    sys.exit(main())
