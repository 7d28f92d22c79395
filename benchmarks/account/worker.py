"""One candidate, once, in a process of its own: prints what it told its caller and what it took, as JSON."""

import argparse
import gc
import json
import socket
import time
from typing import Any

from benchmarks import machine
from benchmarks.account.clock import BEGINNING, clock_of


def main() -> None:
    """Run as told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--candidate", required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--law", required=True)
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--api", type=int, required=True)
    parser.add_argument("--door", type=int, required=True)
    parser.add_argument("--clock", required=True)
    parser.add_argument("--began", type=float, required=True)
    parser.add_argument("--core", type=int, required=True)
    given = parser.parse_args()
    machine.pin(given.core)
    with socket.create_connection(("127.0.0.1", given.door)) as control:
        control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        clock = clock_of(given.clock, given.began, control, first=True)
        clock.install()
        found = _run(given, clock)
    print(json.dumps(found))


def _run(given: argparse.Namespace, clock: Any) -> dict[str, Any]:
    # Only now: what follows must find the clock in place.
    import asyncio  # noqa: PLC0415
    from importlib import import_module  # noqa: PLC0415

    from benchmarks.account.peak import peak_megabytes  # noqa: PLC0415
    from benchmarks.account.workload import tasks_of  # noqa: PLC0415

    candidate = import_module(f"benchmarks.account.{given.candidate}")
    settings = dict(given.settings)
    if "target_delay" in settings:
        from seedance_async.core.polling import PollingPolicy  # noqa: PLC0415

        settings["polling"] = PollingPolicy(target_delay=settings.pop("target_delay"))
    work = tasks_of(given.law, given.tasks, given.seed)
    gc.collect()
    before = peak_megabytes()

    async def measured() -> dict[str, Any]:
        began, cpu, unspent = time.monotonic(), time.process_time(), clock.unspent
        told = await candidate.run(f"http://127.0.0.1:{given.api}/api/v1", work, **settings)
        return {
            "began": began - BEGINNING,
            "seconds": time.monotonic() - began,
            "cpu": time.process_time() - cpu - (clock.unspent - unspent),
            "word": told.word,
            "task_ids": told.task_ids,
            "errors": told.errors,
        }

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(clock.selector())) as runner:
        found = runner.run(measured())
    forgotten = getattr(clock, "forgotten", 0)
    return {**found, "megabytes": peak_megabytes(), "megabytes before": before, "forgotten": forgotten}


if __name__ == "__main__":
    main()
