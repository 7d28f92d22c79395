"""Scenario `limit`: an account whose limit moves, 5, 10, 4, 50, about half an hour each, and 50 to the end."""

from itertools import accumulate
from typing import Final

from benchmarks.account.field import AUTO, LOOP, TENACIOUS, compete, everybody, ours, rows
from benchmarks.account.running import Setting
from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread

#: The limits, and for how many seconds they stand. Not round figures, in which a session's own times would be hidden.
LEVELS: Final = (5, 10, 4, 50)
SECONDS: Final = (1500.0, 2100.0, 1300.0)
TASKS: Final = 1000
REFUSED_PER_CHANGE: Final = 2
REFUSED_PER_TASK: Final = 0.01
#: Within how many times as long as it had stood before a limit that rose is in use; but for the minute and a half that
#: growing takes.
FOUND_WITHIN: Final = 1.0
GROWING: Final = 90.0
#: Seconds within which one that fell is kept: the tasks that run must end first.
FALLEN_WITHIN: Final = 300.0


def run(options: Options) -> Report:
    """Run everybody through the changes; the hand-written ones are told the highest limit, as their users would."""
    stand = [each / 10 if options.quick else each for each in SECONDS]
    limits = list(zip(accumulate(stand, initial=0.0), LEVELS, strict=True))
    tasks = 60 if options.quick else TASKS
    settings = [
        Setting(law="lognormal 0.3", tasks=tasks, limits=limits, seed=options.seed + number)
        for number in range(options.long_rounds)
    ]
    candidates = everybody(max(LEVELS))
    jobs = {name: (candidates[name], settings) for name in (LOOP, AUTO, ours(max(LEVELS)))}
    if TENACIOUS in candidates:
        jobs[TENACIOUS] = candidates[TENACIOUS], settings[:1]
    found = compete(jobs)
    table = rows(found)
    for name, runs in found.items():
        for place, level in enumerate(LEVELS):
            times = Spread.of([each.at_limit[place] for each in runs])
            table[name] = {**table[name], f"s to {level}": times}
    ratios: list[Ratio] = []
    for name in (AUTO, ours(max(LEVELS))):
        runs = found[name]
        ratios += [
            Ratio(
                f"refused creates per change, {name}",
                Spread.of([each.refusals / len(LEVELS) for each in runs]),
                REFUSED_PER_CHANGE,
            ),
            Ratio(
                f"refused creates per task, {name}",
                Spread.of([each.refusals / tasks for each in runs]),
                REFUSED_PER_TASK,
            ),
            Ratio(f"tasks not done, {name}", Spread.of([tasks - each.done for each in runs]), 0),
            Ratio(
                f"seconds until a limit that rose is in use : those it had stood, {name}",
                Spread.of(
                    [max((each.at_limit[place] - GROWING) / stand[place - 1] for place in (1, 3)) for each in runs]
                ),
                FOUND_WITHIN,
            ),
            Ratio(
                f"seconds until one that fell is kept, {name}",
                Spread.of([each.at_limit[2] for each in runs]),
                FALLEN_WITHIN,
            ),
        ]
    return Report(
        "limit",
        "What happens on an account whose limit moves from 5 to 10, 4 and 50?",
        table,
        ratios,
        {"rounds": len(settings), "tasks": tasks, "limits": limits, "seed": options.seed},
        [
            "Makespan is over the list schedule of somebody who knows every limit at once.",
            f"Less {GROWING:g} seconds, in which a limit that was found is grown to.",
            "`s to`: from the change until as many tasks are in progress, or as few.",
        ],
    )
