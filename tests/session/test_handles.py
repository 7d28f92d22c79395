"""P8, awaiting is waiting, not owning: many awaiters, from many tasks, some of them cancelled."""

import asyncio
import gc

import pytest

from seedance_async import (
    AsyncSeedance,
    TaskFailedError,
    TaskHandle,
    VideoResult,
    as_completed,
)
from tests.session.service import Service, Start, clock, end, lakes, until


async def three(service: Service) -> tuple[AsyncSeedance, list[TaskHandle]]:
    """Return a session with three jobs that end after 30, 20 and 10 seconds."""
    session = await service.open(concurrency=3)
    return session, [session.enqueue(f"lake [takes:{seconds}]") for seconds in (30, 20, 10)]


async def test_handles_are_awaited_by_everything_that_awaits(start: Start) -> None:
    """`gather`, `wait_for`, `shield`, a task, a TaskGroup, `asyncio.wait`: each gives the result."""
    session = await (await start()).open()
    handle = session.enqueue("a lake")
    async with asyncio.TaskGroup() as group:
        in_group = group.create_task(handle.wait())
        gathered = group.create_task(_gather(handle))
        waited_for = await asyncio.wait_for(handle, 1000)
        shielded = await asyncio.shield(handle)
        done, _ = await asyncio.wait([asyncio.create_task(handle.wait())])
    results = [in_group.result(), *gathered.result(), waited_for, shielded, done.pop().result(), await handle]
    assert len(results) == 7
    assert all(result is handle.result() for result in results)


async def _gather(handle: TaskHandle) -> list[VideoResult]:
    return list(await asyncio.gather(handle, handle.wait()))


async def test_a_failure_reaches_every_awaiter_as_an_error_of_its_own(start: Start) -> None:
    """Awaiters get equal errors, never the same one: a shared error would collect every awaiter's traceback."""
    session = await (await start()).open()
    handle = session.enqueue("a lake [fail:moderation]", key="k")
    errors = await asyncio.gather(*(end(handle) for _ in range(10)), end(handle))
    assert len({id(error) for error in errors}) == 11
    for error in errors:
        assert isinstance(error, TaskFailedError)
        assert (error.task_id, error.key, error.charged) == (handle.task_id, "k", "no")
    depths = {len(_frames(error)) for error in errors}
    assert len(depths) == 1, "tracebacks grow from awaiter to awaiter"
    assert handle.exception() is not handle.exception()
    for _ in range(50):
        error = await end(handle)
    assert len(_frames(error)) in depths


def _frames(error: BaseException | None) -> list[object]:
    assert error is not None
    frames: list[object] = []
    traceback = error.__traceback__
    while traceback is not None:
        frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    return frames


async def test_a_failure_that_nobody_retrieves_is_silent(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A handle dropped with its failure says nothing: no future ever holds an exception."""
    service = await start()
    session = await service.open()
    noise: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: noise.append(context))
    for _ in range(3):
        session.enqueue("a lake [fail:moderation]")
    waiter = asyncio.create_task(end(session.enqueue("a lake [fail:moderation]")))
    await waiter
    await session.drain()
    del waiter
    gc.collect()
    await asyncio.sleep(1)
    gc.collect()
    assert noise == []
    assert "never retrieved" not in caplog.text


async def test_a_cancelled_awaiter_changes_nothing(start: Start) -> None:
    """Of many awaiters some are cancelled, queued or running: the others, and the job, go on."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    session.enqueue("something else")
    handle = session.enqueue("a lake")
    awaiters = [asyncio.create_task(handle.wait()) for _ in range(20)]
    await asyncio.sleep(5)
    for awaiter in awaiters[:5]:
        awaiter.cancel()
    await until(lambda: handle.task_id)
    for awaiter in awaiters[5:10]:
        awaiter.cancel()
    results = await asyncio.gather(*awaiters, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [True] * 10 + [False] * 10
    assert {result.task_id for result in results if isinstance(result, VideoResult)} == {handle.task_id}


async def test_a_timeout_touches_only_the_wait(start: Start) -> None:
    """`wait(timeout)` and `wait_for` end the waiting; the job goes on and can be awaited again."""
    session = await (await start()).open()
    handle = session.enqueue("a lake")
    for wait in (handle.wait(10), asyncio.wait_for(handle.wait(), 10), handle.wait(timeout=0)):
        with pytest.raises(TimeoutError):
            await wait
    assert handle.status == "generating"
    assert (await handle.wait(timeout=100)).task_id == handle.task_id
    assert await handle.wait(timeout=0) is handle.result()


async def test_awaiters_that_left_are_forgotten(start: Start) -> None:
    """A handle that is waited for in short pieces, thousands of times, holds nothing of the waits that ended."""
    session = await (await start()).open()
    handle = session.enqueue("a lake [takes:1000]")
    for _ in range(300):
        with pytest.raises(TimeoutError):
            await handle.wait(1)
    assert not handle._job._waiters
    await handle


async def test_result_and_exception_before_the_end_and_after(start: Start) -> None:
    """Like a future's: an `InvalidStateError` while there is nothing, then the one or the other."""
    session = await (await start()).open()
    good, bad = session.enqueue("a lake"), session.enqueue("a lake [fail:reference]")
    for handle in (good, bad):
        assert not handle.done()
        with pytest.raises(asyncio.InvalidStateError):
            handle.result()
        with pytest.raises(asyncio.InvalidStateError):
            handle.exception()
    await session.drain()
    assert good.done()
    assert bad.done()
    assert good.exception() is None
    assert good.result().task_id == good.task_id
    with pytest.raises(TaskFailedError):
        bad.result()
    error = bad.exception()
    assert isinstance(error, TaskFailedError)
    assert error.kind == "reference"


async def test_as_completed_yields_the_handles_as_they_finish(start: Start) -> None:
    """The handles themselves come, the first to finish first, each once; failed ones, too."""
    session, handles = await three(await start())
    failing = session.enqueue("lake [fail:moderation] [takes:5]")
    await failing.accepted()
    seen = [handle async for handle in as_completed([*handles, failing, *handles])]
    assert set(seen) == {*handles, failing}
    assert len(seen) == 4
    assert [handle for handle in seen if handle is not failing] == handles[::-1]
    assert all(handle.done() for handle in seen)
    assert [handle async for handle in as_completed(handles)] == handles
    assert [handle async for handle in as_completed([])] == []


async def test_leaving_as_completed_early_leaves_nothing(start: Start) -> None:
    """A loop that breaks takes its callbacks back; the other jobs go on."""
    session, handles = await three(await start())
    loop = as_completed(handles)
    async for handle in loop:
        assert handle is handles[2]
        break
    await loop.aclose()  # type: ignore[attr-defined]
    assert all(handle._job._followers is None for handle in handles)
    await asyncio.gather(*handles)
    assert session.statistics().succeeded == 3


async def test_callbacks_are_called_once_at_the_end(start: Start) -> None:
    """A callback gets the handle; one that was taken back is not called; on a done handle it comes soon."""
    session, (handle, *_) = await three(await start())
    calls: list[TaskHandle] = []
    unwanted: list[TaskHandle] = []
    handle.add_done_callback(calls.append)
    handle.add_done_callback(unwanted.append)
    handle.remove_done_callback(unwanted.append)
    await session.drain()
    assert calls == [handle]
    handle.add_done_callback(calls.append)
    assert calls == [handle]
    await asyncio.sleep(0)
    assert calls == [handle, handle]
    assert unwanted == []


async def test_a_detached_job_is_nobodys_business(start: Start) -> None:
    """`detach` leaves `pending` and `drain`; the slot stays counted and awaiting still works."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    handle = await session.submit("a lake")
    second = session.enqueue("second")
    handle.detach()
    handle.detach()
    assert session.pending == ()
    assert session.statistics().in_progress == 1
    assert (await handle).task_id == handle.task_id
    await session.drain(timeout=100)
    assert second.done()


async def test_a_job_may_be_detached_while_it_is_queued(start: Start) -> None:
    """`drain` waits for it while it is queued, because it is about to be sent, and not for its task."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    await session.submit("something else")
    queued = session.enqueue("a lake [takes:500]")
    queued.detach()
    await session.drain(timeout=100)
    assert queued.task_id is not None
    assert not queued.done()
    assert session.pending == ()
    await queued
    await session.drain(timeout=1)


async def test_two_handles_are_equal_only_if_they_are_the_same(start: Start) -> None:
    """Handles are members of sets and keys of dicts."""
    _, handles = await three(await start())
    assert len({*handles, *handles}) == 3
    assert handles[0] != handles[1]


async def test_a_handle_shows_what_it_stands_for(start: Start) -> None:
    """The repr has the key, the task id and the status, and nothing of the inputs."""
    session = await (await start()).open()
    handle = session.enqueue("a secret lake", key="order-17")
    assert repr(handle) == "<TaskHandle key='order-17' status='queued'>"
    await handle
    assert repr(handle) == f"<TaskHandle key='order-17' task_id='{handle.task_id}' status='success'>"


async def test_position_elapsed_and_estimate(start: Start) -> None:
    """Where a job is in the queue, how long it has taken, and how long such tasks take."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    handles = [session.enqueue(inputs) for inputs in lakes(4)]
    await asyncio.sleep(30)
    assert [handle.position for handle in handles] == [None, 1, 2, 3]
    assert handles[0].elapsed == pytest.approx(30, abs=0.5)
    assert handles[3].elapsed == pytest.approx(30, abs=0.5)
    running, queued = handles[0].estimate, handles[3].estimate
    assert running is not None
    assert queued is not None
    assert (running.typical, queued.typical, queued.remaining) == (240, 240, 240)
    assert running.remaining == pytest.approx(210, abs=0.5)
    handles[1].cancel()
    assert [handle.position for handle in handles[1:]] == [None, 1, 2]
    await handles[0]
    assert handles[0].elapsed == pytest.approx(61, abs=2)
    await asyncio.sleep(30)
    assert handles[0].elapsed == pytest.approx(61, abs=2)
    assert handles[0].estimate is None
    assert handles[2].elapsed < 35


async def test_estimate_is_never_below_nothing(start: Start) -> None:
    """A task that takes longer than usual has no seconds left, and not fewer."""
    session = await (await start()).open()
    handle = await session.submit("a lake [takes:1000]")
    await asyncio.sleep(500)
    assert handle.estimate is not None
    assert (handle.estimate.typical, handle.estimate.remaining) == (240, 0)
    assert clock() > 499
