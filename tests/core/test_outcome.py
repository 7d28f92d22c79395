"""How a create ended: the send mark and the status line decide, nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.answers import Answer, Cause, NoAnswer
from seedance_async.core.outcome import REFUSALS, Accepted, NotSent, Rejected, Unknown, classify
from seedance_async.errors import ApiError, AuthenticationError
from tests.core.test_decode import json_values

ID = {"taskId": "task_1"}
HTML = "<html>Bad gateway</html>"
CAUSE = Cause("TimeoutError", "")

answers = st.builds(
    Answer,
    st.integers(200, 599),
    json_values | st.just(ID) | st.just({"message": "No."}),
    st.text(),
    complete=st.booleans(),
    retry_after=st.none() | st.text(),
)


def test_the_mark_decides() -> None:
    """The same exception is not sent before the first byte, and unknown after it."""
    assert classify(NoAnswer(sent=False, cause=CAUSE)) == NotSent(CAUSE)
    assert classify(NoAnswer(sent=True, cause=CAUSE)) == Unknown(CAUSE)


@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 405, 413, 415, 422, 429, 300, 301, 302, 303, 307, 308, 399]
)
@pytest.mark.parametrize(
    ("body", "text", "complete"),
    [({"message": "No."}, "", True), (None, HTML, True), (None, "", False), (ID, "", True), (None, "", True)],
)
def test_refusals(status: int, body: object, text: str, complete: bool) -> None:
    """A status that says no is a refusal, also where the body is cut, HTML, empty or absurd."""
    outcome = classify(Answer(status, body, text, complete=complete, retry_after="5"))
    assert isinstance(outcome, Rejected)
    assert outcome.error.status == status
    assert outcome.error.charged == "no"
    assert outcome.retry_after == "5"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *[(status, body) for status in (408, 409, 410, 418, 425, 451, 499) for body in (None, {"message": "No."}, ID)],
        *[(status, body) for status in (201, 202, 204, 206, 299) for body in (None, {"message": "Yes."}, ID)],
        *[(status, body) for status in (500, 501, 502, 503, 504, 520, 524, 599) for body in (None, ID, [1])],
        *[(200, body) for body in (None, {}, {"message": "Yes."}, [ID], "task_1", {"taskId": ""}, {"taskId": 5})],
    ],
)
def test_unknown(status: int, body: object) -> None:
    """Anything that is neither an id with 200 nor a refusal is unknown: other successes, 408 and its like, 5xx."""
    outcome = classify(Answer(status, body, HTML))
    assert isinstance(outcome, Unknown)
    assert outcome.internal_error is None
    assert f"HTTP {status}" in str(outcome.cause)


def test_accepted() -> None:
    """200 with an id is accepted."""
    assert classify(Answer(200, {**ID, "message": "ok"})) == Accepted("task_1")


@pytest.mark.parametrize(
    ("answer", "own"),
    [
        (Answer(500, {"message": "Internal server error"}), True),
        (Answer(500, {"message": "Internal server error"}, complete=False), False),
        (Answer(500, {"error": "oops"}), False),
        (Answer(500, ["message"]), False),
        (Answer(500, None, HTML), False),
        (Answer(500, None, ""), False),
        (Answer(502, {"message": "Bad gateway"}), False),
        (Answer(503, {"message": "Unavailable"}), False),
    ],
)
def test_the_500_that_may_be_repeated(answer: Answer, own: bool) -> None:
    """Only a whole 500 in the service's own JSON may be repeated."""
    outcome = classify(answer)
    assert isinstance(outcome, Unknown)
    assert (outcome.internal_error is not None) is own


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(200, None, HTML), "an HTML page instead of a task id; check base_url"),
        (Answer(200, None, "", complete=False), "the answer was cut"),
        (Answer(200, {}), "an answer without a task id"),
        (Answer(502, None, HTML), "an HTML page instead of JSON"),
    ],
)
def test_unknown_says_what_was_seen(answer: Answer, says: str) -> None:
    """The cause says what came."""
    outcome = classify(answer)
    assert isinstance(outcome, Unknown)
    assert says in outcome.cause.text


def test_the_source_of_the_key() -> None:
    """A 401 names where the key came from."""
    outcome = classify(Answer(401, {"message": "Invalid API Key"}), "THE_VARIABLE")
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, AuthenticationError)
    assert outcome.error.source == "THE_VARIABLE"


@given(answers)
def test_money(answer: Answer) -> None:
    """Nothing but 200 with an id is accepted, and nothing but a status that says no is said to be free."""
    outcome = classify(answer)
    refused = answer.status in REFUSALS or 300 <= answer.status < 400
    assert isinstance(outcome, Rejected) is refused
    if isinstance(outcome, Accepted):
        assert (answer.status, answer.body) == (200, ID)
    if isinstance(outcome, Rejected):
        assert isinstance(outcome.error, ApiError)
    assert not isinstance(outcome, NotSent)
