"""Polls, and what they share: connections, sessions of the user's, redirects, the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from seedance_async.core.answers import Answer, NoAnswer
from tests.transport.conftest import KEY, Make
from tests.transport.server import Exchange, Reaction, Server, answer, bytes_only, drip, drop, hang, html, raw, redirect
from tests.transport.test_creates import BODY, ID, create

RECORD = {"taskId": "task_1", "status": "waiting"}

Given = Callable[..., aiohttp.ClientSession]


@pytest.fixture
async def given() -> AsyncIterator[Given]:
    """Make sessions as a user may have them; closed at the end of the test."""
    async with AsyncExitStack() as stack:

        def make(**options: Any) -> aiohttp.ClientSession:
            session = aiohttp.ClientSession(**options)
            stack.push_async_callback(session.close)
            return session

        yield make


async def test_what_a_poll_looks_like(make: Make, server: Server) -> None:
    """A GET with the key, the content type that the service's documentation asks for, and our name."""
    server.otherwise = answer(200, RECORD)
    reply = await (await make(server.base_url)).poll("task_1")
    assert isinstance(reply, Answer)
    assert (reply.status, reply.body, reply.complete) == (200, RECORD, True)
    (asked,) = server.asked
    assert (asked.method, asked.target) == ("GET", "/api/v1/jobs/recordInfo?taskId=task_1")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"].startswith("seedance-async/")


@pytest.mark.parametrize(
    ("task_id", "written"),
    [
        ("task_1", "task_1"),
        ("a:b.c-d", "a%3Ab.c-d"),
        ("a&key=b", "a%26key%3Db"),
        ("a b", "a%20b"),
        ("a+b", "a%2Bb"),
        ("a/../b?c#d", "a%2F..%2Fb%3Fc%23d"),
        ("100%", "100%25"),
        ("%41", "%2541"),
        ("é", "%C3%A9"),
    ],
)
async def test_ids_are_quoted(make: Make, server: Server, task_id: str, written: str) -> None:
    """An id is opaque: whatever stands in it stays in its parameter."""
    server.otherwise = answer(200, RECORD)
    await (await make(server.base_url)).poll(task_id)
    assert server.asked[0].target == f"/api/v1/jobs/recordInfo?taskId={written}"


@pytest.mark.parametrize(
    ("reaction", "status", "complete"),
    [
        (answer(404, {"message": "Task not found"}), 404, True),
        (answer(429, {"message": "slow"}, {"Retry-After": "9"}), 429, True),
        (html(502), 502, True),
        (answer(200, b'{"taskId"', length=99), 200, False),
        (drip(200, b" " * 100, every=1), 200, False),
        (redirect(307, "/elsewhere"), 307, True),
    ],
    ids=["404", "429", "502", "cut", "drips", "307"],
)
async def test_answers(make: Make, server: Server, reaction: Reaction, status: int, complete: bool) -> None:
    """Whatever has a status is an answer, read as far as it came."""
    server.script = [reaction]
    reply = await (await make(server.base_url)).poll("task_1")
    assert isinstance(reply, Answer)
    assert (reply.status, reply.complete) == (status, complete)
    assert reply.retry_after == ("9" if status == 429 else None)
    assert len(server.asked) == 1


@pytest.mark.parametrize("reaction", [hang, bytes_only(b"SSH-2.0\r\n")], ids=["hang", "no HTTP"])
async def test_no_answer(make: Make, server: Server, reaction: Reaction) -> None:
    """What has no status within `Timeouts.poll` is none."""
    server.otherwise = reaction
    begin = asyncio.get_running_loop().time()
    reply = await (await make(server.base_url, poll=7.0)).poll("task_1")
    assert isinstance(reply, NoAnswer)
    assert asyncio.get_running_loop().time() - begin <= 8


async def test_a_deaf_server(make: Make, deaf_port: int) -> None:
    """Connecting counts, too."""
    begin = asyncio.get_running_loop().time()
    reply = await (await make(f"http://127.0.0.1:{deaf_port}/api/v1", poll=7.0)).poll("task_1")
    assert isinstance(reply, NoAnswer)
    assert 7 <= asyncio.get_running_loop().time() - begin <= 8


async def test_a_stale_connection(make: Make, server: Server) -> None:
    """A connection that the server closed meanwhile costs a poll nothing: a GET may be sent again."""

    async def close_later(_server: Server, exchange: Exchange) -> None:
        exchange.writer.write(raw(200, b"{}", {"Connection": "keep-alive"}))
        await exchange.writer.drain()
        await asyncio.sleep(1)
        exchange.writer.close()

    server.script = [close_later, answer(200, RECORD)]
    transport = await make(server.base_url)
    await transport.poll("task_1")
    await asyncio.sleep(5)
    reply = await transport.poll("task_1")
    assert isinstance(reply, Answer)
    assert reply.body == RECORD


# Redirects and other hosts


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("own", [True, False], ids=["own sessions", "a user's session"])
async def test_the_key_goes_nowhere_else(make: Make, server: Server, given: Given, status: int, own: bool) -> None:
    """No request is ever sent to where an answer points, so neither is the key."""
    async with Server(otherwise=answer(200, ID)) as elsewhere:
        server.otherwise = redirect(status, elsewhere.base_url + "/jobs/createTask")
        transport = await make(server.base_url, given=None if own else given())
        await create(transport)
        await transport.poll("task_1")
        assert elsewhere.connections == 0
        assert [asked.method for asked in server.asked] == ["POST", "GET"]


async def test_files_know_nothing_of_the_key(make: Make, server: Server) -> None:
    """The session for files sends our name and no key."""
    server.otherwise = answer(200, b"film")
    transport = await make(server.base_url)
    async with transport.files().get(server.base_url.replace("/api/v1", "/a.mp4")) as response:
        assert await response.read() == b"film"
    (asked,) = server.asked
    assert KEY not in str(asked)
    assert asked.headers["user-agent"].startswith("seedance-async/")


# A session of the user's


@pytest.mark.parametrize(
    "reaction",
    [
        redirect(307, "/api/v1/jobs/createTask"),
        redirect(308, "/api/v1/jobs/createTask"),
        answer(408),
        answer(500, {"message": "Internal server error"}),
        html(502),
        drop,
        hang,
        answer(200, b'{"task', length=50),
    ],
    ids=["307", "308", "408", "500", "502", "dropped", "hang", "cut"],
)
async def test_no_create_through_a_users_session(make: Make, server: Server, given: Given, reaction: Reaction) -> None:
    """One POST arrives, whatever the user's session would make of it: it serves polls only."""
    seen: list[str] = []

    async def replay(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        seen.append(f"middleware {request.method}")
        for _ in range(2):
            (await handler(request)).close()
        return await handler(request)

    async def traced(_session: aiohttp.ClientSession, _context: Any, params: aiohttp.TraceRequestStartParams) -> None:
        seen.append(f"trace {params.method}")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(traced)
    jar = aiohttp.CookieJar(unsafe=True)
    session = given(middlewares=(replay,), trace_configs=[trace], cookie_jar=jar, raise_for_status=True)
    jar.update_cookies({"theirs": "1"})
    server.script = [reaction]
    server.otherwise = answer(200, RECORD)
    transport = await make(server.base_url, given=session, create=20.0)
    await create(transport)
    await asyncio.sleep(1000)
    assert [asked.method for asked in server.asked] == ["POST"]
    assert "cookie" not in server.asked[0].headers
    assert seen == []
    reply = await transport.poll("task_1")
    assert isinstance(reply, Answer)
    assert reply.body == RECORD
    assert seen == ["trace GET", "middleware GET"]
    assert len(server.posts) == 1
    assert len(server.polls) == 3


async def test_raise_for_status_of_a_users_session(make: Make, server: Server, given: Given) -> None:
    """A session that raises for statuses gives answers here: the status is what is wanted."""
    server.otherwise = answer(404, {"message": "Task not found"})
    transport = await make(server.base_url, given=given(raise_for_status=True))
    reply = await transport.poll("task_1")
    assert isinstance(reply, Answer)
    assert reply.status == 404


async def test_the_key_of_a_users_session_is_not_used(make: Make, server: Server, given: Given) -> None:
    """Its headers do not replace ours."""
    server.otherwise = answer(200, RECORD)
    session = given(headers={"Authorization": "Bearer theirs", "X-Theirs": "1", "User-Agent": "theirs"})
    await (await make(server.base_url, given=session)).poll("task_1")
    (asked,) = server.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["x-theirs"] == "1"
    assert asked.headers["content-type"] == asked.headers["accept"] == "application/json"
    assert asked.headers["user-agent"].startswith("seedance-async/")


async def test_a_middleware_that_raises(make: Make, server: Server, given: Given) -> None:
    """Whatever a user's middleware raises is a missed poll."""

    async def broken(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        raise RuntimeError(f"headers: {request.headers}")

    transport = await make(server.base_url, given=given(middlewares=(broken,)))
    reply = await transport.poll("task_1")
    assert isinstance(reply, NoAnswer)
    assert reply.cause.type_name == "RuntimeError"
    assert KEY not in str(reply)


async def test_a_users_session_that_was_closed(make: Make, server: Server, given: Given) -> None:
    """A session that its owner closed gives missed polls; creates go on."""
    session = given()
    transport = await make(server.base_url, given=session)
    await session.close()
    reply = await transport.poll("task_1")
    assert isinstance(reply, NoAnswer)
    server.otherwise = answer(200, ID)
    await create(transport)
    assert len(server.posts) == 1


async def test_closing(make: Make, server: Server, given: Given) -> None:
    """Closing closes our sessions and leaves the user's open; a closed transport sends nothing."""
    server.otherwise = answer(200, RECORD)
    session = given()
    transport, other = await make(server.base_url, given=session), await make(server.base_url)
    await other.poll("task_1")
    files = other.files()
    await transport.aclose()
    await other.aclose()
    assert not session.closed
    assert files.closed
    asked = len(server.asked)
    _, reply, mark = await create(other, BODY)
    assert isinstance(reply, NoAnswer)
    assert not mark.is_set
    assert isinstance(await other.poll("task_1"), NoAnswer)
    assert len(server.asked) == asked
