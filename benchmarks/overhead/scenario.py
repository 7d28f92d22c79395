"""Alternate the candidates against one server and divide their processor time per task, or per request."""

import json
import subprocess
import sys
import timeit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from attrs import frozen

from benchmarks.machine import HANGS
from benchmarks.options import Options
from benchmarks.overhead.server import RECORD
from benchmarks.overhead.worker import UVLOOP
from benchmarks.report import Ratio, Report, Spread

#: Most times the processor time of a loop that opens a connection per create, too: per task where tasks end at once,
#: and per request where each is polled many times.
AIM_PER_TASK = 1.4
AIM_PER_REQUEST = 1.25
CONCURRENCY = 50
BARE, FRESH = "bare", "bare, connection per create"
APART = "bare, connection per create, apart"
OURS = ("ours, map", "ours, generate")
TICKS = "ours, map, ticks"

#: Of a task that takes time: how often it is asked for, and how many seconds apart.
POLLS = 30
INTERVAL = 0.1


@frozen
class Found:
    """One run of a candidate.

    Attributes:
        cpu: Its processor seconds.
        wall: Seconds on the clock.
        creates: Creates that the server has seen.
        polls: Polls that the server has seen.
        connections: Connections that the server has seen.
        most_open: Of these, the most at a time.
    """

    cpu: float
    wall: float
    creates: int
    polls: int
    connections: int
    most_open: int


def with_uvloop(names: Sequence[str]) -> list[str]:
    """The same names in uvloop's event loop, where it is installed."""
    return [f"{name}{UVLOOP}" for name in names] if find_spec("uvloop") is not None else []


def run(options: Options) -> Report:
    """Measure processor time per task of every candidate, where tasks end at once."""
    candidates = [BARE, FRESH, *OURS, *with_uvloop([FRESH, OURS[0]])]
    found = rounds(options, candidates, tasks=options.tasks, polls=1, interval=0.0)
    cpu = {name: [each.cpu / options.tasks * 1e6 for each in found[name]] for name in candidates}
    rows = {
        name: {
            "CPU us/task": Spread.of(cpu[name]),
            "wall us/task": Spread.of([each.wall / options.tasks * 1e6 for each in found[name]]),
            "polls/task": Spread.of([each.polls / each.creates for each in found[name]]),
            "connections/task": Spread.of([each.connections / each.creates for each in found[name]]),
        }
        for name in candidates
    }
    ratios = [ratio(cpu, name, FRESH, AIM_PER_TASK) for name in OURS]
    ratios += [ratio(cpu, name, FRESH + UVLOOP) for name in with_uvloop([OURS[0]])]
    ratios += [ratio(cpu, name + UVLOOP, name) for name in (FRESH, OURS[0]) if name + UVLOOP in candidates]
    ratios += [ratio(cpu, name, BARE) for name in (FRESH, *OURS)]
    json_share = [json_seconds() * 1e6 / each for each in cpu[OURS[0]]]
    ratios.append(Ratio(f"JSON of a task, by the standard library : {OURS[0]}", Spread.of(json_share)))
    return Report(
        "overhead",
        "What does the SDK cost per task, when every task ends at once?",
        rows,
        ratios,
        {"rounds": options.rounds, "tasks": options.tasks, "concurrency": CONCURRENCY, "seed": options.seed},
        ["CPU is the client's, user and system; the server has a process and, where possible, a core of its own."],
    )


def json_seconds(times: int = 2000) -> float:
    """What writing a create and reading the answers of a task that ends at once take of the processor."""
    body = {
        "model": "seedance-20",
        "inputs": {
            "prompt": "a lake at dawn, take 1000",
            "duration": "5",
            "outputResolution": "1080p",
            "aspectRatio": "16:9",
        },
    }
    accepted, record = json.dumps({"taskId": "task_00001000"}), json.dumps({"taskId": "task_00001000", **RECORD})

    def one() -> None:
        json.dumps(body)
        json.loads(accepted)
        json.loads(record)

    return min(timeit.repeat(one, number=times, repeat=5)) / times


def run_requests(options: Options, candidates: Sequence[str] | None = None) -> Report:
    """Measure processor time per request of every candidate, where each task is polled many times."""
    candidates = candidates or [FRESH, APART, OURS[0], TICKS, *with_uvloop([APART, OURS[0], TICKS])]
    # Two waves with the default, each of which takes three seconds and some.
    tasks = max(10, options.tasks // 20)
    polls = min(POLLS, max(2, options.tasks // 20))
    found = rounds(options, candidates, tasks=tasks, polls=polls, interval=INTERVAL)
    cpu = {name: [each.cpu / (tasks * (1 + polls)) * 1e6 for each in found[name]] for name in candidates}
    rows = {
        name: {
            "CPU us/request": Spread.of(cpu[name]),
            "wall s": Spread.of([each.wall for each in found[name]]),
            "polls/task": Spread.of([each.polls / each.creates for each in found[name]]),
            "connections/task": Spread.of([each.connections / each.creates for each in found[name]]),
        }
        for name in candidates
    }
    pairs: list[tuple[str, str, float | None]] = [(name, APART, AIM_PER_REQUEST) for name in (OURS[0], TICKS)]
    pairs += [(name, APART + UVLOOP, None) for name in with_uvloop([OURS[0], TICKS])]
    pairs += [(name + UVLOOP, name, None) for name in (APART, OURS[0], TICKS)]
    pairs.append((FRESH, APART, None))
    ratios = [ratio(cpu, name, base, aim) for name, base, aim in pairs if {name, base} <= {*candidates}]
    return Report(
        "requests",
        "What does the SDK cost per request, when each task is asked for thirty times?",
        rows,
        ratios,
        {"rounds": options.rounds, "tasks": tasks, "concurrency": CONCURRENCY, "seed": options.seed}
        | {"polls": polls, "interval": INTERVAL},
        [f"All make the same requests: a create and {polls} polls a task, a tenth of a second apart."],
    )


def ratio(cpu: dict[str, list[float]], name: str, base: str, aim: float | None = None) -> Ratio:
    """Divide round by round."""
    return Ratio(
        f"{name} : {base}", Spread.of([mine / other for mine, other in zip(cpu[name], cpu[base], strict=True)]), aim
    )


def rounds(
    options: Options, candidates: Sequence[str], *, tasks: int, polls: int, interval: float
) -> dict[str, list[Found]]:
    """Run every candidate once a round, against a server of its own."""
    found: dict[str, list[Found]] = {name: [] for name in candidates}
    for turn in options.turns(candidates):
        for name in turn:
            with server(polls) as (base_url, counts):
                times = measure(name, base_url, tasks, interval)
            found[name].append(Found(times["cpu"], times["wall"], **counts))
    return found


@contextmanager
def server(polls: int = 1) -> Iterator[tuple[str, dict[str, int]]]:
    """Run the server; its counts are filled in when it has ended."""
    counts: dict[str, int] = {}
    command = [sys.executable, "-m", "benchmarks.overhead.server", "--polls", str(polls)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            yield f"http://127.0.0.1:{port}/api/v1", counts
            process.stdin.close()
            counts.update(json.loads(process.stdout.readline()))
        finally:
            process.kill()


def measure(name: str, base_url: str, tasks: int, interval: float) -> dict[str, float]:
    """Run one candidate in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.overhead.worker", "--candidate", name, "--base-url", base_url]
    command += ["--tasks", str(tasks), "--concurrency", str(CONCURRENCY), "--interval", str(interval)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=HANGS)
    found = json.loads(ended.stdout)
    return {key: float(value) for key, value in found.items()}
