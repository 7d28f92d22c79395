"""The service's side of a connection: reads requests, lets half of their time pass, asks the service, and again."""

import asyncio
import json
import socket
import struct
from typing import Final

from attrs import define

from benchmarks.account.service import Answer, Service
from benchmarks.overhead.server import length_of

#: Seconds of a request's way to the service, and of the answer's way back.
ONE_WAY: Final = 0.05
#: Close with a reset instead of an end.
_RESET: Final = struct.pack("ii", 1, 0)


@define
class Sockets:
    """Connections of the client.

    Attributes:
        open: Now.
        most: At a time.
        all: In all.
    """

    open: int = 0
    most: int = 0
    all: int = 0


class Connection(asyncio.Protocol):
    """One connection. Its first request takes as much longer as connecting takes."""

    def __init__(self, service: Service, sockets: Sockets, connecting: float) -> None:
        self._service = service
        self._sockets = sockets
        self._way = ONE_WAY + connecting
        self._data = b""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sockets.all += 1
        self._sockets.open += 1
        self._sockets.most = max(self._sockets.most, self._sockets.open)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Count it off."""
        self._sockets.open -= 1

    def data_received(self, data: bytes) -> None:
        """Let a request that is complete go its way. Clients send the next one after the answer."""
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._data[:end]
        after = end + 4 + length_of(head.lower())
        if len(self._data) >= after:
            body, self._data = self._data[end + 4 : after], b""
            way, self._way = self._way, ONE_WAY
            self._loop.call_later(way, self._arrived, head, body)

    def _arrived(self, head: bytes, body: bytes) -> None:
        now = self._loop.time()
        if head.startswith(b"POST"):
            answer = self._service.create(json.loads(body), now)
        else:
            target = head[: head.index(b"\r\n")].split(b" ")[1]
            answer = self._service.poll(target.partition(b"taskId=")[2].decode("ascii"), now)
        self._loop.call_later(ONE_WAY, self._send, answer, b"\r\nconnection: close" in head.lower())

    def _send(self, answer: Answer, closing: bool) -> None:  # noqa: FBT001 (called by a timer)
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if not answer.status:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()
            return
        page = isinstance(answer.content, bytes)
        content = answer.content if isinstance(answer.content, bytes) else json.dumps(answer.content).encode()
        transport.write(
            b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s"
            % (
                answer.status,
                b"text/html" if page else b"application/json",
                len(content),
                b"Connection: close\r\n" if closing else b"",
                content,
            )
        )
        if closing:
            transport.close()
