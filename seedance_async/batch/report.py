"""How a batch ended: per row, in numbers, and as an exit code."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Final

from attrs import field, frozen

from seedance_async.batch.events import RowStatus, StopReason
from seedance_async.batch.exit_codes import ExitCode
from seedance_async.core.plan import PlannedRow
from seedance_async.core.results import VideoResult
from seedance_async.errors import SeedanceError

_SIGNALS: Final[dict[StopReason, ExitCode]] = {
    "interrupt": ExitCode.INTERRUPTED,
    "terminate": ExitCode.TERMINATED,
    "hangup": ExitCode.HANGUP,
}

_AS_WANTED: Final[frozenset[RowStatus]] = frozenset({"done", "changed", "held"})
_OPEN: Final[frozenset[RowStatus]] = frozenset({"running", "not_saved", "not_submitted"})


@frozen
class EndedRow:
    """How one row ended.

    Attributes:
        row: The row.
        status: How it ended.
        task_id: Its last task, or None where none was accepted.
        path: The saved video, for `done` and `changed`.
        result: What the service delivered, for `done`, `not_saved` and `changed`.
        error: Why it is not `done`.
        note: The same as a sentence, where there is no error.
        for_good: Whether a `not_saved` video cannot be had any more: it is older than the service keeps files, and the
            service does not know its task.
    """

    row: PlannedRow
    status: RowStatus
    task_id: str | None = None
    path: Path | None = None
    result: VideoResult | None = None
    error: SeedanceError | None = None
    note: str | None = None
    for_good: bool = False

    @property
    def credits(self) -> Decimal | None:
        """Credits it cost as far as is known: what the service said, else the price of the row."""
        if self.status in {"failed", "not_submitted", "unknown", "held"}:
            return None
        if self.result is not None and self.result.credits_used is not None:
            return self.result.credits_used
        return self.row.request.credits

    @property
    def message(self) -> str | None:
        """Why it is not `done`, as a sentence."""
        return self.note if self.error is None else str(self.error)


@frozen
class BatchReport:
    """How a batch ended.

    Attributes:
        folder: Where the videos and the reports are.
        rows: Every row of the plan, in its order.
        stopped: Why not every row was submitted, or None.
        stop_message: The same as a sentence.
        failed_file: The rows that failed, ready to edit and pass in again, or None where there are none.
        remaining_file: The rows that were not submitted, ready to pass in again, or None where there are none.
        left: Jobs of the folder that no row stands for any more, as far as this run had to do with them or they are
            not done. They are no failures.
    """

    folder: Path
    rows: tuple[EndedRow, ...] = field(repr=False)
    stopped: StopReason | None = None
    stop_message: str | None = None
    failed_file: Path | None = None
    remaining_file: Path | None = None
    left: tuple[EndedRow, ...] = field(default=(), repr=False)

    @property
    def counts(self) -> dict[RowStatus, int]:
        """Rows by how they ended; what did not occur is missing."""
        return dict(Counter(row.status for row in self.rows))

    @property
    def running(self) -> tuple[str, ...]:
        """Ids of tasks that are paid and still run on the service: the next run over the folder saves them."""
        return self._ids("running")

    @property
    def not_saved(self) -> tuple[str, ...]:
        """Ids of tasks that are finished and paid and whose file is missing: the next run tries to fetch them again."""
        return self._ids("not_saved")

    @property
    def can_resume(self) -> bool:
        """Whether a further run over the folder would do more of this."""
        return any(ended.status in _OPEN and not ended.for_good for ended in (*self.rows, *self.left))

    @property
    def credits_used(self) -> Decimal:
        """Credits of the videos of the rows, those of earlier runs included."""
        return self._credits("done", "not_saved", "changed")

    @property
    def credits_running(self) -> Decimal:
        """Credits of tasks that still run."""
        return self._credits("running")

    @property
    def exit_code(self) -> ExitCode:
        """The most urgent thing that a script should know: a signal, then 4, then 3, then 1."""
        counts = self.counts
        if self.stopped in _SIGNALS:
            return _SIGNALS[self.stopped]
        if counts.get("unknown"):
            return ExitCode.UNKNOWN
        if self.stopped == "account":
            return ExitCode.ACCOUNT
        return ExitCode.DONE if counts.keys() <= _AS_WANTED else ExitCode.FAILED

    def _ids(self, status: RowStatus) -> tuple[str, ...]:
        rows = (*self.rows, *self.left)
        return tuple(
            row.task_id for row in rows if row.status == status and row.task_id is not None and not row.for_good
        )

    def _credits(self, *statuses: RowStatus) -> Decimal:
        return sum((row.credits or Decimal(0) for row in self.rows if row.status in statuses), Decimal(0))
