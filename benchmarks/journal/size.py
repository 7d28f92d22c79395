"""Scenario `journal-size`: what a journal of 10,000 jobs takes to open, resume and list."""

from collections.abc import Mapping, Sequence

from benchmarks.journal import disk
from benchmarks.journal.many import CANDIDATES, OPEN, READ, RUNNING, SHOW, STEPS
from benchmarks.journal.running import measure, server
from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread

#: Seconds: "well under a second", and as much for an interpreter to start.
AIMS = {OPEN: 0.5, READ: 0.5, SHOW: 1.0}
#: Tasks of the server last longer than any measurement.
ENDLESS = 3600.0


def run(options: Options, candidates: Sequence[str] = CANDIDATES) -> Report:
    """Measure each state of a journal, round by round."""
    jobs = 5 * options.tasks
    found: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in candidates}
    with disk.folder() as folder:
        facts = disk.facts(folder)
        for turn in options.turns(candidates):
            for name in turn:
                with server(ENDLESS, options.seed) as (base_url, _):
                    found[name].append(measure("size", name, base_url, folder, jobs=jobs, concurrency=RUNNING))
    rows = {
        f"{name}: {step}": {figure: Spread.of([each[step][figure] for each in values]) for figure in values[0][step]}
        for step in STEPS
        for name, values in found.items()
    }
    ratios = [
        Ratio(f"{step}, the slowest, seconds", slowest(rows, [f"{name}: {step}" for name in candidates]), aim)
        for step, aim in AIMS.items()
    ]
    return Report(
        "journal-size",
        f"What does a journal of {jobs:,} jobs take to open, to resume and to list?",
        rows,
        ratios,
        {"rounds": options.rounds, "jobs": jobs, "concurrency": RUNNING, "seed": options.seed, **facts},
        [
            "A hold-up is the longest time in which the event loop did nothing else.",
            "`list` is `session.journal.jobs()` and `.credits`; `read from beside` is `read_journal` of a file in use.",
            disk.note(facts),
        ],
    )


def slowest(rows: Mapping[str, Mapping[str, Spread]], names: Sequence[str]) -> Spread:
    """The largest of some rows by its seconds."""
    return max((rows[name]["seconds"] for name in names), key=lambda spread: spread.median)
