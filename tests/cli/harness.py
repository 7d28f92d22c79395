"""Tools of the tests of the command line: an emulator in real time, and commands as processes."""

import os
import shlex
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from attrs import frozen

from seedance_async.testing import EmulatorThread

#: Tasks of minutes take tenths of a second.
SPEED = 600.0
#: What makes a session look that often.
QUICK = ("--poll-every", "0.05")


@frozen
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Seedance(Protocol):
    """Run a command in this process."""

    def __call__(self, *words: str | Path) -> Ended: ...


def environ_of(emulator: EmulatorThread) -> dict[str, str]:
    """What a command needs to use an emulator."""
    return {"SEEDANCE_BASE_URL": emulator.base_url, "KINOVI_API_KEY": emulator.api_key}


def process(*words: str | Path, **options: Any) -> "subprocess.Popen[str]":
    """Start a command as a process of its own, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "seedance_async", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=options.pop("stdin", subprocess.DEVNULL),
        # Buffered as a user has it: a broken pipe shows only when the buffer is written.
        env={**os.environ, "COLUMNS": "100", "PYTHONUNBUFFERED": "", **options.pop("env", {})},
        text=True,
        encoding="utf-8",
        start_new_session=True,
        **options,
    )


@contextmanager
def running(*words: str | Path) -> Generator["subprocess.Popen[str]"]:
    """Run a command and see that it is gone afterwards."""
    started = process(*words)
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def read_until(command: "subprocess.Popen[str]", words: str, times: int = 1) -> str:
    """Read standard error up to the line in which `words` appear for the n-th time."""
    assert command.stderr is not None
    read = ""
    for line in command.stderr:
        read += line
        if read.count(words) >= times:
            return read
    raise AssertionError(f"{words!r} never came: {read}")


def said(text: str, beginning: str) -> list[str]:
    """Return the words of a command that was said to be typed, behind what its line begins with."""
    lines = [line.strip() for line in text.splitlines()]
    found = [line.removeprefix(beginning) for line in lines if line.startswith(beginning)]
    assert len(found) == 1, text
    return shlex.split(found[0])


def on_a_terminal(words: list[str | Path], answer: str, columns: int = 80) -> tuple[int, str]:
    """Run a command on a pseudo-terminal of 24 lines, type an answer, and return exit code and screen bytes."""
    import fcntl
    import pty
    import struct
    import termios

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    command = subprocess.Popen(
        [sys.executable, "-m", "seedance_async", *map(str, words)],
        stdin=child, stdout=subprocess.DEVNULL, stderr=child, env={**environ, "TERM": "xterm"}, start_new_session=True,
    )  # fmt: skip
    os.close(child)
    os.write(parent, answer.encode())
    seen = b""
    while True:
        try:
            piece = os.read(parent, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        seen += piece
    os.close(parent)
    return command.wait(30), seen.decode(errors="replace")
