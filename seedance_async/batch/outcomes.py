"""From the error of a row to how the row ended: is it paid, may it be, was it sent at all?

1. Perhaps charged: `unknown`. It is never sent again by itself. So is a task that was accepted and that the service
   does not know any more: there is nothing to wait for or to fetch.
2. Charged, and the task is known: `running`. Nobody has seen it end.
3. Nothing was sent because of something that is not the row's fault: `not_submitted`.
4. Everything else is the row's own failure, refused or refunded: `failed`.
"""

from typing import Final

from seedance_async.batch.events import RowStatus
from seedance_async.batch.report import EndedRow
from seedance_async.core.plan import PlannedRow
from seedance_async.errors import (
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    ConnectionFailedError,
    InsufficientCreditsError,
    JournalError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SeedanceError,
    SessionClosedError,
    TaskNotFoundError,
    WithdrawnError,
    concerns_everything,
)

#: Errors that end a batch because every further row would meet them.
ACCOUNT_ERRORS: Final = (AuthenticationError, InsufficientCreditsError, PermissionDeniedError, BudgetExceededError)
_NOT_THE_ROW: Final = (
    *ACCOUNT_ERRORS,
    ConfigurationError,
    ConnectionFailedError,
    JournalError,
    SessionClosedError,
    WithdrawnError,
)


def row_that_failed(row: PlannedRow, error: SeedanceError, task_id: str | None) -> EndedRow:
    """Sort a row that has no result.

    Args:
        row: The row.
        error: Why it has none.
        task_id: Its last task, or None where none was accepted.
    """
    # A create whose answer was lost has no task that anybody knows of.
    task_id = error.task_id or (None if isinstance(error, OutcomeUnknownError) else task_id)
    return EndedRow(row, _status(error, task_id), task_id, error=error)


def _status(error: SeedanceError, task_id: str | None) -> RowStatus:
    if error.charged == "maybe" or (task_id is not None and is_gone(error)):
        return "unknown"
    if error.charged == "yes" and task_id is not None:
        return "running"
    return "not_submitted" if isinstance(error, _NOT_THE_ROW) else "failed"


def is_gone(error: SeedanceError) -> bool:
    """Whether the service does not know a task any more, or not as this account's."""
    foreign = isinstance(error, PermissionDeniedError) and not concerns_everything(error)
    return foreign or isinstance(error, TaskNotFoundError)
