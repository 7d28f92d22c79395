"""The two applications, each behind its real server in the loop of the test, and a browser of a visitor."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import anyio
import uvicorn
from aiohttp import web
from attrs import frozen

from examples import aiohttp_app, fastapi_app
from examples.aiohttp_app.app import make_app as make_aiohttp_app
from examples.fastapi_app.app import make_app as make_fastapi_app
from examples.web.settings import GRACE, WebSettings
from examples.web.stopping import Stopping
from seedance_async.testing import Emulator

KINDS: Final = tuple(module.__name__.rpartition(".")[2] for module in (fastapi_app, aiohttp_app))
#: Idle connections are left alone: on virtual time minutes pass between two requests.
_KEEP_ALIVE: Final = 10**6
_BACKLOG: Final = 4096


def settings_for(emulator: Emulator, folder: Path, **others: Any) -> WebSettings:
    """Settings that lead to an emulator."""
    return WebSettings(api_key=emulator.api_key, base_url=emulator.base_url, journal=folder / "videos.db", **others)


@asynccontextmanager
async def served(
    kind: str, settings: WebSettings, stopping: Stopping | None = None, port: int = 0
) -> AsyncIterator[str]:
    """Run an application; gives its address."""
    if kind == "fastapi_app":
        serving = uvicorn_serving(make_fastapi_app(settings, stopping), port)
    else:
        serving = aiohttp_serving(make_aiohttp_app(settings, stopping), port)
    async with serving as url:
        yield url


@asynccontextmanager
async def uvicorn_serving(app: Any, port: int = 0) -> AsyncIterator[str]:
    """Run an ASGI application behind uvicorn, in this loop."""
    config = uvicorn.Config(
        app,
        port=port,
        lifespan="on",
        log_config=None,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        backlog=_BACKLOG,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            serving.result()
        await anyio.sleep(0.1)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def aiohttp_serving(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Run an application of aiohttp.web in this loop."""
    runner = web.AppRunner(app, handler_cancellation=True, keepalive_timeout=_KEEP_ALIVE, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, backlog=_BACKLOG).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def visiting(url: str, *, opens_page: bool = True) -> AsyncIterator["Visitor"]:
    """Be a visitor, with a cookie of one's own from the page."""
    jar = aiohttp.CookieJar(unsafe=True)
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, cookie_jar=jar, timeout=timeout, connector=connector) as http:
        if opens_page:
            async with http.get("/"):
                pass
        yield Visitor(http)


@frozen
class Event:
    """A server-sent event."""

    id: str
    data: dict[str, Any]


@frozen
class Visitor:
    """A visitor with a browser."""

    http: aiohttp.ClientSession

    async def order(self, prompt: str = "a lake at dawn", key: str | None = None, **fields: Any) -> tuple[int, Any]:
        """Order a video; gives the status and the JSON of the answer."""
        headers = {} if key is None else {"Idempotency-Key": key}
        async with self.http.post("/videos", json={"prompt": prompt, **fields}, headers=headers) as answer:
            return answer.status, await answer.json()

    async def show(self, video_id: str) -> dict[str, Any]:
        """Ask where a video stands."""
        async with self.http.get(f"/videos/{video_id}") as answer:
            assert answer.status == 200
            told: dict[str, Any] = await answer.json()
            return told

    async def finished(self, video_id: str) -> dict[str, Any]:
        """Ask until a video has ended."""
        while not (told := await self.show(video_id))["done"]:
            await anyio.sleep(5)
        return told

    async def follow(self, video_id: str, last_seen: str | None = None) -> AsyncIterator[Event]:
        """Read the events of a video until the server ends them."""
        headers = {} if last_seen is None else {"Last-Event-ID": last_seen}
        async with self.http.get(f"/videos/{video_id}/events", headers=headers) as answer:
            assert answer.status in {200, 204}
            async for event in read_events(answer):
                yield event


async def read_events(answer: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    """Parse a stream of events; comments and other fields are skipped."""
    found: dict[str, str] = {}
    async for line in answer.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            found[name] = value
        elif "data" in found:
            yield Event(found["id"], json.loads(found["data"]))
            found = {}
