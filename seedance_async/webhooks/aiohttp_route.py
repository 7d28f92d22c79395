"""The ready-made route as an application of aiohttp.web."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from seedance_async.core.delivery import MAX_BODY
from seedance_async.errors import DeliveryError
from seedance_async.webhooks.answering import Notifies, Receiver, receiver_of, respond

if TYPE_CHECKING:
    from aiohttp import web


def aiohttp_app(target: Notifies | Receiver) -> "web.Application":
    """Return an application of aiohttp.web that takes deliveries, to be mounted under any prefix.

    Such as `app.add_subapp("/seedance", aiohttp_app(session))`. It answers as `asgi_app` does.

    Args:
        target: See `asgi_app`.

    Raises:
        ConfigurationError: See `asgi_app`.
    """
    # Here, because who mounts an ASGI application needs no server of aiohttp's.
    from aiohttp import ClientError, web  # noqa: PLC0415
    from aiohttp.http_exceptions import HttpProcessingError  # noqa: PLC0415

    receiver = receiver_of(target)

    async def handle(request: web.Request) -> web.Response:
        async def body() -> AsyncGenerator[bytes, None]:
            try:
                async for chunk in request.content.iter_chunked(MAX_BODY):
                    yield chunk
            except (OSError, ClientError, HttpProcessingError):
                # The server would log it as a failure of ours, and anybody can break a connection.
                raise DeliveryError("did not come whole") from None

        headers: dict[str, str] = {}
        for name in {name.lower() for name in request.headers}:
            headers[name] = ", ".join(request.headers.getall(name))
        answer = await respond(request.method, request.path, headers, body, receiver)
        response = web.Response(status=answer.status, headers=dict(answer.headers))
        if answer.text:
            response.body = answer.text.encode()
        if answer.status == 413:
            # What is left of the body is not read: the connection can serve nothing else.
            response.force_close()
        return response

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_route("*", "", handle)
    app.router.add_route("*", r"/{rest:[\s\S]*}", handle)
    return app
