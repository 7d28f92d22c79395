"""A thousand HTTP clients at once against the FastAPI example, on an account of five slots.

1. `followed`: one visitor orders a tenth of the videos first, then each other one orders a single video; every video is
   followed by a stream of events. What does the process weigh, how soon is an order answered, in which order do the
   videos leave?
2. `full`: the same visitors, with room for a tenth of them in the queue. Who is refused comes again when told.
3. `leaving`: all wait for their video in one request each, and all of those that wait hang up.
"""

import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from attrs import frozen

from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread
from benchmarks.web.clients import Seen, generate, until, visit
from seedance_async.testing import EmulatorThread

ROOT = Path(__file__).parents[2]
CLIENTS = 1000
SLOTS = 5
#: Seconds of a task; a thousand of them take the account twenty.
TASK = 0.1
#: Most megabytes that a thousand clients, each with a video and a stream of events, may add.
MEGABYTES = 60.0


@frozen
class Application:
    """The example in a process of its own."""

    url: str
    pid: int

    def megabytes(self, name: str) -> float:
        """Memory as the kernel counts it: `VmRSS` is now, `VmHWM` the most so far."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
        raise LookupError(name)

    def sockets(self) -> int:
        """Open file descriptors, most of which are sockets here."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    async def waiting(self, http: aiohttp.ClientSession) -> int:
        """How many videos wait, as the health endpoint tells."""
        async with http.get(f"{self.url}/healthz") as answer:
            told: int = (await answer.json())["waiting"]
            return told


@contextmanager
def application(emulator: EmulatorThread, **variables: object) -> Iterator[Application]:
    """Run the example until it is not needed any more."""
    with socket.socket() as taken, tempfile.TemporaryDirectory() as folder:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.close()
        environment = {
            **os.environ,
            "KINOVI_API_KEY": emulator.api_key,
            "SEEDANCE_BASE_URL": emulator.base_url,
            "VIDEOS_JOURNAL": str(Path(folder) / "videos.db"),
            "VIDEOS_CONCURRENCY": str(SLOTS),
            "VIDEOS_POLL_EVERY": "0.05",
            "VIDEOS_MAX_WAITING_PER_USER": str(CLIENTS),
            **{name: str(value) for name, value in variables.items()},
        }
        command = [sys.executable, "-m", "examples.fastapi_app", "--port", str(port), "--quiet"]
        with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
            try:
                asyncio.run(_ready(f"http://127.0.0.1:{port}"))
                yield Application(f"http://127.0.0.1:{port}", process.pid)
                process.send_signal(signal.SIGTERM)
                process.wait(30)
            finally:
                process.kill()


async def _ready(url: str) -> None:
    async def answers() -> bool:
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    await until(answers, 60)


def run(options: Options) -> Report:
    """Run the three of them."""
    if sys.platform != "linux":
        raise RuntimeError("the scenario `web` reads /proc, and runs on Linux only")
    clients = 40 if options.quick else CLIENTS
    _allow_files(4 * clients + 1000)
    rows: dict[str, dict[str, float]] = {}
    with EmulatorThread(limit=SLOTS, durations=TASK, credits=10**9) as emulator:
        with application(emulator, VIDEOS_MAX_WAITING=2 * clients) as running:
            rows["followed"], greedy = asyncio.run(_followed(running, emulator, clients))
        with application(emulator, VIDEOS_MAX_WAITING=clients // 10) as running:
            rows["full"] = asyncio.run(_full(running, clients))
        with application(emulator, VIDEOS_MAX_WAITING=2 * clients) as running:
            rows["leaving"], left = asyncio.run(_leaving(running, clients))
        refusals = emulator.statistics().refusals
    figures = {name: {each: Spread.of([value]) for each, value in row.items()} for name, row in rows.items()}
    return Report(
        scenario="web",
        question=f"What do {clients} HTTP clients at once cost the FastAPI example, on an account of {SLOTS} slots?",
        rows=figures,
        ratios=[
            Ratio("followed: MB for all clients : aim", Spread.of([rows["followed"]["MB more"] / MEGABYTES]), aim=1.0),
            Ratio(
                "followed: turns of the first visitor until everybody had one",
                Spread.of([float(greedy)]),
                aim=SLOTS + 2,
            ),
            Ratio("leaving: waiting afterwards", Spread.of([left]), aim=0.0),
        ],
        settings={"clients": clients, "slots": SLOTS, "task seconds": TASK},
        notes=[f"creates refused by the account (429): {refusals}"],
    )


async def _followed(running: Application, emulator: EmulatorThread, clients: int) -> tuple[dict[str, float], int]:
    seen, many = Seen(), clients // 10
    before, began = running.megabytes("VmRSS"), time.monotonic()
    sockets = 0
    async with asyncio.TaskGroup() as group:
        group.create_task(visit(running.url, [f"greedy {number}" for number in range(many)], seen))
        await until(lambda: _answered(seen, many))
        for number in range(clients - many):
            group.create_task(visit(running.url, [f"single {number}"], seen))
        while len(seen.answers) < clients:
            await asyncio.sleep(0.05)
            sockets = max(sockets, running.sockets())
    # In the order of the account: until the last single video was accepted, how many of the greedy visitor's were?
    prompts = emulator.call(lambda service: [task.order.prompt for task in service.world.tasks.values()])
    singles = [place for place, prompt in enumerate(prompts) if prompt.startswith("single")]
    # What left before the others had come is no turn of theirs.
    turns = sum(prompt.startswith("greedy") for prompt in prompts[singles[0] : singles[-1]])
    return _row(running, seen, before, began, sockets), turns


async def _answered(seen: Seen, count: int) -> bool:
    return len(seen.answers) >= count


async def _full(running: Application, clients: int) -> dict[str, float]:
    # Before the first video is there, a session can only say how long videos usually take the service: minutes.
    await visit(running.url, [f"early {number}" for number in range(SLOTS // 2)], Seen())
    seen = Seen()
    before, began = running.megabytes("VmRSS"), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(visit(running.url, [f"full {number}"], seen))
    return _row(running, seen, before, began, None)


async def _leaving(running: Application, clients: int) -> tuple[dict[str, float], float]:
    seen, leaves = Seen(), asyncio.Event()
    before, began = running.megabytes("VmRSS"), time.monotonic()
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(generate(running.url, f"leaving {number} [takes:3]", seen, leaves))

        async def all_wait() -> bool:
            return await running.waiting(http) >= clients - SLOTS

        await until(all_wait)
        sockets = running.sockets()
        leaves.set()

        async def nobody_waits() -> bool:
            return await running.waiting(http) == 0

        seconds = await until(nobody_waits)
        left = float(await running.waiting(http))
    return {**_row(running, seen, before, began, sockets), "s until free": seconds}, left


def _row(running: Application, seen: Seen, before: float, began: float, sockets: int | None) -> dict[str, float]:
    row = {
        "MB before": before,
        "MB more": running.megabytes("VmHWM") - before,
        "done": float(seen.done),
        "503": float(seen.refused),
        "hung up": float(seen.gone),
        "seconds": time.monotonic() - began,
    }
    if sockets is not None:
        row["most sockets"] = float(sockets)
    if seen.answers:
        cuts = statistics.quantiles(seen.answers, n=20)
        row |= {"order, median ms": 1000 * statistics.median(seen.answers), "order, p95 ms": 1000 * cuts[-1]}
    return row


def _allow_files(count: int) -> None:
    import resource  # noqa: PLC0415 (Windows has none)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count, hard)), hard))
