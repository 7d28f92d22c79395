"""What the service says of a task, in Python's words."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from attrs import field, frozen

from seedance_async.core.redact import redact_url

#: The two statuses that end a task (contract, section 6). Every other word, known or not, means "still running".
SUCCESS: Final = "success"
FAIL: Final = "fail"
#: Our word for a job that has no task yet.
QUEUED: Final = "queued"

NO_RAW: Final[Mapping[str, Any]] = MappingProxyType({})


def _shown_url(url: str | None) -> str:
    return repr(None if url is None else redact_url(url))


@frozen
class Output:
    """One file of a finished task.

    Attributes:
        url: Where the file is; the service keeps it for 14 days (contract, section 13).
        width: Pixels, or None where the service did not say.
        height: Pixels, or None where the service did not say.
        media_type: Such as `"video/mp4"`, or None where the service did not say.
        seed: The seed that was used, or None where the service did not say.
        last_frame_url: A picture of the last frame, or None.
    """

    url: str = field(repr=_shown_url)
    width: int | None = None
    height: int | None = None
    media_type: str | None = None
    seed: int | None = None
    last_frame_url: str | None = field(default=None, repr=_shown_url)


@frozen
class TaskFault:
    """The `error` of a failed task, as the service words it."""

    code: str | None
    message: str


@frozen
class TaskSnapshot:
    """What was known of a task at one moment.

    Attributes:
        task_id: The service's id; None while the job is queued.
        status: `"queued"` while there is no task, then the service's word, known to us or not.
        model: The model as the service names it, or None.
        credits_used: Credits reserved for the task, or None where the service did not say. A failed task may
            still show them although they are refunded.
        outputs: The files; empty before success.
        error: Why it failed, or None.
        created_at: When the service accepted it (UTC), or None.
        completed_at: When it ended (UTC), or None.
        raw: The answer as received, with every field this version does not know.
    """

    task_id: str | None
    status: str
    model: str | None = None
    credits_used: Decimal | None = None
    outputs: tuple[Output, ...] = ()
    error: TaskFault | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    raw: Mapping[str, Any] = field(default=NO_RAW, repr=False)

    @property
    def terminal(self) -> bool:
        """Whether the task has ended, in success or in failure."""
        return self.status in {SUCCESS, FAIL}


@frozen
class VideoResult:
    """A finished video.

    Attributes:
        task_id: The service's id.
        model: The model as the service names it, or None.
        outputs: The files, at least one.
        credits_used: Credits the task cost, or None where the service did not say.
        created_at: When the service accepted it (UTC), or None.
        completed_at: When it ended (UTC), or None.
        raw: The answer as received.
    """

    task_id: str
    model: str | None
    outputs: tuple[Output, ...]
    credits_used: Decimal | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    raw: Mapping[str, Any] = field(default=NO_RAW, repr=False)

    @property
    def url(self) -> str:
        """Where the first file is."""
        return self.outputs[0].url


def result_of(snapshot: TaskSnapshot) -> VideoResult:
    """Make the result of a successful snapshot."""
    assert snapshot.task_id is not None
    assert snapshot.outputs
    return VideoResult(
        task_id=snapshot.task_id,
        model=snapshot.model,
        outputs=snapshot.outputs,
        credits_used=snapshot.credits_used,
        created_at=snapshot.created_at,
        completed_at=snapshot.completed_at,
        raw=snapshot.raw,
    )
