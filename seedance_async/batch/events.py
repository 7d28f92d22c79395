"""What a batch tells while it runs: one record per thing that happened, in the order it happened.

Whoever listens is called in the event loop, from synchronous code, and must return at once. An exception of a
listener is logged and changes nothing about the batch; the next event is told all the same.
"""

from decimal import Decimal
from pathlib import Path
from typing import Literal

from attrs import frozen

from seedance_async.core.plan import PlannedRow
from seedance_async.errors import SeedanceError

#: How a row ended. `done`: the file is there. `not_saved`: finished and paid, the file is missing and can be
#: fetched by task id. `failed`: not charged. `unknown`: perhaps charged. `running`: paid, still on the service.
#: `not_submitted`: nothing was sent. `changed`: the row has other inputs now than the video that is there. `held`:
#: not submitted, because `limit` or `only` left it out.
RowStatus = Literal["done", "not_saved", "failed", "unknown", "running", "not_submitted", "changed", "held"]

#: Why a batch submits no more. The first three are signals; `account` is a refused key, missing API access, or the end
#: of credits or budget; `drift` a server that charges or delivers something else than was planned; `disk` a folder
#: that takes no more data, its journal included; `error` anything else, with its text in the event.
StopReason = Literal["interrupt", "terminate", "hangup", "account", "drift", "disk", "error"]


@frozen
class BatchStarted:
    """The folder is checked and the first row is about to be queued.

    Attributes:
        rows: Rows of the batch.
        done: How many of them were done by earlier runs; nothing is told of these.
        submits: How many are to be sent.
    """

    rows: int
    done: int = 0
    submits: int = 0


@frozen
class RowQueued:
    """The row waits for a slot."""

    row: PlannedRow


@frozen
class RowRunning:
    """The service accepted the row's task: it is paid for now. `status` is the service's word.

    Comes again whenever the status changes, and with another `task_id` for a further attempt.
    """

    row: PlannedRow
    task_id: str
    status: str


@frozen
class RowSaving:
    """The task has finished and its video is being fetched."""

    row: PlannedRow
    task_id: str


@frozen
class RowEnded:
    """The row has its line in the manifest.

    Attributes:
        status: How it ended.
        task_id: The last task of the row, or None where none was accepted.
        path: The saved video, for `done`.
        credits: Credits charged, as far as known; None where nothing was charged or nothing is known.
        message: What went wrong, for everything but `done`.
        error: The error that says so, where there is one.
    """

    row: PlannedRow
    status: RowStatus
    task_id: str | None = None
    path: Path | None = None
    credits: Decimal | None = None
    message: str | None = None
    error: SeedanceError | None = None


@frozen
class SubmittingStopped:
    """No further row is sent. What happens to tasks that run depends on the reason.

    After a signal or with a full disk they are left on the service; otherwise they are finished and saved.
    """

    reason: StopReason
    message: str


@frozen
class ServiceUnreachable:
    """The session waits for the service. No row fails for it."""

    message: str


@frozen
class ServiceBack:
    """The session goes on."""


@frozen
class WaitingForCredits:
    """The account has too few credits. One row is tried after `seconds`; a create that is refused costs nothing."""

    message: str
    seconds: float


@frozen
class CreditsBack:
    """The account has credits again: a create was accepted."""


@frozen
class DriftSeen:
    """The service charged or delivered something else than was planned."""

    row: PlannedRow | None
    message: str


@frozen
class Warned:
    """Something a person should know that changes nothing about the run."""

    message: str


@frozen
class BatchEnded:
    """Every file of the report is written."""

    exit_code: int


BatchEvent = (
    BatchStarted
    | RowQueued
    | RowRunning
    | RowSaving
    | RowEnded
    | SubmittingStopped
    | ServiceUnreachable
    | ServiceBack
    | WaitingForCredits
    | CreditsBack
    | DriftSeen
    | Warned
    | BatchEnded
)


@frozen
class Progress:
    """Where a batch stands at one moment.

    Attributes:
        total: Rows of the plan.
        ended: Rows by how they ended; statuses that did not occur are missing.
        running: Rows with a task on the service.
        saving: Rows whose video is being fetched.
        waiting: Rows not accepted yet.
        slots_used: Tasks in progress that the session counts, rows or not.
        slot_limit: Tasks it allows itself at the moment.
        credits_used: Credits of finished videos.
        credits_reserved: Credits of tasks that run.
        seconds_left: An estimate, or None before there is one.
        stopping: Why nothing more is submitted, or None.
        unreachable: Why the session waits for the service, or None.
        no_credits: Why the batch waits for credits, or None.
    """

    total: int
    ended: dict[RowStatus, int]
    running: int
    saving: int
    waiting: int
    slots_used: int
    slot_limit: int
    credits_used: Decimal
    credits_reserved: Decimal
    seconds_left: float | None
    stopping: StopReason | None = None
    unreachable: str | None = None
    no_credits: str | None = None
