"""Run each measurement in a process of its own, against a server in another."""

import json
import subprocess
import sys

from benchmarks.machine import HANGS
from benchmarks.options import Options
from benchmarks.overhead.scenario import server
from benchmarks.report import Ratio, Report, Spread

MOST_MEGABYTES = 30.0
MOST_SOCKETS = 100.0
#: Seconds for both: "well under a second".
MOST_SECONDS = 1.0
#: What ten times as many inputs may need, at most: the memory of a window, and what the allocator does.
FLAT = 1.05
#: Polls after which a task ends: never.
ENDLESS = 10**9

PENDING, SUBMITS, FEW, MANY = "pending", "submits", "map", "map, ten times as many"


def run(options: Options) -> Report:
    """Measure, round by round; the hundred thousand inputs, which take longest, in every other one."""
    handles = 5 * options.tasks
    sizes = {PENDING: handles, SUBMITS: handles, FEW: handles, MANY: 10 * handles}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in sizes}
    for number, turn in enumerate(options.turns(list(sizes))):
        for name in turn:
            if name == MANY and number >= options.long_rounds:
                continue
            ends = name in {FEW, MANY}
            with server(1 if ends else ENDLESS) as (base_url, counts):
                figures = measure(name.partition(",")[0], base_url, sizes[name])
            found[name].append({**figures, "sockets": counts["most_open"]})
    rows = {
        f"{name}: {sizes[name]:,}": {figure: Spread.of([each[figure] for each in values]) for figure in values[0]}
        for name, values in found.items()
    }
    above = [each["MB above the import"] for each in found[PENDING]]
    sockets = [each["sockets"] for runs in found.values() for each in runs]
    submits = [each["s to open"] + each["s to cancel"] for each in found[SUBMITS]]
    flat = [many["MB at most"] / few["MB at most"] for many, few in zip(found[MANY], found[FEW], strict=False)]
    return Report(
        "scale",
        f"What do {handles:,} handles cost one process, and what do {10 * handles:,} inputs?",
        rows,
        [
            Ratio(f"megabytes of {handles:,} pending handles above the import", Spread.of(above), MOST_MEGABYTES),
            Ratio("sockets at a time, the most", Spread.of([max(sockets)]), MOST_SOCKETS),
            Ratio(f"seconds to open {handles:,} submits and to cancel them", Spread.of(submits), MOST_SECONDS),
            Ratio(f"megabytes of {10 * handles:,} inputs : {handles:,} through map", Spread.of(flat), FLAT),
        ],
        {"rounds": options.rounds, "handles": handles, "seed": options.seed},
        [
            "Pending tasks never end; those of map have ended at once. Sockets are counted at the server.",
            "The import is that of the SDK with aiohttp, which is loaded when the first session is made.",
        ],
    )


def measure(name: str, base_url: str, number: int) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale.worker", "--measure", name, "--base-url", base_url]
    command += ["--number", str(number)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=HANGS)
    found = json.loads(ended.stdout)
    return {key: float(value) for key, value in found.items()}
