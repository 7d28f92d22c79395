"""P9, an outage is a pause: while the service is away one harmless request at a time asks for it."""

import asyncio
from itertools import pairwise

from seedance_async import RetryPolicy
from seedance_async.hooks import GateClosed, GateOpened
from seedance_async.testing import Fault
from tests.session.service import Service, Start, clock, lakes, slots, until
from tests.session.test_outages import reached


async def watched_polls(service: Service, seconds: float) -> list[float]:
    """Return when polls or probes came during so many seconds."""
    moments: list[float] = []
    before = service.emulator.statistics().polls
    stop = clock() + seconds
    while clock() < stop:
        await asyncio.sleep(0.25)
        polls = service.emulator.statistics().polls
        moments += [clock()] * (polls - before)
        before = polls
    return moments


async def test_one_probe_goes_at_a_time(start: Start) -> None:
    """While the service is away it gets single requests, at growing intervals of at most a minute, and no create."""
    service = await start(limit=20)
    session = await reached(service, concurrency=20, retry=RetryPolicy(give_up_after=10_000))
    handles = [session.enqueue(inputs) for inputs in lakes(30)]
    await until(lambda: slots(session)[0] == 20)
    service.emulator.faults.add(Fault("http-502", on="poll"))
    creates = service.emulator.statistics().creates
    await until(lambda: service.ear.all(GateClosed))
    await asyncio.sleep(5)
    moments = await watched_polls(service, 1800)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert all(gap > 0.5 for gap in gaps)
    assert max(gaps) <= 61
    assert all(gap >= 25 for gap in gaps[-10:])
    assert service.emulator.statistics().creates == creates
    service.emulator.faults.clear()
    began = clock()
    await until(lambda: service.ear.all(GateOpened), timeout=61)
    await asyncio.gather(*handles)
    # What had ended meanwhile is found at once, not poll by poll.
    assert clock() - began < 61 + 130


async def test_a_session_without_tasks_probes_with_a_task_that_does_not_exist(start: Start) -> None:
    """Where nothing runs, a poll for no task tells that the service is back; it costs nothing."""
    service = await start()
    session = await reached(service)
    await service.unplug()
    handle = session.enqueue("a lake")
    await asyncio.sleep(300)
    assert session.statistics().gate != "open"
    assert session.statistics().creates == 2
    service.emulator.faults.add(Fault("outage", on="poll"))
    await service.plug()
    await asyncio.sleep(120)
    polled = set(service.emulator.statistics().polls_by_task) - set(service.tasks())
    # A fault cuts a poll before the service knows whose it is.
    assert polled == {"task_000000000000000000000000"}
    service.emulator.faults.clear()
    assert (await handle).task_id in service.tasks()
    assert service.emulator.statistics().creates_by_prompt["a lake"] == 1


async def test_polls_that_are_on_their_way_count_as_the_probe(start: Start) -> None:
    """When the gate closes while polls hang, no other leaves before they are back: there is one probe at a time."""
    faults = [
        Fault("slow-headers", on="poll", prompt="slow", seconds=25),
        Fault("http-502", on="poll", prompt="broken", since=20),
    ]
    service = await start(limit=10, faults=faults)
    session = await service.open(concurrency=10)
    for number in range(5):
        session.enqueue(f"slow {number} [takes:600]")
    for number in range(5):
        session.enqueue(f"broken {number} [takes:600]")
    await until(lambda: service.ear.all(GateClosed))
    closed_at, polls = clock(), service.emulator.statistics().polls
    # The other polls of the same moment may still leave.
    await asyncio.sleep(0.5)
    assert service.emulator.statistics().polls <= polls + 5
    polls = service.emulator.statistics().polls
    moments = service.ear.times(GateOpened)
    while not moments and clock() < closed_at + 24:
        assert service.emulator.statistics().polls == polls
        await asyncio.sleep(0.25)
        moments = service.ear.times(GateOpened)
    assert clock() > closed_at + 3, "no poll was on its way"
