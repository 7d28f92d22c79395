"""The ready-made route as a plain ASGI application."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from seedance_async.webhooks.answering import HttpAnswer, Notifies, Receiver, receiver_of, respond

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class _GoneError(Exception):
    """The client went away before its body was whole."""


def asgi_app(target: Notifies | Receiver) -> AsgiApp:
    """Return an ASGI application that takes deliveries, to be mounted under any prefix.

    With Starlette and FastAPI: `app.mount("/seedance", asgi_app(session))`. It answers 204 to everything that reads as
    a delivery, 400, 408 or 413 to the rest, and never 5xx.

    Args:
        target: A session, or a function that is called with a delivery and `token=`, such as `session.notify` or one
            that finds the session of the running application first. It may be a coroutine function.

    Raises:
        ConfigurationError: `target` is neither.
    """
    receiver = receiver_of(target)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await _http(scope, receive, send, receiver)
            case "lifespan":
                await _lifespan(receive, send)
            case "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1000})
            case _:
                raise ValueError(f"an ASGI scope of an unknown type: {scope['type']!r}")

    return app


async def _http(scope: Scope, receive: Receive, send: Send, receiver: Receiver) -> None:
    async def body() -> AsyncGenerator[bytes, None]:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _GoneError
            yield message.get("body", b"")
            if not message.get("more_body", False):
                return

    method = str(scope["method"]).upper()
    try:
        answer = await respond(method, str(scope.get("path", "")), _headers(scope.get("headers", ())), body, receiver)
    except _GoneError:
        return
    await _send(answer, send, with_body=method != "HEAD")


async def _send(answer: HttpAnswer, send: Send, *, with_body: bool) -> None:
    body = answer.text.encode()
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if answer.status != 204:
        headers.append((b"content-length", str(len(body)).encode("ascii")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body if with_body else b""})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Return the headers as text. Of a name that comes twice all values count, so that none hides another."""
    found: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
