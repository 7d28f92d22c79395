"""Saving and streaming of finished videos.

Downloads have places of their own and never hold a slot: the account works on while files come in. A saved file
appears under its final name only when it is complete, and replaces no other file unless told. What is left of an
interrupted download lies beside it in two hidden files (see `parts`) and is continued by the next one.
"""

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar, TypeVarTuple, Unpack

from seedance_async.core.filenames import video_name
from seedance_async.core.redact import redact_url
from seedance_async.core.results import Output, VideoResult
from seedance_async.core.retry import Rand
from seedance_async.errors import DownloadError
from seedance_async.fetching import Fetch, FileFetch, Refresh
from seedance_async.files import DISK_FULL, TargetError, explain
from seedance_async.filethreads import FileThreads
from seedance_async.hooks import Hooks
from seedance_async.parts import Part
from seedance_async.streaming import VideoStream
from seedance_async.told import ToldDownload
from seedance_async.transfer import Broken, Transfer

__all__ = ["Downloads", "Progress", "VideoStream"]

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are written and the bytes of the whole file, None where the host does not say."""

#: Bytes that are gathered for one write: a trip to a worker thread costs more than a copy.
_WRITE_BYTES: Final = 1024 * 1024


class Downloads:
    """Saves and streams the files of finished tasks.

    Concurrency: At most `limit` files are saved at a time, the rest wait in the order they came. Streams are not
    counted: their pace is their reader's.
    """

    def __init__(
        self,
        fetch: FileFetch,
        refresh: Refresh,
        *,
        limit: int = 8,
        sock_read: float = 60.0,
        connect: float = 30.0,
        rand: Rand = random.random,
        hooks: Hooks | None = None,
    ) -> None:
        """Set up without touching the loop.

        Args:
            fetch: Gives the HTTP session for files. Nothing of ours but a User-Agent goes to a file host.
            refresh: Asks the service for a task, when a link has expired.
            limit: Files saved at a time, and worker threads for them.
            sock_read: Seconds without a byte that end an attempt. A whole download has no limit.
            connect: Seconds a connection may take.
            rand: Chance, for the delays between attempts.
            hooks: Told of each download and stream.
        """
        self._session = fetch
        self._refresh = refresh
        self._sock_read = sock_read
        self._connect = connect
        self._rand = rand
        self._hooks = Hooks(()) if hooks is None else hooks
        self._places = asyncio.Semaphore(limit)
        self._threads = FileThreads(limit)

    async def save(
        self,
        result: VideoResult,
        target: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: Progress | None = None,
    ) -> Path:
        """Save the video of a task.

        Failures that may pass (no connection, 5xx, a cut body, silence) are tried again with growing delays, going
        on where the last attempt ended if the host proves that the file is still the same. An expired link is
        renewed once.

        Args:
            result: The finished task.
            target: A file; or a folder, if it ends with a separator or is one, and then the file is called
                `<task_id>.mp4` (`.mov` for QuickTime). Missing folders are made.
            overwrite: Replace a different file of this name. Without it such a file is an error, and a file with the
                same contents is kept as it is.
            on_progress: Called now and then while bytes are written. What it raises ends the download.

        Returns:
            The path of the file.

        Raises:
            DownloadError: The video was not saved. The text says why and what can be done.

        Cancellation: Leaves the complete file, or an unfinished part that the next call goes on with.
        """
        output = self._output(result)
        part = Part(
            os.fsdecode(target),
            video_name(result.task_id, output.media_type, output.url),
            task_id=result.task_id,
            overwrite=overwrite,
        )
        fetch = self._fetch(result.task_id, output)
        fetch.path = os.fsdecode(target)
        with ToldDownload(self._hooks, result.task_id, fetch.path) as told:
            async with self._places:
                return await self._save(part, fetch, on_progress, told)

    def stream(self, result: VideoResult) -> AbstractAsyncContextManager[VideoStream]:
        """Open the video of a task for reading, for an object store or an HTTP response.

        Use it as `async with downloads.stream(result) as stream:` and `async for chunk in stream:`. An expired link
        is renewed once, and what may pass is tried again before the first byte as in `save`.

        Raises:
            DownloadError: The file cannot be had, on entering or while reading.
        """
        return self._stream(result)

    def close(self) -> None:
        """Let the worker threads go when the last of them has ended. Running downloads are not ended by this."""
        self._threads.close()

    @asynccontextmanager
    async def _stream(self, result: VideoResult) -> AsyncGenerator[VideoStream]:
        output = self._output(result)
        fetch = self._fetch(result.task_id, output)
        with ToldDownload(self._hooks, result.task_id, None) as told:
            stream = VideoStream(fetch, await fetch.open(), output.media_type)
            try:
                yield stream
            finally:
                stream.close()
                told.size, told.left_early = stream.position, not stream.ended

    async def _save(self, part: Part, fetch: Fetch, on_progress: Progress | None, told: ToldDownload) -> Path:
        try:
            resume = await self._work(part, fetch, part.open, redact_url(fetch.url))
            told.path = fetch.path = str(part.final)
            while True:
                transfer = await fetch.open(resume)
                try:
                    broken = await self._copy(transfer, part, fetch, on_progress, told)
                finally:
                    transfer.close()
                if broken is None:
                    told.size = part.size
                    return await self._work(part, fetch, part.finish)
                resume = await self._work(part, fetch, part.pause, redact_url(fetch.url))
                fetch.failed(broken, part.size)
        finally:
            if not part.closed:
                await self._threads.run(part.close)

    def _output(self, result: VideoResult) -> Output:
        if not result.outputs:
            raise DownloadError("the service lists no file for the task", None, result.task_id)
        return result.outputs[0]

    def _fetch(self, task_id: str, output: Output) -> Fetch:
        return Fetch(
            self._session,
            self._refresh,
            task_id=task_id,
            url=output.url,
            connect=self._connect,
            sock_read=self._sock_read,
            rand=self._rand,
        )

    async def _copy(
        self, transfer: Transfer, part: Part, fetch: Fetch, on_progress: Progress | None, told: ToldDownload
    ) -> Broken | None:
        """Write a body into the part; say what broke it, or None at its proper end."""
        if transfer.resume is None:
            await self._work(part, fetch, part.start, redact_url(transfer.url), transfer.etag, transfer.total)
        else:
            await self._work(part, fetch, part.resume, transfer.resume)
        buffer = bytearray()
        while True:
            piece = await transfer.read()
            ended = isinstance(piece, Broken) or not piece
            if isinstance(piece, bytes):
                buffer += piece
            if buffer and (ended or len(buffer) >= _WRITE_BYTES):
                await self._work(part, fetch, part.write, buffer)
                buffer = bytearray()
                told.progress(part.size, transfer.total)
                if on_progress is not None:
                    on_progress(part.size, transfer.total)
            if ended:
                return piece if isinstance(piece, Broken) else None

    async def _work(self, part: Part, fetch: Fetch, work: Callable[[Unpack[_Ts]], _T], *args: *_Ts) -> _T:
        """Do file work in a thread; say what went wrong in the words of `DownloadError`."""
        try:
            return await self._threads.run(work, *args)
        except TargetError as error:
            reason = str(error)
            part.worth_keeping = False
        except OSError as error:
            reason = explain(error, part.final.parent)
            # A part on a full disk is what fills it.
            part.worth_keeping = error.errno not in DISK_FULL
        raise fetch.error(reason)
