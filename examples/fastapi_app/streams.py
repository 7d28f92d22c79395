"""Answers without a length, and clients that leave."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class ClosingStream(StreamingResponse):
    """A streamed answer that closes its generator when it ends, however it ends.

    A client that leaves ends the answer in the middle. Without this, the generator would be closed when somebody
    collects it.
    """

    def __init__(
        self,
        content: AsyncGenerator[bytes],
        status_code: int = 200,
        headers: dict[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        super().__init__(content, status_code, headers, media_type)
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with aclosing(self._content):
            await super().__call__(scope, receive, send)


async def until_gone(request: Request) -> None:
    """Wait until the client has hung up. The body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
