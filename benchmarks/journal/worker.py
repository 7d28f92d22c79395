"""One candidate, once, in a process of its own: prints what it found as JSON.

`cost` prints processor and wall time, `slots` how long slots were held before the intent was durable, and `size` what
a journal of many jobs takes. `--profile FILE` writes a cProfile of `cost`.
"""

import argparse
import asyncio
import cProfile
import gc
import json
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.journal.candidates import journal_of, make_all, watched_journal_of
from benchmarks.journal.many import NAME, measure_size
from benchmarks.overhead.ours import AT_ONCE
from seedance_async import FixedPolling

WARM_UP = 100
#: Seconds between two looks at a task, in `slots`, where a slot counts as empty from the look that sees the end.
LOOKS = 0.25


async def cost(given: argparse.Namespace) -> dict[str, Any]:
    """Warm up, then make all videos once under the clocks."""
    candidate, folder, base_url = given.candidate, given.folder, given.base_url
    warm_up = [f"warm-up {number}" for number in range(WARM_UP)]
    journal = journal_of(candidate, folder / "warm-up.db")
    await make_all(base_url, warm_up, given.concurrency, AT_ONCE, journal, notes=False)
    prompts = [f"a lake at dawn, take {number}" for number in range(given.jobs)]
    journal = journal_of(candidate, folder / "journal.db")
    profile = cProfile.Profile() if given.profile else None
    watched: Any = nullcontext() if profile is None else profile
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    with watched:
        succeeded = await make_all(base_url, prompts, given.concurrency, AT_ONCE, journal, notes=False)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if profile is not None:
        profile.dump_stats(given.profile)
    if succeeded != given.jobs:
        raise RuntimeError(f"{succeeded} of {given.jobs} videos were made")
    return {"cpu": cpu, "wall": wall}


async def slots(given: argparse.Namespace) -> dict[str, Any]:
    """Keep the slots of a service busy whose tasks take a while."""
    prompts = [f"a lake at dawn, take {number}" for number in range(given.jobs)]
    journal = watched_journal_of(given.candidate, given.folder / "journal.db")
    succeeded = await make_all(given.base_url, prompts, given.concurrency, FixedPolling(LOOKS), journal, notes=True)
    if succeeded != given.jobs:
        raise RuntimeError(f"{succeeded} of {given.jobs} videos were made")
    return {"waits": [] if journal is None else journal.waits}


async def size(given: argparse.Namespace) -> dict[str, Any]:
    """Open, resume, list and close a journal of many jobs."""
    return await measure_size(given.candidate, given.folder / NAME, given.jobs, given.base_url)


def main() -> None:
    """Run as told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("cost", "slots", "size"))
    parser.add_argument("--candidate", required=True)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--concurrency", type=int, default=50)
    parser.add_argument("--profile")
    given = parser.parse_args()
    machine.pin(0)
    print(json.dumps(asyncio.run({"cost": cost, "slots": slots, "size": size}[given.part](given))))


if __name__ == "__main__":
    main()
