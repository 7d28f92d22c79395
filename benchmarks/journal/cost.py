"""Scenario `journal-cost`: the cost per job of journalling against none, when every task ends at once."""

from benchmarks.journal import disk
from benchmarks.journal.candidates import FILE, MEMORY, NONE
from benchmarks.journal.running import measure
from benchmarks.options import Options
from benchmarks.overhead.scenario import CONCURRENCY, server
from benchmarks.report import Ratio, Report, Spread

CANDIDATES = (NONE, MEMORY, FILE)


def run(options: Options) -> Report:
    """Measure processor and wall time per job of every candidate, round by round."""
    cpu: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    wall: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    with disk.folder() as folder:
        facts = disk.facts(folder)
        for turn in options.turns(CANDIDATES):
            for name in turn:
                with server() as (base_url, _):
                    found = measure("cost", name, base_url, folder, jobs=options.tasks, concurrency=CONCURRENCY)
                cpu[name].append(found["cpu"] / options.tasks * 1e6)
                wall[name].append(found["wall"] / options.tasks * 1e6)
    rows = {
        name: {
            "CPU us/job": Spread.of(cpu[name]),
            "wall us/job": Spread.of(wall[name]),
            "CPU us/job beyond none": Spread.of([a - b for a, b in zip(cpu[name], cpu[NONE], strict=True)]),
        }
        for name in CANDIDATES
    }
    return Report(
        "journal-cost",
        "What does it cost to write down every job, when every task ends at once?",
        rows,
        [
            Ratio(f"{what}, {name} : {NONE}", Spread.of([a / b for a, b in zip(of[name], of[NONE], strict=True)]))
            for what, of in (("CPU", cpu), ("wall", wall))
            for name in (MEMORY, FILE)
        ],
        {"rounds": options.rounds, "jobs": options.tasks, "concurrency": CONCURRENCY, "seed": options.seed, **facts},
        [disk.note(facts)],
    )
