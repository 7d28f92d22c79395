"""A server on a real socket that does exactly what a test tells it, and notes every request that arrives."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self

from attrs import Factory, define, field, frozen


@frozen
class Asked:
    """One request as it arrived.

    Attributes:
        connection: Which connection it came on, from 1.
        method: Such as `POST`.
        target: What stands in its first line.
        headers: By name in lower case.
        body: Its bytes; empty where a reaction did not read it.
    """

    connection: int
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@define
class Exchange:
    """A request whose head has arrived, and the way back."""

    asked: Asked
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def length(self) -> int:
        """How long its body is."""
        return int(self.asked.headers.get("content-length", "0"))


Reaction = Callable[["Server", Exchange], Awaitable[None]]
"""Answers a request. The body is read before, unless it is marked by `headers_only`."""

_HEADERS_ONLY: set[Reaction] = set()


def headers_only(reaction: Reaction) -> Reaction:
    """Mark a reaction that comes before the body is read."""
    _HEADERS_ONLY.add(reaction)
    return reaction


@define
class Server:
    """Answers each request by the next reaction of its script, then by `otherwise`.

    Attributes:
        script: What to do with the next requests.
        otherwise: What to do when the script is over.
        tls: For https.
        asked: Every request whose head arrived, bodies included where they were read.
        connections: How many connections were accepted.
        on_connect: Called with each new connection before anything is read; returns whether to go on.
    """

    script: list[Reaction] = Factory(list)
    otherwise: Reaction | None = None
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = Factory(list)
    connections: int = 0
    on_connect: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]] | None = None
    _server: asyncio.Server | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    port: int = field(default=0, init=False)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0, ssl=self.tls, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def base_url(self) -> str:
        """What a session takes as `base_url`."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/api/v1"

    @property
    def posts(self) -> list[Asked]:
        """The creates that arrived."""
        return [asked for asked in self.asked if asked.method == "POST"]

    @property
    def polls(self) -> list[Asked]:
        """The polls that arrived."""
        return [asked for asked in self.asked if asked.method == "GET"]

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        try:
            if self.on_connect is None or await self.on_connect(reader, writer):
                while not writer.is_closing():
                    await self._request(number, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _request(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        reaction = self.script.pop(0) if self.script else self.otherwise
        assert reaction is not None, f"nobody said what to do with {lines[0]}"
        body = b""
        if reaction not in _HEADERS_ONLY:
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(number, method, target, headers, body)
        self.asked.append(asked)
        await reaction(self, Exchange(asked, reader, writer))
        await writer.drain()


def raw(
    status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, *, length: int | None = None
) -> bytes:
    """One answer as bytes; `length` is what its Content-Length says, the body's own by default."""
    fields = {"Content-Length": str(len(body) if length is None else length), **(headers or {})}
    lines = [f"HTTP/1.1 {status} Word", *(f"{name}: {value}" for name, value in fields.items() if value)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(
    status: int, body: object = b"", headers: Mapping[str, str] | None = None, *, length: int | None = None
) -> Reaction:
    """Answer so; what is no bytes is sent as JSON. With a wrong `length` the connection closes after the body."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def react(_server: Server, exchange: Exchange) -> None:
        exchange.writer.write(raw(status, content, headers, length=length))
        if length is not None:
            await exchange.writer.drain()
            # What has arrived when a connection breaks may be lost with it: it gets the time to be read.
            await asyncio.sleep(0.5)
            exchange.writer.close()

    return react


def html(status: int) -> Reaction:
    """Answer with a page, as what stands in front of a service does."""
    page = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body></body></html>"
    return answer(status, page, {"Content-Type": "text/html"})


def redirect(status: int, location: str) -> Reaction:
    """Send the client somewhere else."""
    return answer(status, b"", {"Location": location})


def drip(status: int, body: bytes, *, every: float, headers: Mapping[str, str] | None = None) -> Reaction:
    """Answer with one byte of the body at a time."""

    async def react(_server: Server, exchange: Exchange) -> None:
        exchange.writer.write(raw(status, b"", headers, length=len(body)))
        for number in range(len(body)):
            exchange.writer.write(body[number : number + 1])
            await exchange.writer.drain()
            await asyncio.sleep(every)

    return react


def bytes_only(content: bytes, *, close: bool = True) -> Reaction:
    """Answer with exactly these bytes, then close."""

    async def react(_server: Server, exchange: Exchange) -> None:
        exchange.writer.write(content)
        await exchange.writer.drain()
        await asyncio.sleep(0.5)
        if close:
            exchange.writer.close()

    return react


async def hang(_server: Server, _exchange: Exchange) -> None:
    """Never answer."""
    await asyncio.sleep(1e6)


async def drop(_server: Server, exchange: Exchange) -> None:
    """Read the request and close without an answer."""
    exchange.writer.close()


async def reset(_server: Server, exchange: Exchange) -> None:
    """Read the request and reset the connection."""
    exchange.writer.transport.abort()


@headers_only
async def drop_before_body(_server: Server, exchange: Exchange) -> None:
    """Close when the head has arrived, before the body is read."""
    exchange.writer.close()


@headers_only
async def reset_before_body(_server: Server, exchange: Exchange) -> None:
    """Reset the connection when the head has arrived."""
    exchange.writer.transport.abort()


async def drop_at_once(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bool:
    """Close a new connection before anything is read; an `on_connect`."""
    return False
