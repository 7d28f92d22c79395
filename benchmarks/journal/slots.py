"""Scenario `journal-slots`: how long a slot of a saturated batch stands empty because of the journal.

A slot is given to the next job as soon as the end of its task is seen, and that job's create leaves when its intent is
durable. What the journal takes of a slot is the difference of the empty time, from that sight to the arrival of the
next create at the server, between a session with a journal and one without.

Tasks take two seconds here, so that writes come fifty times as often as with tasks of 100 seconds and stand in each
other's way as much: the share is an upper bound. `--task-seconds 100` measures the thing itself, for the better part of
an hour.
"""

from collections.abc import Sequence
from statistics import fmean

from benchmarks.journal import disk
from benchmarks.journal.candidates import FILE, NONE, SLOW, SLOWER
from benchmarks.journal.running import measure, server
from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread

AIM = 0.1
CANDIDATES = (NONE, FILE, SLOW)
SLOTS = (5, 50)
TASK = 100.0


def run(options: Options, numbers: Sequence[int] = SLOTS) -> Report:
    """Measure the empty time of every candidate with few slots and with many."""
    turns_of_a_slot, seconds = max(3, options.tasks // 250), options.task_seconds
    rows: dict[str, dict[str, Spread]] = {}
    ratios: list[Ratio] = []
    with disk.folder() as folder:
        facts = disk.facts(folder)
        for slots in numbers:
            empty: dict[str, list[float]] = {name: [] for name in CANDIDATES}
            worst: dict[str, list[float]] = {name: [] for name in CANDIDATES}
            intent: dict[str, list[float]] = {name: [] for name in CANDIDATES}
            for number, turn in enumerate(options.turns(CANDIDATES)):
                for name in turn:
                    if name == SLOW and number >= options.long_rounds:
                        continue
                    with server(seconds, options.seed) as (base_url, times):
                        found = measure(
                            "slots", name, base_url, folder, jobs=slots * turns_of_a_slot, concurrency=slots
                        )
                    gaps = empty_times(times["creates_at"], times["seen_at"], slots)
                    empty[name].append(fmean(gaps) * 1000)
                    worst[name].append(max(gaps) * 1000)
                    refills = found["waits"][slots:]
                    intent[name] += [fmean(refills) * 1000] if refills else []
            for name in CANDIDATES:
                rows[f"{slots} slots, {name}"] = {
                    "empty ms/task": Spread.of(empty[name]),
                    "longest ms": Spread.of(worst[name]),
                    **({"of it until the intent is durable": Spread.of(intent[name])} if intent[name] else {}),
                }
            ratios += [
                Ratio(
                    f"{slots} slots, {name}: empty because of it, % of a task of {TASK:g} s",
                    Spread.of([(a - b) / 1000 / TASK * 100 for a, b in zip(empty[name], empty[NONE], strict=False)]),
                    AIM if name == FILE else None,
                )
                for name in (FILE, SLOW)
            ]
    return Report(
        "journal-slots",
        "How long does a slot of a saturated batch stand empty because of the journal?",
        rows,
        ratios,
        {
            "rounds": options.rounds,
            "tasks per slot": turns_of_a_slot,
            "seconds": seconds,
            "seed": options.seed,
            **facts,
        },
        [
            f"Tasks took {seconds:g} s; at {TASK:g} s there is {seconds / TASK:.2g} times as much to write.",
            f"On the slow disk, in every other round, every write took {SLOWER * 1000:g} ms longer.",
            disk.note(facts),
        ],
    )


def empty_times(creates_at: list[float], seen_at: list[float], slots: int) -> list[float]:
    """Pair each end that was seen with the create that follows it, in seconds; the first creates found slots empty."""
    refills = creates_at[slots:]
    return [create - seen for seen, create in zip(seen_at, refills, strict=False)]
