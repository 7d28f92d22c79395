"""An error that a journal keeps says what it said, without what may be secret (P7)."""

from decimal import Decimal

import pytest

from seedance_async.core.record_errors import RecordedError, error_of, record_error
from seedance_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    BudgetExceededError,
    ConcurrencyLimitError,
    ConfigurationError,
    InsufficientCreditsError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SeedanceError,
    ServerError,
    TaskFailedError,
    TaskNotFoundError,
    WithdrawnError,
)

LINK = "https://cdn.example/1.png?sig=planted"

COME_BACK = [
    ApiError(418, "teapot"),
    AuthenticationError(401, "no key", None, "KINOVI_API_KEY"),
    BadRequestError(400, "no lake", {"secret": "planted"}),
    ConcurrencyLimitError(429, "too many", None, 3, 3),
    InsufficientCreditsError(402, "poor", None, Decimal(10), Decimal(1)),
    PermissionDeniedError(403, "Access denied"),
    ServerError(500, "broken"),
    TaskNotFoundError(404, "gone"),
    TaskFailedError("task_1", "7", "a face", "moderation"),
    TaskFailedError("task_1", None, "no words", "unknown"),
    OutcomeUnknownError("the connection broke", Decimal(415), "lake"),
    WithdrawnError("lake"),
    ConfigurationError("no such catalogue"),
]


@pytest.mark.parametrize("error", COME_BACK, ids=repr)
def test_it_is_the_same_error_again(error: SeedanceError) -> None:
    """Class, message, status, code, kind and charge come back; job and task are those of the record."""
    again = error_of(record_error(error), "lake", "task_1", Decimal(415))
    assert type(again) is type(error)
    assert again.charged == error.charged
    assert (again.key, again.task_id) == ("lake", "task_1")
    for name in ("message", "status", "code", "kind", "reason", "credits"):
        assert getattr(again, name, None) == getattr(error, name, None)
    assert again.__cause__ is None
    assert again.__traceback__ is None


@pytest.mark.parametrize(
    "error",
    [
        ServerError(500, f"cannot read {LINK}", {"url": LINK}),
        TaskFailedError("task_1", "7", f"cannot read {LINK}", "reference"),
        OutcomeUnknownError(f"cannot read {LINK}"),
        ConfigurationError(f"cannot read {LINK}"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_signed_links_are_not_kept(error: SeedanceError) -> None:
    """A service may send back what it was sent; where a link points is kept, what signs it is not."""
    recorded = record_error(error)
    assert "planted" not in repr(recorded)
    assert "https://cdn.example/1.png" in recorded.message


def test_a_class_that_is_not_known_keeps_its_words() -> None:
    """A later release may add classes, and some need what is not kept: what they said is there all the same."""
    other = record_error(BudgetExceededError(Decimal(10), Decimal(1)))
    for recorded in (other, RecordedError("FutureError", "out of paper", "maybe"), RecordedError("ServerError", "x")):
        again = error_of(recorded, "lake", None, None)
        assert type(again) is SeedanceError
        assert str(again) == recorded.message
        assert again.charged == recorded.charged


def test_an_error_of_a_job_without_a_task() -> None:
    """What is not known is None."""
    again = error_of(record_error(BadRequestError(400, "no lake")), "lake", None, None)
    assert (again.key, again.task_id) == ("lake", None)
