"""One candidate, once, in a process of its own: prints its processor and wall time as JSON.

A name that ends with ", uvloop" runs in uvloop's event loop. `--profile FILE` writes a cProfile of the measured part.
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

Candidate = Callable[[str, list[str], int, float], Awaitable[int]]

UVLOOP = ", uvloop"


def candidate(name: str) -> Candidate:
    """Find a candidate; ours are imported only when they run."""
    if name == "bare":
        return bare.keep_alive
    if name == "bare, connection per create":
        return bare.connection_per_create
    if name == "bare, connection per create, apart":
        return bare.connection_per_create_apart
    from benchmarks.overhead import ours  # noqa: PLC0415

    return {
        "ours, map": ours.through_map,
        "ours, map, ticks": ours.through_map_in_ticks,
        "ours, generate": ours.through_generate,
    }[name]


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop of a candidate; None for the default one."""
    if not name.endswith(UVLOOP):
        return None
    import uvloop  # noqa: PLC0415

    new_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return new_loop


async def measure(
    run: Candidate,
    base_url: str,
    *,
    tasks: int,
    concurrency: int,
    interval: float = 0.0,
    profile: cProfile.Profile | None = None,
) -> dict[str, float]:
    """Warm up, then run once under the clocks."""
    await run(base_url, [f"warm-up {number}" for number in range(min(concurrency, tasks))], concurrency, interval)
    prompts = [f"a lake at dawn, take {number}" for number in range(tasks)]
    gc.collect()
    watched: Any = nullcontext() if profile is None else profile
    wall, cpu = time.perf_counter(), time.process_time()
    with watched:
        succeeded = await run(base_url, prompts, concurrency, interval)
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
    parser.add_argument("--interval", type=float, default=0.0, help="seconds between two polls of a task")
    parser.add_argument("--profile")
    given = parser.parse_args()
    machine.pin(0)
    profile = cProfile.Profile() if given.profile else None
    run = candidate(given.candidate.removesuffix(UVLOOP))
    with asyncio.Runner(loop_factory=loop_factory(given.candidate)) as runner:
        measured = measure(
            run,
            given.base_url,
            tasks=given.tasks,
            concurrency=given.concurrency,
            interval=given.interval,
            profile=profile,
        )
        found = runner.run(measured)
    if profile is not None:
        profile.dump_stats(given.profile)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
