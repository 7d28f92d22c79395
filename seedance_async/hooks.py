"""Hooks: callables that are told what a session does. `seedance_async.events` has the records and their order.

A hook takes one record. It is called on the loop at the moment the record tells of, so that the loop's time is the time
of the record, and it must not block. One that raises is logged and called again for the next record; it disturbs nobody
else.
"""

import inspect
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Self, cast

from attrs import define, field

from seedance_async.core.frozen import is_iterable, is_mapping
from seedance_async.core.validators import what_was_given
from seedance_async.errors import ConfigurationError
from seedance_async.events import (
    Accepted,
    Attached,
    AttemptEnded,
    Drift,
    Finished,
    GateClosed,
    GateOpened,
    HookEvent,
    LimitChanged,
    PollEnded,
    PossibleDouble,
    Queued,
    Refusal,
    SessionBegun,
    SessionEnded,
    SlotAcquired,
    SlotGivenUp,
    StatusChanged,
    Unclaimed,
    WaitEnded,
)
from seedance_async.file_events import DownloadEnded, DownloadProgress, DownloadStarted, Uploaded

__all__ = [
    "Accepted",
    "Attached",
    "AttemptEnded",
    "DownloadEnded",
    "DownloadProgress",
    "DownloadStarted",
    "Drift",
    "Finished",
    "GateClosed",
    "GateOpened",
    "Hook",
    "HookEvent",
    "Hooks",
    "LimitChanged",
    "PollEnded",
    "PossibleDouble",
    "Queued",
    "Refusal",
    "SessionBegun",
    "SessionEnded",
    "SlotAcquired",
    "SlotGivenUp",
    "StatusChanged",
    "Unclaimed",
    "Uploaded",
    "WaitEnded",
    "checked_hooks",
]

logger = logging.getLogger("seedance_async")

_PLAIN: Final = "let a plain function put the record into a queue"

Hook = Callable[[HookEvent], Any]
"""A callable that takes one record."""


def checked_hooks(value: object) -> tuple[Hook, ...]:
    """Return the hooks that were given.

    Raises:
        ConfigurationError: They are no list of callables, or one of them does nothing when it is called.
    """
    if callable(value) or not is_iterable(value) or isinstance(value, str | bytes) or is_mapping(value):
        raise ConfigurationError(f"hooks is a list of callables, such as hooks=[print], and is {what_was_given(value)}")
    hooks = tuple(value)
    for number, hook in enumerate(hooks):
        if not callable(hook):
            raise ConfigurationError(
                f"hooks is a list of callables, and hooks[{number}] is none: it is {what_was_given(hook)}"
            )
        # Of an object it is the class that has the call.
        for called in (hook, type(hook).__call__):
            if inspect.iscoroutinefunction(called):
                raise ConfigurationError(
                    f"hooks[{number}] is a coroutine function, and a hook is called and not awaited; {_PLAIN}"
                )
            if inspect.isgeneratorfunction(called) or inspect.isasyncgenfunction(called):
                raise ConfigurationError(
                    f"hooks[{number}] is a generator function, whose body does not run when it is called; {_PLAIN}"
                )
    return cast("tuple[Hook, ...]", hooks)


@define(eq=False)
class Hooks:
    """The hooks of one session."""

    _hooks: Sequence[Hook]
    _untold: deque[HookEvent] = field(init=False, factory=deque[HookEvent])
    _holds: int = field(init=False, default=0)

    def __bool__(self) -> bool:
        return bool(self._hooks)

    def call(self, *events: HookEvent) -> None:
        """Tell every hook; what a hook causes while it is called is told after what it was called for."""
        if self._hooks:
            self._untold.extend(events)
            self._tell()

    def held(self) -> Self:
        """Tell what happens within a `with` block at its end, when all of it has happened.

        A hook may call the session. Told in the middle of a change, it would meet a job that is neither here nor there.
        """
        return self

    def __enter__(self) -> None:
        self._holds += 1

    def __exit__(self, *_exception: object) -> None:
        self._holds -= 1
        self._tell()

    def _tell(self) -> None:
        if self._holds or not self._untold:
            return
        self._holds += 1
        try:
            while self._untold:
                told = self._untold.popleft()
                for hook in self._hooks:
                    _call(hook, told)
        finally:
            self._holds -= 1


def _call(hook: Hook, event: HookEvent) -> None:
    try:
        answer = hook(event)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        logger.exception("a hook failed on %s", type(event).__name__)
        return
    if inspect.iscoroutine(answer):
        answer.close()
        logger.error("a hook gave a coroutine for %s, which nobody awaits; %s", type(event).__name__, _PLAIN)
