"""Why a job ended, in a form that a journal keeps and that becomes an error again."""

from decimal import Decimal
from typing import Final

from attrs import frozen

from seedance_async.core.redact import redact_links
from seedance_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    Charged,
    ConcurrencyLimitError,
    ConfigurationError,
    FailureKind,
    InsufficientCreditsError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SeedanceError,
    ServerError,
    TaskFailedError,
    TaskNotFoundError,
    WithdrawnError,
)

_API_ERRORS: Final[dict[str, type[ApiError]]] = {
    cls.__name__: cls
    for cls in (
        ApiError,
        AuthenticationError,
        BadRequestError,
        ConcurrencyLimitError,
        InsufficientCreditsError,
        PermissionDeniedError,
        ServerError,
        TaskNotFoundError,
    )
}


@frozen
class RecordedError:
    """An error without what may be secret: no body, and no link that may be signed.

    Attributes:
        type: Name of its class.
        message: What it says.
        charged: Whether credits are gone because of it.
        status: The HTTP status, of an answer of the service.
        code: The service's code, of a failed task.
        kind: What a failed task's message is about.
    """

    type: str
    message: str
    charged: Charged = "no"
    status: int | None = None
    code: str | None = None
    kind: FailureKind | None = None


def record_error(error: SeedanceError) -> RecordedError:
    """Return what a journal keeps of an error."""
    name = type(error).__name__
    match error:
        case TaskFailedError():
            message = redact_links(error.message)
            return RecordedError(name, message, error.charged, code=error.code, kind=error.kind)
        case OutcomeUnknownError():
            return RecordedError(name, redact_links(error.reason), error.charged)
        case ApiError():
            return RecordedError(name, redact_links(error.message), error.charged, status=error.status)
        case _:
            return RecordedError(name, redact_links(str(error)), error.charged)


def error_of(recorded: RecordedError, key: str, task_id: str | None, credits: Decimal | None) -> SeedanceError:
    """Return the error that a record tells of, as a template that was never raised.

    Args:
        recorded: What was written down.
        key: The job's key.
        task_id: Its task, where it had one.
        credits: Its list price.
    """
    error = _error_of(recorded, key, task_id, credits)
    error.charged = recorded.charged
    error.key, error.task_id = key, task_id
    return error


def _error_of(recorded: RecordedError, key: str, task_id: str | None, credits: Decimal | None) -> SeedanceError:
    match recorded.type:
        case "TaskFailedError":
            return TaskFailedError(task_id or "", recorded.code, recorded.message, recorded.kind or "unknown")
        case "OutcomeUnknownError":
            return OutcomeUnknownError(recorded.message, credits, key)
        case "WithdrawnError":
            return WithdrawnError(key)
        case name if name in _API_ERRORS and recorded.status is not None:
            return _API_ERRORS[name](recorded.status, recorded.message)
        case "ConfigurationError":
            return ConfigurationError(recorded.message)
        case _:
            # A class whose arguments were not kept, or one that a later release added: what it said is kept.
            return SeedanceError(recorded.message)
