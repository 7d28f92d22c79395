"""Draw the trade-off curves: `python -m benchmarks.polling` writes `curves.json` and `curves.svg` beside this file."""

import argparse
from pathlib import Path

from benchmarks.polling.curves import all_curves
from benchmarks.polling.drawing import FOLDER, draw


def main() -> None:
    """Simulate, write both files, and say what they show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="how often each candidate runs (default: 4)")
    parser.add_argument("--tasks", type=int, default=1000, help="tasks per round (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first round (default: 1)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (default: beside this file)")
    given = parser.parse_args()

    found = all_curves(tasks=given.tasks, seeds=range(given.seed, given.seed + given.rounds))
    draw(found, {"rounds": given.rounds, "tasks": given.tasks, "seed": given.seed, "slots": 50}, given.out)
    for name, curves in found.items():
        requests, idle = curves.requests_at_equal_delay, curves.idle_at_equal_requests
        print(f"{name}: {requests:.2f} of the requests at equal delay, {idle:.2f} of the idle share at equal requests")


if __name__ == "__main__":
    main()
