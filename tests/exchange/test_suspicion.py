"""Creates that get lost: one leaves at a time, and the session rests meanwhile."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from seedance_async import AsyncSeedance
from seedance_async.hooks import AttemptEnded, GateClosed, GateOpened, HookEvent, SlotAcquired
from seedance_async.testing import Emulator, Fault


@contextmanager
def not_longer_than(seconds: float) -> Iterator[None]:
    """Cancel the test after so many real seconds: a dispatcher that spins keeps the virtual clock from moving."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    timer = threading.Timer(seconds, loop.call_soon_threadsafe, (task.cancel,))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


async def test_one_create_at_a_time_while_they_get_lost(emulator: Callable[..., Awaitable[Emulator]]) -> None:
    """After three lost creates one leaves at a time; the session does not spin while its answer is awaited."""
    service = await emulator(limit=5, faults=[Fault("hang-after-accept", count=6)])
    events: list[HookEvent] = []
    async with AsyncSeedance(
        service.api_key, base_url=service.base_url, concurrency=5, hooks=[events.append]
    ) as session:
        for number in range(10):
            session.enqueue(f"prompt {number}")
        with not_longer_than(20):
            await asyncio.wait_for(session.drain(), 10_000)
        statistics = session.statistics()
    assert (statistics.unknown, statistics.succeeded, statistics.creates) == (6, 4, 10)
    assert service.statistics().creates == 10
    wire, most, suspicious = 0, 0, False
    for event in events:
        wire += isinstance(event, SlotAcquired) - isinstance(event, AttemptEnded)
        suspicious = suspicious or isinstance(event, GateOpened)
        if isinstance(event, AttemptEnded) and event.outcome == "accepted":
            break
        most = max(most, wire if suspicious else 0)
    assert most == 1
    # The gate closed after the third loss and after each that left alone, until one was accepted.
    assert sum(isinstance(event, GateClosed) for event in events) == 3
