"""One candidate, once, in a process of its own: prints its processor and wall time as JSON.

`--profile FILE` writes a cProfile of the measured part.
"""

import argparse
import asyncio
import cProfile
import gc
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any

from benchmarks import machine
from benchmarks.overhead import bare

Candidate = Callable[[str, list[str], int], Awaitable[int]]

WARM_UP = 100


def candidate(name: str) -> Candidate:
    """Find a candidate; ours are imported only when they run."""
    if name == "bare":
        return bare.keep_alive
    if name == "bare, connection per create":
        return bare.connection_per_create
    from benchmarks.overhead import ours  # noqa: PLC0415

    return {"ours, map": ours.through_map, "ours, generate": ours.through_generate}[name]


async def measure(
    run: Candidate, base_url: str, tasks: int, concurrency: int, profile: cProfile.Profile | None
) -> dict[str, float]:
    """Warm up, then run once under the clocks."""
    await run(base_url, [f"warm-up {number}" for number in range(WARM_UP)], concurrency)
    prompts = [f"a lake at dawn, take {number}" for number in range(tasks)]
    gc.collect()
    watched: Any = nullcontext() if profile is None else profile
    wall, cpu = time.perf_counter(), time.process_time()
    with watched:
        succeeded = await run(base_url, prompts, concurrency)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if succeeded != tasks:
        raise RuntimeError(f"{succeeded} of {tasks} tasks succeeded")
    return {"cpu": cpu, "wall": wall}


def main() -> None:
    """Run as told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--candidate", required=True)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--profile")
    given = parser.parse_args()
    machine.pin(0)
    profile = cProfile.Profile() if given.profile else None
    run = candidate(given.candidate)
    found = asyncio.run(measure(run, given.base_url, given.tasks, given.concurrency, profile))
    if profile is not None:
        profile.dump_stats(given.profile)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
