"""The processes of the scenario: one server, and one candidate at a time, with a folder of its own on the disk."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def server(seconds: float, seed: int) -> Generator[tuple[str, dict[str, list[float]]]]:
    """Run a server whose tasks take a while; what it noted is filled in when it has ended."""
    times: dict[str, list[float]] = {}
    command = [sys.executable, "-m", "benchmarks.journal.server", "--seconds", str(seconds), "--seed", str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            yield f"http://127.0.0.1:{port}/api/v1", times
            process.stdin.close()
            times.update(json.loads(process.stdout.readline()))
        finally:
            process.kill()


def measure(part: str, candidate: str, base_url: str, disk: Path, *, jobs: int, concurrency: int) -> dict[str, Any]:
    """Run one candidate in a process of its own."""
    with tempfile.TemporaryDirectory(dir=disk) as folder:
        command = [sys.executable, "-m", "benchmarks.journal.worker", part, "--candidate", candidate]
        command += ["--base-url", base_url, "--folder", folder]
        command += ["--jobs", str(jobs), "--concurrency", str(concurrency)]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
