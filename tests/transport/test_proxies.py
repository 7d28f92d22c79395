"""Proxies, from the argument and from the environment, for creates and polls."""

import asyncio
import ssl
from base64 import b64encode

import pytest
from attrs import define, field

from seedance_async.core.answers import Answer
from seedance_async.core.outcome import Accepted, NotSent, Rejected
from seedance_async.transport import proxy_from_environment
from tests.transport.conftest import KEY, Make
from tests.transport.server import Asked, Exchange, Reaction, Server, answer, drop, hang, html
from tests.transport.test_creates import ID, create, words

PASSWORD = "planted-password"


@define
class Proxy:
    """Forwards plain requests and opens tunnels, as far as these tests need it."""

    server: Server = field(factory=Server)
    refusal: Reaction | None = None

    async def forward(self, server: Server, exchange: Exchange) -> None:
        """Do what was asked for."""
        if self.refusal is not None:
            await self.refusal(server, exchange)
            return
        host, _, port = exchange.asked.target.removeprefix("http://").partition("/")[0].partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        if exchange.asked.method == "CONNECT":
            exchange.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = "/" + exchange.asked.target.split("/", 3)[3]
            head = "".join(f"{name}: {value}\r\n" for name, value in exchange.asked.headers.items())
            writer.write(f"{exchange.asked.method} {path} HTTP/1.1\r\n{head}\r\n".encode() + exchange.asked.body)
        try:
            await asyncio.gather(_pump(reader, exchange.writer), _pump(exchange.reader, writer))
        finally:
            writer.close()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def seen(self) -> list[tuple[str, str]]:
        """What it was asked for."""
        return [(asked.method, asked.target) for asked in self.server.asked]


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while content := await reader.read(65536):
        writer.write(content)
        await writer.drain()
    writer.close()


@pytest.fixture
async def proxy() -> object:
    """One proxy."""
    proxy = Proxy()
    proxy.server.otherwise = proxy.forward
    async with proxy.server:
        yield proxy


async def both(make: Make, base_url: str, *, proxy: str | None = None, trust: ssl.SSLContext | bool = True) -> None:
    """Send a create and a poll."""
    transport = await make(base_url, proxy=proxy, ssl=trust)
    assert (await create(transport))[0] == Accepted("task_1")
    assert isinstance(await transport.poll("task_1"), Answer)


@pytest.mark.parametrize("how", ["argument", "http_proxy", "HTTP_PROXY", "without a scheme"])
async def test_plain_http(make: Make, server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Creates and polls go through the proxy, with whole addresses, and arrive once each."""
    server.otherwise = answer(200, ID, {"Connection": "close"})
    if how != "argument":
        name = how if "proxy" in how.lower() else "http_proxy"
        monkeypatch.setenv(name, proxy.url if name == how else proxy.url.removeprefix("http://"))
    await both(make, server.base_url, proxy=proxy.url if how == "argument" else None)
    base = server.base_url
    assert proxy.seen == [("POST", f"{base}/jobs/createTask"), ("GET", f"{base}/jobs/recordInfo?taskId=task_1")]
    assert [asked.method for asked in server.asked] == ["POST", "GET"]


@pytest.mark.parametrize("how", ["argument", "https_proxy"])
async def test_a_tunnel(
    make: Make, proxy: Proxy, *, tls: ssl.SSLContext, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """https goes through a tunnel, in which the proxy sees neither the key nor what is asked."""
    async with Server(tls=tls, otherwise=answer(200, ID)) as secure:
        if how != "argument":
            monkeypatch.setenv("https_proxy", proxy.url)
        await both(make, secure.base_url, proxy=proxy.url if how == "argument" else None, trust=trust)
        assert proxy.seen == [("CONNECT", f"127.0.0.1:{secure.port}")] * 2
        assert not any(KEY in str(asked) for asked in proxy.server.asked)
        assert [asked.method for asked in secure.asked] == ["POST", "GET"]


@pytest.mark.parametrize("exempt", ["127.0.0.1", "*", "localhost, 127.0.0.1"])
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
async def test_no_proxy(
    make: Make, server: Server, proxy: Proxy, *, monkeypatch: pytest.MonkeyPatch, exempt: str, name: str
) -> None:
    """Hosts that the environment exempts are reached without the proxy."""
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv(name, exempt)
    server.otherwise = answer(200, ID)
    await both(make, server.base_url)
    assert proxy.seen == []


async def test_the_argument_wins(make: Make, server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that is given is used, whatever the environment says."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "*")
    server.otherwise = answer(200, ID, {"Connection": "close"})
    await both(make, server.base_url, proxy=proxy.url)
    assert len(proxy.seen) == 2


@pytest.mark.parametrize("other", ["https_proxy", "ftp_proxy"])
async def test_a_proxy_for_another_scheme(
    make: Make, server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """A proxy for https is none for http."""
    monkeypatch.setenv(other, proxy.url)
    server.otherwise = answer(200, ID)
    await both(make, server.base_url)
    assert proxy.seen == []


async def test_a_proxy_with_a_password(make: Make, server: Server, proxy: Proxy) -> None:
    """Its user and password reach the proxy, not the service, and are shown nowhere."""
    server.otherwise = answer(200, ID, {"Connection": "close"})
    url = proxy.url.replace("://", f"://user:{PASSWORD}@")
    await both(make, server.base_url, proxy=url)
    first: Asked = proxy.server.asked[0]
    assert first.headers["proxy-authorization"] == f"Basic {b64encode(f'user:{PASSWORD}'.encode()).decode()}"
    assert PASSWORD not in repr(await make(server.base_url, proxy=url))


@pytest.mark.parametrize(
    "refusal", [html(407), html(403), html(502), drop, hang], ids=["407", "403", "502", "drop", "hang"]
)
async def test_a_proxy_that_opens_no_tunnel(
    make: Make, proxy: Proxy, tls: ssl.SSLContext, trust: ssl.SSLContext, refusal: Reaction
) -> None:
    """Without a tunnel nothing is sent; the reason shows neither key nor password."""
    proxy.refusal = refusal
    async with Server(tls=tls, otherwise=answer(200, ID)) as secure:
        url = proxy.url.replace("://", f"://user:{PASSWORD}@")
        outcome, _, mark = await create(await make(secure.base_url, proxy=url, ssl=trust))
        assert isinstance(outcome, NotSent)
        assert not mark.is_set
        assert secure.connections == 0
        assert PASSWORD not in words(outcome)
        assert KEY not in words(outcome)


async def test_a_proxy_that_refuses_a_plain_request(make: Make, server: Server, proxy: Proxy) -> None:
    """A page of the proxy itself is judged by its status, as any other answer is."""
    proxy.refusal = html(403)
    outcome, _, mark = await create(await make(server.base_url, proxy=proxy.url))
    assert isinstance(outcome, Rejected)
    assert mark.is_set
    assert server.connections == 0


async def test_a_proxy_that_is_not_there(make: Make, server: Server, closed_port: int) -> None:
    """A create that does not get to its proxy is not sent, and goes no other way."""
    url = f"http://user:{PASSWORD}@127.0.0.1:{closed_port}"
    outcome, _, mark = await create(await make(server.base_url, proxy=url))
    assert isinstance(outcome, NotSent)
    assert not mark.is_set
    assert PASSWORD not in words(outcome)
    assert server.connections == 0


def test_no_environment() -> None:
    """Without a proxy in the environment there is none."""
    assert proxy_from_environment("https://kinovi.ai/api/v1") is None
