"""The bytes of a video as they come, never silently short or wrong."""

from seedance_async.core.ranges import Resume
from seedance_async.core.redact import redact_url
from seedance_async.errors import DownloadError
from seedance_async.fetching import Fetch
from seedance_async.transfer import Broken, Transfer


class VideoStream:
    """The bytes of a video as they come: an asynchronous iterator, inside of `async with`.

    It ends after the last byte and raises otherwise: what was iterated to the end is the whole file, in order.

    Attributes:
        size: Bytes of the whole file; None where the host does not say.
        media_type: Such as `"video/mp4"`; None where neither the host nor the service says.
    """

    def __init__(self, fetch: Fetch, transfer: Transfer, media_type: str | None) -> None:
        self.size = transfer.total
        self.media_type = transfer.media_type or media_type
        self._fetch = fetch
        self._transfer: Transfer | None = transfer
        self._etag: str | None = transfer.etag
        self._position = 0
        self._ended = False
        self._failure: str | None = None

    @property
    def url(self) -> str:
        """The link the bytes come from. It may be signed: whoever reads it can fetch the file."""
        return self._fetch.url

    @property
    def position(self) -> int:
        """Bytes that were handed out."""
        return self._position

    @property
    def ended(self) -> bool:
        """Whether the last byte was handed out."""
        return self._ended or self._position == self.size

    def __repr__(self) -> str:
        return f"<VideoStream {redact_url(self.url)} size={self.size} media_type={self.media_type!r}>"

    def __aiter__(self) -> "VideoStream":
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes, at least one.

        A broken connection is made anew and goes on where it broke, if the host can prove that the file is the same
        (a strong ETag).

        Raises:
            DownloadError: The rest cannot be had. What was handed out so far is not the whole file.

        Cancellation: Loses no byte; the next call goes on.
        """
        while self._failure is None and not self._ended:
            if self._transfer is None:
                await self._open()
                continue
            piece = await self._transfer.read()
            if isinstance(piece, bytes):
                self._position += len(piece)
                if piece:
                    return piece
                self._ended = True
            elif self._position == self.size:
                self._ended = True
            else:
                self._break(piece)
        if self._failure is not None:
            raise self._fetch.error(self._failure)
        raise StopAsyncIteration

    def close(self) -> None:
        """Drop the connection. Reading on is an error, unless the end was reached."""
        if self._transfer is not None:
            self._transfer.close()
        if not self._ended and self._failure is None:
            self._failure = "the stream was closed"

    def _break(self, broken: Broken) -> None:
        if self._transfer is not None:
            self._transfer.close()
            self._transfer = None
        if self._position and (self._etag is None or self.size is None):
            self._failure = f"{broken.reason}, and the host gives no strong ETag by which it could go on"
            return
        try:
            self._fetch.failed(broken, self._position)
        except DownloadError as error:
            self._failure = error.reason

    async def _open(self) -> None:
        try:
            if self._position and self._etag is not None and self.size is not None:
                resume = Resume(self._position, self._etag, self.size)
                self._transfer = await self._fetch.open(resume, only_rest=True)
                return
            transfer = await self._fetch.open()
        except DownloadError as error:
            self._failure = error.reason
            return
        self._transfer = transfer
        self._etag = transfer.etag
        if transfer.total != self.size:
            self._failure = "the file has changed on the host"
