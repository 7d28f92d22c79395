"""P3, never lost: whatever is in the middle of something when a session closes, everybody is told."""

import asyncio

import anyio
import pytest

from seedance_async import OutcomeUnknownError, SessionClosedError, TaskFailedError, TaskHandle, Timeouts
from seedance_async.hooks import AttemptEnded
from tests.session.service import Start, clock, end, lakes, slots, until


async def test_queued_jobs_are_withdrawn(start: Start) -> None:
    """They were never sent: `charged="no"`, and nothing of them is left."""
    service = await start(limit=1)
    session = await service.open(concurrency=1, budget=10_000)
    session.enqueue("running")
    queued = [session.enqueue(inputs) for inputs in lakes(10)]
    awaiters = [asyncio.create_task(end(handle)) for handle in queued]
    await asyncio.sleep(5)
    await session.aclose()
    errors = await asyncio.gather(*awaiters)
    assert all(isinstance(error, SessionClosedError) for error in errors)
    assert {error.charged for error in errors if isinstance(error, SessionClosedError)} == {"no"}
    assert {handle.status for handle in queued} == {"withdrawn"}
    assert service.emulator.statistics().creates == 1
    assert session.statistics().credits_reserved == 415


async def test_nothing_leaves_once_closing_was_asked_for(start: Start) -> None:
    """A job that is queued in the very step in which the session is closed is not sent."""
    service = await start()
    session = await service.open()
    await asyncio.sleep(1)
    handle = session.enqueue("a lake")
    await session.aclose()
    assert handle.status == "withdrawn"
    assert service.emulator.statistics().creates == 0


async def test_running_tasks_keep_their_ids(start: Start) -> None:
    """Their handles raise with the id, `pending` still lists them, and a new session finds their results."""
    service = await start()
    session = await service.open()
    handles = [await session.submit(inputs) for inputs in lakes(3)]
    awaiters = [asyncio.create_task(end(handle)) for handle in handles]
    await asyncio.sleep(5)
    await session.aclose()
    assert clock() < 6
    for handle, error in zip(handles, await asyncio.gather(*awaiters), strict=True):
        assert isinstance(error, SessionClosedError)
        assert (error.task_ids, error.charged, error.task_id) == ((handle.task_id,), "yes", handle.task_id)
        assert str(handle.task_id) in str(error)
    assert {*session.pending} == {*handles}
    successor = await service.open()
    results = await asyncio.gather(*(successor.attach(str(handle.task_id)) for handle in session.pending))
    assert {result.task_id for result in results} == {handle.task_id for handle in handles}


async def test_ended_jobs_keep_their_ends(start: Start) -> None:
    """Results and failures can be read after closing."""
    session = await (await start()).open()
    good, bad = session.enqueue("a lake"), session.enqueue("a lake [fail:moderation]")
    await session.drain()
    await session.aclose()
    assert (await good).task_id == good.task_id
    assert isinstance(await end(bad), TaskFailedError)
    assert session.pending == ()


async def test_creates_on_the_wire_are_waited_for(start: Start) -> None:
    """Closing waits for their answers: a task that was accepted is pending, not unknown."""
    service = await start(limit=5, faults=["slow-headers:on=create,seconds=8"])
    session = await service.open(concurrency=5)
    handles = [session.enqueue(inputs) for inputs in lakes(5)]
    await asyncio.sleep(4)
    assert session.statistics().on_wire == 2
    await session.aclose()
    assert clock() == pytest.approx(8, abs=0.5)
    assert {handle.task_id for handle in session.pending} == set(service.tasks())
    assert [handle.status for handle in handles] == ["waiting"] * 2 + ["withdrawn"] * 3


@pytest.mark.parametrize("given", [None, 3.0], ids=["Timeouts.close", "argument"])
async def test_creates_that_take_too_long_end_unknown(start: Start, given: float | None) -> None:
    """After `Timeouts.close`, or `aclose(timeout)`, what has no answer may have been accepted, and says so."""
    service = await start(faults=["hang-after-accept:on=create"])
    session = await service.open(timeouts=Timeouts(close=7))
    handle = session.enqueue("a lake", key="k")
    await asyncio.sleep(4)
    await session.aclose(given)
    assert clock() == pytest.approx(4 + (given or 7), abs=0.5)
    error = await end(handle)
    assert isinstance(error, OutcomeUnknownError)
    assert (error.charged, error.key) == ("maybe", "k")
    assert [event.outcome for event in service.ear.all(AttemptEnded)] == ["unknown"]
    assert session.statistics().credits_maybe == 415


async def test_a_create_that_is_refused_while_closing_is_withdrawn(start: Start) -> None:
    """A 429 that comes back during the closing sends nobody into the queue again."""
    service = await start(foreign=3, faults=["slow-headers:on=create,seconds=5"])
    session = await service.open()
    handle = session.enqueue("a lake")
    await asyncio.sleep(1)
    await session.aclose()
    error = await end(handle)
    assert isinstance(error, SessionClosedError)
    assert error.charged == "no"
    assert service.emulator.statistics().creates == 1


async def test_a_create_that_waits_to_be_repeated_is_not_repeated(start: Start) -> None:
    """Closing between a 500 and its repeat ends the job as one that may have been accepted."""
    service = await start(faults=["http-500:on=create"])
    session = await service.open()
    handle = session.enqueue("a lake")
    await asyncio.sleep(0.5)
    await session.aclose(timeout=0.1)
    assert isinstance(await end(handle), OutcomeUnknownError)
    assert service.emulator.statistics().creates == 1


@pytest.mark.parametrize("way", ["scope", "task", "timeout"])
async def test_a_cancelled_closing_closes_all_the_same(start: Start, way: str) -> None:
    """A closing inside a cancelled scope or task goes on to its end; the cancellation comes after it."""
    service = await start(faults=["slow-headers:on=create,seconds=8"])
    session = service.session()
    handles: list[TaskHandle] = []

    async def use() -> None:
        async with session:
            handles.extend(session.enqueue(inputs) for inputs in lakes(4))
            await asyncio.sleep(1)
            await asyncio.Event().wait()

    if way == "scope":
        with anyio.move_on_after(4) as scope:
            await use()
        assert scope.cancelled_caught
    elif way == "timeout":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(use(), 4)
    else:
        task = asyncio.create_task(use())
        await asyncio.sleep(4)
        task.cancel()
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
    assert clock() == pytest.approx(8, abs=0.5)
    assert not session.healthy
    assert {handle.task_id for handle in session.pending} == set(service.tasks())
    assert all([await end(handle) is not None for handle in handles])


async def test_closing_inside_a_scope_that_was_cancelled_before(start: Start) -> None:
    """Even where every await is cancelled, the session is closed afterwards."""
    service = await start()
    session = await service.open()
    handle = await session.submit("a lake")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await session.aclose()
    assert not session.healthy
    assert session.pending == (handle,)
    assert isinstance(await end(handle), SessionClosedError)


async def test_an_error_in_the_block_is_raised_as_it_is(start: Start) -> None:
    """No `ExceptionGroup` comes of the session's background, and nothing hides the user's own error."""
    service = await start()
    session = service.session()

    async def use() -> None:
        async with session:
            session.enqueue("a lake")
            await asyncio.sleep(1)
            raise LookupError("mine")

    with pytest.raises(LookupError) as caught:
        await use()
    assert caught.value.__context__ is None
    assert len(session.pending) == 1


async def test_nothing_runs_after_closing(start: Start) -> None:
    """No task of the session is left in the loop, and nothing is sent any more."""
    service = await start(limit=5)
    before = asyncio.all_tasks()
    session = await service.open(concurrency=5)
    for inputs in lakes(20):
        session.enqueue(inputs)
    await until(lambda: slots(session)[0] == 5)
    await session.aclose()
    await asyncio.sleep(0.2)
    left = {task for task in asyncio.all_tasks() - before if "seedance_async/testing" not in repr(task)}
    assert {task for task in left if "aiohttp" not in repr(task)} == set()
    polls = service.emulator.statistics().polls
    await asyncio.sleep(3600)
    assert service.emulator.statistics().polls == polls
    assert service.emulator.statistics().creates == 5


async def test_drain_ends_with_the_session(start: Start) -> None:
    """Who waits for quiet while the session is closed is not left waiting."""
    service = await start()
    session = await service.open()
    session.enqueue("a lake")
    waiter = asyncio.create_task(session.drain())
    await asyncio.sleep(5)
    await session.aclose()
    with pytest.raises(SessionClosedError):
        await asyncio.wait_for(waiter, 10)
