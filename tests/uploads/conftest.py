"""Each test has an emulator and sessions of its own, in one loop, on virtual time."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from seedance_async.testing import Emulator
from tests.session.service import Service, Start


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
        assert service.emulator.statistics().keys_leaked == 0, "the key went to the host of the files"
