"""P5 and more: what users get wrong costs nothing, hangs nobody and brings nobody else down."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from seedance_async import (
    AsyncSeedance,
    ConfigurationError,
    InputError,
    PermissionDeniedError,
    SessionClosedError,
    TaskHandle,
    TextToVideo,
)
from seedance_async.slots import LocalSlots
from tests.session.odd import OddService, says
from tests.session.service import Start, end, lakes


@pytest.mark.parametrize("source", ["a lake", b"letters", TextToVideo("a lake"), {"dawn": "a lake"}])
async def test_map_wants_many_inputs(start: Start, source: Any) -> None:
    """A single prompt is no iterable of letters, and a mapping is no iterable of its keys: nothing is sent."""
    session = await (await start()).open()
    with pytest.raises(InputError, match="iterable of inputs"):
        session.map(source)


@pytest.mark.parametrize("options", [{"window": "5"}, {"window": 2.5}, {"attempts": True}, {"attempts": "3"}])
async def test_map_wants_whole_numbers(start: Start, options: dict[str, Any]) -> None:
    """Wrong options are named before anything is pulled."""
    session = await (await start()).open()
    with pytest.raises(ConfigurationError, match="whole numbers"):
        session.map(["a lake"], **options)


async def test_a_source_that_is_cancelled_has_not_come_to_its_end(start: Start) -> None:
    """A source that fails with a cancellation of its own is no shorter source: it is raised after what runs."""
    session = await (await start()).open()

    async def source() -> AsyncIterator[TextToVideo]:
        for inputs in lakes(2):
            yield inputs
        sleeping = asyncio.ensure_future(asyncio.sleep(100))
        sleeping.cancel()
        await sleeping

    made = 0
    with pytest.raises(RuntimeError, match="before its end"):  # noqa: PT012 (the loop is what raises)
        async with session.map(source()) as items:
            async for item in items:
                made += item.error is None
    assert made == 2


async def test_a_source_that_holds_on_gives_nothing_more(start: Start) -> None:
    """An input that comes after leaving, from a source that suppressed its cancellation, is not sent."""
    service = await start()
    session = await service.open()

    async def source() -> AsyncIterator[str]:
        yield "one"
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            yield "two"

    async with session.map(source()) as items:
        async for _ in items:
            break
    await session.drain()
    assert len(service.tasks()) == 1


async def test_a_callback_that_raises_disturbs_nobody(start: Start) -> None:
    """It is the loop's business, like that of a future; those who await the handle wake up."""
    session = await (await start()).open()
    loop, heard = asyncio.get_running_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda _loop, context: heard.append(context))
    handle = session.enqueue("a lake")

    def wrong(_handle: TaskHandle) -> None:
        raise ZeroDivisionError

    handle.add_done_callback(wrong)
    assert (await handle).url
    await asyncio.sleep(0)
    assert [type(context["exception"]) for context in heard] == [ZeroDivisionError]
    assert session.healthy
    loop.set_exception_handler(None)


async def test_a_callback_that_submits_while_the_session_closes(start: Start) -> None:
    """It gets `SessionClosedError`, and the session closes wholly all the same."""
    session = await (await start(limit=1)).open()
    handles, refused = [session.enqueue(inputs) for inputs in lakes(4)], list[Exception]()
    await handles[0].accepted()

    def again(_handle: TaskHandle) -> None:
        try:
            session.enqueue("again")
        except SessionClosedError as error:
            refused.append(error)

    for handle in handles:
        handle.add_done_callback(again)
    await session.aclose()
    await asyncio.sleep(0)
    assert len(refused) == 4
    assert all(handle.done() for handle in handles)


async def test_an_open_that_fails_leaves_nothing_behind(start: Start) -> None:
    """Slots of the user's that cannot begin: their error is raised, no connection is left, closing is harmless."""

    class Away(LocalSlots):
        async def open(self, changed: Callable[[], None]) -> None:
            raise OSError("redis is down")

    session: AsyncSeedance = (await start()).session(slots=Away(3, lambda: 0.5))
    with pytest.raises(OSError, match="redis is down"):
        await session.open()
    assert not session.healthy
    await session.aclose()


async def test_a_page_that_refuses_one_create() -> None:
    """A 403 of something in front of the service fails that one job; the others go on."""

    def create(number: int) -> web.Response:
        return says(403, "Attention", html=True) if number == 2 else says(200, {"taskId": f"task_{number}"})

    async with OddService(create=create).running() as odd, AsyncSeedance("test-key", base_url=odd.url) as session:
        errors = [await end(handle) for handle in [session.enqueue(inputs) for inputs in lakes(6)]]
        assert [type(error) for error in errors if error is not None] == [PermissionDeniedError]
        assert session.statistics().succeeded == 5


async def test_a_session_of_the_users_that_was_closed(start: Start) -> None:
    """Closing the given HTTP session ends every wait with a sentence that says so; the ids are kept."""
    service = await start()
    async with aiohttp.ClientSession() as http:
        session = await service.open(http_session=http)
        handle = session.enqueue("a lake")
        await handle.accepted()
    with pytest.raises(ConfigurationError, match="http_session"):
        await handle.wait(1000)
    assert [each.task_id for each in session.pending] == [handle.task_id]
