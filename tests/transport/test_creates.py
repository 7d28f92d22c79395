"""P2, never paid twice: the send mark and the status line say how a create ended, and exactly one POST arrives."""

import asyncio
import gzip
import json
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from attrs import field, frozen

from seedance_async.core.answers import Answer, NoAnswer, Reply
from seedance_async.core.outcome import Accepted, NotSent, Outcome, Rejected, Unknown, classify
from seedance_async.errors import ConcurrencyLimitError, ServerError
from seedance_async.transport import SendMark, Transport
from tests.transport.conftest import KEY, Make
from tests.transport.server import (
    Reaction,
    Server,
    answer,
    bytes_only,
    drip,
    drop,
    drop_at_once,
    drop_before_body,
    hang,
    html,
    raw,
    redirect,
    reset,
    reset_before_body,
)

ID = {"taskId": "task_1"}
BODY = b'{"model":"seedance-20","inputs":{"prompt":"a lake"}}'
LIMIT = {"message": "Concurrency limit reached (3).", "limit": 3, "current": 3}
DEEP = b'{"taskId":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@frozen
class Case:
    """One thing that a server may do with a create, and how the create has ended then."""

    name: str
    reaction: Reaction
    outcome: type[Outcome]
    says: str = ""
    fits: Callable[[Any], bool] = field(default=lambda _outcome: True)


CASES = [
    Case("200", answer(200, ID), Accepted),
    Case("200 in pieces", drip(200, json.dumps(ID).encode(), every=1), Accepted),
    Case("200 as text", answer(200, ID, {"Content-Type": "text/html"}), Accepted),
    Case("200 with a byte order mark", answer(200, b"\xef\xbb\xbf" + json.dumps(ID).encode()), Accepted),
    Case(
        "200 compressed",
        answer(200, gzip.compress(json.dumps(ID).encode()), {"Content-Encoding": "gzip"}),
        Accepted,
    ),
    Case("200 after 100", bytes_only(b"HTTP/1.1 100 Continue\r\n\r\n" + raw(200, json.dumps(ID).encode())), Accepted),
    Case("200 without a length", bytes_only(b'HTTP/1.1 200 OK\r\n\r\n{"taskId":"task_1"}'), Accepted),
    Case("200 without an id", answer(200, {"message": "ok"}), Unknown, "without a task id"),
    Case("200 with an odd id", answer(200, {"taskId": 5}), Unknown, "without a task id"),
    Case("200 as HTML", html(200), Unknown, "HTML page"),
    Case("200 empty", answer(200), Unknown, "without a task id"),
    Case("200 cut", answer(200, b'{"taskId":"task_1"', length=500), Unknown, "the answer was cut"),
    Case("200 whole and cut", answer(200, ID, length=500), Unknown, "the answer was cut"),
    Case("200 in broken gzip", answer(200, b"no gzip", {"Content-Encoding": "gzip"}), Unknown),
    Case("200 in broken deflate", answer(200, b"no deflate", {"Content-Encoding": "deflate"}), Unknown),
    Case("200 in an unknown coding", answer(200, b"?", {"Content-Encoding": "br"}), Unknown),
    Case("200 nested too deep", answer(200, DEEP), Unknown, "without a task id"),
    Case("200 that is no text", answer(200, bytes(range(256))), Unknown),
    Case("200 that drips too long", drip(200, b" " * 500, every=1), Unknown, "the answer was cut"),
    Case("201", answer(201, ID), Unknown, "HTTP 201"),
    Case("202", answer(202, ID), Unknown, "HTTP 202"),
    Case("204", bytes_only(b"HTTP/1.1 204 No Content\r\n\r\n"), Unknown, "HTTP 204"),
    Case("301", redirect(301, "/elsewhere"), Rejected, "redirects"),
    Case("302", redirect(302, "/elsewhere"), Rejected, "redirects"),
    Case("303", redirect(303, "/elsewhere"), Rejected, "redirects"),
    Case("307", redirect(307, "/api/v1/jobs/createTask"), Rejected, "redirects"),
    Case("308", redirect(308, "/api/v1/jobs/createTask"), Rejected, "redirects"),
    Case("307 to nowhere", answer(307), Rejected, "redirects"),
    Case("400", answer(400, {"message": "Unknown model"}), Rejected, "Unknown model"),
    Case("400 cut", answer(400, b'{"message":"Unk', length=500), Rejected, "HTTP 400"),
    Case("400 that drips too long", drip(400, b" " * 500, every=1), Rejected, "HTTP 400"),
    Case("401", answer(401, {"message": "Invalid API Key"}), Rejected, "argument api_key"),
    Case("402", answer(402, {"message": "Insufficient credits", "required": 200, "available": 10}), Rejected, "200"),
    Case("403 as HTML", html(403), Rejected, "HTML page"),
    Case("404", answer(404, {"message": "no"}), Rejected),
    Case("408", answer(408, {"message": "Request Timeout"}), Unknown, "HTTP 408"),
    Case("413 as HTML", html(413), Rejected),
    Case(
        "429",
        answer(429, LIMIT, {"Retry-After": "7"}),
        Rejected,
        fits=lambda end: (end.error.limit, end.error.current, end.retry_after) == (3, 3, "7"),
    ),
    Case(
        "429 as HTML",
        html(429),
        Rejected,
        fits=lambda end: isinstance(end.error, ConcurrencyLimitError) and end.error.limit is None,
    ),
    Case("429 cut", answer(429, b'{"limit":3', length=99), Rejected, fits=lambda end: end.error.limit is None),
    Case(
        "500 as JSON",
        answer(500, {"message": "Internal server error"}),
        Unknown,
        fits=lambda end: isinstance(end.internal_error, ServerError),
    ),
    Case("500 as HTML", html(500), Unknown, "HTTP 500", fits=lambda end: end.internal_error is None),
    Case(
        "500 cut",
        answer(500, b'{"message":"Internal server error"}', length=99),
        Unknown,
        fits=lambda end: end.internal_error is None,
    ),
    Case("502 as HTML", html(502), Unknown, "HTTP 502", fits=lambda end: end.internal_error is None),
    Case("502 as JSON", answer(502, {"message": "x"}), Unknown, fits=lambda end: end.internal_error is None),
    Case("503", answer(503, b"", {"Retry-After": "5"}), Unknown, "HTTP 503"),
    Case("524", html(524), Unknown, "HTTP 524"),
    Case("no answer", hang, Unknown, "TimeoutError"),
    Case("dropped", drop, Unknown, "ServerDisconnectedError"),
    Case("reset", reset, Unknown),
    Case("dropped before the body", drop_before_body, Unknown),
    Case("reset before the body", reset_before_body, Unknown),
    Case("no HTTP", bytes_only(b"SSH-2.0-OpenSSH_9.9\r\n"), Unknown),
    Case("half a status line", bytes_only(b"HTTP/1.1 20"), Unknown),
    Case("half a head", bytes_only(b"HTTP/1.1 200 OK\r\nContent-Le"), Unknown),
    Case("a huge head", bytes_only(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), Unknown),
    Case("a bad length", bytes_only(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}"), Unknown),
    Case("an endless 100", bytes_only(b"HTTP/1.1 100 Continue\r\n\r\n"), Unknown),
]


async def create(transport: Transport, body: bytes = BODY) -> tuple[Outcome, Reply, SendMark]:
    """Send one create; return how it ended."""
    mark = SendMark()
    reply = await transport.create(body, mark)
    return classify(reply, transport.key.source), reply, mark


def words(outcome: Outcome) -> str:
    """What an outcome says."""
    match outcome:
        case Rejected(error=error):
            return str(error)
        case Unknown(cause=cause) | NotSent(cause=cause):
            return str(cause)
        case Accepted(task_id=task_id):
            return task_id


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_a_server_may_do(make: Make, server: Server, case: Case) -> None:
    """Each thing has its outcome; the mark is set; one POST has arrived, and no second one comes."""
    server.script, server.otherwise = [case.reaction], answer(200, {"taskId": "task_of_a_second_create"})
    transport = await make(server.base_url, create=30.0)
    outcome, _, mark = await create(transport)
    assert type(outcome) is case.outcome, words(outcome)
    assert case.says in words(outcome)
    assert case.fits(outcome)
    assert mark.is_set
    if isinstance(outcome, Accepted):
        assert outcome.task_id == "task_1"
    # Whatever repeats a create in the background has the time to do it.
    await asyncio.sleep(1000)
    assert [asked.target for asked in server.asked] == ["/api/v1/jobs/createTask"]
    assert server.connections == 1


async def test_a_connection_that_is_closed_at_once(make: Make, server: Server) -> None:
    """A server that closes before it reads has perhaps received it all the same."""
    server.on_connect = drop_at_once
    outcome, _, mark = await create(await make(server.base_url))
    assert isinstance(outcome, Unknown)
    assert mark.is_set
    assert server.connections == 1


# Not sent


async def test_nobody_listens(make: Make, closed_port: int) -> None:
    """A refused connection is not sent."""
    outcome, _, mark = await create(await make(f"http://127.0.0.1:{closed_port}/api/v1"))
    assert isinstance(outcome, NotSent)
    assert not mark.is_set
    assert "Connect call failed" in words(outcome)


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 70 + ".invalid", "..", "a b"])
async def test_no_such_host(make: Make, host: str) -> None:
    """A name that nobody knows, or that cannot be one, is not sent."""
    outcome, _, mark = await create(await make(f"https://{host}/api/v1"))
    assert isinstance(outcome, NotSent)
    assert not mark.is_set


async def test_no_tls_on_the_other_side(make: Make, server: Server) -> None:
    """https to a server that speaks plain http is not sent."""
    outcome, _, mark = await create(await make(server.base_url.replace("http:", "https:")))
    assert isinstance(outcome, NotSent)
    assert not mark.is_set
    assert server.asked == []


async def test_an_untrusted_certificate(make: Make, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A certificate that nobody vouches for is not sent to; with its authority given, it is."""
    async with Server(tls=tls, otherwise=answer(200, ID)) as secure:
        outcome, _, mark = await create(await make(secure.base_url))
        assert isinstance(outcome, NotSent)
        assert "certificate" in words(outcome).lower()
        assert not mark.is_set
        assert secure.asked == []
        outcome, _, mark = await create(await make(secure.base_url, ssl=trust))
        assert isinstance(outcome, Accepted)
        assert mark.is_set


@pytest.mark.parametrize("error", [RuntimeError("planted"), TimeoutError(), OSError("planted"), ValueError("planted")])
async def test_a_key_callable_that_raises(make: Make, server: Server, error: Exception) -> None:
    """Without a key nothing is sent, and what the callable says is not shown: it may be the key."""

    def give() -> str:
        raise error

    outcome, _, mark = await create(await make(server.base_url, key=give))
    assert isinstance(outcome, NotSent)
    assert words(outcome) == f"ConfigurationError: the api_key callable failed: {type(error).__name__}"
    assert not mark.is_set
    assert server.connections == 0


# The same exception before and after


async def test_timeouts_are_told_apart(
    make: Make, server: Server, deaf_port: int, tls: ssl.SSLContext, closed_port: int
) -> None:
    """A `TimeoutError` before the connection stands is not sent, and one after it is unknown."""

    async def late_key() -> str:
        async with asyncio.timeout(3):
            await asyncio.sleep(1000)
        raise AssertionError

    async def silence(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(1e6)
        return False

    server.otherwise = hang
    async with Server(on_connect=silence) as mute:
        before = [
            await make(server.base_url, key=late_key),
            await make(f"http://127.0.0.1:{deaf_port}/api/v1"),
            await make(mute.base_url.replace("http:", "https:")),
        ]
        loop = asyncio.get_running_loop()
        for transport, seconds in zip(before, (3.0, 10.0, 10.0), strict=True):
            begin = loop.time()
            outcome, reply, mark = await create(transport)
            assert isinstance(outcome, NotSent)
            assert "Timeout" in str(outcome.cause)
            assert not mark.is_set
            assert isinstance(reply, NoAnswer)
            assert not reply.sent
            assert seconds <= loop.time() - begin <= seconds + 1.5
        assert mute.asked == server.asked == []
        begin = loop.time()
        outcome, reply, mark = await create(await make(server.base_url))
        assert isinstance(outcome, Unknown)
        assert "Timeout" in str(outcome.cause)
        assert mark.is_set
        assert len(server.posts) == 1
        assert 120 <= loop.time() - begin <= 131


@pytest.mark.parametrize("stage", ["key", "connect", "answer", "body"])
async def test_cancelled_at_each_stage(make: Make, server: Server, deaf_port: int, stage: str) -> None:
    """The mark tells a cancelled create that may have arrived from one that cannot have."""

    async def slow_key() -> str:
        await asyncio.sleep(1000)
        return KEY

    server.script = [drip(200, b" " * 1000, every=1) if stage == "body" else hang]
    url = f"http://127.0.0.1:{deaf_port}/api/v1" if stage == "connect" else server.base_url
    transport = await make(url, key=slow_key if stage == "key" else KEY, connect=500.0)
    mark = SendMark()
    task = asyncio.create_task(transport.create(BODY, mark))
    await asyncio.sleep(50)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert mark.is_set is (stage in {"answer", "body"})
    assert len(server.posts) == int(mark.is_set)


# What leaves


async def test_what_a_create_looks_like(make: Make, server: Server) -> None:
    """Exactly the body, with its length, the key, the content type, our name; nothing that invites a repeat."""
    server.otherwise = answer(200, ID)
    outcome, reply, _ = await create(await make(server.base_url))
    assert outcome == Accepted("task_1")
    assert isinstance(reply, Answer)
    (asked,) = server.asked
    assert asked.body == BODY
    assert asked.headers["content-length"] == str(len(BODY))
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["user-agent"].startswith("seedance-async/")
    assert asked.headers["connection"] == "close"
    assert not {"expect", "content-encoding", "transfer-encoding", "cookie"} & set(asked.headers)


async def test_each_create_has_its_own_connection(make: Make, server: Server) -> None:
    """No create uses a connection of another, though the server would keep it open; polls do share."""
    server.otherwise = answer(200, ID, {"Connection": "keep-alive"})
    transport = await make(server.base_url)
    for _ in range(5):
        assert (await create(transport))[0] == Accepted("task_1")
    assert [asked.connection for asked in server.posts] == [1, 2, 3, 4, 5]
    for _ in range(5):
        await transport.poll("task_1")
    assert {asked.connection for asked in server.polls} == {6}
    assert (await create(transport))[0] == Accepted("task_1")
    assert server.posts[-1].connection == 7


async def test_fifty_creates_at_once(make: Make, server: Server) -> None:
    """Creates do not wait for each other's connections: their number is the slots' business."""
    server.otherwise = drip(200, json.dumps(ID).encode(), every=1)
    transport = await make(server.base_url)
    begin = asyncio.get_running_loop().time()
    ends = await asyncio.gather(*(create(transport) for _ in range(50)))
    assert [outcome for outcome, _, _ in ends] == [Accepted("task_1")] * 50
    assert len(server.posts) == 50
    assert asyncio.get_running_loop().time() - begin < 30


async def test_no_cookies(make: Make, server: Server) -> None:
    """What the service sets is not sent back: a cookie could tie requests together."""
    server.otherwise = answer(200, ID, {"Set-Cookie": "session=abc; Path=/"})
    transport = await make(server.base_url)
    for _ in range(2):
        await create(transport)
        await transport.poll("task_1")
    assert [asked for asked in server.asked if "cookie" in asked.headers] == []


async def test_large_bodies(make: Make, server: Server) -> None:
    """A body that does not fit into one write arrives whole; one whose reader goes away is unknown."""
    body = json.dumps({"inputs": {"prompt": "x" * 900_000}}).encode()
    server.script = [answer(200, ID), drop_before_body]
    transport = await make(server.base_url)
    assert (await create(transport, body))[0] == Accepted("task_1")
    assert server.posts[0].body == body
    outcome, _, mark = await create(transport, body)
    assert isinstance(outcome, Unknown)
    assert mark.is_set
    assert len(server.posts) == 2
