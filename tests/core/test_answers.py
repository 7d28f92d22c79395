"""What an HTTP answer stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.answers import Answer, Cause, api_error, problems_of
from seedance_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    InsufficientCreditsError,
    PermissionDeniedError,
    Problem,
    ServerError,
    TaskNotFoundError,
)
from tests.core.test_decode import json_values

HTML = "<!DOCTYPE html><html><body>Bad gateway</body></html>"
CLASSES = {
    400: BadRequestError,
    401: AuthenticationError,
    402: InsufficientCreditsError,
    403: PermissionDeniedError,
    404: TaskNotFoundError,
    429: ConcurrencyLimitError,
    500: ServerError,
    502: ServerError,
    504: ServerError,
    524: ServerError,
    599: ServerError,
    301: ApiError,
    307: ApiError,
    405: ApiError,
    408: ApiError,
    422: ApiError,
}


@pytest.mark.parametrize("status", CLASSES)
@pytest.mark.parametrize(
    "body", [None, {}, {"message": "No."}, [1], "No.", {"message": 5, "errors": "x", "limit": "y"}]
)
def test_the_status_decides(status: int, body: object) -> None:
    """Each status has its class, whatever the body is."""
    error = api_error(Answer(status, body, "text"))
    assert type(error) is CLASSES[status]
    assert error.status == status
    assert error.body == body
    assert f"HTTP {status}" in str(error)


@given(st.integers(300, 599), json_values, st.text())
def test_any_answer_is_an_error(status: int, body: object, text: str) -> None:
    """Whatever comes back, there is an error that can be shown."""
    error = api_error(Answer(status, body, text))
    assert str(error)
    assert repr(error)
    assert len(error.message) <= 200


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(500, {"message": "No."}), "No."),
        (Answer(500, {"message": ""}, '{"message":""}'), '{"message":""}'),
        (Answer(500, {"error": "No."}, '{"error":"No."}'), '{"error":"No."}'),
        (Answer(500, None, "  Oh no.\n"), "Oh no."),
        (Answer(500, None, ""), "no message"),
        (Answer(500, None, "", complete=False), "no message"),
        (Answer(502, None, f"\n {HTML}"), "an HTML page instead of JSON; check base_url, or something in front"),
        (Answer(307, None, ""), "the API redirects, and a create is never sent to another place; check base_url"),
        (Answer(500, {"message": "x" * 1000}), "x" * 200),
        (Answer(500, None, "x" * 1000), "x" * 200),
    ],
)
def test_messages(answer: Answer, message: str) -> None:
    """The message is the service's, or says what came instead, and is never a whole page."""
    found = api_error(answer).message
    assert found.startswith(message)
    assert len(found) <= 200


@pytest.mark.parametrize(
    ("limit", "current", "read"),
    [
        (3, 3, (3, 3)),
        (0, 0, (0, 0)),
        (5, None, (5, None)),
        ("3", 3.0, (None, None)),
        (-1, -2, (None, None)),
        (True, False, (None, None)),
        (float("nan"), [3], (None, None)),
    ],
)
def test_numbers_of_a_429(limit: object, current: object, read: tuple[int | None, int | None]) -> None:
    """Only whole numbers from 0 on are taken for a limit."""
    error = api_error(Answer(429, {"message": "No.", "limit": limit, "current": current}))
    assert isinstance(error, ConcurrencyLimitError)
    assert (error.limit, error.current) == read


def test_numbers_of_a_402() -> None:
    """Credits may be missing or no numbers."""
    error = api_error(Answer(402, {"message": "No.", "required": "?", "available": 2.17}))
    assert isinstance(error, InsufficientCreditsError)
    assert error.required is None
    assert str(error.available) == "2.17"


@pytest.mark.parametrize(
    ("errors", "problems"),
    [
        (None, ()),
        ("wrong", ()),
        (5, ()),
        ({}, ()),
        ([], ()),
        (["wrong", None, 5, []], ()),
        ([{}], (Problem("inputs", "refused"),)),
        ([{"path": ["imageUrls", 2], "message": "No."}], (Problem("imageUrls.2", "No."),)),
        ([{"path": [], "code": "custom"}], (Problem("inputs", "custom"),)),
        ([{"path": "duration", "message": "No."}], (Problem("duration", "No."),)),
        ([{"path": None, "message": None}], (Problem("inputs", "refused"),)),
        ([{"path": ["seed"], "message": "No.", "received": 5}], (Problem("seed", "No.", "5"),)),
        ([{"path": ["seed"], "message": "No.", "received": "x" * 999}], (Problem("seed", "No.", "x" * 200),)),
        (
            [{"path": ["a"], "message": "1", "expected": "string"}, {"path": ["b"], "message": "2"}],
            (Problem("a", "1"), Problem("b", "2")),
        ),
    ],
)
def test_problems(errors: object, problems: tuple[Problem, ...]) -> None:
    """The service's list is read item by item; what is no item is left out."""
    assert problems_of(errors) == problems


@given(json_values)
def test_any_list_of_problems(errors: object) -> None:
    """Whatever stands in `errors`, what comes out can be shown."""
    assert all(str(problem) for problem in problems_of(errors))


@pytest.mark.parametrize(
    ("answer", "proper"),
    [
        (Answer(200, {"status": "waiting"}), True),
        (Answer(404, {"message": "Task not found"}), True),
        (Answer(429, {"message": "No."}), True),
        (Answer(500, {"message": "Internal server error"}), False),
        (Answer(200, None, HTML), False),
        (Answer(403, None, HTML), False),
        (Answer(200, [1]), False),
        (Answer(200, None, "", complete=False), False),
    ],
)
def test_proper_answers(answer: Answer, proper: bool) -> None:
    """A proper answer is the service's own and no failure of its own."""
    assert answer.proper is proper


def test_causes_read_well() -> None:
    """A cause is the exception's class and its words, where it has some."""
    assert str(Cause("TimeoutError", "no answer in time")) == "TimeoutError: no answer in time"
    assert str(Cause("TimeoutError", "")) == "TimeoutError"
