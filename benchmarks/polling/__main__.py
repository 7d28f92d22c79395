"""Draw the trade-off curves: `python -m benchmarks.polling` writes `curves.json` and `curves.svg` beside this file."""

import argparse
import json
from pathlib import Path

from attrs import asdict

from benchmarks.polling.curves import all_curves
from benchmarks.polling.plot import picture


def main() -> None:
    """Simulate, write both files, and say what they show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="how often each candidate runs (default: 4)")
    parser.add_argument("--tasks", type=int, default=1000, help="tasks per round (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first round (default: 1)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder (default: beside this file)")
    given = parser.parse_args()

    found = all_curves(tasks=given.tasks, seeds=range(given.seed, given.seed + given.rounds))
    given.out.mkdir(parents=True, exist_ok=True)
    content = {"rounds": given.rounds, "tasks": given.tasks, "seed": given.seed, "slots": 50}
    content["laws"] = {name: asdict(curves) for name, curves in found.items()}
    (given.out / "curves.json").write_text(json.dumps(_rounded(content), indent=1) + "\n", encoding="utf-8")
    (given.out / "curves.svg").write_text(picture(found), encoding="utf-8")
    for name, curves in found.items():
        requests, idle = curves.requests_at_equal_delay, curves.idle_at_equal_requests
        print(f"{name}: {requests:.2f} of the requests at equal delay, {idle:.2f} of the idle share at equal requests")


def _rounded(value: object) -> object:
    """The same with four digits, which is more than chance lets be known."""
    if isinstance(value, dict):
        return {str(key): _rounded(each) for key, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
