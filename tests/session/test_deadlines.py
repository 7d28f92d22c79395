"""P3, never lost: the end of the waiting is not the end of the watch."""

import asyncio

import pytest

from seedance_async import (
    FixedPolling,
    PollingPolicy,
    TaskFailedError,
    TaskNotFoundError,
    TaskTimeoutError,
    Timeouts,
)
from seedance_async.hooks import Finished, SlotGivenUp
from seedance_async.testing import Fault
from tests.session.service import Start, clock, end, jump, slots, until


async def test_a_task_is_waited_for_as_long_as_the_timeouts_say(start: Start) -> None:
    """After `Timeouts.task` the awaiters are told; the error keeps the id and says that it is paid."""
    session = await (await start()).open(timeouts=Timeouts(task=600))
    handle = await session.submit("a lake [stuck]", key="k")
    began = clock()
    with pytest.raises(TaskTimeoutError) as caught:
        await handle
    assert clock() - began == pytest.approx(600, abs=1)
    error = caught.value
    assert (error.task_id, error.charged, error.key) == (handle.task_id, "yes", "k")
    assert isinstance(error, TimeoutError)
    assert "10 minutes" in error.reason
    assert handle.status == "generating"


@pytest.mark.parametrize(("fields", "minutes"), [({}, 30), ({"upscale_resolution": "4k"}, 60)])
async def test_without_a_timeout_the_catalogue_has_one(start: Start, fields: dict[str, str], minutes: float) -> None:
    """Half an hour, and more for what takes the service longer."""
    session = await (await start()).open(polling=PollingPolicy())
    handle = await session.submit("a lake [stuck]", **fields)  # type: ignore[arg-type]
    assert isinstance(await end(handle), TaskTimeoutError)
    assert clock() == pytest.approx(minutes * 60, abs=1)


@pytest.mark.parametrize("interval", [1000.0, 1e300])
async def test_no_policy_looks_past_the_deadline(start: Start, interval: float) -> None:
    """Whoever looks rarely, or leaves it to others, is told in time all the same: one poll leaves at the deadline."""
    service = await start()
    session = await service.open(timeouts=Timeouts(task=300), polling=FixedPolling(interval))
    made, stuck = session.enqueue("a lake"), session.enqueue("a lake [stuck]")
    assert isinstance(await end(stuck), TaskTimeoutError)
    assert await end(made) is None
    assert clock() == pytest.approx(300, abs=2)


async def test_a_deadline_that_is_met_by_no_answer_is_looked_at_again(start: Start) -> None:
    """A poll that fails just then is followed by another within a minute, whatever the policy wants."""
    service = await start(faults=["http-502:on=poll,count=2"])
    session = await service.open(timeouts=Timeouts(task=300), polling=FixedPolling(100_000.0))
    assert isinstance(await end(session.enqueue("a lake [stuck]")), TaskTimeoutError)
    assert clock() < 300 + 130


async def test_a_late_success_takes_the_place_of_the_failure(start: Start) -> None:
    """The task is watched on: once it ends, awaiting gives its result, and it is pending no more."""
    service = await start()
    session = await service.open(timeouts=Timeouts(task=100))
    handle = session.enqueue("a lake [takes:400]")
    assert isinstance(await end(handle), TaskTimeoutError)
    assert session.pending == (handle,)
    # The slot stays counted: the task is in progress at the service.
    assert slots(session) == (1, 0)
    await session.drain()
    # Nobody waits for it, so it is looked at about once a minute.
    assert 400 <= clock() <= 480
    assert (await handle).task_id == handle.task_id
    assert handle.exception() is None
    assert slots(session) == (0, 0)
    assert [event.state for event in service.ear.all(Finished)] == ["succeeded"]


async def test_a_late_failure_takes_its_place_as_well(start: Start) -> None:
    """A task that fails after its wait was over is refunded, and says so."""
    session = await (await start()).open(timeouts=Timeouts(task=100), budget=1000)
    handle = session.enqueue("a lake [takes:400] [fail:moderation]")
    assert isinstance(await end(handle), TaskTimeoutError)
    await session.drain()
    assert isinstance(await end(handle), TaskFailedError)
    assert session.statistics().credits_reserved == 0


async def test_a_laptop_that_slept_looks_before_it_gives_up(start: Start) -> None:
    """A clock that jumped past the deadline ends no wait: the first look finds that the task has long ended."""
    session = await (await start()).open(timeouts=Timeouts(task=600))
    handle = session.enqueue("a lake [takes:300]")
    await asyncio.sleep(100)
    jump(10_000)
    assert (await handle).task_id == handle.task_id


async def test_no_wait_ends_while_the_service_is_away(start: Start) -> None:
    """A deadline that passes during an outage waits for one answer after it, and believes that."""
    service = await start()
    session = await service.open(timeouts=Timeouts(task=600))
    ended, stuck = session.enqueue("a lake [takes:300]"), session.enqueue("a lake [stuck]")
    await asyncio.sleep(100)
    await service.unplug()
    await asyncio.sleep(7200)
    assert not ended.done()
    assert not stuck.done()
    await service.plug()
    assert (await ended).task_id == ended.task_id
    assert isinstance(await end(stuck), TaskTimeoutError)
    assert clock() == pytest.approx(7300, abs=70)


async def test_a_laptop_that_sleeps_and_wakes_without_network(start: Start) -> None:
    """Both at once: the clock jumps while the service cannot be reached, and nothing is given up for it."""
    service = await start()
    session = await service.open(timeouts=Timeouts(task=600))
    handle = session.enqueue("a lake [takes:300]")
    await asyncio.sleep(100)
    await service.unplug()
    jump(10_000)
    await asyncio.sleep(30)
    assert not handle.done()
    await service.plug()
    assert (await handle).task_id == handle.task_id


async def test_the_slot_is_given_back_in_the_end(start: Start) -> None:
    """A task that never ends holds its slot for `give_up_slot` more; then it is used again, with an event."""
    service = await start(limit=2)
    session = await service.open(concurrency=1, timeouts=Timeouts(task=600, give_up_slot=1200))
    stuck, second = session.enqueue("a lake [stuck]"), session.enqueue("second")
    assert isinstance(await end(stuck), TaskTimeoutError)
    assert slots(session) == (1, 1)
    await second.accepted()
    assert clock() == pytest.approx(1800, abs=75)
    assert [event.task_id for event in service.ear.all(SlotGivenUp)] == [stuck.task_id]
    assert stuck in session.pending
    await second
    polls = service.emulator.statistics().polls_by_task[str(stuck.task_id)]
    await asyncio.sleep(6000)
    # Watched on, every ten minutes.
    assert 8 <= service.emulator.statistics().polls_by_task[str(stuck.task_id)] - polls <= 14


async def test_the_slot_of_a_task_that_no_poll_tells_of_is_given_back_too(start: Start) -> None:
    """While the service answers for others, a task that it fails to answer for holds no slot for ever."""
    service = await start(limit=5, faults=[Fault("http-500", on="poll", prompt="cursed")])
    session = await service.open(concurrency=1, timeouts=Timeouts(give_up_slot=1200))
    cursed = session.enqueue("cursed")
    async with service.session() as other:
        session.attach(str((await other.submit("other [stuck]")).task_id))
    second = session.enqueue("second")
    assert isinstance(await end(cursed), TaskTimeoutError)
    await second.accepted()
    assert clock() < 3600


async def test_a_task_that_is_not_visible_yet_is_waited_for(start: Start) -> None:
    """404 for a while after the create is no end: recordInfo may lag behind."""
    service = await start(faults=["late-visibility:seconds=45"])
    session = await service.open()
    assert (await session.generate("a lake")).task_id == service.tasks()[0]


async def test_a_task_that_vanishes_is_gone(start: Start) -> None:
    """404 later on means that the service has lost the task: it is over, paid for all that is known."""
    service = await start()
    session = await service.open()
    handle = await session.submit("a lake [takes:1000]")
    await asyncio.sleep(100)
    service.emulator.faults.add(Fault("not-found", on="poll"))
    with pytest.raises(TaskNotFoundError) as caught:
        await handle
    assert clock() < 110
    assert (caught.value.charged, caught.value.task_id, handle.status) == ("yes", handle.task_id, "gone")
    assert session.pending == ()
    assert slots(session) == (0, 0)


async def test_a_job_in_the_queue_has_no_deadline(start: Start) -> None:
    """The time of a task counts from its acceptance, however long the job waited."""
    session = await (await start(limit=1)).open(concurrency=1, timeouts=Timeouts(task=200))
    handles = [session.enqueue(f"lake {number} [takes:150]") for number in range(5)]
    await session.drain()
    assert clock() > 750
    assert all(handle.exception() is None for handle in handles)


async def test_awaiters_that_come_after_the_time_is_up_are_told_at_once(start: Start) -> None:
    """Who awaits a handle whose wait is over need not wait: the failure is there until the task ends."""
    session = await (await start()).open(timeouts=Timeouts(task=100))
    handle = session.enqueue("a lake [takes:300]")
    await end(handle)
    began = clock()
    for _ in range(3):
        assert isinstance(await end(handle), TaskTimeoutError)
    assert clock() == began
    await until(lambda: handle.status == "success")
    assert await end(handle) is None
