"""What a session tells its hooks: frozen records, called on the loop, one after the other.

A hook is a callable that takes one record. It must not block. One that raises is logged and called again for the
next record; it disturbs nobody else.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import define, frozen

from seedance_async.core.results import TaskSnapshot

logger = logging.getLogger("seedance_async")


@frozen
class Queued:
    """A job took its place in the queue; `group` is its group, None for that of all jobs without one."""

    key: str
    group: str | None = None


@frozen
class SlotAcquired:
    """A job got a slot; its create is about to leave."""

    key: str


@frozen
class AttemptEnded:
    """A create ended.

    Attributes:
        outcome: `"accepted"`, `"rejected"`, `"not sent"` or `"unknown"`.
        reason: What was seen, with secrets removed; None for an accepted one.
    """

    key: str
    outcome: str
    reason: str | None = None


@frozen
class Accepted:
    """The service accepted a task; credits are reserved from now on (None: the price is not known)."""

    key: str
    task_id: str
    credits: Decimal | None


@frozen
class StatusChanged:
    """A poll saw something new of a task."""

    key: str
    task_id: str
    snapshot: TaskSnapshot


@frozen
class Finished:
    """A job is over: nothing more happens to it by itself.

    Attributes:
        state: The job's last state: `"succeeded"`, `"failed"`, `"refused"`, `"withdrawn"`, `"unknown"` or `"gone"`.
    """

    key: str
    task_id: str | None
    state: str


@frozen
class SlotGivenUp:
    """A task did not end for so long that its slot is used again; it is still watched."""

    key: str
    task_id: str


@frozen
class Refusal:
    """The service answered a create with 429; nothing was charged and the job waits on."""

    key: str
    limit: int | None
    current: int | None


@frozen
class LimitChanged:
    """The number of slots changed."""

    limit: int


@frozen
class GateClosed:
    """No create leaves for now: the service is not reached, fails, or loses creates."""

    reason: str


@frozen
class GateOpened:
    """Creates leave again."""


@frozen
class PossibleDouble:
    """A create is sent again after a 500; if the first one was accepted all the same, it is paid twice."""

    key: str
    reason: str


@frozen
class Drift:
    """What the service did differs from what was asked or quoted.

    Attributes:
        what: `"credits"` or `"size"`.
        expected: What the catalogue or the request says.
        actual: What the service says.
    """

    key: str
    task_id: str
    what: str
    expected: str
    actual: str


@frozen
class Uploaded:
    """A local file was uploaded, so that the service can fetch it.

    Attributes:
        path: The file; None for bytes.
        size: In bytes.
        url: Where it is, for everybody who knows the address.
        until: When the service deletes it (UTC).
    """

    path: str | None
    size: int
    url: str
    until: datetime


HookEvent = (
    Queued
    | SlotAcquired
    | AttemptEnded
    | Accepted
    | StatusChanged
    | Finished
    | SlotGivenUp
    | Refusal
    | LimitChanged
    | GateClosed
    | GateOpened
    | PossibleDouble
    | Drift
    | Uploaded
)
Hook = Callable[[HookEvent], Any]


@define(eq=False)
class Hooks:
    """The hooks of one session."""

    _hooks: Sequence[Hook]

    def __bool__(self) -> bool:
        return bool(self._hooks)

    def call(self, event: HookEvent) -> None:
        """Tell every hook."""
        for hook in self._hooks:
            try:
                hook(event)
            except Exception:
                logger.exception("a hook failed on %s", type(event).__name__)
