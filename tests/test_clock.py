"""The alarm: waiting for a moment, or to be rung before it."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from datetime import UTC

import pytest

from seedance_async.clock import Alarm, wall_now
from seedance_async.testing import VirtualClockLoop


def clock() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


async def test_waits_for_the_moment() -> None:
    """Without a ring the wait ends at its moment."""
    alarm, begin = Alarm(), clock()
    await alarm.wait_until(begin + 30)
    assert clock() == begin + 30


async def test_rung_before() -> None:
    """A ring ends the wait at once."""
    alarm, begin = Alarm(), clock()
    asyncio.get_running_loop().call_later(5, alarm.ring)
    await alarm.wait_until(begin + 30)
    assert clock() == begin + 5


async def test_rung_while_nobody_waits() -> None:
    """A ring is kept for the next wait, and only for that one."""
    alarm, begin = Alarm(), clock()
    alarm.ring()
    alarm.ring()
    await alarm.wait_until(begin + 30)
    assert clock() == begin
    await alarm.wait_until(begin + 30)
    assert clock() == begin + 30


@pytest.mark.parametrize("ago", [0.0, 1.0, 1e9])
async def test_a_moment_that_is_past(ago: float) -> None:
    """What is past is not waited for, but others get their turn."""
    alarm, begin, turns = Alarm(), clock(), list[int]()

    async def other() -> None:
        for turn in range(3):
            turns.append(turn)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    for _ in range(5):
        await alarm.wait_until(begin - ago)
    assert turns == [0, 1, 2]
    assert clock() == begin
    await task


async def test_rung_all_the_time() -> None:
    """One that is rung all the time lets others run as well."""
    alarm, turns = Alarm(), list[int]()

    async def other() -> None:
        turns.append(1)

    task = asyncio.create_task(other())
    for _ in range(3):
        alarm.ring()
        await alarm.wait_until(None)
    assert turns == [1]
    await task


async def test_waits_for_the_ring_alone() -> None:
    """Without a moment only a ring ends it."""
    alarm = Alarm()
    asyncio.get_running_loop().call_later(1e6, alarm.ring)
    begin = clock()
    await alarm.wait_until(None)
    assert clock() == begin + 1e6


async def test_cancelled() -> None:
    """A cancelled wait leaves no timer, and a ring after it is kept for the next."""
    alarm, begin = Alarm(), clock()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await alarm.wait_until(begin + 30)
    await alarm.wait_until(begin + 50)
    assert clock() == begin + 50
    alarm.ring()
    await alarm.wait_until(None)


async def test_rung_twice_in_one_step() -> None:
    """Two rings before the waiter runs are one."""
    alarm = Alarm()
    asyncio.get_running_loop().call_later(1, alarm.ring)
    asyncio.get_running_loop().call_later(1, alarm.ring)
    begin = clock()
    await alarm.wait_until(begin + 30)
    assert clock() == begin + 1


class CoarseLoop(VirtualClockLoop):
    """A loop whose timers are rounded to milliseconds, as those of uvloop are."""

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        rounded = self.time() + round((when - self.time()) * 1000) / 1000
        return super().call_at(rounded, callback, *args, context=context)


def test_a_timer_that_goes_off_early() -> None:
    """Where the loop's timers go off half a millisecond early, nobody is woken before the moment has come."""

    async def wait() -> float:
        await Alarm().wait_until(1.0004)
        return clock()

    with asyncio.Runner(loop_factory=CoarseLoop) as runner:
        assert 1.0004 <= runner.run(wait()) <= 1.002


def test_the_wall_clock_is_utc() -> None:
    """What is compared with the service's dates has a zone."""
    assert wall_now().tzinfo is UTC
