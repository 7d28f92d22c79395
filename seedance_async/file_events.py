"""The records of files that come and go, for hooks."""

from datetime import datetime

from attrs import field, frozen

from seedance_async.core.media_checks import host_only


@frozen
class DownloadStarted:
    """A video is being fetched; `path` is where it was asked to be, None for a stream."""

    task_id: str
    path: str | None


@frozen
class DownloadProgress:
    """More of a video was written, about once for each MiB; `total` is None where the host does not say."""

    task_id: str
    path: str | None
    written: int
    total: int | None


@frozen
class DownloadEnded:
    """A download is over, or a stream was left.

    Attributes:
        path: The file, or where it was asked to be; None for a stream.
        outcome: `"complete"`, `"failed"` or `"cancelled"`; a stream that was left before its end is "cancelled".
        size: Bytes that are there, those of an earlier part included.
        seconds: How long it took, the wait for a place included.
        reason: Why it failed; None otherwise.
    """

    task_id: str
    path: str | None
    outcome: str
    size: int
    seconds: float
    reason: str | None = None


@frozen
class Uploaded:
    """A local file was uploaded, so that the service can fetch it.

    Attributes:
        path: The file; None for bytes.
        size: In bytes.
        url: Where it is, for everybody who knows the address. Its repr shows the host alone.
        until: When the service deletes it (UTC).
    """

    path: str | None
    size: int
    url: str = field(repr=host_only)
    until: datetime
