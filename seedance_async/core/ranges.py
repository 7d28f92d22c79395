"""May a part of a file be continued, and what does a file host's answer mean?

A file is pieced together only from bytes of one and the same version of it. A part is continued on a 206 whose
strong ETag is the part's, whose `Content-Range` starts where the part ends and ends where the file ends, and whose
total is the part's. Anything else starts again: aiohttp's own file server, for one, answers a stale `If-Range` with
206 and the bytes of the other version (*ran* with 3.14).
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from attrs import asdict, field, frozen

from seedance_async.core.redact import redact_url

_CONTENT_RANGE: Final = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+)", re.IGNORECASE)
# What a proxy's error page or a login page comes as, under a status that says all is well.
_NOT_A_VIDEO: Final = frozenset(
    {"text/html", "application/xhtml+xml", "application/json", "application/xml", "text/xml"}
)
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# 404 and 410: deleted. 400, 401 and 403: how the usual object stores answer to a signature that has run out.
_EXPIRED: Final = frozenset({400, 401, 403, 404, 410})
_TRANSIENT: Final = frozenset({408, 425, 429})


@frozen
class PartRecord:
    """What is written down beside a part.

    Attributes:
        task_id: Whose video it is.
        url: Where the bytes came from, without what may be signed.
        etag: The strong ETag of the version they belong to, or None.
        total: Bytes of the whole file, or None where the host did not say.
        saved: Bytes at the start of the part that are known to be on the disk.
    """

    task_id: str
    url: str
    etag: str | None
    total: int | None
    saved: int = 0

    @property
    def can_continue(self) -> bool:
        """Whether a later request may go on where this part ends."""
        return self.etag is not None and self.total is not None and self.saved > 0


@frozen
class Resume:
    """Where to go on, and what the answer must show.

    Attributes:
        offset: The first byte to ask for.
        etag: The strong ETag of the bytes before it.
        total: Bytes of the whole file.
    """

    offset: int
    etag: str
    total: int


def record_text(record: PartRecord) -> str:
    """Write a record as JSON."""
    return json.dumps({"version": 1, **asdict(record)}) + "\n"


def read_record(text: str) -> PartRecord | None:
    """Read a record; None where it is torn, of another version, or not a record at all."""
    try:
        data: Any = json.loads(text)
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    match cast("dict[str, Any]", data):
        case {
            "version": 1,
            "task_id": str(task_id),
            "url": str(url),
            "etag": str() | None as etag,
            "total": int() | None as total,
            "saved": int(saved),
        } if saved >= 0 and (total is None or total > 0):
            return PartRecord(task_id, url, strong_etag(etag), total, saved)
        case _:
            return None


def resume_point(record: PartRecord | None, *, size: int, task_id: str, url: str) -> Resume | None:
    """Decide whether a part on the disk is worth continuing.

    Args:
        record: What is written beside it.
        size: Its length now; what lies behind `record.saved` may never have reached the disk.
        task_id: Whose video is wanted.
        url: Where it is to be fetched from, without what may be signed: a new signature makes no other link.

    Returns:
        Where to go on; None to start again.
    """
    if record is None or record.task_id != task_id or record.url != url:
        return None
    if record.etag is None or not record.total or not 0 < record.saved <= min(size, record.total):
        return None
    # Of a part that is already whole the last byte is fetched again: the answer proves that the version still stands.
    return Resume(min(record.saved, record.total - 1), record.etag, record.total) if record.total > 1 else None


def request_headers(resume: Resume | None) -> dict[str, str]:
    """Return the headers that ask for a file, or for the rest of it, uncompressed."""
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if resume is not None:
        headers["Range"] = f"bytes={resume.offset}-"
        headers["If-Range"] = resume.etag
    return headers


@frozen
class Whole:
    """The body is the whole file.

    Attributes:
        total: Its bytes; None where the host sends it in chunks without saying how many.
        etag: Its strong ETag, or None.
        media_type: What the host says it is, or None.
    """

    total: int | None
    etag: str | None
    media_type: str | None


@frozen
class Rest:
    """The body is what was missing, of the same version."""

    resume: Resume
    media_type: str | None


@frozen
class StartAgain:
    """The part cannot be continued; ask for the whole file."""

    reason: str


@frozen
class Moved:
    """The file is elsewhere: at `location`, which may be signed."""

    location: str | None = field(repr=lambda location: repr(None if location is None else redact_url(location)))


@frozen
class Expired:
    """The link has run out; the service may know a new one."""

    status: int


@frozen
class TryLater:
    """It may work in a while.

    Attributes:
        reason: What was seen.
        retry_after: The host's `Retry-After`, as it came, or None.
    """

    reason: str
    retry_after: str | None = None


@frozen
class GiveUp:
    """It will not work."""

    reason: str


Verdict = Whole | Rest | StartAgain | Moved | Expired | TryLater | GiveUp


def judge(status: int, headers: Mapping[str, str], resume: Resume | None) -> Verdict:
    """Say what a file host's answer means.

    Args:
        status: The HTTP status.
        headers: Its headers, looked up in their usual spelling (aiohttp's mapping ignores case).
        resume: What was asked for: the rest from there on, or None for the whole file.
    """
    if status == 200:
        return _judge_whole(headers)
    if status == 206:
        return TryLater("the host sent a part of the file unasked") if resume is None else _judge_rest(headers, resume)
    if status == 416 and resume is not None:
        return StartAgain("the host says that the file is shorter by now")
    if status in _REDIRECTS:
        return Moved(headers.get("Location"))
    if status in _EXPIRED:
        return Expired(status)
    if status in _TRANSIENT or status >= 500:
        return TryLater(f"the host answered HTTP {status}", headers.get("Retry-After"))
    return GiveUp(f"the host answered HTTP {status}")


def strong_etag(value: str | None) -> str | None:
    """Return a strong ETag as it is, and None for a weak, an empty or a malformed one."""
    if value is None or len(value) < 3 or not (value.startswith('"') and value.endswith('"')):
        return None
    return None if '"' in value[1:-1] or any(ord(character) <= 0x20 for character in value) else value


def _judge_whole(headers: Mapping[str, str]) -> Whole | TryLater | GiveUp:
    media_type = _media_type(headers)
    if media_type in _NOT_A_VIDEO:
        return TryLater(f"the host answered with {media_type} instead of a video")
    if _encoded(headers):
        return GiveUp("the host compresses the file although it was asked not to, so its length cannot be checked")
    length = headers.get("Content-Length")
    if length is None:
        if "chunked" not in headers.get("Transfer-Encoding", "").lower():
            return GiveUp("the host does not say how long the file is, so that a cut one would look complete")
        return Whole(None, strong_etag(headers.get("ETag")), media_type)
    if not (length.isascii() and length.isdigit()):
        return TryLater("the host gave a length that is not a number")
    if int(length) == 0:
        return TryLater("the host sent an empty file")
    return Whole(int(length), strong_etag(headers.get("ETag")), media_type)


def _judge_rest(headers: Mapping[str, str], resume: Resume) -> Rest | StartAgain:
    if headers.get("ETag") != resume.etag:
        return StartAgain("the file has changed on the host")
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if found is None or _encoded(headers):
        return StartAgain("the host sent a part without saying which")
    first, last, total = (int(number) for number in found.groups())
    length = headers.get("Content-Length")
    if (first, last, total) != (resume.offset, resume.total - 1, resume.total):
        return StartAgain("the host sent another part than the one asked for")
    if length is not None and length != str(last - first + 1):
        return StartAgain("the host sent a part whose length contradicts itself")
    return Rest(resume, _media_type(headers))


def _encoded(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}


def _media_type(headers: Mapping[str, str]) -> str | None:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() or None
