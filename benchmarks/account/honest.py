"""Scenario `clock`: whether the clock of the others tells the truth.

The same batch once more, on the real clock, twenty times faster: no process waits for the other there, and both work
while time passes. Work takes twenty times as long on such a clock, so its delays are a little longer.
"""

from typing import Final

from attrs import evolve

from benchmarks.account.field import LOOP, compete, everybody, ours, rows
from benchmarks.account.running import Setting
from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread

SLOTS: Final = 50
SPEED: Final = 20
TASKS: Final = 200


def run(options: Options) -> Report:
    """Run the loop and ours on both clocks."""
    slots = 5 if options.quick else SLOTS
    tasks = 10 if options.quick else TASKS
    speed = 200 if options.quick else SPEED
    settings = [Setting(law="lognormal 0.3", tasks=tasks, limits=[(0.0, slots)], seed=options.seed)]
    real = [evolve(setting, clock=str(speed)) for setting in settings]
    candidates = {name: everybody(slots)[name] for name in (LOOP, ours(slots))}
    in_turns = compete({name: (each, settings) for name, each in candidates.items()})
    scaled = compete({name: (each, real) for name, each in candidates.items()})
    table = rows({f"{name}, in turns": runs for name, runs in in_turns.items()})
    table |= rows({f"{name}, {speed} times faster": runs for name, runs in scaled.items()})
    ratios: list[Ratio] = []
    for name in candidates:
        (a,), (b,) = scaled[name], in_turns[name]
        pairs = {
            "makespan": (a.makespan, b.makespan),
            "polls": (a.polls, b.polls),
            "delay": (a.delay, b.delay),
            "processor time per request": (a.cpu_request, b.cpu_request),
        }
        ratios += [
            Ratio(f"{what}, {speed} times faster : in turns, {name}", Spread.of([mine / theirs]))
            for what, (mine, theirs) in pairs.items()
        ]
    return Report(
        "clock",
        "Does the clock of the other scenarios tell the truth?",
        table,
        ratios,
        {"tasks": tasks, "slots": slots, "speed": speed, "seed": options.seed},
    )
