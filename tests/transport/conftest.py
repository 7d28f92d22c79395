"""Transports over real sockets on virtual time."""

import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from seedance_async.finding import find_key
from seedance_async.settings import KeySource, Timeouts
from seedance_async.transport import Transport
from tests.transport.server import Server

#: A key that is looked for in everything that anybody could read.
KEY = "zimg_planted_4f9c1e7ab2d05836"
PEM = Path(__file__).parent.parent / "downloads" / "loopback-test-key.pem"

Make = Callable[..., Awaitable[Transport]]


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the proxies of the machine out of the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """One scripted server."""
    async with Server() as server:
        yield server


@pytest.fixture
def tls() -> ssl.SSLContext:
    """What a server needs for https."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    return context


@pytest.fixture
def trust() -> ssl.SSLContext:
    """What a client needs to trust it."""
    return ssl.create_default_context(cafile=str(PEM))


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Make transports: `await make(server.base_url, connect=5)`; each is closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def open_one(
            base_url: str,
            *,
            key: KeySource = KEY,
            proxy: str | None = None,
            ssl: ssl.SSLContext | bool = True,
            given: Any = None,
            **timeouts: float,
        ) -> Transport:
            transport = Transport(base_url, find_key(key, {}), Timeouts(**timeouts), proxy, ssl, given)
            await transport.open()
            stack.push_async_callback(transport.aclose)
            return transport

        yield open_one


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full, so that a connection is neither made nor refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        queued: list[socket.socket] = []
        for _ in range(8):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
            queued.append(waiting)
        yield int(listener.getsockname()[1])
        for waiting in queued:
            waiting.close()
