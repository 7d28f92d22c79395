"""The clock of the shells: the loop's time, which a test may make virtual."""

import asyncio
from datetime import UTC, datetime

from attrs import define, field


def wall_now() -> datetime:
    """Return the present moment in UTC, for what is compared with dates that the service sends."""
    return datetime.now(UTC)


@define
class Alarm:
    """Something one task waits for: a moment, or to be rung before it."""

    _rung: bool = field(init=False, default=False)
    _waiter: asyncio.Future[None] | None = field(init=False, default=None)

    def ring(self) -> None:
        """End the present wait, or the next one at once."""
        self._rung = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait_until(self, moment: float | None) -> None:
        """Wait until the loop's time is `moment`, or until rung; None waits for the ring alone.

        One task at a time may wait. Cancellation leaves nothing behind.
        """
        loop = asyncio.get_running_loop()
        if not self._rung and (moment is None or moment > loop.time()):
            self._waiter = loop.create_future()
            timer = None if moment is None else loop.call_at(moment, self.ring)
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        else:
            # A task that is rung all the time, or waits for what is past, must let others run.
            await asyncio.sleep(0)
        self._rung = False
