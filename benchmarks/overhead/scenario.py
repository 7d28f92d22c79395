"""Alternate the candidates against one server and divide their processor time per task."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread

AIM = 1.5
CONCURRENCY = 50
BARE, FRESH = "bare", "bare, connection per create"
OURS = ("ours, map", "ours, generate")
CANDIDATES = (BARE, FRESH, *OURS)


def run(options: Options) -> Report:
    """Measure processor time per task of every candidate, round by round."""
    cpu: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    wall: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    polls: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    connections: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for turn in options.turns(CANDIDATES):
        for name in turn:
            with server() as (base_url, counts):
                found = measure(name, base_url, options.tasks)
            creates = counts["creates"]
            cpu[name].append(found["cpu"] / options.tasks * 1e6)
            wall[name].append(found["wall"] / options.tasks * 1e6)
            polls[name].append(counts["polls"] / creates)
            connections[name].append(counts["connections"] / creates)
    rows = {
        name: {
            "CPU us/task": Spread.of(cpu[name]),
            "wall us/task": Spread.of(wall[name]),
            "polls/task": Spread.of(polls[name]),
            "connections/task": Spread.of(connections[name]),
        }
        for name in CANDIDATES
    }
    fresh = [of_fresh - of_bare for of_fresh, of_bare in zip(cpu[FRESH], cpu[BARE], strict=True)]
    ratios = [
        Ratio(f"{name} : bare, beyond a connection per create", beyond(cpu[name], fresh, cpu[BARE]), AIM)
        for name in OURS
    ]
    ratios += [Ratio(f"{name} : bare, all in all", beyond(cpu[name], [0.0] * len(fresh), cpu[BARE])) for name in OURS]
    ratios.append(
        Ratio("a connection per create : bare", Spread.of([a / b for a, b in zip(fresh, cpu[BARE], strict=True)]))
    )
    return Report(
        "overhead",
        "What does the SDK cost per task, when every task ends at once?",
        rows,
        ratios,
        {"rounds": options.rounds, "tasks": options.tasks, "concurrency": CONCURRENCY, "seed": options.seed},
        ["CPU is the client's, user and system; the server has a process and, where possible, a core of its own."],
    )


def beyond(ours: list[float], fresh: list[float], bare: list[float]) -> Spread:
    """Divide round by round, after taking off what a connection per create costs the bare loop."""
    return Spread.of([(mine - cost) / base for mine, cost, base in zip(ours, fresh, bare, strict=True)])


@contextmanager
def server() -> Iterator[tuple[str, dict[str, int]]]:
    """Run the server; its counts are filled in when it has ended."""
    counts: dict[str, int] = {}
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.overhead.server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            yield f"http://127.0.0.1:{port}/api/v1", counts
            process.stdin.close()
            counts.update(json.loads(process.stdout.readline()))
        finally:
            process.kill()


def measure(name: str, base_url: str, tasks: int) -> dict[str, float]:
    """Run one candidate in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.overhead.worker", "--candidate", name, "--base-url", base_url]
    command += ["--tasks", str(tasks), "--concurrency", str(CONCURRENCY)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(ended.stdout)
    return {key: float(value) for key, value in found.items()}
