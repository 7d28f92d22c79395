"""An exchange over real sockets on virtual time; the server is that of the transport's tests."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from attrs import define, field

from seedance_async import Catalogue, FixedPolling, RetryPolicy
from seedance_async.core.outcome import Outcome
from seedance_async.core.request import Request, prepare_call
from seedance_async.core.retry import Decision
from seedance_async.exchange import Exchange
from seedance_async.hooks import HookEvent, Hooks
from seedance_async.job import Job
from seedance_async.transport import Transport
from tests.transport.conftest import Make, closed_port, deaf_port, make, server

__all__ = ["Bench", "Lay", "closed_port", "deaf_port", "lay", "make", "request_for", "server"]


def request_for(catalogue: Catalogue = Catalogue.CLASSIC, prompt: str = "a lake", **fields: object) -> Request:
    """Prepare a text-to-video request."""
    return prepare_call(prompt, fields, catalogue)


@define
class Bench:
    """An exchange and all that it did.

    Attributes:
        exchange: What is tested.
        go_on: What a pause says afterwards; a pause takes its time first.
        events: What the hooks heard.
        outcomes: What the session would have heard, in order.
        pauses: The delays that were asked for.
    """

    exchange: Exchange
    go_on: bool = True
    events: list[HookEvent] = field(factory=list)
    outcomes: list[Outcome] = field(factory=list)
    pauses: list[float] = field(factory=list)

    async def create(self, request: Request | None = None, key: str = "order-17") -> Decision:
        """Send a create until it is decided."""
        request = request or request_for()
        job = Job(key, request, FixedPolling(1.0), request.typical_seconds, patient=False, enqueued_at=0.0)
        return await self.exchange.create(job, request, heard=self._heard, pause=self._pause)

    def all(self, kind: type[HookEvent]) -> list[HookEvent]:
        """The events of a class."""
        return [event for event in self.events if isinstance(event, kind)]

    def _heard(self, _job: Job, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    async def _pause(self, _job: Job, delay: float) -> bool:
        self.pauses.append(delay)
        await asyncio.sleep(delay)
        return self.go_on


Lay = Callable[..., Awaitable[Bench]]


@pytest.fixture
def lay(make: Make) -> Lay:
    """Make an exchange: `await lay(server.base_url)`."""

    async def one(base_url: str, *, retry: RetryPolicy | None = None, **timeouts: float) -> Bench:
        transport: Transport = await make(base_url, **timeouts)
        events: list[HookEvent] = []
        exchange = Exchange(transport, retry or RetryPolicy(), lambda: 0.5, Hooks([events.append]))
        return Bench(exchange, events=events)

    return one
