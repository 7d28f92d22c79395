"""Processes that are told what to do in lines, and answer in lines."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def started(module: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a module of the tests; it ends when its standard input is closed."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def say(line: str) -> None:
    """Answer with one line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
