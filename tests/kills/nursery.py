"""A process that has loaded everything and does nothing, and forks the processes that live and die.

To start Python and import the package takes longer than such a process lives. `python -m tests.kills.nursery` reads
lines of `Orders`, has a child follow each, kills it from outside if its trap says so, and prints how it ended.

A child is a process like any other: it has its own loop, threads, connections and journal. The nursery itself has
none, so that nothing is shared but the modules.
"""

import asyncio
import gc
import os
import pkgutil
import select
import signal
import subprocess
import sys
import traceback
from importlib import import_module
from types import TracebackType
from typing import Final, NoReturn, Self

import seedance_async
from tests.kills.applications import APPLICATIONS
from tests.kills.dying import die_at_step
from tests.kills.orders import Orders
from tests.kills.processes import say, started

#: Exit code of an application that found nothing left to do, and of one that was told to leave before.
DONE: Final = 0
LEFT: Final = 3
#: By SIGKILL, which has this number wherever there is one.
KILLED: Final = -9
#: A process that has not ended after so many seconds hangs.
PATIENCE: Final = 60.0
#: What others load when they need it.
_LATE: Final = ("anyio._backends._asyncio", "encodings.idna", "sqlite3", "stringprep")


class Nursery:
    """The process, as a context manager."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, orders: Orders) -> int:
        """Have a child live; return its exit code, or the negative number of the signal that ended it."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{orders.to_line()}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        self._process = started("tests.kills.nursery")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate(timeout=30)


def _live(orders: Orders) -> NoReturn:
    code = 70
    try:
        # What it says is for those who look for the reason of a failure.
        said = os.open(orders.trace.with_suffix(".txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(said, 1)
        os.dup2(said, 2)
        if orders.trap.kind == "step":
            die_at_step(orders.trap, orders.folder)
        code = DONE if asyncio.run(APPLICATIONS[orders.application](orders)) else LEFT
    except BaseException:  # noqa: BLE001 (nothing may go on as if it were the nursery)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _watch(pid: int, ended: int, orders: Orders) -> int:
    """Wait for a child, and kill it when its time has come."""
    trap = orders.trap
    limit = trap.seconds if trap.kind == "time" else PATIENCE
    # The pipe is at its end once the child, which alone has the other one, is dead.
    if not select.select([ended], [], [], limit)[0]:
        os.kill(pid, signal.SIGKILL)
        if trap.kind != "time":
            os.waitpid(pid, 0)
            return 71
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _load_everything() -> None:
    """Load what a session loads when it needs it; every child would do so again."""
    for package in pkgutil.walk_packages(seedance_async.__path__, "seedance_async."):
        # Some of these need what not everybody has installed.
        if not package.name.startswith(("seedance_async.__main__", "seedance_async.cli", "seedance_async.testing")):
            import_module(package.name)
    for module in _LATE:
        import_module(module)


def _serve() -> None:
    _load_everything()
    gc.freeze()
    for line in sys.stdin:
        orders = Orders.from_line(line)
        ended, alive = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ended)
            _live(orders)
        os.close(alive)
        code = _watch(pid, ended, orders)
        os.close(ended)
        say(str(code))


if __name__ == "__main__":
    _serve()
