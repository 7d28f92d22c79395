"""Every way a task is known to fail (contract, section 8), and the marks in a prompt that choose one."""

import re
from collections.abc import Mapping
from typing import Final

from attrs import frozen


@frozen
class Failure:
    """The `error` of a failed task.

    Attributes:
        code: As the service writes it, a string even where it is a number; None for the older host's errors.
        message: As the service words it.
    """

    code: str | None
    message: str


_REVIEW = "did not pass review. Please modify your prompt or inputs and try again."
_DOWNLOAD = "Failed to download your reference video. Please replace it or try again."

#: Name for a prompt mark -> what the service says. The first block are short names for one of each kind.
FAILURES: Final[Mapping[str, Failure]] = {
    "moderation": Failure("2038", "Your input text violates platform rules. Please modify and try again."),
    "reference": Failure("asset_review_failed", "Reference image 1 failed review. Please replace it."),
    "input": Failure(
        "InvalidParameter",
        "Audio cannot be the only reference input. Please also provide an image or video reference.",
    ),
    "server": Failure("500", "Generation failed. Please try again."),
    "image-review": Failure("asset_review_failed", "Reference image 1 failed review. Please replace it."),
    "video-review": Failure("asset_review_failed", "Reference video 1 failed review. Please replace it."),
    "audio-alone": Failure(
        "InvalidParameter",
        "Audio cannot be the only reference input. Please also provide an image or video reference.",
    ),
    "videos-too-long": Failure(
        "InvalidParameter",
        "Reference video total duration exceeds the limit. Please use videos with a combined duration of "
        "15 seconds or less.",
    ),
    "videos-too-long-2.5": Failure(
        "InvalidParameter",
        "The parameter `content` specified in the request is not valid: the parameter video total duration "
        "must be less than or equal to 30 seconds.",
    ),
    "empty-prompt": Failure(
        "InvalidParameter",
        "The parameter `content[0].text.text` specified in the request is not valid: text content must contain "
        "at least one character.",
    ),
    "video-download": Failure("500", _DOWNLOAD),
    "generation": Failure("500", "Generation failed. Please try again."),
    "blocked": Failure(
        "500",
        "Your content was blocked by moderation. Please adjust your prompt or uploaded media and try again.",
    ),
    "upstream-503": Failure(
        "500", "Wan 3.0 generation failed: ServiceUnavailable - <503> The service is temporarily unavailable."
    ),
    "video-download-2.5": Failure("1001", _DOWNLOAD),
    "sensitive-video": Failure(
        "1001", "Your uploaded video may contain sensitive content. Please use a different video."
    ),
    "sensitive-image": Failure(
        "1001", "Your uploaded image may contain sensitive content. Please use a different image."
    ),
    "video-rejected": Failure("1001", f"The generated video {_REVIEW}"),
    "audio-rejected": Failure("1001", f"The generated audio {_REVIEW}"),
    "copyright": Failure(
        "1001",
        "The generated video may violate platform or copyright rules. Please modify your prompt or inputs and "
        "try again.",
    ),
    "unavailable": Failure("1001", "Service temporarily unavailable. Please try again later."),
    "edit-parameters": Failure(
        "1001",
        "Request parameters are invalid for video editing. Use adaptive aspect ratio and automatic duration, and "
        "ensure the reference video is 4–30 seconds.",  # noqa: RUF001 - the service's own dash
    ),
    "extend-parameters": Failure(
        "1001", "Request parameters are invalid for video extension. Use adaptive aspect ratio."
    ),
    "text-rules": Failure("2038", "Your input text violates platform rules. Please modify and try again."),
    # The documentation lists the code and a demo task "face detected", not the words.
    "face": Failure("4011", "A human face was detected in your reference. Please replace it."),
    "older": Failure(None, "Task execution failed"),
}

_MARK = re.compile(r"\[(fail|takes|waits):([^\],]+)(?:,times=(\d+))?\]|\[(stuck)\]")


@frozen
class Marks:
    """What a prompt asks of the emulator.

    Attributes:
        failure: `[fail:moderation]`: the task fails so (a name of `FAILURES`).
        fail_times: `[fail:server,times=2]`: only the first two tasks of exactly this prompt fail.
        takes: `[takes:90]`: seconds from create to the end.
        waits: `[waits:30]`: seconds in `waiting`.
        stuck: `[stuck]`: the task never ends.
    """

    failure: Failure | None = None
    fail_times: int | None = None
    takes: float | None = None
    waits: float | None = None
    stuck: bool = False


def read_marks(prompt: str) -> Marks:
    """Read the marks of a prompt; what is not a mark, or names no failure, means nothing."""
    failure, times, takes, waits, stuck = None, None, None, None, False
    for kind, value, count, is_stuck in _MARK.findall(prompt):
        if is_stuck:
            stuck = True
        elif kind == "fail":
            failure = FAILURES.get(value.strip(), failure)
            times = int(count) if count else None
        else:
            seconds = _seconds(value)
            takes = seconds if kind == "takes" and seconds is not None else takes
            waits = seconds if kind == "waits" and seconds is not None else waits
    return Marks(failure, times, takes, waits, stuck)


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
