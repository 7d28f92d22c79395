"""Run a candidate against a service: two processes, and what both say afterwards."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from attrs import field, frozen

from benchmarks.machine import HANGS

#: Changes of the limit, by seconds: one that stays has one.
Limits = Sequence[tuple[float, int]]


@frozen(kw_only=True)
class Setting:
    """What a candidate is run against.

    Attributes:
        law: Of the durations, a name of `polling.laws`.
        tasks: How many.
        limits: Of the account.
        seed: Of durations and faults.
        faults: Whether requests fail.
        connecting: Seconds that a new connection adds to its first request.
        clock: `turns`, or how many times faster than the real one.
    """

    law: str
    tasks: int
    limits: Limits
    seed: int
    faults: bool = False
    connecting: float = 0.0
    clock: str = "turns"


@frozen
class Candidate:
    """Somebody who makes the videos of a batch.

    Attributes:
        module: Of `benchmarks.account`.
        settings: What its `run` is given besides the work.
    """

    module: str
    settings: Mapping[str, object] = field(factory=dict)


@frozen
class Run:
    """What both processes said.

    Attributes:
        setting: What it was run against.
        ledger: The service's.
        report: The candidate's.
    """

    setting: Setting
    ledger: Mapping[str, Any]
    report: Mapping[str, Any]


_CORES: Final = os.cpu_count() or 1


def run_all(jobs: Sequence[tuple[Candidate, Setting]]) -> list[Run]:
    """Run all, as many beside each other as there are cores; one at a time where the clock is a real one."""
    beside = _CORES if all(setting.clock == "turns" for _, setting in jobs) else 1
    with ThreadPoolExecutor(beside) as pool:
        return list(pool.map(lambda place: run(*jobs[place], core=place % beside), range(len(jobs))))


def run(candidate: Candidate, setting: Setting, *, core: int = 0) -> Run:
    """Run one candidate once.

    Both processes share a core where they take turns, so that none of them waits for the other's core to wake up.
    """
    common = ["--clock", setting.clock, "--law", setting.law]
    common += ["--tasks", str(setting.tasks), "--seed", str(setting.seed)]
    server = [sys.executable, "-m", "benchmarks.account.server", *common, "--limits", json.dumps(setting.limits)]
    server += ["--connecting", str(setting.connecting), *(["--faults"] if setting.faults else [])]
    server += ["--core", str(core if setting.clock == "turns" else 1)]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            api, door, began = service.stdout.readline().split()
            worker = [sys.executable, "-m", "benchmarks.account.worker", *common, "--candidate", candidate.module]
            worker += ["--settings", json.dumps(dict(candidate.settings)), "--core", str(core)]
            worker += ["--api", api, "--door", door, "--began", began]
            ended = subprocess.run(worker, stdout=subprocess.PIPE, text=True, check=True, timeout=HANGS)
            ledger = json.loads(service.stdout.readline())
        finally:
            service.kill()
    return Run(setting, ledger, json.loads(ended.stdout))
