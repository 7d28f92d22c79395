"""P9, an outage is a pause: no job fails for it, one harmless probe goes at a time, and work goes on afterwards."""

import asyncio

import pytest

from seedance_async import (
    AsyncSeedance,
    ConnectionFailedError,
    FixedPolling,
    OutcomeUnknownError,
    RetryPolicy,
    ServerError,
    TaskTimeoutError,
)
from seedance_async.hooks import GateClosed, GateOpened, PossibleDouble
from seedance_async.testing import Fault
from tests.session.service import Service, Start, clock, end, lakes, until


async def reached(service: Service, **options: object) -> AsyncSeedance:
    """Open a session that has reached the service once."""
    session = await service.open(**options)
    await session.generate("a lake [takes:1]")
    return session


async def test_two_hours_without_the_service_fail_no_row(start: Start) -> None:
    """With 2,000 rows in `map` and the service away for two hours, every row succeeds, and none is made twice."""
    service = await start(limit=200, durations=30.0, credits=1_000_000)
    session = await reached(service, concurrency=200, polling=FixedPolling(10.0))

    async def break_for_two_hours() -> None:
        await until(lambda: service.emulator.statistics().accepted >= 700)
        await service.unplug()
        await asyncio.sleep(7200)
        await service.plug()

    outage = asyncio.create_task(break_for_two_hours())
    async with session.map(lakes(2000)) as items:
        errors = [item.error async for item in items]
    assert errors == [None] * 2000
    await outage
    assert clock() > 7200
    assert set(service.emulator.statistics().accepted_by_prompt.values()) == {1}


@pytest.mark.parametrize("way", ["submit", "generate", "enqueue"])
async def test_a_single_job_gives_up_after_some_time_of_an_outage(start: Start, way: str) -> None:
    """After `give_up_after` a caller of one job is told, and nothing was charged; nothing is sent later."""
    service = await start()
    session = await reached(service, retry=RetryPolicy(give_up_after=300))
    running = await session.submit("before")
    service.emulator.faults.add(Fault("outage", on="poll"))
    await until(lambda: session.statistics().gate != "open")
    creates = service.emulator.statistics().creates
    began = clock()
    with pytest.raises(ConnectionFailedError) as caught:
        await (session.enqueue("a lake") if way == "enqueue" else getattr(session, way)("a lake"))
    assert clock() - began == pytest.approx(300, abs=1)
    assert caught.value.charged == "no"
    assert not running.done()
    service.emulator.faults.clear()
    await running
    assert service.emulator.statistics().creates == creates


async def test_jobs_that_give_up_do_so_one_by_one(start: Start) -> None:
    """Each has its own `give_up_after`, counted from when it came or the outage began, whichever was later."""
    service = await start()
    session = await reached(service, retry=RetryPolicy(give_up_after=300))
    service.emulator.faults.add(Fault("outage", on="poll"))
    await session.submit("before")
    await until(lambda: session.statistics().gate != "open")
    began, ends = clock(), []
    for _ in range(4):
        handle = session.enqueue("a lake")
        handle.add_done_callback(lambda _: ends.append(clock() - began))
        await asyncio.sleep(50)
    await session_quiet(session)
    await asyncio.sleep(0)
    assert ends == pytest.approx([300, 350, 400, 450], abs=1)


async def session_quiet(session: AsyncSeedance) -> None:
    """Wait until no job waits."""
    await until(lambda: session.statistics().waiting == 0)


async def test_a_session_that_never_reaches_the_service_says_so_within_seconds(start: Start) -> None:
    """A wrong host is told after a few seconds, not after the ten minutes of an outage."""
    service = await start()
    session = await service.open()
    await service.emulator.close()
    for call in (session.generate, session.submit):
        began = clock()
        with pytest.raises(ConnectionFailedError) as caught:
            await call("a lake")
        assert clock() - began < 10
        assert caught.value.charged == "no"


async def test_map_says_within_seconds_that_the_service_was_never_reached(start: Start) -> None:
    """`map` waits out an outage, but not a host that was never there: it ends with the error."""
    service = await start()
    session = await service.open()
    await service.emulator.close()
    errors = []

    async def run() -> None:
        async with session.map(lakes(500)) as items:
            async for item in items:
                errors.append(item.error)  # noqa: PERF401 (what came before the end counts)

    with pytest.raises(ConnectionFailedError):
        await run()
    assert clock() < 10
    assert all(isinstance(error, ConnectionFailedError) for error in errors)


async def test_attach_says_within_seconds_that_the_service_was_never_reached(start: Start) -> None:
    """A session that only attaches is told, too; the task stays pending, because it may well run."""
    service = await start()
    session = await service.open()
    await service.emulator.close()
    handle = session.attach("task_of_before")
    with pytest.raises(ConnectionFailedError):
        async with asyncio.timeout(60):
            await handle
    assert session.pending == (handle,)


async def test_polls_that_fail_fail_no_task(start: Start) -> None:
    """Half of all polls fail in every way there is, and every task succeeds in time."""
    kinds = ["http-500", "http-502", "drop-after-accept", "cut-body", "html", "reset-before-accept", "http-429"]
    faults = [Fault(kind, on="poll", rate=0.08) for kind in kinds]
    service = await start(limit=10, faults=faults)
    session = await service.open(concurrency=10)
    results = await asyncio.gather(*(session.generate(inputs) for inputs in lakes(30)))
    assert len(results) == 30
    assert session.statistics().polls_failed > 50
    assert clock() < 3 * 60 * 3


async def test_one_task_whose_polls_fail_ends_only_its_own_wait(start: Start) -> None:
    """While the service answers for others, a task that it does not answer for is given up waiting for, not lost."""
    service = await start(limit=5, faults=[Fault("http-500", on="poll", prompt="cursed", until=3000)])
    session = await service.open(concurrency=5, retry=RetryPolicy(poll_failures=20))
    cursed = session.enqueue("cursed [takes:5]")
    others = [session.enqueue(inputs) for inputs in lakes(20, " [takes:300]")]
    with pytest.raises(TaskTimeoutError) as caught:
        await cursed
    # Twenty failures in a row last minutes, because such a task is asked for more and more rarely.
    assert 120 < clock() < 1200
    assert (caught.value.charged, caught.value.task_id) == ("yes", cursed.task_id)
    assert cursed in session.pending
    await asyncio.gather(*others)
    await asyncio.sleep(3200 - clock())
    assert cursed.result().task_id == cursed.task_id
    assert session.pending == ()


async def test_a_create_that_is_answered_5xx_closes_the_gate(start: Start) -> None:
    """A 502 may have been accepted: it is unknown and not repeated. The others wait for a harmless answer."""
    service = await start(faults=[Fault("http-502", nth=2)])
    session = await service.open(concurrency=3)
    handles = [session.enqueue(inputs) for inputs in lakes(6)]
    errors = [await end(handle) for handle in handles]
    unknown = [error for error in errors if error is not None]
    assert [type(error) for error in unknown] == [OutcomeUnknownError]
    assert len(service.ear.all(GateClosed)) == 1
    assert len(service.ear.all(GateOpened)) == 1
    assert service.emulator.statistics().creates == 6


async def test_a_500_in_the_services_own_words_is_repeated(start: Start) -> None:
    """The documentation says "retry later": the create goes again, said as a possible double."""
    service = await start(faults=[Fault("http-500", count=2)])
    session = await service.open()
    await session.generate("a lake")
    assert len(service.ear.all(PossibleDouble)) == 2
    assert service.emulator.statistics().creates == 3


async def test_a_500_that_stays_is_an_error_that_may_have_cost_something(start: Start) -> None:
    """After two repeats the 500 is raised with `charged="maybe"`; the budget keeps what all three may have cost."""
    service = await start(faults=[Fault("http-500", on="create")])
    session = await service.open()
    with pytest.raises(ServerError) as caught:
        await session.generate("a lake")
    assert (caught.value.status, caught.value.charged) == (500, "maybe")
    assert service.emulator.statistics().creates == 3
    assert session.statistics().credits_maybe == 3 * 415


async def test_a_500_is_not_repeated_if_the_policy_says_so(start: Start) -> None:
    """`repeat_500=False` makes it one create, whatever it is answered with."""
    service = await start(faults=[Fault("http-500", on="create")])
    session = await service.open(retry=RetryPolicy(repeat_500=False))
    with pytest.raises(ServerError):
        await session.generate("a lake")
    assert service.emulator.statistics().creates == 1


async def test_a_create_that_waits_to_be_repeated_gives_up_like_others(start: Start) -> None:
    """An outage after a 500 ends the wait after `give_up_after`; the first create may have cost something."""
    service = await start()
    session = await reached(service, retry=RetryPolicy(give_up_after=300))
    service.emulator.faults.add(Fault("http-500", on="create"))
    service.emulator.faults.add(Fault("outage", on="poll"))
    began = clock()
    queued = session.enqueue("a lake"), session.enqueue("another")
    with pytest.raises(OutcomeUnknownError) as caught:
        await queued[0]
    assert clock() - began == pytest.approx(300, abs=15)
    assert caught.value.charged == "maybe"
    await session.drain(timeout=30)
    assert service.emulator.statistics().creates <= 3


async def test_a_row_of_map_that_waits_to_be_repeated_waits_on(start: Start) -> None:
    """In `map` a 500 before an outage of an hour costs no row: its repeat goes when the service is back."""
    service = await start()
    session = await reached(service, retry=RetryPolicy(give_up_after=300))
    service.emulator.faults.add(Fault("http-500", on="create", count=1))
    service.emulator.faults.add(Fault("outage", on="poll", until=3600))
    async with session.map(["a river"]) as items:
        (item,) = [item async for item in items]
    assert item.error is None
    assert clock() > 3600
    assert service.emulator.statistics().creates_by_prompt["a river"] == 2


async def test_nobody_waits_for_a_create_that_would_be_repeated(start: Start) -> None:
    """A caller who leaves between a 500 and its repeat gets no second create."""
    service = await start(faults=[Fault("http-500", on="create")])
    session = await service.open()
    task = asyncio.create_task(session.generate("a lake"))
    await until(lambda: service.emulator.statistics().creates == 1, step=0.01)
    task.cancel()
    await asyncio.sleep(120)
    assert service.emulator.statistics().creates == 1
    assert session.statistics().unknown == 1
