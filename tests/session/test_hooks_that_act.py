"""A hook may call the session it listens to; what it does there happens once, and disturbs nobody."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from seedance_async import (
    AsyncSeedance,
    AuthenticationError,
    SessionClosedError,
    TaskHandle,
    TaskTimeoutError,
    Timeouts,
    as_completed,
)
from seedance_async.errors import WithdrawnError
from seedance_async.events import Attached, Finished, Queued, Refusal, WaitEnded
from tests.session.service import Start, end, lakes, slots


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "no journal"])
async def test_a_hook_that_looks_up_what_was_queued_gets_that_job(start: Start, tmp_path: Path, journal: bool) -> None:
    """The key stands for its job before anybody is told of it: one create, whoever asks for the handle first."""
    service = await start()
    found: list[TaskHandle] = []

    def look_up(event: Any) -> None:
        if isinstance(event, Queued):
            found.append(session.attach(key=event.key))

    session: AsyncSeedance = await service.open(hooks=[look_up], journal=tmp_path / "jobs.db" if journal else None)
    handle = session.enqueue("a lake", key="order-17")
    assert found == [handle]
    await handle
    await session.drain()
    assert service.emulator.statistics().creates == 1


async def test_a_hook_that_looks_up_what_is_queued_again_gets_that_job(start: Start, tmp_path: Path) -> None:
    """So it is with a job that a session before has left in the queue."""
    service = await start(limit=1)
    first = await service.open(journal=tmp_path / "jobs.db", concurrency=1)
    running = first.enqueue("a lake", key="runs")
    await running.accepted()
    first.enqueue("a lake", key="waits")
    await first.aclose()
    found: list[TaskHandle] = []

    def look_up(event: Any) -> None:
        if isinstance(event, Queued | Attached):
            found.append(session.attach(key=event.key))

    session: AsyncSeedance = await service.open(hooks=[look_up], journal=tmp_path / "jobs.db", concurrency=1)
    handles = await session.resume()
    assert found == list(handles)
    assert slots(session) == (1, 1)
    await session.drain()
    assert service.emulator.statistics().creates == 2


async def test_a_hook_may_take_back_a_job_that_was_refused(start: Start) -> None:
    """It is in the queue again when the refusal is told, so it can be taken out of it."""
    service = await start(limit=1)
    handles: dict[str, TaskHandle] = {}

    def take_back(event: Any) -> None:
        if isinstance(event, Refusal):
            assert handles[event.key].cancel()

    other = await service.open()
    await (await other.submit("a lake")).accepted()
    session = await service.open(hooks=[take_back], concurrency=3)
    handles["k"] = session.enqueue("a lake", key="k")
    assert isinstance(await end(handles["k"]), WithdrawnError)
    assert slots(session) == (0, 0)
    await asyncio.sleep(200)
    assert session.healthy
    assert session.statistics().creates == 1


async def test_a_hook_may_take_back_what_ends_with_it(start: Start) -> None:
    """A refused key ends every queued job; a hook that gives up the others when it hears of the first is too late."""
    service = await start()
    handles: list[TaskHandle] = []

    def give_up(event: Any) -> None:
        if isinstance(event, Finished):
            assert not any(handle.cancel() for handle in handles)

    session = await service.open(hooks=[give_up], api_key="key-of-nobody-0123456789", concurrency=1)
    handles.extend(session.enqueue(inputs) for inputs in lakes(4))
    for handle in handles:
        assert isinstance(await end(handle), AuthenticationError)
    assert session.healthy


async def test_a_hook_may_wait_on_for_a_task_whose_wait_ended(start: Start) -> None:
    """Those who follow it hear that the wait ended; who awaits it gets the result."""
    service = await start(durations=100.0)

    def wait_on(event: Any) -> None:
        if isinstance(event, WaitEnded) and service.sessions[0].healthy:
            session.attach(event.task_id)

    session: AsyncSeedance = await service.open(hooks=[wait_on], timeouts=Timeouts(task=70))
    inputs, other = lakes(2)
    async with session.map([inputs]) as items:
        (item,) = [item async for item in items]
    assert isinstance(item.error, TaskTimeoutError)
    assert item.handle is not None
    await item.handle
    handle = session.enqueue(other)
    assert [each async for each in as_completed([handle])] == [handle]
    await handle


async def test_a_hook_may_take_back_what_a_closing_session_ends(start: Start) -> None:
    """It is told when all of them have ended, so there is nothing to take back, and the session closes."""
    service = await start()
    handles: list[TaskHandle] = []
    taken: list[bool] = []

    def give_up(event: Any) -> None:
        if isinstance(event, Finished):
            taken.extend(handle.cancel() for handle in handles)

    session = await service.open(hooks=[give_up], concurrency=1)
    handles.extend(session.enqueue(inputs) for inputs in lakes(3))
    await session.aclose()
    assert taken == [False] * 9
    for handle in handles:
        assert isinstance(await end(handle), SessionClosedError)
