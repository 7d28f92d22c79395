"""P6, one process, ten thousand handles: a job is a row, not an asyncio task, timer or socket."""

import asyncio
import gc
import time
import tracemalloc

from seedance_async import FixedPolling, TextToVideo
from tests.session.service import Start, slots

_LAKE = TextToVideo("a lake", output_resolution="480p")


async def test_ten_thousand_queued_jobs_are_rows(start: Start) -> None:
    """Queueing them takes no task and no timer for each, and little time and memory."""
    service = await start(limit=2)
    session = await service.open(concurrency=2)
    await session.submit("running [stuck]")
    await session.submit("running [stuck]")
    tasks, timers = len(asyncio.all_tasks()), _timers()
    gc.collect()
    tracemalloc.start()
    began = time.process_time()
    handles = [session.enqueue(_LAKE) for _ in range(10_000)]
    await asyncio.sleep(60)
    took = time.process_time() - began
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert slots(session) == (2, 10_000)
    # A poll or two may be in flight.
    assert len(asyncio.all_tasks()) <= tasks + 2
    assert _timers() <= timers + 10
    # Generous: a quarter of a millisecond each without tracing on this machine, and three kilobytes.
    assert took < 20
    assert size / 10_000 < 6_000
    assert handles[-1].position == 10_000
    began = time.process_time()
    assert all(handle.cancel() for handle in handles)
    await asyncio.sleep(1)
    assert time.process_time() - began < 5
    assert slots(session) == (2, 0)
    assert service.emulator.statistics().creates == 2


async def test_ten_thousand_waiters_cost_a_future_each(start: Start) -> None:
    """Awaiting them from ten thousand tasks works, and so does cancelling every one."""
    service = await start(limit=2)
    session = await service.open(concurrency=2)
    awaiters = [asyncio.create_task(session.generate(_LAKE)) for _ in range(10_000)]
    await asyncio.sleep(5)
    assert session.statistics().waiting == 9_998
    for awaiter in awaiters:
        awaiter.cancel()
    began = time.process_time()
    await asyncio.wait(awaiters)
    assert time.process_time() - began < 10
    assert session.statistics().waiting == 0
    assert len(session.pending) == 2


async def test_running_tasks_are_rows_as_well(start: Start) -> None:
    """A thousand running tasks have no task and no timer each; the polls in flight are bounded."""
    service = await start(limit=1000, credits=1_000_000)
    session = await service.open(concurrency=1000, polling=FixedPolling(20.0))
    tasks, timers = len(asyncio.all_tasks()), _timers()
    handles = [session.enqueue(inputs) for inputs in [_LAKE] * 1000]
    most = 0
    for _ in range(40):
        await asyncio.sleep(1)
        most = max(most, len(asyncio.all_tasks()))
    assert slots(session) == (1000, 0)
    # 24 polls of ours, and what serves them on the emulator's side.
    assert most <= tasks + 4 * 24
    assert _timers() <= timers + 4 * 24
    await session.drain()
    assert all(handle.done() for handle in handles)
    # Nothing remains of what has ended.
    assert session._opened is not None
    register = session._opened.register
    assert not register.tasks
    assert not register.running
    assert not register.unsettled


async def test_polls_in_flight_are_bounded(start: Start) -> None:
    """Two hundred tasks of a service that takes five seconds to answer are asked for a few at a time."""
    service = await start(limit=200)
    session = await service.open(concurrency=200)
    handles = [session.enqueue(_LAKE) for _ in range(200)]
    await asyncio.sleep(30)
    assert slots(session) == (200, 0)
    service.emulator.faults.add("slow-headers:on=poll,seconds=5")
    service.emulator._peak_requests = 0
    await asyncio.gather(*handles)
    assert service.emulator.statistics().peak_requests == 24


async def test_what_has_ended_is_forgotten(start: Start) -> None:
    """A session that lives long holds nothing of the jobs that nobody holds."""
    import weakref

    service = await start(limit=50, durations=5.0)
    session = await service.open(concurrency=50)
    seen = [weakref.ref(session.enqueue(_LAKE)) for _ in range(100)]
    await session.drain()
    await asyncio.sleep(30)
    gc.collect()
    assert [ref for ref in seen if ref() is not None] == []


def _timers() -> int:
    loop = asyncio.get_running_loop()
    return len([timer for timer in loop._scheduled if not timer.cancelled()])  # type: ignore[attr-defined]
