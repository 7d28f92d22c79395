"""One measurement in a process of its own: prints its figures as JSON."""

import argparse
import asyncio
import gc
import importlib
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import machine
from benchmarks.overhead.ours import AT_ONCE
from seedance_async import AsyncSeedance

MEGABYTE = 1e6
#: Seconds between two looks at the number of open files.
LOOK = 0.02


def resident() -> float:
    """Megabytes in use now; where the system does not tell, the most that were."""
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        return int(statistics.read_text().split()[1]) * resource.getpagesize() / MEGABYTE
    return peak()


def peak() -> float:
    """The most megabytes that this process has ever used."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / MEGABYTE if sys.platform == "darwin" else most * 1024 / MEGABYTE


async def pending(base_url: str, number: int) -> dict[str, float]:
    """So many handles of tasks that run and never end, all held by the caller."""
    async with AsyncSeedance("benchmark", base_url=base_url, concurrency=number) as session:
        gc.collect()
        began, cpu = time.perf_counter(), time.process_time()
        handles = [session.enqueue(f"a lake at dawn, take {each}") for each in range(number)]
        while len(session.pending) < number:  # noqa: ASYNC110 (a task for each that waits would be measured, too)
            await asyncio.sleep(LOOK)
        took, busy = time.perf_counter() - began, time.process_time() - cpu
        await asyncio.sleep(2.0)
        assert all(handle.task_id for handle in handles)
        return {"MB": resident(), "s to accept all": took, "CPU s to accept all": busy}


async def submits(base_url: str, number: int) -> dict[str, float]:
    """Open so many submits that wait for a slot, and cancel every one."""
    async with AsyncSeedance("benchmark", base_url=base_url, concurrency=2) as session:
        for each in range(2):
            await session.submit(f"a lake at noon, take {each}")
        # What a program has made before is not what is measured.
        gc.collect()
        began = time.perf_counter()
        waiting = [asyncio.create_task(session.submit(f"a lake at dawn, take {each}")) for each in range(number)]
        while session.statistics().waiting < number:  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0)
        opened = time.perf_counter()
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        cancelled = time.perf_counter()
        assert session.statistics().waiting == 0
    return {"s to open": opened - began, "s to cancel": cancelled - opened}


async def through_map(base_url: str, number: int) -> dict[str, float]:
    """So many inputs from a generator through `map`."""

    def inputs() -> Iterator[str]:
        for each in range(number):
            yield f"a lake at dawn, take {each}"

    done, began = 0, time.process_time()
    async with (
        AsyncSeedance("benchmark", base_url=base_url, concurrency=50, polling=AT_ONCE) as session,
        session.map(inputs()) as items,
    ):
        async for item in items:
            done += item.error is None
    assert done == number
    return {"MB at most": peak(), "CPU us/task": (time.process_time() - began) / number * 1e6}


MEASUREMENTS = {"pending": pending, "submits": submits, "map": through_map}


def main() -> None:
    """Run as told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", choices=MEASUREMENTS, required=True)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--number", type=int, required=True)
    given = parser.parse_args()
    machine.pin(0)
    gc.collect()
    without_aiohttp = resident()
    # What the first session loads: aiohttp, and what of this package stands on it.
    importlib.import_module("seedance_async.opened")
    gc.collect()
    imported = resident()
    found = asyncio.run(MEASUREMENTS[given.measure](given.base_url, given.number))
    if "MB" in found:
        found["MB above the import"] = found["MB"] - imported
        found["of aiohttp"] = imported - without_aiohttp
    print(json.dumps(found))


if __name__ == "__main__":
    main()
