"""Each test of this folder runs against both applications, unless it says otherwise."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from examples.web.settings import WebSettings
from seedance_async.testing import Emulator
from tests.examples.serving import KINDS, Visitor, served, settings_for, visiting


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which application."""
    name: str = request.param
    return name


@pytest.fixture
async def service(emulator: Callable[..., Awaitable[Emulator]]) -> Emulator:
    """An account with two slots, and tasks of a minute."""
    return await emulator(limit=2, durations=60.0)


@pytest.fixture
def settings(service: Emulator, tmp_path: Path) -> WebSettings:
    """What the application is told."""
    return settings_for(service, tmp_path, concurrency=2)


@pytest.fixture
async def url(kind: str, settings: WebSettings) -> AsyncIterator[Any]:
    """Where the application is."""
    async with served(kind, settings) as address:
        yield address


@pytest.fixture
async def visitor(url: str) -> AsyncIterator[Visitor]:
    """A visitor."""
    async with visiting(url) as one:
        yield one
