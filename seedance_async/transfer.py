"""The body of one answer of a file host, and what can break it.

Every failure of the transport becomes a `Broken` value at once: aiohttp's exceptions carry URLs and headers, and none
of them may become the cause or the context of an error of ours.
"""

import aiohttp
from attrs import field, frozen

from seedance_async.core.ranges import Rest, Whole


@frozen
class Broken:
    """The transport failed.

    Attributes:
        reason: What happened, with secrets removed.
        retry_after: Seconds the host wants to be left alone, or None.
        final: Another try would end the same way.
    """

    reason: str
    retry_after: float | None = None
    final: bool = False


@frozen(eq=False)
class Answered:
    """The beginning of an answer. It does not show the response, whose text holds the link."""

    response: aiohttp.ClientResponse = field(repr=False)


class Transfer:
    """The body of one answer, whose place in the file is known.

    Attributes:
        url: The link that was asked, before redirects.
        resume: Where the body goes on; None if it is the whole file.
        total: Bytes of the whole file, or None.
        etag: The file's strong ETag, or None.
        media_type: What the host says it is, or None.
    """

    def __init__(self, response: aiohttp.ClientResponse, url: str, verdict: Whole | Rest, sock_read: float) -> None:
        self.url = url
        self.resume = verdict.resume if isinstance(verdict, Rest) else None
        known = verdict if isinstance(verdict, Whole) else verdict.resume
        self.total: int | None = known.total
        self.etag: str | None = known.etag
        self.media_type = verdict.media_type
        self._response = response
        self._position = 0 if self.resume is None else self.resume.offset
        self._sock_read = sock_read

    async def read(self) -> bytes | Broken:
        """Return the next bytes, or b"" at the end of a body that is as long as it should be."""
        try:
            piece = await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            return broken_by(error, self._sock_read)
        self._position += len(piece)
        if self.total is not None and (self._position > self.total or (not piece and self._position < self.total)):
            return Broken(f"the host sent {self._position} bytes of a file of {self.total}")
        if not piece and self._position == 0:
            return Broken("the host sent an empty file")
        return piece

    def close(self) -> None:
        """Drop the connection, unless the body was read to its end."""
        self._response.close()


def broken_by(error: Exception, sock_read: float) -> Broken:
    """Say what an exception of the transport means, without its text where that may hold a URL."""
    match error:
        case aiohttp.SocketTimeoutError():
            return Broken(f"nothing came for {sock_read:g} s")
        case TimeoutError():
            return Broken("the host did not accept a connection in time")
        case aiohttp.ServerDisconnectedError():
            return Broken("the host closed the connection without an answer")
        case aiohttp.ClientPayloadError():
            return Broken("the connection broke in the middle of the file")
        case aiohttp.ClientConnectorCertificateError():
            return Broken("the host's certificate is not trusted", final=True)
        case aiohttp.InvalidURL():
            return Broken("the link is not a URL", final=True)
        case aiohttp.ClientConnectorError():
            return Broken(f"no connection to {error.host}: {error.os_error.strerror or type(error.os_error).__name__}")
        case OSError(strerror=str(text)):
            return Broken(f"the connection failed: {text}")
        case _:
            return Broken(f"the request failed ({type(error).__name__})")
