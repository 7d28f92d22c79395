"""Scenario `webhooks`: requests, delay and idle slots with webhooks, beside polling alone."""

from collections.abc import Mapping
from typing import Final

from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread
from benchmarks.webhooks.running import LATE, SLOTS, Candidate, Figures
from benchmarks.webhooks.running import run as run_once

MOST_TASKS: Final = 400
ALONE: Final = "polling alone"
ALL: Final = "webhooks"
HALF: Final = "webhooks, half of them lost"
NONE: Final = "webhooks, all of them lost"
STOP: Final = "webhooks that stop halfway"
CANDIDATES: Final[Mapping[str, Candidate]] = {
    ALONE: Candidate(webhooks=False),
    ALL: Candidate(webhooks=True),
    HALF: Candidate(webhooks=True, lost=0.5),
    NONE: Candidate(webhooks=True, lost=1.0),
    STOP: Candidate(webhooks=True, stop=0.5),
}


def run(options: Options) -> Report:
    """Run every candidate, with the same tasks; rounds differ in their tasks alone, so that half of them do."""
    tasks = min(options.tasks, MOST_TASKS)
    rounds = [
        {name: run_once(candidate, tasks=tasks, seed=options.seed + number) for name, candidate in CANDIDATES.items()}
        for number in range(options.long_rounds)
    ]
    ratios = [
        Ratio("requests, webhooks : polling alone", _ratio(rounds, ALL, "requests"), 0.25),
        Ratio("requests, half of them lost", _ratio(rounds, HALF, "requests"), 1.0),
        Ratio("requests, all of them lost", _ratio(rounds, NONE, "requests"), 1.05),
        Ratio("delay, webhooks : polling alone", _ratio(rounds, ALL, "delay"), 1.0),
        Ratio("delay, half of them lost", _ratio(rounds, HALF, "delay"), 1.0),
        Ratio("delay, all of them lost", _ratio(rounds, NONE, "delay"), 1.1),
        Ratio("idle share, webhooks that stop halfway", _ratio(rounds, STOP, "idle")),
    ]
    return Report(
        "webhooks",
        "What do webhooks save, and what is lost where they are?",
        {name: _row([each[name] for each in rounds]) for name in CANDIDATES},
        ratios,
        {"rounds": len(rounds), "tasks": tasks, "slots": SLOTS, "seed": options.seed},
        [
            f"Virtual time, {SLOTS} slots, nothing learned before; webhooks come {LATE} s after the end.",
            "Requests take no time, so delays are those of looking alone.",
        ],
    )


def _ratio(rounds: list[dict[str, Figures]], name: str, figure: str) -> Spread:
    return Spread.of([getattr(each[name], figure) / getattr(each[ALONE], figure) for each in rounds])


def _row(found: list[Figures]) -> dict[str, Spread]:
    return {
        "polls/task": Spread.of([each.requests for each in found]),
        "delay s": Spread.of([each.delay for each in found]),
        "p95 s": Spread.of([each.late for each in found]),
        "idle %": Spread.of([100.0 * each.idle for each in found]),
    }
