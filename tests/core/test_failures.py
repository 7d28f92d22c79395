"""What a failed task is about, by what the service says."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.failures import failure_kind, task_failed
from seedance_async.core.results import TaskFault
from seedance_async.errors import FailureKind
from seedance_async.testing import FAILURES

PLEASE = "Please modify your prompt or inputs and try again."
DOWNLOAD = "Failed to download your reference video. Please replace it or try again."
TOO_LONG = (
    "Reference video total duration exceeds the limit. "
    "Please use videos with a combined duration of 15 seconds or less."
)
EDITING = (
    "Request parameters are invalid for video editing. Use adaptive aspect ratio and automatic duration, and ensure "
    "the reference video is 4–30 seconds."  # noqa: RUF001 (the service's own dash)
)

#: Section 8 of the contract, row by row: code, message, and the kind. `server` is what the vendor calls worth another
#: try; what its table leaves open is not.
ROWS: list[tuple[str | None, str, FailureKind]] = [
    ("asset_review_failed", "Reference image 1 failed review. Please replace it.", "reference"),
    ("asset_review_failed", "Reference video 1 failed review. Please replace it.", "reference"),
    (
        "InvalidParameter",
        "Audio cannot be the only reference input. Please also provide an image or video reference.",
        "input",
    ),
    (
        "InvalidParameter",
        TOO_LONG,
        "input",
    ),
    (
        "InvalidParameter",
        "The parameter `content` specified in the request is not valid: the parameter video total duration ...",
        "input",
    ),
    (
        "InvalidParameter",
        "The parameter `content[0].text.text` specified in the request is not valid: text content must contain ...",
        "input",
    ),
    ("500", DOWNLOAD, "reference"),
    ("500", "Generation failed. Please try again.", "server"),
    (
        "500",
        "Your content was blocked by moderation. Please adjust your prompt or uploaded media and try again.",
        "moderation",
    ),
    ("500", "Wan 3.0 generation failed: ServiceUnavailable - <503> ...", "server"),
    ("1001", DOWNLOAD, "reference"),
    ("1001", "Your uploaded video may contain sensitive content. Please use a different video.", "moderation"),
    ("1001", "Your uploaded image may contain sensitive content. Please use a different image.", "moderation"),
    ("1001", f"The generated video did not pass review. {PLEASE}", "moderation"),
    ("1001", f"The generated audio did not pass review. {PLEASE}", "moderation"),
    ("1001", f"The generated video may violate platform or copyright rules. {PLEASE}", "moderation"),
    ("1001", "Service temporarily unavailable. Please try again later.", "server"),
    (
        "1001",
        EDITING,
        "input",
    ),
    ("1001", "Request parameters are invalid for video extension. Use adaptive aspect ratio.", "input"),
    ("2038", "Your input text violates platform rules. Please modify and try again.", "moderation"),
    ("4011", "", "moderation"),
    ("4011", "Something nobody has seen.", "moderation"),
    (None, "Task execution failed", "unknown"),
]


@pytest.mark.parametrize(("code", "message", "kind"), ROWS)
def test_documented_failures(code: str | None, message: str, kind: FailureKind) -> None:
    """Each documented failure is of its kind."""
    assert failure_kind(TaskFault(code, message)) == kind


@pytest.mark.parametrize(("code", "message", "kind"), ROWS)
def test_words_count_and_not_their_case(code: str | None, message: str, kind: FailureKind) -> None:
    """The service may shout."""
    assert failure_kind(TaskFault(code, message.upper())) == kind


@pytest.mark.parametrize("code", ["500", "1001"])
def test_the_code_does_not_tell(code: str) -> None:
    """Both codes stand for failures that are worth another try, and for such that are not."""
    kinds = {kind for row_code, _, kind in ROWS if row_code == code}
    assert {"server", "moderation", "reference"} <= kinds


@pytest.mark.parametrize("message", ["", "no", "The moon is full.", "the service gave no reason", "Please try again."])
@pytest.mark.parametrize("code", [None, "", "500", "1001", "9999"])
def test_the_rest_is_unknown(code: str | None, message: str) -> None:
    """What is not recognised is unknown, which nothing repeats."""
    assert failure_kind(TaskFault(code, message)) == "unknown"


@given(st.none() | st.text(), st.text())
def test_every_failure_has_a_kind(code: str | None, message: str) -> None:
    """Whatever the service says, there is a kind."""
    assert failure_kind(TaskFault(code, message)) in get_args(FailureKind)


@pytest.mark.parametrize("name", get_args(FailureKind))
def test_the_emulator_fails_so(name: FailureKind) -> None:
    """The emulator's failure of a kind's name is of that kind."""
    if name in FAILURES:
        failure = FAILURES[name]
        assert failure_kind(TaskFault(failure.code, failure.message)) == name


def test_the_error() -> None:
    """The error of a failed task carries what the service said; nothing is charged for it."""
    error = task_failed("task_1", TaskFault("500", "Generation failed. Please try again."))
    assert str(error) == "task task_1 failed (server) [500]: Generation failed. Please try again."
    assert (error.task_id, error.code, error.kind, error.charged) == ("task_1", "500", "server", "no")


def test_no_reason_at_all() -> None:
    """A failure without a reason is an error all the same."""
    error = task_failed("task_1", None)
    assert (error.code, error.message, error.kind) == (None, "the service gave no reason", "unknown")
