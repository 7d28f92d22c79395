"""Deliveries by hand, and an ASGI application behind a real server."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from attrs import frozen

from seedance_async.webhooks import Delivery, parse_delivery

Serve = Callable[[web.Application], Awaitable[str]]


def raw(task_id: str, status: str = "success") -> bytes:
    """The body of a delivery."""
    return json.dumps({"code": 200, "message": "success", "data": {"taskId": task_id, "status": status}}).encode()


def delivery(task_id: str, status: str = "success") -> Delivery:
    """A delivery as a route would parse it."""
    return parse_delivery(raw(task_id, status), {})


@frozen
class Got:
    """What an application answered."""

    status: int
    text: str
    headers: Mapping[str, str]


async def call(
    app: Any,
    method: str = "POST",
    path: str = "/",
    body: bytes | list[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    **scope: object,
) -> Got | None:
    """Call an ASGI application; None if it did not answer. A body that is a list comes in such pieces."""
    pieces = [body] if isinstance(body, bytes) else body
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if pieces:
        messages[-1]["more_body"] = False
    else:
        messages = [{"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    await app({"type": "http", "method": method, "path": path, "headers": pairs, **scope}, receive, send)
    if not sent:
        return None
    begin, *rest = sent
    text = b"".join(message["body"] for message in rest).decode()
    return Got(begin["status"], text, {name.decode(): value.decode() for name, value in begin["headers"]})


def behind_a_server(app: Any, prefix: str = "") -> web.Application:
    """Serve an ASGI application below a prefix, as Starlette mounts one: the path whole, the prefix as `root_path`."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        headers = dict(request.headers)
        got = await call(app, request.method, request.path, body, headers, root_path=prefix)
        assert got is not None
        return web.Response(status=got.status, text=got.text or None)

    server = web.Application()
    server.router.add_route("*", prefix + "/{rest:.*}", handle)
    return server
