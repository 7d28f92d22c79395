"""The clock of the shells: the loop's time, which a test may make virtual."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from attrs import define, field

#: Seconds of the coarsest clock of an event loop, and by how much any timer may go off early.
_TICK: Final = 0.001
_ROUNDING: Final = 1e-6


def wall_now() -> datetime:
    """Return the present moment in UTC, for what is compared with dates that the service sends."""
    return datetime.now(UTC)


@define
class Alarm:
    """Something one task waits for: a moment, or to be rung before it."""

    _rung: bool = field(init=False, default=False)
    _waiter: asyncio.Future[None] | None = field(init=False, default=None)
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)

    def ring(self) -> None:
        """End the present wait, or the next one at once."""
        self._rung = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _ring_at(self, loop: asyncio.AbstractEventLoop, moment: float) -> None:
        # The clock of uvloop ticks in milliseconds, and its timers go off up to half of one early. Whoever is woken
        # then finds nothing to do and waits for the same moment again: it would spin.
        early = moment - loop.time()
        if early > _ROUNDING:
            self._timer = loop.call_later(max(early, _TICK), self._ring_at, loop, moment)
        else:
            self.ring()

    async def wait_until(self, moment: float | None) -> None:
        """Wait until the loop's time is `moment`, or until rung; None waits for the ring alone.

        One task at a time may wait. Cancellation leaves nothing behind.
        """
        loop = asyncio.get_running_loop()
        if not self._rung and (moment is None or moment > loop.time()):
            self._waiter = loop.create_future()
            if moment is not None:
                self._timer = loop.call_at(moment, self._ring_at, loop, moment)
            try:
                await self._waiter
            finally:
                self._waiter = None
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
        else:
            # A task that is rung all the time, or waits for what is past, must let others run.
            await asyncio.sleep(0)
        self._rung = False
