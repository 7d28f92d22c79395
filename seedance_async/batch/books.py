"""The books of a running batch: where each row stands, how those that ended did, and what is written down of it.

A row that ends becomes a record, the record becomes durable, and only then is anybody told. Jobs that no row stands
for are booked beside the rows.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import define, field

from seedance_async.batch.board import Board, Place
from seedance_async.batch.earlier import ended_before, ended_unseen
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
from seedance_async.core.plan import PlannedRow
from seedance_async.core.record import JobRecord
from seedance_async.core.results import VideoResult
from seedance_async.core.standing import Duty, FolderStanding, JobStanding, Standing
from seedance_async.hooks import Drift, GateClosed, GateOpened, HookEvent, PossibleDouble, SlotGivenUp
from seedance_async.statistics import SessionStatistics

logger = logging.getLogger("seedance_async")

#: Reasons that leave running tasks on the service. After the others they are finished and saved.
LEAVING: Final[frozenset[StopReason]] = frozenset({"interrupt", "terminate", "hangup", "disk"})
#: Of jobs that no row stands for: there is nothing to say of them any more.
_OVER: Final = frozenset({Standing.DONE, Standing.MISSING, Standing.EXPIRED})


@define(eq=False)
class Books:
    """What one run knows.

    Attributes:
        folder: Where the videos go.
        listener: Told of everything that happens; what it raises is logged.
        jobs: The jobs of the rows by key, in order; empty before the run begins.
        left: The jobs that no row stands for, by key.
        board: Where each of them stands.
        results: Videos that are made and not saved yet, by key.
        recorder: Writes the manifest; None before the run begins.
        stopped: Why nothing further is submitted, or None.
        stop_message: The same as a sentence.
        unreachable: Why the session waits for the service, or None.
        no_credits: Why the batch waits for credits, or None.
    """

    folder: Path
    listener: Callable[[BatchEvent], None] | None
    jobs: dict[str, JobStanding] = field(init=False, factory=dict[str, JobStanding])
    left: dict[str, JobStanding] = field(init=False, factory=dict[str, JobStanding])
    board: Board = field(init=False, factory=lambda: Board(()))
    results: dict[str, VideoResult] = field(init=False, factory=dict[str, VideoResult])
    recorder: Recorder | None = field(init=False, default=None)
    stopped: StopReason | None = field(init=False, default=None)
    stop_message: str | None = field(init=False, default=None)
    unreachable: str | None = field(init=False, default=None)
    no_credits: str | None = field(init=False, default=None)
    _ended: dict[str, EndedRow] = field(init=False, factory=dict[str, EndedRow])
    _record: Callable[[str], JobRecord | None] = field(init=False, default=lambda _key: None)

    def begin(
        self,
        standing: FolderStanding,
        recorder: Recorder,
        now: float = 0.0,
        record: Callable[[str], JobRecord | None] = lambda _key: None,
    ) -> None:
        """Open the books with every job of the folder; book those with which this run has nothing to do.

        Nobody is told of these, and they have their line in the manifest, unless a crash took it.

        Args:
            standing: What is to be done.
            recorder: Writes the manifest.
            now: The loop's time in seconds.
            record: Looks into the journal: what it has of a key at that moment.
        """
        self.recorder = recorder
        self._record = record
        self.jobs = {job.row.key: job for job in standing.rows}
        self.left = {job.row.key: job for job in standing.left}
        self.board = Board(job.row for job in (*standing.rows, *standing.left))
        for job in (*standing.follows, *standing.fetches):
            assert job.record is not None
            # From now on: whatever comes of this run, these are paid.
            if job.duty is Duty.FOLLOW:
                self.board.adopt(job.row.key, job.record.task_id, now - standing.age(job))
            else:
                self.board.finished(job.row.key, job.record.task_id)
        for job in (*standing.rows, *standing.left):
            ended = ended_before(job, self.folder)
            if ended is None:
                continue
            self._ended[ended.row.key] = ended
            self.board.end(ended.row.key)
            known = recorder.manifest.latest.get(ended.row.key, {}).get("status")
            if ended.status not in {known, "held"}:
                recorder.put(record_of(ended, self.folder))

    def row(self, key: str) -> PlannedRow | None:
        """Return the row of a key, or that of a job that no row stands for; None for other people's jobs."""
        job = self.jobs.get(key) or self.left.get(key)
        return None if job is None else job.row

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
                self.tell(DriftSeen(self.row(event.key), self.drift_text(event)))
            case PossibleDouble(key=key, reason=reason):
                self.tell(
                    Warned(f"{self.line(key)}sent again after an error of the service, may be paid twice: {reason}")
                )
            case SlotGivenUp(key=key, task_id=task_id) if self.row(key) is not None:
                self.tell(Warned(f"{self.line(key)}task {task_id} takes so long that its slot is used again"))
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
        name = self._name(event.key)
        line = "" if name is None else f"{name}, "
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

    @property
    def leaving(self) -> bool:
        """Whether running tasks are left on the service."""
        return self.stopped in LEAVING

    def has_ended(self, key: str) -> bool:
        """Whether it is booked how a row ended."""
        return key in self._ended

    def was_not_sent(self, key: str) -> bool:
        """Whether a row has ended without being sent."""
        return key in self._ended and self._ended[key].status == "not_submitted"

    def close(self) -> None:
        """End every row that has not ended, by what is known of it."""
        for job in (*self.jobs.values(), *self.left.values()):
            if job.row.key not in self._ended:
                self.end(self._as_it_stands(job.row))

    def write_down_running(self) -> None:
        """Put the ids of tasks that run into the manifest now: whoever leaves at once must not lose them."""
        if self.recorder is None:
            return
        for row in self.running():
            self.recorder.put(record_of(self._as_it_stands(row), self.folder))

    def running(self) -> list[PlannedRow]:
        """Return the rows with a task that is paid and whose end is not written down."""
        return self.board.at(Place.RUNNING) + self.board.at(Place.FINISHED)

    def task_ids(self) -> tuple[str, ...]:
        """Return the ids of tasks that are paid and whose video is not there, in the order of the plan."""
        ids = (self._open_task(key) for key in (*self.jobs, *self.left))
        return tuple(task_id for task_id in ids if task_id is not None)

    def _open_task(self, key: str) -> str | None:
        if key in self._ended:
            ended = self._ended[key]
            return ended.task_id if ended.status in {"running", "not_saved"} else None
        return self.board.task_id(key) if self.board.place(key) in {Place.RUNNING, Place.FINISHED} else None

    def report(self) -> BatchReport:
        """Report on the rows that have ended so far."""
        rows = tuple(self._ended[key] for key in self.jobs if key in self._ended)
        left = tuple(
            self._ended[key]
            for key, job in self.left.items()
            if key in self._ended and not ((job.elsewhere or job.standing in _OVER) and job.duty is Duty.NOTHING)
        )
        return BatchReport(self.folder, rows, self.stopped, self.stop_message, left=left)

    def progress(self, statistics: SessionStatistics | None, now: float) -> Progress:
        """Return where the batch stands. Linear in the rows."""
        report = self.report()
        limit = 0 if statistics is None else statistics.limit
        running, saving = self._rows_at(Place.RUNNING), self._rows_at(Place.FINISHED)
        return Progress(
            total=len(self.jobs),
            ended=report.counts,
            running=running,
            saving=saving,
            waiting=len(self.jobs) - len(report.rows) - running - saving,
            slots_used=0 if statistics is None else statistics.in_progress,
            slot_limit=limit,
            credits_used=report.credits_used,
            credits_reserved=self.board.reserved(),
            seconds_left=self.board.seconds_left(now, limit) if limit else None,
            stopping=self.stopped,
            unreachable=self.unreachable,
            no_credits=self.no_credits,
        )

    def _rows_at(self, place: Place) -> int:
        return sum(row.key in self.jobs for row in self.board.at(place))

    def line(self, key: str) -> str:
        """Return how messages begin that are about a row; nothing for other people's jobs."""
        return "" if (name := self._name(key)) is None else f"{name}: "

    def _name(self, key: str) -> str | None:
        row = self.row(key)
        # A job that no row stands for has no line: what its line was holds another row now, or none.
        return None if row is None else f"line {row.line}" if key in self.jobs else row.id or key

    def _as_it_stands(self, row: PlannedRow) -> EndedRow:
        record = self._record(row.key)
        ended = None if record is None else ended_unseen(row, record)
        if ended is not None:
            return ended
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
