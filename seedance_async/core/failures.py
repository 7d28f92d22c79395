"""Sort a failed task by what its message says; the code does not tell (contract, section 8).

Messages are worded for end users and vary, so words are looked for loosely, the most specific kind first. What is
not recognised is `"unknown"`, which nothing repeats by itself.
"""

from typing import Final

from seedance_async.core.results import TaskFault
from seedance_async.errors import FailureKind, TaskFailedError

#: Checked in this order: "your reference video may contain sensitive content" is about its content, not its address.
_MARKS: Final[tuple[tuple[FailureKind, tuple[str, ...]], ...]] = (
    (
        "moderation",
        (
            "moderation",
            "sensitive",
            "violate",
            "pass review",
            "copyright",
            "blocked",
            "platform rules",
            "face",
        ),
    ),
    # "Request parameters are invalid ..., and ensure the reference video is 4-30 seconds" is about the parameters.
    ("input", ("parameters are invalid",)),
    (
        "reference",
        ("reference image", "reference video", "reference audio", "failed to download", "failed review"),
    ),
    (
        "input",
        ("invalid", "not valid", "exceeds", "cannot be", "must contain", "please use videos", "parameters"),
    ),
    (
        "server",
        (
            "try again later",
            "temporarily unavailable",
            "serviceunavailable",
            "service unavailable",
            "internal error",
        ),
    ),
    ("server", ("generation failed", "timed out", "timeout")),
)


def failure_kind(fault: TaskFault) -> FailureKind:
    """Say what a failure is about.

    A failed reference review is `"reference"` and a reference whose length breaks a limit is `"input"`, whatever
    other words the message has; both codes are specific.
    """
    if fault.code == "asset_review_failed":
        return "reference"
    if fault.code == "InvalidParameter":
        return "input"
    message = fault.message.lower()
    for kind, marks in _MARKS:
        if any(mark in message for mark in marks):
            return kind
    # 2038 is the code of a text that breaks the rules (contract, section 8), whatever its wording.
    return "moderation" if fault.code in {"2038", "4011"} else "unknown"


def task_failed(task_id: str, fault: TaskFault | None) -> TaskFailedError:
    """Make the error of a task that ended with `fail`."""
    if fault is None:
        fault = TaskFault(None, "the service gave no reason")
    return TaskFailedError(task_id, fault.code, fault.message, failure_kind(fault))
