"""Each test has an emulator and sessions of its own, as the session's tests have, and servers that take deliveries."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from seedance_async.testing import Emulator
from tests.session.service import Service, Start
from tests.webhooks.serving import Serve


@pytest.fixture
async def start(emulator: Callable[..., Awaitable[Emulator]]) -> AsyncIterator[Start]:
    """Start the service: `service = await start(limit=3)`. A task takes a minute unless it says otherwise."""
    services: list[Service] = []

    async def begin(**options: Any) -> Service:
        service = Service(await emulator(**{"limit": 3, "durations": 60.0, **options}))
        services.append(service)
        return service

    yield begin
    for service in services:
        await service.close()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve an application of aiohttp.web on this machine and return where."""
    runners: list[web.AppRunner] = []

    async def begin(app: web.Application) -> str:
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield begin
    for runner in runners:
        await runner.cleanup()
