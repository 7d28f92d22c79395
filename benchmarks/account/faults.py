"""Scenario `faults`: connections that are reset before and after a task was made, 5xx, pages instead of JSON."""

from typing import Final

from benchmarks.account.field import AUTO, LOOP, TENACIOUS, compete, everybody, ours, rows
from benchmarks.account.running import Setting
from benchmarks.account.service import FAULTS
from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread

SLOTS: Final = 50
TASKS: Final = 500
_NOTES: Final = (
    "Lost: made, paid, and the caller was told that there is no video.",
    "Unknown: he was told that there may be one. More cannot be known where the answer to a create is missing.",
    "Doubled: made again although it had been made.",
)


def run(options: Options) -> Report:
    """Run everybody against the same rates of faults."""
    tasks = 60 if options.quick else TASKS
    settings = [
        Setting(law="lognormal 0.3", tasks=tasks, limits=[(0.0, SLOTS)], seed=options.seed + number, faults=True)
        for number in range(options.long_rounds)
    ]
    candidates = everybody(SLOTS)
    jobs = {name: (candidates[name], settings) for name in (LOOP, AUTO, ours(SLOTS))}
    if TENACIOUS in candidates:
        jobs[TENACIOUS] = candidates[TENACIOUS], settings[:1]
    found = compete(jobs)
    ratios = [
        Ratio(f"tasks {what}, {name}", Spread.of([getattr(each, what) for each in found[name]]), 0)
        for name in (AUTO, ours(SLOTS))
        for what in ("doubled", "lost")
    ]
    ratios += [
        Ratio(
            f"videos that were paid and not handed over, per hundred tasks, {name}",
            Spread.of([100 * each.unseen / tasks for each in runs]),
        )
        for name, runs in found.items()
    ]
    shares = "; ".join(
        f"{place}s {', '.join(f'{fault} {100 * share:g} %' for fault, share in faults.items())}"
        for place, faults in FAULTS.items()
    )
    return Report(
        "faults",
        "What is lost, and paid twice, where connections break and answers make no sense?",
        rows(found),
        ratios,
        {"rounds": len(settings), "tasks": tasks, "slots": SLOTS, "seed": options.seed},
        [f"Of all requests: {shares}. Two tasks in a hundred fail.", *_NOTES],
    )
