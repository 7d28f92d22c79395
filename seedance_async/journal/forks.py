"""What a process does with the journals of the one it was forked from: it lets go of them, and closes none.

A child inherits the lock, which must end with the parent, and SQLite's connection, which only the parent may close: to
close it takes and gives up locks, and tidies up beside a file that the parent still writes.
"""

import contextlib
import os
from typing import Final, Protocol
from weakref import WeakSet


class Forgetting(Protocol):
    """What is open in this process and may be in use when it forks."""

    def forget(self) -> object:
        """Let go of everything. Return what must never be closed."""
        ...


# A fork concerns the whole process, and so does this set. What is closed forgets nothing.
_OPEN: Final[WeakSet[Forgetting]] = WeakSet()


def watch(thing: Forgetting) -> None:
    """Have this forget what it has open in every child that is forked from now on."""
    _OPEN.add(thing)


def _in_child() -> None:
    for thing in list(_OPEN):
        never_closed = thing.forget()
        if never_closed is not None:
            _keep_for_ever(never_closed)
    _OPEN.clear()


def _keep_for_ever(thing: object) -> None:
    """Let Python never free it, not even when the interpreter ends."""
    # Interpreters without C references free nothing at their end either.
    with contextlib.suppress(ImportError, AttributeError):
        import ctypes  # noqa: PLC0415 (needed in forked children only)

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
