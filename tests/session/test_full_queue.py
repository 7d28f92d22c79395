"""A queue with limits: who is refused, who is not, and what is told."""

import asyncio
from pathlib import Path

import pytest

from seedance_async import AsyncSeedance, ConfigurationError, QueueFullError, SqliteJournal, TextToVideo
from seedance_async.events import HookEvent, Queued
from tests.session.service import Start, end, lakes, slots, until


async def test_one_more_is_refused_by_every_method(start: Start) -> None:
    """With as many waiting as may, enqueue, submit and generate raise at once, and nothing is queued or reserved."""
    service = await start(limit=1)
    session = await service.open(concurrency=1, max_waiting=2)
    await session.submit("a lake [stuck]")
    handles = [session.enqueue(lake) for lake in lakes(2)]
    before = session.statistics()
    with pytest.raises(QueueFullError) as caught:
        session.enqueue("a sea")
    for call in (session.submit("a sea"), session.generate("a sea")):
        with pytest.raises(QueueFullError):
            await call
    error = caught.value
    assert (error.limit, error.waiting, error.of_group, error.charged) == (2, 2, False, "no")
    assert session.statistics() == before
    assert handles[0].cancel()
    session.enqueue("a sea")
    assert session.statistics().waiting == 2


async def test_a_group_has_a_limit_of_its_own(start: Start) -> None:
    """Whoever has as many waiting as a group may is refused, and told so; others are not, nor those without a group."""
    service = await start(limit=1)
    session = await service.open(concurrency=1, max_waiting=5, max_waiting_per_group=2)
    await session.submit("a lake [stuck]")
    for _ in range(2):
        session.enqueue("a lake", group="anna")
    with pytest.raises(QueueFullError) as caught:
        session.enqueue("a lake", group="anna")
    assert (caught.value.limit, caught.value.waiting, caught.value.of_group, caught.value.group) == (2, 2, True, "anna")
    session.enqueue("a lake", group="ben")
    session.enqueue("a lake")
    session.enqueue("a lake")
    with pytest.raises(QueueFullError, match=r"^5 jobs wait already, and 5 may"):
        session.enqueue("a lake", group="cleo")


async def test_a_known_key_is_not_refused(start: Start) -> None:
    """A call that only finds its job gets it, whether it waits, runs or has ended; a new one is refused."""
    service = await start(limit=1)
    session = await service.open(concurrency=1, max_waiting=1)
    done = await session.submit("a lake", key="done")
    await done
    running = await session.submit("a sea [stuck]", key="running")
    waiting = session.enqueue("a market", key="waiting")
    assert session.enqueue("a lake", key="done") is done
    assert session.enqueue("a sea [stuck]", key="running") is running
    assert session.enqueue("a market", key="waiting") is waiting
    assert (await session.generate("a lake", key="done")).task_id == done.task_id
    with pytest.raises(QueueFullError):
        session.enqueue("a harbour", key="new")
    assert waiting.cancel()
    session.enqueue("a harbour", key="new")


async def test_what_comes_back_is_not_refused(start: Start) -> None:
    """Creates that meet the account's limit go back into a queue that is full by then."""
    service = await start(limit=1, foreign=1)
    session = await service.open(concurrency=1, max_waiting=2)
    first = session.enqueue("a lake")
    while slots(session) != (1, 0):
        await asyncio.sleep(0)
    for lake in lakes(2):
        session.enqueue(lake)
    await until(lambda: slots(session) == (0, 3))
    group = session.statistics().groups[None]
    assert (group.waiting, group.in_progress) == (3, 0)
    with pytest.raises(QueueFullError, match=r"^3 jobs wait already, and 2 may"):
        session.enqueue("a sea")
    service.emulator.world.foreign = 0
    await first
    await session.drain()
    assert session.statistics().succeeded == 3


async def test_retry_after_is_what_the_session_gets_done(start: Start) -> None:
    """It follows from the slots and from how long tasks take: as published at first, as seen later."""
    service = await start(limit=4, durations=20.0)
    session = await service.open(concurrency=4, max_waiting=6)
    handles = [session.enqueue(lake) for lake in lakes(4)]
    await handles[3].accepted()
    handles += [session.enqueue(lake) for lake in lakes(6)]
    with pytest.raises(QueueFullError) as before:
        session.enqueue("a sea")
    # Nothing has ended: four slots, and some minutes for each task.
    assert 20 <= before.value.retry_after <= 120
    await asyncio.gather(*handles)
    handles = [session.enqueue(lake) for lake in lakes(4)]
    await handles[3].accepted()
    for lake in lakes(6):
        session.enqueue(lake)
    with pytest.raises(QueueFullError) as after:
        session.enqueue("a sea")
    assert after.value.retry_after in {5, 6}


async def test_who_comes_after_retry_after_finds_room(start: Start) -> None:
    """A client that waits as long as it is told, each time, is let in after few tries."""
    service = await start(limit=2, durations=30.0)
    session = await service.open(concurrency=2, max_waiting=4, max_waiting_per_group=2)
    await session.generate("a lake")
    for user in ("anna", "ben"):
        for lake in lakes(2):
            session.enqueue(lake, group=user)
    await until(lambda: slots(session) == (2, 2))
    for lake in lakes(1):
        session.enqueue(lake, group="anna")
    tries = 0
    while True:
        tries += 1
        try:
            session.enqueue("a market", group="anna")
            break
        except QueueFullError as error:
            await asyncio.sleep(error.retry_after)
    assert 2 <= tries <= 4


async def test_map_waits_for_room(start: Start) -> None:
    """It never has more in the queue than may wait, never fails of it, and yields every input."""
    service = await start(limit=2, durations=5.0)
    waiting: list[int] = []

    def note(event: HookEvent) -> None:
        if isinstance(event, Queued):
            waiting.append(session.statistics().waiting)

    session = await service.open(concurrency=2, max_waiting=3, hooks=[note])
    async with session.map(lakes(20)) as items:
        assert [item.error async for item in items] == [None] * 20
    assert max(waiting) == 3
    assert session.statistics().succeeded == 20


async def test_map_waits_for_room_in_its_group(start: Start) -> None:
    """With a limit for each group a map leaves room for others, also where its source is asynchronous."""
    service = await start(limit=1, durations=5.0)
    session = await service.open(concurrency=1, max_waiting=4, max_waiting_per_group=2)

    async def source() -> object:
        for lake in lakes(8):
            await asyncio.sleep(0.1)
            yield lake

    async with session.map(source(), group="batch") as items:  # type: ignore[arg-type]
        await until(lambda: session.statistics().waiting == 2)
        await session.generate("a market", group="anna")
        assert [item.error async for item in items] == [None] * 8


async def test_map_can_be_left_while_it_waits_for_room(start: Start) -> None:
    """Leaving and closing end the wait; nothing is left of it."""
    service = await start(limit=1)
    session = await service.open(concurrency=1, max_waiting=1)
    await session.submit("a lake [stuck]")
    session.enqueue("a sea")
    async with session.map(lakes(3)) as items:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await anext(items)
    assert session._opened is not None
    assert session._opened.register.groups._room == set()
    ended = asyncio.create_task(_all(session))
    await asyncio.sleep(1)
    await session.aclose()
    assert "the session is closed" in str(await ended)


async def _all(session: AsyncSeedance) -> object:
    try:
        async with session.map(lakes(3)) as items:
            return [item async for item in items]
    except Exception as error:  # noqa: BLE001 (the caller looks at it)
        return error


async def test_map_tries_again_in_a_full_queue(start: Start) -> None:
    """Another attempt at a task that failed is not refused: its input was let in before."""
    service = await start(limit=1, durations=5.0)
    session = await service.open(concurrency=1, max_waiting=1)
    async with session.map([TextToVideo("a lake [fail:server]")], attempts=2) as items:
        await until(lambda: slots(session) == (1, 0))
        session.enqueue("a sea")
        assert [type(item.error).__name__ async for item in items] == ["TaskFailedError"]
    assert session.statistics().failed == 2


async def test_resume_loses_no_job(start: Start, tmp_path: Path) -> None:
    """What a journal brings is queued, however many may wait; a new job is refused until fewer do."""
    service = await start(limit=2, durations=5.0)
    session = await service.open(journal=SqliteJournal(tmp_path / "videos.db"), concurrency=2)
    for lake in lakes(12):
        session.enqueue(lake)
    await session.aclose()
    again = await service.open(journal=SqliteJournal(tmp_path / "videos.db"), concurrency=2, max_waiting=3)
    handles = await again.resume()
    assert len(handles) == 12
    with pytest.raises(QueueFullError) as caught:
        again.enqueue("a sea")
    assert caught.value.waiting > 3
    assert [await end(handle) for handle in handles] == [None] * 12
    again.enqueue("a sea")


@pytest.mark.parametrize("name", ["max_waiting", "max_waiting_per_group"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "10"])
def test_a_limit_is_a_number_of_jobs(name: str, value: object) -> None:
    """Anything else is refused by name when the session is made."""
    with pytest.raises(ConfigurationError, match=f"^{name} is a whole number from 1 on, or None"):
        AsyncSeedance("key", base_url="http://127.0.0.1:1/api/v1", **{name: value})  # type: ignore[arg-type]
