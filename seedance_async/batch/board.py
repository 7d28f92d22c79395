"""Where every row of a running batch stands, kept from what the session tells its hooks. No waiting, no files."""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum, auto
from typing import Final

from attrs import define, field

from seedance_async.batch.events import BatchEvent, RowQueued, RowRunning
from seedance_async.core.plan import PlannedRow
from seedance_async.core.results import FAIL, SUCCESS
from seedance_async.hooks import (
    Accepted,
    AttemptEnded,
    Finished,
    HookEvent,
    Queued,
    Refusal,
    SlotAcquired,
    StatusChanged,
)

#: Before any of a batch's own tasks has ended nothing is known about the pace of this account.
_UNKNOWN_PACE: Final = 1.0


class Place(Enum):
    """Where a row stands."""

    WAITING = auto()
    """Not sent: not queued yet, queued, or refunded and about to be sent again."""

    SENDING = auto()
    """Its create is about to leave, on the wire, or lost."""

    RUNNING = auto()
    """The service has accepted its task."""

    FINISHED = auto()
    """Its task has succeeded; the video is not saved yet."""

    ENDED = auto()
    """It has its line in the manifest."""


@define
class _Entry:
    row: PlannedRow
    place: Place = Place.WAITING
    task_id: str | None = None
    status: str = ""
    accepted_at: float = 0.0


@define
class Board:
    """The rows of one batch by key.

    Attributes:
        sending: Keys whose create is about to leave or on the wire; those with a lost answer are not.
    """

    rows: Iterable[PlannedRow]
    sending: set[str] = field(init=False, factory=set[str])
    _entries: dict[str, _Entry] = field(init=False)
    _real_seconds: float = field(init=False, default=0.0)
    _typical_seconds: float = field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        """Put every row into the first place."""
        self._entries = {row.key: _Entry(row) for row in self.rows}

    def take(self, event: HookEvent, now: float) -> BatchEvent | None:
        """Note what the session tells of a row; say what is worth telling on. Other people's jobs are ignored.

        Args:
            event: What was told.
            now: The loop's time in seconds.
        """
        key = getattr(event, "key", None)
        entry = None if key is None else self._entries.get(key)
        if entry is None or entry.place is Place.ENDED:
            return None
        match event:
            case Queued():
                self._move(entry, Place.WAITING)
                return RowQueued(entry.row)
            case SlotAcquired():
                self._move(entry, Place.SENDING)
                entry.task_id = None  # an earlier task has ended, and says nothing of what becomes of this create
            case Refusal() | AttemptEnded(outcome="not sent"):
                self._move(entry, Place.WAITING)
            case Accepted(task_id=task_id):
                self._move(entry, Place.RUNNING)
                entry.task_id, entry.status, entry.accepted_at = task_id, "waiting", now
                return RowRunning(entry.row, task_id, entry.status)
            case StatusChanged(status=status, task_id=task_id):
                if entry.place is Place.RUNNING and status not in {entry.status, SUCCESS, FAIL}:
                    entry.status = status
                    return RowRunning(entry.row, task_id, entry.status)
            case Finished(state=state):
                self._finish(entry, state, now)
            case _:
                pass
        return None

    def adopt(self, key: str, task_id: str | None, accepted_at: float) -> None:
        """Note a task of an earlier run that is watched on.

        Args:
            key: The row's.
            task_id: The task.
            accepted_at: When it was accepted, in the loop's time.
        """
        entry = self._entries[key]
        self._move(entry, Place.RUNNING)
        entry.task_id, entry.status, entry.accepted_at = task_id, "waiting", accepted_at

    def finished(self, key: str, task_id: str | None) -> None:
        """Note a task that finished in an earlier run and whose video is to be fetched."""
        entry = self._entries[key]
        self._move(entry, Place.FINISHED)
        entry.task_id = task_id

    def end(self, key: str) -> None:
        """Take a row off the board: its end is known."""
        self._move(self._entries[key], Place.ENDED)

    def place(self, key: str) -> Place:
        """Return where a row stands."""
        return self._entries[key].place

    def task_id(self, key: str) -> str | None:
        """Return the task of a row; None where the one of an attempt before was refunded."""
        return self._entries[key].task_id

    def at(self, place: Place) -> list[PlannedRow]:
        """Return the rows that stand at one place, in the order of the plan."""
        return [entry.row for entry in self._entries.values() if entry.place is place]

    def reserved(self) -> Decimal:
        """Return the credits of rows whose task runs; what has no price counts nothing."""
        return sum((row.request.credits or Decimal(0) for row in self.at(Place.RUNNING)), Decimal(0))

    def seconds_left(self, now: float, slots: int) -> float:
        """Estimate when the last task ends, from what tasks usually take and how long this batch's took so far."""
        left = 0.0
        for entry in self._entries.values():
            if entry.place in {Place.WAITING, Place.SENDING}:
                left += entry.row.request.typical_seconds * self._pace
            elif entry.place is Place.RUNNING:
                age = now - entry.accepted_at
                left += max(0.0, entry.row.request.typical_seconds * self._pace - age)
        return left / max(1, slots)

    @property
    def _pace(self) -> float:
        return self._real_seconds / self._typical_seconds if self._typical_seconds > 0 else _UNKNOWN_PACE

    def _finish(self, entry: _Entry, state: str, now: float) -> None:
        if state in {"succeeded", "failed"} and entry.place is Place.RUNNING:
            self._real_seconds += now - entry.accepted_at
            self._typical_seconds += entry.row.request.typical_seconds
        match state:
            case "succeeded":
                self._move(entry, Place.FINISHED)
            case "failed" | "refused" | "withdrawn":
                self._move(entry, Place.WAITING)
                entry.task_id = None
            case _:
                # `unknown` and `gone` stay where they are, for whatever `map` says of the row; nothing is on the wire.
                self.sending.discard(entry.row.key)

    def _move(self, entry: _Entry, place: Place) -> None:
        entry.place = place
        if place is Place.SENDING:
            self.sending.add(entry.row.key)
        else:
            self.sending.discard(entry.row.key)
