"""A scripted file host, and downloads from it over real sockets on virtual time."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest
from attrs import Factory, define

from seedance_async.core.results import TaskSnapshot
from seedance_async.downloads import Downloads
from tests.downloads.host import FileHost


@define
class Service:
    """What stands for `recordInfo`: the snapshots or errors it answers with, in order, and who asked."""

    answers: list[TaskSnapshot | Exception] = Factory(list)
    asked: list[str] = Factory(list)

    async def refresh(self, task_id: str) -> TaskSnapshot:
        self.asked.append(task_id)
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
async def host() -> AsyncIterator[FileHost]:
    """One file host."""
    async with FileHost() as host:
        yield host


@pytest.fixture
def service() -> Service:
    """What answers a refresh."""
    return Service()


@pytest.fixture
async def make_downloads(service: Service) -> AsyncIterator[Callable[..., Awaitable[Downloads]]]:
    """Make downloads with options; closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def make(**options: object) -> Downloads:
            session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
            downloads = Downloads(lambda: session, service.refresh, rand=lambda: 1.0, **options)  # type: ignore[arg-type]
            stack.callback(downloads.close)
            return downloads

        yield make


@pytest.fixture
async def downloads(make_downloads: Callable[..., Awaitable[Downloads]]) -> Downloads:
    """Downloads as a session makes them, with delays that chance does not shorten."""
    return await make_downloads()
