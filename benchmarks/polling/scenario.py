"""Scenario `polling`: what the default policy costs and buys beside a loop that asks every three seconds.

Time is simulated (`account`), with the policy, the learning and the bound of the rate as they are in a session. Each
round draws other tasks; candidates get the same ones.
"""

from typing import Final

from benchmarks.options import Options
from benchmarks.polling.curves import DEFAULT_TARGET, USUAL_INTERVAL, Curves, each_round, merged
from benchmarks.polling.drawing import draw
from benchmarks.report import Ratio, Report, Spread

MOST_TASKS: Final = 1000
REQUESTS: Final = {"lognormal 0.3": 0.60, "two lengths": 0.45}
IDLE: Final = {"lognormal 0.3": 0.55, "two lengths": 0.55}
MAKESPAN: Final = {"lognormal 0.3": 1.009, "two lengths": 1.009}
#: Where nothing can be won, such as without memory, or a few tasks are all there are, this much may be lost.
NEVER_WORSE: Final = 1.1


def run(options: Options) -> Report:
    """Simulate every law, once per round."""
    tasks = min(options.tasks, MOST_TASKS)
    seeds = range(options.seed, options.seed + options.long_rounds)
    laws = each_round(tasks=tasks, seeds=seeds, known=options.draw)
    settings = {"rounds": len(seeds), "tasks": tasks, "seed": options.seed, "slots": 50}
    if options.draw:
        draw({name: merged(found) for name, found in laws.items()}, settings)
    rows: dict[str, dict[str, Spread]] = {}
    ratios: list[Ratio] = []
    for name, found in laws.items():
        rows[f"{name}: every {USUAL_INTERVAL:g} s"] = _row(found, "fixed")
        rows[f"{name}: ours"] = _row(found, "ours")
        requests = Spread.of([each.requests_at_equal_delay for each in found])
        idle = Spread.of([each.idle_at_equal_requests for each in found])
        ratios.append(Ratio(f"requests at equal delay, {name}", requests, REQUESTS.get(name, NEVER_WORSE)))
        ratios.append(Ratio(f"idle share at equal requests, {name}", idle, IDLE.get(name, NEVER_WORSE)))
        if name in MAKESPAN:
            makespan = Spread.of([each.ours[DEFAULT_TARGET].makespan for each in found])
            ratios.append(Ratio(f"makespan : ideal list schedule, {name}", makespan, MAKESPAN[name]))
    return Report(
        "polling",
        "What does the default policy cost and buy beside asking every three seconds?",
        rows,
        ratios,
        settings,
        ["Simulated: 50 slots, requests of 0.1 s. Delay includes the way back of the answer, half of that."],
    )


def _row(found: list[Curves], who: str) -> dict[str, Spread]:
    figures = [each.fixed[USUAL_INTERVAL] if who == "fixed" else each.ours[DEFAULT_TARGET] for each in found]
    return {
        "polls/task": Spread.of([each.polls for each in figures]),
        "delay s": Spread.of([each.delay for each in figures]),
        "p95 s": Spread.of([each.late for each in figures]),
        "idle %": Spread.of([100.0 * each.idle for each in figures]),
        "makespan": Spread.of([each.makespan for each in figures]),
    }
