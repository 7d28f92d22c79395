"""`updates()`: the present snapshot first, then every change, and an end without an error."""

import asyncio

import pytest

from seedance_async import TaskHandle, TaskTimeoutError, Timeouts
from tests.session.service import Start, end, until


async def statuses(handle: TaskHandle) -> list[str]:
    """Read updates to their end."""
    return [snapshot.status async for snapshot in handle.updates()]


async def test_updates_show_a_job_from_the_queue_to_its_end(start: Start) -> None:
    """Queued, then the service's words, the last one terminal; the reader is not told of it by an error."""
    session = await (await start()).open()
    handle = session.enqueue("a lake [fail:moderation]")
    seen = [snapshot async for snapshot in handle.updates()]
    assert [snapshot.status for snapshot in seen if snapshot.credits_used or not snapshot.task_id] == [
        "queued",
        "waiting",
        "generating",
        "fail",
    ]
    assert seen[0].task_id is None
    assert seen[-1].terminal
    assert seen[-1].error is not None


async def test_every_reader_sees_every_change(start: Start) -> None:
    """Readers are independent: a slow one misses nothing."""
    session = await (await start()).open()
    handle = session.enqueue("a lake")

    async def slowly() -> list[str]:
        seen = []
        async for snapshot in handle.updates():
            seen.append(snapshot.status)
            await asyncio.sleep(200)
        return seen

    slow, *quick = await asyncio.gather(slowly(), *(statuses(handle) for _ in range(5)))
    assert all(seen == quick[0] for seen in quick)
    assert slow == quick[0]
    assert slow[0] == "queued"
    assert slow[-1] == "success"


async def test_a_late_reader_begins_with_the_present(start: Start) -> None:
    """Who comes in the middle sees the present snapshot and what follows; who comes after the end, the end."""
    session = await (await start()).open()
    handle = session.enqueue("a lake")
    await until(lambda: handle.status == "generating")
    assert await statuses(handle) == ["generating", "success"]
    assert await statuses(handle) == ["success"]


async def test_a_reader_that_leaves_is_forgotten(start: Start) -> None:
    """Breaking out of the loop ends the collecting for this reader alone."""
    session = await (await start()).open()
    handle = session.enqueue("a lake")
    stays = asyncio.create_task(statuses(handle))
    reader = handle.updates()
    async for snapshot in reader:
        if snapshot.status == "waiting":
            break
    await reader.aclose()  # type: ignore[attr-defined]
    assert len(handle._job._readers or ()) == 1
    assert (await stays)[-1] == "success"
    assert handle._job._readers is None


async def test_a_cancelled_reader_is_forgotten(start: Start) -> None:
    """So is one whose task is cancelled while it waits for a change."""
    session = await (await start()).open()
    handle = session.enqueue("a lake")
    reader = asyncio.create_task(statuses(handle))
    await asyncio.sleep(5)
    reader.cancel()
    await asyncio.wait([reader])
    assert handle._job._readers is None
    await handle


@pytest.mark.parametrize("way", ["cancel", "close", "refused"])
async def test_updates_end_with_a_job_that_ends_without_a_task(start: Start, way: str) -> None:
    """Withdrawn, closed or refused: the reader's loop ends with the last snapshot there was."""
    service = await start(limit=1, faults=["http-400:on=create,nth=2"])
    session = await service.open(concurrency=1)
    session.enqueue("something else")
    handle = session.enqueue("a lake")
    reader = asyncio.create_task(statuses(handle))
    await asyncio.sleep(5)
    if way == "cancel":
        handle.cancel()
    if way == "close":
        await session.aclose()
    assert await asyncio.wait_for(reader, 100) == ["queued"]
    assert await end(handle) is not None


async def test_updates_end_with_the_wait(start: Start) -> None:
    """A reader of a task whose time was up is let go; reading again shows how it went on."""
    session = await (await start()).open(timeouts=Timeouts(task=50))
    handle = session.enqueue("a lake [takes:100]")
    assert (await statuses(handle))[-1] == "generating"
    assert isinstance(handle.exception(), TaskTimeoutError)
    await until(lambda: handle.status == "success")
    assert await statuses(handle) == ["success"]
