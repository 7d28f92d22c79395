"""Scenario `journal-size`: what a journal of 10,000 jobs takes to open, resume and list."""

from collections.abc import Sequence

from benchmarks.journal import disk
from benchmarks.journal.many import CANDIDATES, RUNNING
from benchmarks.journal.running import measure, server
from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread

#: Seconds; "well under a second".
AIM = 0.5
#: The same for a command, whose interpreter takes half a second to start.
AIM_OF_COMMAND = 1.0
#: Tasks of the server last longer than any measurement.
ENDLESS = 3600.0


def run(options: Options, candidates: Sequence[str] = CANDIDATES) -> Report:
    """Measure each state of a journal, round by round."""
    jobs = 5 * options.tasks
    found: dict[str, list[dict[str, float]]] = {name: [] for name in candidates}
    with disk.folder() as folder:
        facts = disk.facts(folder)
        for turn in options.turns(candidates):
            for name in turn:
                with server(ENDLESS, options.seed) as (base_url, _):
                    found[name].append(measure("size", name, base_url, folder, jobs=jobs, concurrency=RUNNING))
    rows = {
        name: {figure: Spread.of([each[figure] for each in values]) for figure in values[0]}
        for name, values in found.items()
    }
    slowest = max(candidates, key=lambda name: rows[name]["open s"].median)
    return Report(
        "journal-size",
        f"What does a journal of {jobs:,} jobs take?",
        rows,
        [
            Ratio(f"opening, {slowest}, seconds", rows[slowest]["open s"], AIM),
            Ratio(f"listing beside a session, {slowest}, seconds", rows[slowest]["read beside it s"], AIM),
            Ratio(f"`seedance jobs`, {slowest}, seconds", rows[slowest]["seedance jobs s"], AIM_OF_COMMAND),
        ],
        {"rounds": options.rounds, "jobs": jobs, "concurrency": RUNNING, "seed": options.seed, **facts},
        [
            "A hold-up is the longest time in which the event loop did nothing else.",
            "`list` is `session.journal.jobs()` and `.credits`; `read beside it` is `read_journal` of a file in use.",
            disk.note(facts),
        ],
    )
