"""A file host on a real socket that does exactly what a test tells it: one raw answer per connection."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import TracebackType
from typing import Self

from attrs import Factory, define, field, frozen

from seedance_async.core.results import Output, TaskSnapshot, VideoResult

SECRET = "planted-signature"  # what a signed link carries in its query
DATE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@frozen
class Asked:
    """One request as it arrived: the target of its first line, and its headers in lower case."""

    target: str
    headers: Mapping[str, str]
    moment: float

    @property
    def offset(self) -> int:
        """Where the range that was asked for begins; 0 without one."""
        return int(self.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))


Reaction = Callable[["FileHost", Asked, asyncio.StreamWriter], Awaitable[None]]


@define
class FileHost:
    """Answers with its content, or with what stands in `script` for the next requests."""

    content: bytes = b"0123456789" * 200
    etag: str | None = '"v1"'
    media_type: str = "video/mp4"
    tls: ssl.SSLContext | None = None
    script: list[Reaction] = Factory(list)
    asked: list[Asked] = Factory(list)
    _server: asyncio.Server | None = field(default=None, init=False)
    _connections: set[asyncio.Task[None]] = field(factory=set, init=False)
    _port: int = field(default=0, init=False)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0, ssl=self.tls, backlog=4096)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def url(self, path: str = "/clip.mp4", *, query: str = f"?signature={SECRET}") -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._port}{path}{query}"

    def result(self, task_id: str = "task_1", **output: object) -> VideoResult:
        """A finished task whose file is here."""
        return VideoResult(task_id, "seedance-20", (Output(**{"url": self.url(), **output}),))  # type: ignore[arg-type]

    def snapshot(self, url: str, task_id: str = "task_1") -> TaskSnapshot:
        """What the service says of it after a refresh."""
        return TaskSnapshot(task_id, "success", outputs=(Output(url),))

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1)[:1] + line.split(": ", 1)[1:] for line in head[1:] if line)
            asked = Asked(head[0].split(" ")[1], headers, asyncio.get_running_loop().time())
            self.asked.append(asked)
            reaction = self.script.pop(0) if self.script else serve
            await reaction(self, asked, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self._connections.discard(task)
            writer.close()


async def serve(host: FileHost, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer as a careful file server does."""
    writer.write(proper(host, asked))


def proper(host: FileHost, asked: Asked) -> bytes:
    """The bytes of a careful file server's answer."""
    headers = {"Content-Type": host.media_type}
    if host.etag is not None:
        headers["ETag"] = host.etag
    total = len(host.content)
    if "range" in asked.headers and asked.headers.get("if-range") == host.etag:
        if asked.offset >= total:
            return raw(416, {"Content-Range": f"bytes */{total}"})
        headers["Content-Range"] = f"bytes {asked.offset}-{total - 1}/{total}"
        return raw(206, headers, host.content[asked.offset :])
    return raw(200, headers, host.content)


def raw(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"", *, length: bool = True) -> bytes:
    """One answer as bytes."""
    fields = {"Connection": "close", "Date": format_datetime(DATE, usegmt=True), **(headers or {})}
    if length:
        fields.setdefault("Content-Length", str(len(body)))
    lines = [f"HTTP/1.1 {status} Word", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(
    status: int, headers: Mapping[str, str] | None = None, body: bytes = b"", *, length: bool = True
) -> Reaction:
    """Answer with exactly this."""

    async def react(_host: FileHost, _asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw(status, headers, body, length=length))

    return react


def cut(missing: int, *, after: float = 5.0) -> Reaction:
    """Answer properly and close before the last `missing` bytes, when the others have had the time to arrive.

    What aiohttp has received and not handed out when a connection breaks is lost with it. (The virtual clock looks
    again before it jumps so far: on a busy machine the bytes may come late.)
    """

    async def react(host: FileHost, asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(proper(host, asked)[:-missing])
        await writer.drain()
        await asyncio.sleep(after)

    return react


def stall(missing: int, seconds: float = 10_000.0) -> Reaction:
    """Answer properly, stop before the last `missing` bytes, and keep the connection open."""

    async def react(host: FileHost, asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(proper(host, asked)[:-missing])
        await writer.drain()
        await asyncio.sleep(seconds)

    return react


async def drop(_host: FileHost, _asked: Asked, _writer: asyncio.StreamWriter) -> None:
    """Close without an answer."""


def chunked(*pieces: bytes, end: bool = True) -> Reaction:
    """Answer in chunks, without a length; without `end` the connection closes before the last, empty chunk."""
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return answer(200, {"Transfer-Encoding": "chunked"}, body + (b"0\r\n\r\n" if end else b""), length=False)


def later(seconds: float) -> str:
    """The HTTP date so many seconds after the one in every answer."""
    return format_datetime(DATE + timedelta(seconds=seconds), usegmt=True)


class HostThread:
    """A file host in a thread of its own, in real time, for child processes."""

    def __init__(self, host: FileHost) -> None:
        self.host = host
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> FileHost:
        self._thread.start()
        assert self._ready.wait(10)
        return self.host

    def __exit__(self, *_exception: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with self.host:
            self._ready.set()
            await self._stop.wait()
