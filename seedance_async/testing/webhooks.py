"""Deliver webhooks as the service does: once, unsigned, without a second try. Only to this machine."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, Literal, cast

import aiohttp

from seedance_async import _guard
from seedance_async.core.redact import redact_url
from seedance_async.testing.answers import encode
from seedance_async.testing.faults import Strike
from seedance_async.testing.tasks import WorldTask, webhook
from seedance_async.testing.world import World

_LOGGER: Final = logging.getLogger("seedance_async.testing")
#: Seconds for a receiver to answer; the service's own are not published.
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)

Form = Literal["status", "state"]


class WebhookSender:
    """Sends webhooks of one emulator.

    Attributes:
        form: Which of the two published body forms is used.
        sent: Requests sent so far.
    """

    def __init__(self, world: World, now: Callable[[], float], *, form: Form) -> None:
        self.form: Form = form
        self.sent = 0
        self._world = world
        self._now = now
        self._client: aiohttp.ClientSession | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._deliveries: set[asyncio.Task[None]] = set()

    def plan(self, task: WorldTask, strike: Strike) -> None:
        """Arrange what will be sent about a task that was just accepted."""
        url = task.order.callback_url
        if url is None:
            return
        if not _guard.is_loopback(url):
            _LOGGER.warning("no webhook is sent to %s: it is not on this machine", redact_url(url))
            return
        chosen = strike.find("webhook-form")
        form = self.form if chosen is None else cast("Form", chosen.meaning)
        forged = strike.find("webhook-forged")
        if forged is not None:
            self._later(forged.lasting, url, lambda: webhook(self._forge(task), form))
        if strike.find("webhook-lost") is not None or task.ends_at == float("inf"):
            return
        late, doubled = strike.find("webhook-late"), strike.find("webhook-doubled")
        delay = task.ends_at - self._now() + (late.lasting if late is not None else 0.0)

        def truth() -> dict[str, Any]:
            return webhook(self._world.record(task, max(self._now(), task.ends_at)), form)

        self._later(delay, url, truth)
        if doubled is not None:
            self._later(delay + doubled.lasting, url, truth)

    async def close(self) -> None:
        """Send nothing more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for delivery in self._deliveries:
            delivery.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _later(self, delay: float, url: str, body: Callable[[], dict[str, Any]]) -> None:
        def start() -> None:
            self._timers.discard(timer)
            delivery = asyncio.ensure_future(self._deliver(url, body()))
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._deliveries.discard)

        timer = asyncio.get_running_loop().call_later(max(0.0, delay), start)
        self._timers.add(timer)

    async def _deliver(self, url: str, body: dict[str, Any]) -> None:
        if self._client is None:
            self._client = aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        self.sent += 1
        headers = {"Content-Type": "application/json"}
        try:
            # A redirect could lead away from this machine.
            async with self._client.post(url, data=encode(body), headers=headers, allow_redirects=False) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            _LOGGER.info("the webhook to %s was not received: %s", redact_url(url), type(error).__name__)

    def _forge(self, task: WorldTask) -> dict[str, Any]:
        """Return the record of a task as somebody would forge it: the opposite of what will happen."""
        body = self._world.record(task, self._now())
        body["completeTime"] = body["createTime"]
        if task.failure is None:
            error = {"code": "500", "message": "Forged by somebody who knows the address"}
            return body | {"status": "fail", "output": None, "error": error}
        output = [{"url": "https://example.invalid/forged.mp4", "width": 1, "height": 1}]
        return body | {"status": "success", "output": output, "error": None}
