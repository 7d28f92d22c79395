"""Part of a file for a browser that seeks. Safari plays no video from a server that does not know `Range`."""

import re
from collections.abc import AsyncGenerator
from typing import Final

from attrs import frozen

from seedance_async import VideoStream

# No file has a size of more digits, and Python refuses to read thousands of them.
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@frozen
class Part:
    """What to send of a file.

    Attributes:
        status: 200 for all of it, 206 for a part, 416 for one that it does not have.
        start: The first byte.
        stop: The byte after the last; None for all there is, where its size is not known.
        headers: What says so.
    """

    status: int
    start: int
    stop: int | None
    headers: dict[str, str]


def choose_part(size: int | None, wanted: str | None, if_range: str | None, etag: str) -> Part:
    """Read a `Range` header; what it cannot be read as, or asks of another file, gets all of it (RFC 9110, 14.2).

    Args:
        size: Bytes of the file, None where that is not known.
        wanted: The header `Range`.
        if_range: The header `If-Range`.
        etag: The name of the file's contents.
    """
    headers = {"Accept-Ranges": "bytes" if size is not None else "none", "ETag": etag}
    whole = Part(200, 0, size, headers if size is None else {**headers, "Content-Length": str(size)})
    found = None if wanted is None else _RANGE.fullmatch(wanted.strip())
    if size is None or found is None or (if_range is not None and if_range != etag) or found[0] == "bytes=-":
        return whole
    if found[1]:
        start, stop = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
        if found[2] and int(found[2]) < start:
            return whole
    else:
        start, stop = max(0, size - int(found[2])), size
    if start >= size:
        return Part(416, 0, 0, {**headers, "Content-Range": f"bytes */{size}", "Content-Length": "0"})
    told = {"Content-Range": f"bytes {start}-{stop - 1}/{size}", "Content-Length": str(stop - start)}
    return Part(206, start, stop, {**headers, **told})


async def cut(video: VideoStream, part: Part) -> AsyncGenerator[bytes]:
    """Yield the bytes of a part. The service's file host is read from its first byte on; clips are small."""
    position = 0
    async for piece in video:
        begin, position = position, position + len(piece)
        stop = None if part.stop is None else part.stop - begin
        chosen = piece[max(0, part.start - begin) : stop]
        if chosen:
            yield chosen
        if part.stop is not None and position >= part.stop and part.stop != video.size:
            return
