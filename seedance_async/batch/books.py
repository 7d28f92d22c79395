"""The books of a running batch: where each row stands, how those that ended did, and what is written down of it.

A row that ends becomes a record, the record becomes durable, and only then is anybody told.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import define, field

from seedance_async.batch.board import Board, Place
from seedance_async.batch.events import (
    BatchEvent,
    DriftSeen,
    Progress,
    RowEnded,
    ServiceBack,
    ServiceUnreachable,
    StopReason,
    SubmittingStopped,
    Warned,
)
from seedance_async.batch.manifest import record_of
from seedance_async.batch.recorder import Recorder
from seedance_async.batch.report import BatchReport, EndedRow
from seedance_async.core.plan import Plan, PlannedRow
from seedance_async.core.results import VideoResult
from seedance_async.hooks import Drift, GateClosed, GateOpened, HookEvent, PossibleDouble, SlotGivenUp
from seedance_async.statistics import SessionStatistics

logger = logging.getLogger("seedance_async")

#: Reasons that leave running tasks on the service. After the others they are finished and saved.
LEAVING: Final[frozenset[StopReason]] = frozenset({"interrupt", "terminate", "hangup", "disk"})


@define(eq=False)
class Books:
    """What one run knows.

    Attributes:
        plan: What is made.
        folder: Where to.
        listener: Told of everything that happens; what it raises is logged.
        rows: The rows by key.
        board: Where each of them stands.
        results: Videos that are made and not saved yet, by key.
        recorder: Writes the manifest; None before the run begins.
        stopped: Why nothing further is submitted, or None.
        stop_message: The same as a sentence.
        unreachable: Why the session waits for the service, or None.
    """

    plan: Plan
    folder: Path
    listener: Callable[[BatchEvent], None] | None
    rows: dict[str, PlannedRow] = field(init=False)
    board: Board = field(init=False)
    results: dict[str, VideoResult] = field(init=False, factory=dict[str, VideoResult])
    recorder: Recorder | None = field(init=False, default=None)
    stopped: StopReason | None = field(init=False, default=None)
    stop_message: str | None = field(init=False, default=None)
    unreachable: str | None = field(init=False, default=None)
    _ended: dict[str, EndedRow] = field(init=False, factory=dict[str, EndedRow])

    def __attrs_post_init__(self) -> None:
        """Open the books with every row."""
        self.rows = {row.key: row for row in self.plan.rows}
        self.board = Board(self.plan.rows)

    def hear(self, event: HookEvent, now: float) -> None:
        """Take an event of the session and tell what a listener should know of it.

        Args:
            event: What the session told its hooks; events of other people's jobs are ignored.
            now: The loop's time in seconds.
        """
        match event:
            case GateClosed(reason=reason):
                self.unreachable = reason
                self.tell(ServiceUnreachable(f"waiting for the service: {reason}"))
            case GateOpened():
                self.unreachable = None
                self.tell(ServiceBack())
            case Drift():
                self.tell(DriftSeen(self.rows.get(event.key), self.drift_text(event)))
            case PossibleDouble(key=key, reason=reason):
                row = self.rows.get(key)
                line = "" if row is None else f"line {row.line}: "
                self.tell(Warned(f"{line}sent again after an error of the service, may be paid twice: {reason}"))
            case SlotGivenUp(key=key, task_id=task_id) if key in self.rows:
                number = self.rows[key].line
                self.tell(Warned(f"line {number}: task {task_id} takes so long that its slot is used again"))
            case _:
                told = self.board.take(event, now)
                if told is not None:
                    self.tell(told)

    def note_stop(self, reason: StopReason, message: str) -> None:
        """Note why nothing further is submitted; the first reason counts, except that leaving outranks the others."""
        if self.stopped is None or (reason in LEAVING and self.stopped not in LEAVING):
            self.stopped, self.stop_message = reason, message
            self.tell(SubmittingStopped(reason, message))

    def drift_text(self, event: Drift) -> str:
        """Say what differs, with the line of the file."""
        row = self.rows.get(event.key)
        line = "" if row is None else f"line {row.line}, "
        return f"{line}task {event.task_id}: {event.what} should be {event.expected} and is {event.actual}"

    def tell(self, event: BatchEvent) -> None:
        """Tell the listener."""
        if self.listener is None:
            return
        try:
            self.listener(event)
        except Exception:
            logger.exception("a listener of the batch failed on %s", type(event).__name__)

    def end(self, ended: EndedRow) -> None:
        """Book how a row ended; the first end counts."""
        assert self.recorder is not None
        if ended.row.key in self._ended:
            return
        self._ended[ended.row.key] = ended
        self.board.end(ended.row.key)
        event = RowEnded(ended.row, ended.status, ended.task_id, ended.path, ended.credits, ended.message, ended.error)
        if ended.status == "not_submitted":
            self.tell(event)  # there is nothing to remember of it
        else:
            self.recorder.put(record_of(ended, self.folder), lambda: self.tell(event))

    def close(self) -> None:
        """End every row that has not ended, by what is known of it."""
        for row in self.plan.rows:
            if row.key not in self._ended:
                self.end(self._as_it_stands(row))

    def write_down_running(self) -> None:
        """Put the ids of tasks that run into the manifest now: whoever leaves at once must not lose them."""
        if self.recorder is None:
            return
        for row in self.running():
            self.recorder.put(record_of(self._as_it_stands(row), self.folder))

    def running(self) -> list[PlannedRow]:
        """Return the rows with a task that is paid and whose end is not written down."""
        return self.board.at(Place.RUNNING) + self.board.at(Place.FINISHED)

    def left(self) -> tuple[str, ...]:
        """Return the ids of tasks that are paid and whose video is not there, in the order of the plan."""
        ids = (self._left(key) for key in self.rows)
        return tuple(task_id for task_id in ids if task_id is not None)

    def _left(self, key: str) -> str | None:
        if key in self._ended:
            ended = self._ended[key]
            return ended.task_id if ended.status in {"running", "not_saved"} else None
        return self.board.task_id(key) if self.board.place(key) in {Place.RUNNING, Place.FINISHED} else None

    def report(self) -> BatchReport:
        """Report on the rows that have ended so far."""
        rows = tuple(self._ended[key] for key in self.rows if key in self._ended)
        return BatchReport(self.folder, rows, self.stopped, self.stop_message)

    def progress(self, statistics: SessionStatistics | None, now: float) -> Progress:
        """Return where the batch stands. Linear in the rows."""
        report = self.report()
        limit = 0 if statistics is None else statistics.limit
        running, saving = len(self.board.at(Place.RUNNING)), len(self.board.at(Place.FINISHED))
        return Progress(
            total=len(self.rows),
            ended=report.counts,
            running=running,
            saving=saving,
            waiting=len(self.rows) - len(self._ended) - running - saving,
            slots_used=0 if statistics is None else statistics.in_progress,
            slot_limit=limit,
            credits_used=report.credits_used,
            credits_reserved=self.board.reserved(),
            seconds_left=self.board.seconds_left(now, limit) if limit else None,
            stopping=self.stopped,
            unreachable=self.unreachable,
        )

    def _as_it_stands(self, row: PlannedRow) -> EndedRow:
        task_id = self.board.task_id(row.key)
        match self.board.place(row.key):
            case Place.RUNNING:
                return EndedRow(row, "running", task_id, note="it runs on the service and is paid for")
            case Place.FINISHED:
                result = self.results.get(row.key)
                return EndedRow(row, "not_saved", task_id, result=result, note="the video was not saved in time")
            case Place.SENDING:
                note = "its create was on the wire at the end; it may have been accepted and paid for"
                return EndedRow(row, "unknown", note=note)
            case _:
                return EndedRow(row, "not_submitted", note=self.stop_message)
