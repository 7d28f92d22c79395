"""How a process dies where its trap says, really: SIGKILL, sent by itself or by the nursery."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from seedance_async.core.record import JobRecord
from seedance_async.hooks import AttemptEnded, HookEvent
from seedance_async.journal import Journal
from tests.kills.orders import Trap, Writes
from tests.kills.trace import Trace

Spoil = Callable[[Sequence[JobRecord]], Sequence[JobRecord]]

#: What is done with files, as Python reports it to audit hooks right before it does it.
_STEPS: Final = frozenset({"open", "os.link", "os.mkdir", "os.remove", "os.rename", "os.truncate", "sqlite3.connect"})
_HOLDS: Final[dict[Writes, Callable[[JobRecord], bool]]] = {
    "any": lambda _record: True,
    "intent": lambda record: record.open_attempt is not None,
    "closing": lambda record: record.state.value == "running",
    "end": lambda record: record.state.value == "succeeded" and "saved" not in record.notes,
    "note": lambda record: "saved" in record.notes,
}


def die() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)
    # Other threads may run until the signal has come; this one must not.
    time.sleep(60)


def die_later(seconds: float) -> None:
    """End this process in the middle of what it will be doing then."""

    def wait() -> None:
        time.sleep(seconds)
        die()

    threading.Thread(target=wait, daemon=True).start()


def die_at_step(trap: Trap, folder: Path) -> None:
    """End this process right before a step in a folder, whoever makes it."""
    left, inside = trap.number, str(folder)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event in _STEPS and arguments and inside in str(arguments[0]):
            left -= 1
            if left == 0:
                die()

    sys.addaudithook(hook)


class WatchedJournal:
    """A journal that writes down what is asked of it, and ends the process where the trap says."""

    def __init__(self, inner: Journal, trace: Trace, trap: Trap, spoil: Spoil) -> None:
        """Note what to do.

        Args:
            inner: The journal that does the work.
            trace: Where to write down what is asked of it.
            trap: Where to die; others than writes do not concern it.
            spoil: What reaches the inner journal of the records.
        """
        self._inner = inner
        self._trace = trace
        self._trap = trap
        self._spoil = spoil
        self._left = trap.number if trap.kind == "write" else 0

    async def open(self) -> Sequence[JobRecord]:
        """Open it."""
        records = await self._inner.open()
        self._trace.note_records("open", records)
        return records

    async def write(self, records: Sequence[JobRecord]) -> None:
        """Write, and die on the way."""
        point = self._point(records)
        if point == "before":
            die()
        self._trace.note_records("begin", records)
        if point == "within":
            die_later(self._trap.seconds)
        await self._inner.write(self._spoil(records))
        self._trace.note("end")
        if point == "after":
            die()

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()

    def hear(self, event: HookEvent) -> None:
        """Write down how creates ended; a hook of the session."""
        if isinstance(event, AttemptEnded):
            self._trace.note("heard", key=event.key, outcome=event.outcome)

    def _point(self, records: Sequence[JobRecord]) -> str:
        if self._left > 0 and any(map(_HOLDS[self._trap.of], records)):
            self._left -= 1
            if self._left == 0:
                return self._trap.point
        return ""
