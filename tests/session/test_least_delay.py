"""A policy that wishes to look all the time is bounded, but for the first look at a task."""

import asyncio

from seedance_async import FixedPolling
from tests.session.service import Start, clock


async def test_the_first_look_may_come_at_once(start: Start) -> None:
    """A task that has ended when it is accepted is not kept waiting: its slot is free for the next."""
    service = await start(limit=1, durations=0.0)
    session = await service.open(concurrency=1, polling=FixedPolling(1e-6))
    began = clock()
    await asyncio.gather(*(session.generate(f"lake {number}") for number in range(20)))
    assert service.emulator.statistics().polls == 20
    assert clock() - began < 20 * 0.01


async def test_later_looks_are_a_hundred_a_second_at_most(start: Start) -> None:
    """Whatever the policy says, a task that runs is not asked for without a pause."""
    service = await start(limit=1, durations=2.0)
    session = await service.open(concurrency=1, polling=FixedPolling(1e-6))
    await session.generate("a lake")
    assert 50 <= service.emulator.statistics().polls <= 202
