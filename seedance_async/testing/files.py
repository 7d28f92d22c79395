"""Serve a file over HTTP as a careful file server does: strong ETag, ranges, conditions. Pure; no I/O here."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from attrs import frozen

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


def etag(content: bytes) -> str:
    """Return a strong entity tag of these bytes."""
    return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


@frozen
class FileAnswer:
    """What to answer to a request of a file.

    Attributes:
        status: 200, 206, 304 or 416.
        start: First byte of the body within the file.
        stop: One past the last byte.
        headers: Headers that describe the body, `Content-Length` not among them.
    """

    status: int
    start: int
    stop: int
    headers: Mapping[str, str]


def answer_range(
    size: int, tag: str, *, wanted: str | None, if_range: str | None, if_none_match: str | None
) -> FileAnswer:
    """Decide what part of a file to send (RFC 9110, sections 13 and 14; one range, no multipart).

    Args:
        size: Bytes in the file.
        tag: Its strong ETag, with quotes.
        wanted: The `Range` header.
        if_range: The `If-Range` header; the range counts only if it is exactly the tag.
        if_none_match: The `If-None-Match` header.
    """
    headers = {"ETag": tag, "Accept-Ranges": "bytes"}
    if if_none_match is not None and tag in {part.strip() for part in if_none_match.split(",")}:
        return FileAnswer(304, 0, 0, headers)
    match = _RANGE.fullmatch(wanted.strip()) if wanted else None
    if match is None or (if_range is not None and if_range.strip() != tag) or match.group(1, 2) == ("", ""):
        return FileAnswer(200, 0, size, headers)
    first, last = match.group(1, 2)
    if first:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        # A range that ends before it begins is no range at all.
        if last and int(last) < start:
            return FileAnswer(200, 0, size, headers)
    else:
        start, stop = max(0, size - int(last)), size
    if start >= size or start == stop:
        return FileAnswer(416, 0, 0, {**headers, "Content-Range": f"bytes */{size}"})
    return FileAnswer(206, start, stop, {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{size}"})
