"""Scenario `tail`: what it buys to start long clips first, where half of a batch takes 70 and half 120 seconds."""

from typing import Final

from benchmarks.account.field import compete
from benchmarks.account.figures import ideal_under
from benchmarks.account.running import Candidate, Setting
from benchmarks.account.workload import tasks_of
from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread

SLOTS: Final = 50
#: Tasks per slot.
WAVES: Final = (2, 4, 8, 20)
FILE, LONGEST = "order of the file", "longest first"
ORDERS: Final = {FILE: "source", LONGEST: "longest-first"}


def run(options: Options) -> Report:
    """Run batches of several sizes, in both orders."""
    slots = 5 if options.quick else SLOTS
    rounds = 1 if options.quick else options.rounds
    table: dict[str, dict[str, Spread]] = {}
    ratios: list[Ratio] = []
    for waves in WAVES[:1] if options.quick else WAVES:
        settings = [
            Setting(law="two lengths", tasks=waves * slots, limits=[(0.0, slots)], seed=options.seed + number)
            # A large batch takes longer, and chance weighs less on it.
            for number in range(rounds if waves < WAVES[-1] else options.long_rounds)
        ]
        jobs = {
            name: (Candidate("ours", {"concurrency": slots, "order": order}), settings)
            for name, order in ORDERS.items()
        }
        found = compete(jobs)
        work = [tasks_of("two lengths", setting.tasks, setting.seed) for setting in settings]
        ideal = {
            FILE: [ideal_under(each, [(0.0, slots)]) for each in work],
            # By the length of the clip, which is what is known.
            LONGEST: [ideal_under(sorted(each, key=lambda task: -task.kind.length), [(0.0, slots)]) for each in work],
        }
        for name, runs in found.items():
            # A makespan in the tables is over the list schedule in the order of the file.
            seconds = [each.makespan * least for each, least in zip(runs, ideal[FILE], strict=True)]
            table[f"{waves} tasks a slot, {name}"] = {
                "seconds": Spread.of(seconds),
                "list schedule s": Spread.of(ideal[name]),
                "done": Spread.of([each.done for each in runs]),
            }
        ratios.append(
            Ratio(
                f"makespan, {LONGEST} : {FILE}, {waves} tasks a slot",
                Spread.of([a.makespan / b.makespan for a, b in zip(found[LONGEST], found[FILE], strict=True)]),
            )
        )
    return Report(
        "tail",
        "What does it buy to start long clips first?",
        table,
        ratios,
        {"rounds": rounds, "slots": slots, "law": "two lengths", "seed": options.seed},
        ["Half of the clips take 70 s, half 120 s, in an order that chance decides; sigma 0.15."],
    )
