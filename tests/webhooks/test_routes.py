"""The ready-made routes: 2xx to what is well-formed, 4xx to the rest, never 5xx, the same from both."""

import asyncio
import gzip
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from fastapi import FastAPI

from seedance_async import AsyncSeedance, ConfigurationError
from seedance_async.webhooks import MAX_BODY, Delivery, aiohttp_app, asgi_app
from tests.session.service import Start
from tests.webhooks.serving import Got, Serve, call, raw

TOKEN = "A" * 43
JSON = {"Content-Type": "application/json"}
Ask = Callable[..., Awaitable[Got]]


class Box:
    """A receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str | None]] = []

    def __call__(self, delivery: Delivery, *, token: str | None) -> None:
        self.got.append((delivery.task_id, token))


@pytest.fixture(params=["asgi", "aiohttp"])
async def ask(request: Any, serve: Serve) -> AsyncIterator[Callable[[Any], Awaitable[Ask]]]:
    """Ask the route, either of them, for a receiver: `send = await ask(receiver)`."""
    async with aiohttp.ClientSession() as client:

        async def begin(receiver: Any) -> Ask:
            if request.param == "asgi":
                app = asgi_app(receiver)

                async def send(method: str = "POST", path: str = "/", body: bytes = b"", **headers: str) -> Got:
                    got = await call(app, method, path, body, {**JSON, **headers})
                    assert got is not None
                    return got

                return send
            above = web.Application()
            above.add_subapp("/hooks", aiohttp_app(receiver))
            url = await serve(above)

            async def post(method: str = "POST", path: str = "/", body: bytes = b"", **headers: str) -> Got:
                async with client.request(
                    method, f"{url}/hooks{path}", data=body, headers={**JSON, **headers}
                ) as answer:
                    return Got(answer.status, await answer.text(), answer.headers)

            return post

        yield begin


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("", ""), ("/", ""), (f"/{TOKEN}", TOKEN), (f"/{TOKEN}/", TOKEN), (f"/a/b/{TOKEN}", TOKEN), ("/short", ""),
        (f"/{'A' * 129}", ""), (f"/{'A' * 4000}", ""), ("/..%2f..%2fetc", ""), ("/%00%0d%0aX-Injected:1", ""),
        (f"/{TOKEN}%0a", ""), (f"/%C3%A4{TOKEN}", ""),
    ],
    ids=lambda value: f"{value[:14]}..{value[-5:]}-{len(value)}",
)  # fmt: skip
async def test_the_token_is_the_last_part_of_the_path(ask: Any, path: str, token: str) -> None:
    """Whatever is before it; what cannot be one is none, and answered like everything else."""
    box = Box()
    send = await ask(box)
    got = await send("POST", path, raw("task_1"))
    assert (got.status, got.text) == (204, "")
    assert box.got == [("task_1", token)]
    assert "x-injected" not in {name.lower() for name in got.headers}


async def test_what_is_malformed_is_a_400_that_repeats_nothing(ask: Any) -> None:
    """The receiver hears nothing of it."""
    box = Box()
    send = await ask(box)
    for body in (b"", b"s3cret", b"{}", b'{"data": {"taskId": "s3cret\\n", "status": "x"}}', b"[" * 1000):
        got = await send("POST", "/", body)
        assert got.status == 400
        assert "s3cret" not in got.text
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-type"] == "text/plain; charset=utf-8"
    assert (await send("POST", "/", raw("a"), **{"Content-Type": "text/html"})).status == 400
    assert (await send("POST", "/", gzip.compress(raw("a")), **{"Content-Encoding": "gzip"})).status == 400
    assert box.got == []


async def test_too_much_is_a_413(ask: Any) -> None:
    """One byte too many, or a length that says so."""
    send = await ask(Box())
    assert (await send("POST", "/", raw("a").ljust(MAX_BODY))).status == 204
    assert (await send("POST", "/", b" " * (MAX_BODY + 1))).status == 413


async def test_other_methods(ask: Any) -> None:
    """GET and HEAD say that something is here, OPTIONS what is allowed; nothing else is."""
    box = Box()
    send = await ask(box)
    got = await send("GET", f"/{TOKEN}")
    assert (got.status, got.text) == (200, "Callbacks for finished tasks are taken here, by POST.\n")
    head = await send("HEAD", "/")
    assert (head.status, head.text) == (200, "")
    options = await send("OPTIONS", "/")
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await send(method, "/")).status == 405
    assert box.got == []


async def test_a_receiver_may_be_a_coroutine_function(ask: Any) -> None:
    """It is awaited before the answer."""
    got = []

    async def receive(delivery: Delivery, *, token: str | None) -> None:
        await asyncio.sleep(1)
        got.append((delivery.task_id, token))

    send = await ask(receive)
    assert (await send("POST", f"/{TOKEN}", raw("task_1"))).status == 204
    assert got == [("task_1", TOKEN)]


async def test_a_receiver_that_fails_is_no_5xx(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; the service would not try again anyway."""

    def receive(delivery: Delivery, *, token: str | None) -> None:
        raise RuntimeError("a mistake")

    send = await ask(receive)
    assert (await send("POST", "/", raw("task_1"))).status == 204
    assert "the receiver of deliveries failed" in caplog.text


async def test_a_session_that_is_not_open_or_closed_is_no_5xx(
    ask: Any, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """A route outlives its session at both ends; the mistake of never opening one is logged."""
    service = await start()
    session = service.session()
    send = await ask(session)
    with caplog.at_level(logging.WARNING, "seedance_async"):
        assert (await send("POST", "/", raw("task_1"))).status == 204
    assert "the session is not open" in caplog.text
    caplog.clear()
    async with session:
        assert (await send("POST", "/", raw("task_1"))).status == 204
    with caplog.at_level(logging.WARNING, "seedance_async"):
        assert (await send("POST", "/", raw("task_1"))).status == 204
    assert caplog.text == ""


@pytest.mark.parametrize("target", [None, "https://example.com", AsyncSeedance, 3])
def test_a_target_that_can_take_nothing_is_named(target: Any) -> None:
    """When the route is made, and not with the first delivery."""
    for make in (asgi_app, aiohttp_app):
        with pytest.raises(ConfigurationError, match="the route needs a session"):
            make(target)


async def test_a_slow_body_is_a_408() -> None:
    """Whoever drips bytes is sent away after some seconds."""
    app, sent = asgi_app(Box()), []

    async def receive() -> Any:
        await asyncio.sleep(1)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    assert sent[0]["status"] == 408
    assert asyncio.get_running_loop().time() < 20


async def test_a_long_body_is_read_up_to_the_limit_only() -> None:
    """An endless one does not fill the memory: nothing is asked for once it is too long."""
    app, asked = asgi_app(Box()), 0
    sent: list[Any] = []

    async def receive() -> Any:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    assert sent[0]["status"] == 413
    assert asked == MAX_BODY // 1000 + 1
    for length in (str(MAX_BODY + 1), "9" * 5000):
        asked = 0
        got = await call(app, "POST", "/", b"", {"Content-Length": length})
        assert got is not None
        assert got.status == 413
        assert asked == 0


async def test_a_client_that_goes_away_gets_no_answer() -> None:
    """In the middle of a body; and a body may come in pieces."""
    box = Box()
    app = asgi_app(box)
    assert await call(app, "POST", "/", []) is None
    whole = raw("task_1")
    got = await call(app, "POST", "/", [whole[:7], b"", whole[7:]])
    assert got is not None
    assert got.status == 204
    assert box.got == [("task_1", "")]


@pytest.mark.parametrize(
    "scope",
    [
        {"path": f"/hooks/{TOKEN}", "root_path": "/hooks"},  # Starlette, FastAPI
        {"path": f"/{TOKEN}", "root_path": "/hooks"},  # older ones, Litestar
        {"path": f"/{TOKEN}/", "root_path": ""},  # Litestar with a slash
        {"path": f"/outer/hooks/{TOKEN}", "root_path": "/outer"},  # behind a proxy, dispatched by hand (Django)
        {"path": f"/hooks/{TOKEN}", "root_path": "", "raw_path": f"/hooks/{TOKEN}?x=1".encode()},
    ],
)
async def test_every_way_to_mount_it(scope: Mapping[str, Any]) -> None:
    """Frameworks differ in what of the prefix is in the path."""
    box = Box()
    got = await call(asgi_app(box), "POST", body=raw("task_1"), **scope)
    assert got is not None
    assert got.status == 204
    assert box.got == [("task_1", TOKEN)]


async def test_fastapi_mounts_it_under_a_prefix() -> None:
    """As the documentation says; and what is beside the prefix is the application's."""
    box, app = Box(), FastAPI()
    app.mount("/hooks", asgi_app(box))
    for path in ("/hooks", "/hooks/", f"/hooks/{TOKEN}", f"/hooks/a/{TOKEN}/"):
        got = await call(app, "POST", path, raw("task_1"), JSON, query_string=b"", root_path="")
        assert got is not None
        assert got.status in ({307, 204} if path == "/hooks" else {204}), path
    got = await call(app, "POST", "/other", raw("task_1"), JSON, query_string=b"", root_path="")
    assert got is not None
    assert got.status == 404
    assert [token for _, token in box.got][-3:] == ["", TOKEN, TOKEN]


async def test_other_scopes() -> None:
    """The lifespan is answered, a websocket closed, anything else is an error as ASGI has it."""
    app = asgi_app(Box())
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}, {"type": "websocket.connect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "lifespan"}, receive, send)
    await app({"type": "websocket", "path": "/"}, receive, send)
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
        "websocket.close",
    ]
    with pytest.raises(ValueError, match="unknown type"):
        await app({"type": "other"}, receive, send)


async def test_doubled_headers_hide_nothing() -> None:
    """Of two content types both count."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": raw("task_1")}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"text/html"), (b"Content-Type", b"application/json"), (b"\xff", b"\xff")]
    await asgi_app(Box())({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
    assert sent[0]["status"] == 400


async def test_nothing_of_a_call_gets_into_the_log(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neither what was sent nor the token."""
    send = await ask(Box())
    with caplog.at_level(logging.DEBUG, "seedance_async"):
        await send("POST", f"/{TOKEN}", b'{"data": {"taskId": "evil\\u001b[31m", "status": "x"}}')
        await send("POST", f"/{TOKEN}", raw("task_1"))
    assert not re.search(f"evil|task_1|{TOKEN}", "".join(caplog.messages))


async def test_a_call_that_breaks_off_is_no_failure_of_the_server(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody can send half a body and go: no traceback is logged for it, and nothing is delivered."""
    box = Box()
    url = await serve(aiohttp_app(box))
    _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(1)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(1)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert box.got == []
