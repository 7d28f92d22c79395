"""Scenario `queue`: what one event of the queue for slots costs, by how many wait and in how many groups.

The ledger of the slots alone, without a session around it: its events are what must stay cheap however many jobs wait.
"""

import random
import time
from collections.abc import Callable, Iterable
from typing import Final

from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread
from seedance_async.core.ledger import SlotLedger

#: How many wait, in how many groups.
CANDIDATES: Final = {
    "10,000 in one group": (10_000, 1),
    "10,000 in 1,000 groups": (10_000, 1_000),
    "10,000 in 10,000 groups": (10_000, 10_000),
    "100,000 in one group": (100_000, 1),
    "100,000 in 1,000 groups": (100_000, 1_000),
}
BASE: Final = "10,000 in one group"
#: Most that an event may cost, beside one group of 10,000: ten times as many waiters are three more steps of a search.
AIM: Final = 2.0
_SLOTS: Final = 50


def run(options: Options) -> Report:
    """Measure."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CANDIDATES}
    events = 500 if options.quick else 5_000
    for turn in options.turns(list(CANDIDATES)):
        for name in turn:
            found[name].append(measure(*CANDIDATES[name], events, options.seed))
    rows = {
        name: {column: Spread.of([each[column] for each in rounds]) for column in rounds[0]}
        for name, rounds in found.items()
    }
    ratios = [
        Ratio(
            f"{event}, {name} : {BASE}",
            Spread.of([mine[event] / base[event] for mine, base in zip(found[name], found[BASE], strict=True)]),
            AIM,
        )
        for name in CANDIDATES
        if name != BASE
        for event in ("come us", "leave us", "come back us")
    ]
    return Report(
        "queue",
        "What does an event of the queue cost, by how many wait and in how many groups?",
        rows,
        ratios,
        {"events": events, "slots": _SLOTS},
        [
            "come: a waiter more. leave: one gets a slot, is accepted, and its task ends. come back: one gets a slot",
            "and is not sent. withdraw: somebody anywhere. first place, any place: `position`. next ten: `upcoming`.",
        ],
    )


def measure(waiting: int, groups: int, events: int, seed: int) -> dict[str, float]:
    """Return the microseconds of processor time that each event takes."""
    chance = random.Random(seed)
    ledger: SlotLedger[int] = SlotLedger(_SLOTS)
    names = iter(range(10 * (waiting + events)))
    # Whole groups one after the other, as users come.
    present = [next(names) for _ in range(waiting)]
    for number, name in enumerate(present):
        ledger.enqueue(name, str(number * groups // waiting))
    newcomers = [next(names) for _ in range(events)]
    firsts = ledger.upcoming(1) * events
    anywhere = chance.sample(present, min(events, waiting))
    few = chance.sample(present, min(200, events))
    figures = {
        "first place us": each(ledger.position, firsts),
        "any place us": each(ledger.position, few),
        "next ten us": each(ledger.upcoming, [10] * events),
        "come us": each(lambda name: ledger.enqueue(name, str(name % groups)), newcomers),
        "come back us": each(lambda _: ledger.not_sent(_taken(ledger, 0.0)), range(events)),
        "withdraw us": each(ledger.withdraw, anywhere[: events // 2]),
    }

    def leave(now: int) -> None:
        name = _taken(ledger, float(now))
        ledger.accepted(name, float(now))
        ledger.release(name, float(now))

    return {"leave us": each(leave, range(events // 2)), **figures}


def each(call: Callable[[int], object], arguments: Iterable[int]) -> float:
    """Return the microseconds of processor time that a call takes, on average over the arguments."""
    given = list(arguments)
    began = time.process_time()
    for argument in given:
        call(argument)
    return (time.process_time() - began) / len(given) * 1e6


def _taken(ledger: SlotLedger[int], now: float) -> int:
    name = ledger.take(now)
    assert name is not None, "a slot is free and somebody waits"
    return name
