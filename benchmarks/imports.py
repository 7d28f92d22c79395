"""Scenario `import`: what `import seedance_async` costs beside `import aiohttp`.

Each import runs in an interpreter of its own; candidates take turns. Processor time of the statement is compared,
because it does not depend on what else the machine does; wall time stands beside it. A session loads aiohttp when it is
opened and not before, so what a program that makes videos pays in all is a candidate too.
"""

import json
import subprocess
import sys

from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread

AIM = 1.25
BASE, OURS = "aiohttp", "seedance_async"
STATEMENTS = {
    BASE: "import aiohttp",
    "aiohttp, attrs, cattrs, anyio": "import aiohttp, attrs, cattrs, anyio",
    OURS: "import seedance_async",
    "seedance_async, and a session": (
        "import asyncio, seedance_async\n"
        "async def once():\n"
        "    async with seedance_async.AsyncSeedance('benchmark', base_url='http://127.0.0.1:9'): pass\n"
        "asyncio.run(once())"
    ),
}
PROGRAM = """
import json, sys, time
before = set(sys.modules)
wall, cpu = time.perf_counter(), time.process_time()
{statement}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps([cpu * 1000, wall * 1000, len(set(sys.modules) - before)]))
"""


def run(options: Options) -> Report:
    """Measure; three times the asked rounds, because one takes a fraction of a second."""
    names = list(STATEMENTS)
    for name in names:
        measure(name)  # so that bytecode is written and files are cached for all of them
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    longer = Options(rounds=3 * options.rounds, tasks=options.tasks, seed=options.seed)
    for turn in longer.turns(names):
        for name in turn:
            found[name].append(measure(name))
    rows = {
        name: {
            "CPU ms": Spread.of([each[0] for each in values]),
            "wall ms": Spread.of([each[1] for each in values]),
            "modules": Spread.of([each[2] for each in values]),
        }
        for name, values in found.items()
    }
    return Report(
        "import",
        "What does `import seedance_async` cost beside `import aiohttp`?",
        rows,
        [
            Ratio(f"CPU, {name} : {BASE}", ratio(found[name], found[BASE]), AIM if name == OURS else None)
            for name in names[1:]
        ],
        {"rounds": longer.rounds, "seed": options.seed},
    )


def measure(name: str) -> list[float]:
    """Import once in a new interpreter: milliseconds of processor, of the wall clock, and modules loaded."""
    program = PROGRAM.format(statement=STATEMENTS[name])
    ended = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return [float(each) for each in json.loads(ended.stdout)]


def ratio(ours: list[list[float]], theirs: list[list[float]]) -> Spread:
    """Divide processor times round by round."""
    return Spread.of([mine[0] / base[0] for mine, base in zip(ours, theirs, strict=True)])
