"""Attached tasks: counted, watched, and told the end of, whoever created them."""

import asyncio

import pytest

from seedance_async import (
    AsyncSeedance,
    InputError,
    PermissionDeniedError,
    TaskFailedError,
    TaskNotFoundError,
    TaskTimeoutError,
    Timeouts,
)
from tests.session.service import Service, Start, clock, end, lakes, slots, until


async def left_running(service: Service, count: int, marks: str = "") -> list[str]:
    """Start tasks with a session that ends before they do."""
    async with service.session(concurrency=count) as session:
        return [str((await session.submit(inputs)).task_id) for inputs in lakes(count, marks)]


async def test_attached_tasks_count_even_above_the_limit(start: Start) -> None:
    """Five attached tasks on three slots hold five, and no create leaves before three of them have ended."""
    service = await start(limit=5, durations=100.0)
    ids = await left_running(service, 5)
    service.emulator.world.limit = 3
    session = await service.open(concurrency=3)
    handles = [session.attach(task_id) for task_id in ids]
    queued = session.enqueue("a lake")
    assert slots(session) == (5, 1)
    await asyncio.sleep(50)
    assert service.emulator.statistics().creates == 5
    await queued
    await asyncio.gather(*handles)
    assert service.emulator.statistics().refusals == 0
    assert slots(session) == (0, 0)


async def test_attached_tasks_enter_before_the_first_create_leaves(start: Start) -> None:
    """What is attached in the same step as a job is queued, even after it, is counted first."""
    service = await start(limit=3)
    ids = await left_running(service, 3)
    session = await service.open(concurrency=3)
    queued = session.enqueue("a lake")
    for task_id in ids:
        session.attach(task_id)
    await queued
    assert service.emulator.statistics().refusals == 0


async def test_an_attached_task_gives_its_result(start: Start) -> None:
    """A handle of an attached task is like any other, but that its inputs are not known."""
    service = await start()
    (task_id,) = await left_running(service, 1)
    session = await service.open()
    handle = session.attach(task_id)
    assert (handle.task_id, handle.inputs, handle.estimate, handle.position) == (task_id, None, None, None)
    assert [*session.pending] == [handle]
    assert handle.cancel() is False
    assert await handle.accepted() == task_id
    assert (await handle).task_id == task_id
    assert session.pending == ()
    # What it cost was somebody else's budget.
    assert session.statistics().credits_used == 0


async def test_attaching_twice_gives_the_same_handle(start: Start) -> None:
    """A task of this session, or one attached before, has one handle while it runs."""
    service = await start()
    session = await service.open()
    handle = await session.submit("a lake")
    assert session.attach(str(handle.task_id)) is handle
    other = await left_running(service, 1)
    attached = session.attach(other[0])
    assert session.attach(other[0]) is attached
    assert slots(session)[0] == 2
    await asyncio.gather(handle, attached)


async def test_a_finished_task_is_told_at_once(start: Start) -> None:
    """Attaching to a task that has ended gives its result after one look, and leaves nothing behind."""
    service = await start()
    async with service.session() as session:
        result = await session.generate("a lake")
    session = await service.open()
    began = clock()
    assert (await session.attach(result.task_id)).url.partition("?")[0] == result.url.partition("?")[0]
    assert clock() - began < 1
    assert slots(session) == (0, 0)


async def test_a_failed_task_is_told_at_once(start: Start) -> None:
    """Attaching to a task that has failed raises its failure."""
    service = await start()
    async with service.session() as session:
        handle = await session.submit("a lake [fail:moderation]")
        await end(handle)
    session = await service.open()
    with pytest.raises(TaskFailedError) as caught:
        await session.attach(str(handle.task_id))
    assert caught.value.task_id == handle.task_id


async def test_an_unknown_task_is_tolerated_for_a_while_and_then_gone(start: Start) -> None:
    """404 may mean "not visible yet", for seconds; then the task is not there, and its slot is free again."""
    service = await start()
    session = await service.open(concurrency=1)
    handle = session.attach("task_of_nobody")
    queued = session.enqueue("a lake")
    with pytest.raises(TaskNotFoundError) as caught:
        await handle
    assert 10 < clock() < 90
    assert (handle.status, caught.value.task_id) == ("gone", "task_of_nobody")
    assert session.pending == ()
    await queued


async def test_a_task_of_somebody_else_is_gone_at_once(start: Start) -> None:
    """403 "Access denied" speaks of one task: it is over, and the session goes on."""
    service = await start()
    service.emulator.world.strangers.add("task_theirs")
    session = await service.open()
    with pytest.raises(PermissionDeniedError):
        await session.attach("task_theirs")
    assert clock() < 1
    await session.generate("a lake")


async def test_a_task_is_waited_for_anew_after_its_time_was_up(start: Start) -> None:
    """A second `attach` after `TaskTimeoutError` gives the same handle with a new wait of the whole time."""
    service = await start()
    session = await service.open(timeouts=Timeouts(task=100))
    handle = await session.submit("a lake [takes:250]")
    with pytest.raises(TaskTimeoutError):
        await handle
    assert handle.done()
    assert session.attach(str(handle.task_id)) is handle
    assert not handle.done()
    began = clock()
    with pytest.raises(TaskTimeoutError):
        await handle
    assert clock() - began == pytest.approx(100, abs=5)
    session.attach(str(handle.task_id))
    assert (await handle).task_id == handle.task_id
    assert clock() == pytest.approx(250, abs=5)


async def test_a_task_whose_slot_was_given_up_counts_again_when_it_is_attached(start: Start) -> None:
    """An attached task holds a slot, also one whose slot was used again before."""
    service = await start(limit=5)
    session = await service.open(concurrency=5, timeouts=Timeouts(task=100, give_up_slot=200))
    handle = await session.submit("a lake [takes:2000]")
    await until(lambda: slots(session)[0] == 0, timeout=600)
    session.attach(str(handle.task_id))
    assert slots(session)[0] == 1
    await until(lambda: slots(session)[0] == 0, timeout=600)


async def test_a_detached_task_that_is_attached_is_pending_again(start: Start) -> None:
    """`attach` takes a task back that was detached; `drain` waits for it, and ends."""
    service = await start()
    session = await service.open()
    handle = await session.submit("a lake")
    handle.detach()
    assert [*session.pending] == []
    session.attach(str(handle.task_id))
    assert [*session.pending] == [handle]
    await session.drain(timeout=100)
    assert handle.done()
    await session.drain(timeout=1)


@pytest.mark.parametrize("task_id", ["", "task\n1", "x" * 256, None, 7])
async def test_what_cannot_be_a_task_id_is_refused(start: Start, task_id: object) -> None:
    """A task id is a word as the service gave it; nothing is asked for anything else."""
    service = await start()
    session = await service.open()
    with pytest.raises(InputError):
        session.attach(task_id)  # type: ignore[arg-type]
    assert service.emulator.statistics().polls == 0


async def test_an_odd_id_is_asked_for_as_it_is(start: Start) -> None:
    """An id with characters that mean something in a URL cannot ask for anything else."""
    service = await start()
    session = await service.open()
    (task_id,) = await left_running(service, 1)
    handle = session.attach(f"x&taskId={task_id}")
    assert await end(handle) is not None
    assert handle.status == "gone"


async def test_snapshot_asks_once(start: Start) -> None:
    """`snapshot` tells what is known of a task, of any session, with one request and no slot."""
    service = await start()
    session: AsyncSeedance = await service.open()
    (task_id,) = await left_running(service, 1)
    polls = service.emulator.statistics().polls
    seen = await session.snapshot(task_id)
    assert (seen.task_id, seen.status, seen.terminal) == (task_id, "waiting", False)
    assert service.emulator.statistics().polls == polls + 1
    assert slots(session) == (0, 0)
    with pytest.raises(TaskNotFoundError) as caught:
        await session.snapshot("task_of_nobody")
    assert caught.value.task_id == "task_of_nobody"
