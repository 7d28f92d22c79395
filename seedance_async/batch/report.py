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


@frozen
class EndedRow:
    """How one row ended.

    Attributes:
        row: The row.
        status: How it ended.
        task_id: Its last task, or None where none was accepted.
        path: The saved video, for `done`.
        result: What the service delivered, for `done` and `not_saved`.
        error: Why it is not `done`.
        note: The same as a sentence, where there is no error.
    """

    row: PlannedRow
    status: RowStatus
    task_id: str | None = None
    path: Path | None = None
    result: VideoResult | None = None
    error: SeedanceError | None = None
    note: str | None = None

    @property
    def credits(self) -> Decimal | None:
        """Credits it cost as far as is known: what the service said, else the price of the row."""
        if self.status in {"failed", "not_submitted", "unknown"}:
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
    """

    folder: Path
    rows: tuple[EndedRow, ...] = field(repr=False)
    stopped: StopReason | None = None
    stop_message: str | None = None
    failed_file: Path | None = None
    remaining_file: Path | None = None

    @property
    def counts(self) -> dict[RowStatus, int]:
        """Rows by how they ended; what did not occur is missing."""
        return dict(Counter(row.status for row in self.rows))

    @property
    def running(self) -> tuple[str, ...]:
        """Ids of tasks that are paid and still run on the service: `seedance download ID` fetches them later."""
        return self._ids("running")

    @property
    def not_saved(self) -> tuple[str, ...]:
        """Ids of tasks that are finished and paid and whose file is missing: `seedance download ID`."""
        return self._ids("not_saved")

    @property
    def credits_used(self) -> Decimal:
        """Credits of videos that finished."""
        return self._credits("done", "not_saved")

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
        return ExitCode.DONE if counts.get("done", 0) == len(self.rows) else ExitCode.FAILED

    def _ids(self, status: RowStatus) -> tuple[str, ...]:
        return tuple(row.task_id for row in self.rows if row.status == status and row.task_id is not None)

    def _credits(self, *statuses: RowStatus) -> Decimal:
        return sum((row.credits or Decimal(0) for row in self.rows if row.status in statuses), Decimal(0))
