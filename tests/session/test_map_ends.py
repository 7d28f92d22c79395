"""How `map` ends before its source does: errors of the source, of the account, of the user, and leaving."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest

from seedance_async import (
    AsyncSeedance,
    AuthenticationError,
    BudgetExceededError,
    InsufficientCreditsError,
    Item,
    Items,
    PermissionDeniedError,
    SeedanceError,
    SessionClosedError,
    TextToVideo,
)
from tests.session.service import PRICE_480P, Service, Start, clock, lakes, until


async def test_an_async_source_is_pulled_and_closed(start: Start) -> None:
    """An async generator is a source like any other, and is closed when it is left in the middle."""
    session = await (await start(limit=2)).open()
    closed = []

    async def source() -> AsyncIterator[TextToVideo]:
        try:
            for inputs in lakes(1000):
                await asyncio.sleep(0.5)
                yield inputs
        finally:
            await asyncio.sleep(0)
            closed.append(clock())

    async with session.map(source()) as items:
        async for _ in items:
            break
    assert len(closed) == 1


async def test_a_source_that_raises_ends_the_items_after_what_runs(start: Start) -> None:
    """What was pulled before is yielded; then the source's own error comes out of the loop."""
    session = await (await start()).open()

    def source() -> Iterator[TextToVideo]:
        yield from lakes(2)
        raise LookupError("no more rows")

    seen: list[Item] = []

    async def collect() -> None:
        async for item in session.map(source()):
            seen.append(item)  # noqa: PERF401 (what came before the error counts)

    with pytest.raises(LookupError, match="no more rows"):
        await collect()
    assert [item.error for item in seen] == [None, None]


@pytest.mark.parametrize("what", ["401", "402", "403", "budget"])
async def test_what_concerns_every_input_ends_the_pulling(start: Start, what: str) -> None:
    """The key, the account, the budget: what runs is yielded, then the error is raised, and nothing more is pulled."""
    service = await start(limit=3)
    session = await service.open(concurrency=3, budget=5 * PRICE_480P + 10 if what == "budget" else None)
    pulled = 0

    def source() -> Iterator[TextToVideo]:
        nonlocal pulled
        for inputs in lakes(1000):
            pulled += 1
            yield inputs

    seen: list[Item] = []
    expected: type[SeedanceError] = {
        "401": AuthenticationError,
        "402": InsufficientCreditsError,
        "403": PermissionDeniedError,
        "budget": BudgetExceededError,
    }[what]

    async def collect() -> None:
        async with session.map(source(), window=10) as items:
            async for item in items:
                seen.append(item)
                if len(seen) == 3 and what in {"401", "403"}:
                    service.emulator.faults.add(f"http-{what}:on=create")
                if len(seen) == 3 and what == "402":
                    service.emulator.world.money.available = service.emulator.world.money.available * 0

    with pytest.raises(expected):
        await collect()
    assert pulled <= 24
    assert len(seen) == pulled - (pulled > len(seen))
    assert session.statistics().waiting == 0
    done = [item for item in seen if item.error is None]
    accepted = service.emulator.statistics().accepted
    if what in {"402", "budget"}:
        assert len(done) == accepted >= 5
    else:
        # With a wrong key nobody can be asked: what runs is told as such, with its id.
        running = [item for item in seen if item.handle is not None and item.error is not None]
        assert len(done) + len(running) == accepted
        assert {item.handle for item in running} == set(session.pending)


async def test_closing_the_session_ends_the_items(start: Start) -> None:
    """A `map` that waits while its session is closed yields what was lost with it, and raises that it is closed."""
    service = await start(limit=2)
    session = await service.open(concurrency=2)
    seen: list[Item] = []

    async def collect() -> None:
        async for item in session.map(lakes(100)):
            seen.append(item)  # noqa: PERF401 (what came before the error counts)

    task = asyncio.create_task(collect())
    await until(lambda: len(seen) == 3)
    await session.aclose()
    with pytest.raises(SessionClosedError):
        await asyncio.wait_for(task, 10)
    errors = [item.error for item in seen[3:]]
    assert all(isinstance(error, SessionClosedError) for error in errors)
    running = [item for item in seen[3:] if item.handle is not None]
    assert {item.handle.task_id for item in running if item.handle} == {handle.task_id for handle in session.pending}
    assert len(running) == 2


async def left(service: Service, session: AsyncSeedance) -> None:
    """Check what is true once a `map` was left: nothing more is sent, what runs is pending and ends."""
    await asyncio.sleep(0)
    creates, wire = service.emulator.statistics().creates, session.statistics().on_wire
    assert session.statistics().waiting == 0
    await asyncio.sleep(1)
    assert len(session.pending) == service.emulator.world.in_progress > 0
    await asyncio.sleep(600)
    assert creates <= service.emulator.statistics().creates <= creates + wire
    assert not session.pending
    assert session.statistics().in_progress == 0
    assert session.statistics().succeeded == service.emulator.statistics().accepted


class _Left(Exception):  # noqa: N818 (a way to leave, no error)
    pass


async def leave_loop(items: Items, way: str) -> None:
    """Leave a loop after its first item."""
    async for _ in items:
        if way == "break":
            break
        if way == "exception":
            raise _Left
        if way == "aclose":
            await items.aclose()


async def leave_block(items: Items, way: str) -> None:
    """Leave a block after its first item."""
    async with items:
        await leave_loop(items, way)


@pytest.mark.parametrize("way", ["break", "exception", "cancel", "aclose"])
@pytest.mark.parametrize("leave", [leave_block, leave_loop], ids=["block", "dropped"])
async def test_leaving_stops_the_spending(
    start: Start, way: str, leave: Callable[[Items, str], Coroutine[Any, Any, None]]
) -> None:
    """However a loop is left, no create starts after it; the queue is withdrawn, and running tasks are pending."""
    service = await start(limit=3)
    session = await service.open(concurrency=3)
    source = iter([*lakes(1, " [takes:30]"), *lakes(1000, " [takes:200]")])
    # Nothing here keeps the object: without a block it ends with the last reference to it.
    task = asyncio.create_task(leave(session.map(source), way))
    await asyncio.sleep(40)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() == (way == "cancel")
    if way == "exception":
        assert isinstance(task.exception(), _Left)
    # The traceback of an exception holds its frames, and these hold the object.
    del task
    gc.collect()
    await left(service, session)
    assert 1001 - 65 <= len(list(source)) <= 1001 - 64


async def test_leaving_while_creates_are_on_the_wire(start: Start) -> None:
    """A create that has left finishes, and its task is pending: nobody's cancellation falls between."""
    service = await start(limit=5, faults=["slow-headers:on=create,seconds=10"])
    session = await service.open(concurrency=5)
    async with session.map(lakes(50)):
        await asyncio.sleep(5)
        assert session.statistics().on_wire == 2
    assert service.emulator.statistics().creates == 2
    await asyncio.sleep(10)
    assert len(session.pending) == 2
    await session.drain()
    assert service.emulator.statistics().creates == 2


async def test_a_create_that_is_refused_after_leaving_is_not_sent_again(start: Start) -> None:
    """A 429 that comes back after the loop was left withdraws the job."""
    service = await start(limit=5, foreign=5, faults=["slow-headers:on=create,seconds=10"])
    session = await service.open(concurrency=5)
    async with session.map(lakes(50)):
        await asyncio.sleep(5)
    await asyncio.sleep(10)
    service.emulator.world.foreign = 0
    await asyncio.sleep(300)
    assert service.emulator.statistics().creates == 2
    assert session.statistics().waiting == 0
    assert session.statistics().credits_reserved == 0


async def test_leaving_withdraws_a_doubled_key_once_for_each_of_its_inputs(start: Start) -> None:
    """Two inputs with one key have one job: leaving takes it back, unless somebody else wants it."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    blocker = session.enqueue("something else")
    held = session.enqueue("held", key="held")
    async with session.map([("k", "a lake"), ("k", "a lake"), ("held", "held"), ("held", "held")]):
        await asyncio.sleep(5)
        assert session.statistics().waiting == 2
    assert session.statistics().waiting == 1
    await asyncio.gather(blocker, held)
    assert service.emulator.statistics().creates == 2


async def test_a_failed_task_is_not_tried_again_after_leaving(start: Start) -> None:
    """`attempts` counts while the loop runs; a failure that comes later makes no create."""
    service = await start()
    session = await service.open()
    async with session.map(["a [fail:server]"], attempts=5):
        await asyncio.sleep(5)
    await session.drain()
    assert service.emulator.statistics().creates == 1


async def test_a_map_that_was_never_iterated_sends_nothing(start: Start) -> None:
    """`map` alone is an object: the pulling begins with the block or the loop."""
    service = await start()
    session = await service.open()
    items = session.map(lakes(10))
    await asyncio.sleep(60)
    await items.aclose()
    assert [item async for item in items] == []
    assert service.emulator.statistics().creates == 0


async def test_leaving_a_block_in_a_cancelled_scope(start: Start) -> None:
    """A timeout around the block ends it as cleanly as anything else."""
    service = await start(limit=3)
    session = await service.open(concurrency=3)

    async def loop() -> None:
        async with session.map(lakes(1000, " [takes:150]")) as items:
            async for _ in items:
                pass

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(loop(), 100)
    await left(service, session)
