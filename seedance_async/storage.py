"""The door to the host of uploaded files: one PUT at a time, and nothing of the key.

Foreign exceptions end here: they carry the signed address. A `Put` goes on.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Self

import aiohttp
from yarl import URL

from seedance_async import _guard
from seedance_async.core.uploading import Place, Put
from seedance_async.errors import ConfigurationError
from seedance_async.transfer import broken_by

logger = logging.getLogger("seedance_async")

UploadProgress = Callable[[int, int], object]
"""Called on the loop with the bytes that were sent and the bytes of the whole file."""

#: Bytes of an answer that are read so that its connection can be used again.
_ANSWER: Final = 64 * 1024
#: Bytes that the systems on both sides may hold, unseen by us, and bytes per second at which a slow line empties them.
_BUFFERS: Final = 8 * 1024 * 1024
_SLOW_LINE: Final = 64 * 1024


class SentBytes:
    """The body of a PUT: pieces that are read when the connection wants them, counted and digested.

    Attributes:
        sent: Bytes that the connection has taken.
        taken: The same with those that it is taking.
        failure: What reading failed with; the connection's own words for it are others.
        moved: Called whenever bytes were taken.
    """

    def __init__(self, read: Callable[[], Awaitable[bytes]], total: int, progress: UploadProgress | None) -> None:
        self.sent = 0
        self.taken = 0
        self.failure: Exception | None = None
        self.moved: Callable[[], object] = int
        self.total = total
        self._read = read
        self._progress = progress
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of what was given to the connection, in hex."""
        return self._digest.hexdigest()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._count()
        try:
            piece = await self._read()
        except Exception as error:
            self.failure = error
            raise
        if not piece:
            raise StopAsyncIteration
        self._digest.update(piece)
        self.taken += len(piece)
        return piece

    def _count(self) -> None:
        self.moved()
        if self.taken == self.sent:
            return
        self.sent = self.taken
        if self._progress is not None:
            try:
                self._progress(self.sent, self.total)
            except Exception:
                # Whoever watches an upload must not end it.
                logger.exception("the progress hook of an upload failed")


async def put(
    session: aiohttp.ClientSession,
    place: Place,
    body: SentBytes,
    *,
    proxy: str | None,
    connect: float,
    patience: float,
) -> Put:
    """Send bytes to a place.

    Args:
        session: Knows nothing of the key, follows nothing and keeps no cookies.
        place: Where to; its address was checked.
        body: What to send.
        proxy: An HTTP proxy, or None.
        connect: Seconds a connection may take.
        patience: Seconds without progress, and from the last byte to the answer; more for the answer where bytes may
            still be on their way.

    Cancellation: closes the connection. What the host has received of a part is its own affair.
    """
    try:
        _guard.check(place.address)
    except ConfigurationError as error:
        return Put(None, str(error), final=True)
    loop = asyncio.get_running_loop()
    limit = asyncio.timeout(connect + patience)
    began = loop.time()

    def moved() -> None:
        now = loop.time()
        unseen = 0.0
        if body.taken == body.total:
            # All is with the system, and on a slow line much of it still on this machine.
            unseen = now - began + min(body.total, _BUFFERS) / _SLOW_LINE
        limit.reschedule(now + patience + unseen)

    body.moved = moved
    headers = {"Content-Type": place.content_type, "Content-Length": str(body.total)}
    try:
        async with (
            limit,
            session.put(
                URL(place.address, encoded=True),
                data=body,
                headers=headers,
                allow_redirects=False,
                raise_for_status=False,
                proxy=proxy,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect),
            ) as response,
        ):
            await response.content.read(_ANSWER)
            return Put(response.status, retry_after=response.headers.get("Retry-After"))
    except asyncio.CancelledError as error:
        # In the frames below stands the address, and error trackers keep the locals of every frame.
        error.__context__ = None
        raise error.with_traceback(None) from None
    except Exception as error:  # noqa: BLE001 (whatever a connection fails with)
        if body.failure is not None:
            return Put(None, "reading failed", final=True)
        if isinstance(error, TimeoutError) and limit.expired():
            return Put(None, f"the host of the files took nothing for {patience:g} s")
        broken = broken_by(error, patience)
        return Put(None, broken.reason, final=broken.final)
