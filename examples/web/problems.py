"""Every error of the SDK as an HTTP answer: a status, JSON, and when to come again.

A client reads `error.charged` to know whether credits are gone, and repeats an answer that has `Retry-After` with the
same `Idempotency-Key`, which is harmless.
"""

from typing import Any, Final

from attrs import frozen

from seedance_async import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    BudgetExceededError,
    ConfigurationError,
    ConnectionFailedError,
    DownloadError,
    InputError,
    InsufficientCreditsError,
    JournalError,
    KeyConflictError,
    OutcomeUnknownError,
    PermissionDeniedError,
    Problem,
    QueueFullError,
    SeedanceError,
    SessionClosedError,
    TaskFailedError,
    TaskNotFoundError,
    TaskTimeoutError,
    WithdrawnError,
)

#: The first class that fits decides.
STATUSES: Final[tuple[tuple[type[SeedanceError], int], ...]] = (
    (InputError, 422),
    (BadRequestError, 422),
    (KeyConflictError, 409),
    (WithdrawnError, 409),
    (InsufficientCreditsError, 402),
    (BudgetExceededError, 503),
    (QueueFullError, 503),
    (SessionClosedError, 503),
    (JournalError, 503),
    (ConnectionFailedError, 503),
    # Nobody knows whether it is paid, and nothing sends it again by itself: no Retry-After.
    (OutcomeUnknownError, 502),
    (TaskTimeoutError, 504),
    (TaskNotFoundError, 410),
    (DownloadError, 502),
    (AuthenticationError, 500),
    (PermissionDeniedError, 500),
    (ConfigurationError, 500),
    (ApiError, 502),
)
#: Seconds after which it is worth to ask again, for what passes by itself.
RETRY_AFTER: Final[dict[type[SeedanceError], int]] = {
    SessionClosedError: 5,
    JournalError: 30,
    ConnectionFailedError: 30,
}
#: What a visitor is told in place of what only the operator can mend.
OURS: Final = "this application is not set up to make videos at the moment; its operator has to look at it"


SENTENCES: Final[tuple[tuple[type[SeedanceError], str], ...]] = (
    (InputError, "this cannot be made into a video"),
    (KeyConflictError, "this Idempotency-Key already stands for a video with other inputs; use a new one"),
    (WithdrawnError, "this video was taken back before anything was sent"),
    (QueueFullError, "too many videos are waiting at the moment"),
    (BudgetExceededError, "the credits set aside for this application are used up"),
    (SessionClosedError, "the application is restarting; ask again with the same Idempotency-Key"),
    (JournalError, "the application cannot write down what it does at the moment, and orders nothing until it can"),
    (
        OutcomeUnknownError,
        "it is not known whether this video was ordered: the answer was lost. It may be paid, and is not sent again",
    ),
)


@frozen
class Answer:
    """An HTTP answer.

    Attributes:
        status: The status.
        body: What to send as JSON.
        headers: Headers beside the type.
    """

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


def answer(error: SeedanceError) -> Answer:
    """Return the answer for an error."""
    status = status_of(error)
    retry_after = error.retry_after if isinstance(error, QueueFullError) else RETRY_AFTER.get(type(error))
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(status, {"error": as_json(error)}, headers)


def status_of(error: SeedanceError) -> int:
    """Return the HTTP status for an error."""
    if isinstance(error, TaskFailedError):
        # Refunded. The inputs are to blame, or the service.
        return 502 if error.kind in {"server", "unknown"} else 422
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def as_json(error: SeedanceError) -> dict[str, Any]:
    """Return what a client may know of an error, with every problem of the inputs at its path."""
    told: dict[str, Any] = {
        "type": type(error).__name__,
        "message": OURS if status_of(error) == 500 else message_of(error),
        "charged": error.charged,
    }
    if isinstance(error, InputError | BadRequestError):
        told["problems"] = [problem_as_json(problem) for problem in error.problems]
    if isinstance(error, TaskFailedError):
        told["kind"] = error.kind
    return told


def message_of(error: SeedanceError) -> str:
    """Return a sentence for the visitor."""
    if isinstance(error, TaskFailedError | InsufficientCreditsError):
        return error.message
    if isinstance(error, QueueFullError) and error.of_group:
        return "you have as many videos waiting as you may"
    return next((text for kind, text in SENTENCES if isinstance(error, kind)), str(error))


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """Return one problem: where it is, what is wrong, what was probably meant."""
    return {"path": problem.path, "message": problem.message, "suggestion": problem.suggestion}


def wrong_order(problems: list[Problem]) -> Answer:
    """Return the answer for an order that did not get as far as the SDK, in the same form."""
    return answer(InputError(problems))
