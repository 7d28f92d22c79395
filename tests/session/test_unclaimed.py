"""Tasks that end while nobody holds their handle: told of, and kept for whoever comes for them."""

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from seedance_async import AsyncSeedance, TaskFailedError, TaskHandle, Unclaimed, as_completed
from seedance_async.kept import MOST_KEPT, Kept
from tests.session.service import Service, Start, clock, lakes, slots


async def ended_unclaimed(session: AsyncSeedance, prompt: str = "a lake", **options: Any) -> str:
    """Let a task end whose handle nobody holds."""
    task_id = (await session.submit(prompt, **options)).task_id
    assert task_id is not None
    gc.collect()
    await session.drain()
    return task_id


def requests(service: Service) -> int:
    """How many requests the service has had."""
    now = service.emulator.statistics()
    return now.creates + now.polls


async def test_the_result_of_a_task_that_nobody_holds_is_kept(start: Start) -> None:
    """`attach` by its id, and by its key, whoever made that up, gives it at once and asks nobody."""
    service = await start()
    session = await service.open()
    handle = await session.submit("a lake")
    key, task_id = handle.key, str(handle.task_id)
    del handle
    await session.drain()
    assert service.ear.all(Unclaimed) == [Unclaimed(key, task_id, "succeeded")]
    before, now = requests(service), clock()
    for found in (session.attach(task_id), session.attach(key=key), session.attach(task_id, key=key)):
        assert found.done()
        assert (await found).task_id == task_id
        assert (found.key, found.status) == (key, "success")
        assert found.inputs is not None
    assert session.attach(task_id) is session.attach(key=key)
    assert (requests(service), clock()) == (before, now)
    assert slots(session) == (0, 0)
    assert session.pending == ()


async def test_it_stays_kept_when_it_was_fetched(start: Start) -> None:
    """A handle that is dropped again loses nothing; a key of the user's own works as well as an id."""
    service = await start()
    session = await service.open()
    task_id = await ended_unclaimed(session, key="order-17")
    before = requests(service)
    for _ in range(3):
        assert session.attach(key="order-17").result() == session.attach(task_id).result()
        gc.collect()
    assert requests(service) == before


async def test_its_file_is_fetched_without_asking_for_the_task(start: Start, tmp_path: Path) -> None:
    """`download` with the id takes the link that is kept."""
    service = await start()
    session = await service.open()
    task_id = await ended_unclaimed(session)
    before = service.emulator.statistics().polls
    assert (await session.download(task_id, tmp_path / "lake.mp4")).stat().st_size > 0
    assert service.emulator.statistics().polls == before


async def test_a_failure_is_kept_as_well(start: Start) -> None:
    """Why a task failed is told to whoever comes for it, without a request."""
    service = await start()
    session = await service.open()
    task_id = await ended_unclaimed(session, "a lake [fail:moderation]")
    before = requests(service)
    with pytest.raises(TaskFailedError):
        session.attach(task_id).result()
    assert [event.state for event in service.ear.all(Unclaimed)] == ["failed"]
    assert requests(service) == before


async def held(session: AsyncSeedance) -> object:
    return await session.submit("a lake")


async def awaited(session: AsyncSeedance) -> object:
    return asyncio.create_task(session.generate("a lake"))


async def followed(session: AsyncSeedance) -> object:
    async def follow() -> None:
        async for _ in as_completed([session.enqueue("a lake")]):
            pass

    return asyncio.create_task(follow())


async def called_back(session: AsyncSeedance) -> object:
    def forget(_handle: TaskHandle) -> None: ...

    session.enqueue("a lake").add_done_callback(forget)
    return None


async def read(session: AsyncSeedance) -> object:
    async def follow() -> None:
        async for _ in session.enqueue("a lake").updates():
            pass

    return asyncio.create_task(follow())


async def mapped(session: AsyncSeedance) -> object:
    async def follow() -> None:
        async with session.map(["a lake"]) as items:
            async for _ in items:
                pass

    return asyncio.create_task(follow())


@pytest.mark.parametrize(
    "claim", [held, awaited, followed, called_back, read, mapped], ids=lambda claim: claim.__name__
)
async def test_a_task_that_somebody_follows_is_claimed(start: Start, claim: Any) -> None:
    """Whoever holds the handle, waits, reads or is called back has it: nothing is told or kept."""
    service = await start()
    session = await service.open()
    claimed = await claim(session)
    await asyncio.sleep(1)
    gc.collect()
    await session.drain()
    assert service.emulator.statistics().accepted == 1
    assert service.ear.all(Unclaimed) == []
    del claimed


@pytest.mark.parametrize("collected", [True, False])
async def test_a_handle_in_a_cycle_is_held_until_it_is_collected(start: Start, collected: bool) -> None:
    """What only the garbage collector can free counts as held until it has."""
    service = await start()
    session = await service.open()
    gc.disable()
    try:
        cycle: dict[str, object] = {"handle": await session.submit("a lake")}
        cycle["self"] = cycle
        del cycle
        if collected:
            gc.collect()
        await session.drain()
        assert len(service.ear.all(Unclaimed)) == collected
    finally:
        gc.enable()


async def test_a_cancelled_awaiter_claims_no_more(start: Start) -> None:
    """A caller that was cancelled while its task ran leaves the result to whoever attaches."""
    service = await start()
    session = await service.open()
    caller = asyncio.create_task(session.generate("a lake", key="order-17"))
    await asyncio.sleep(10)
    caller.cancel()
    await asyncio.wait([caller])
    del caller
    gc.collect()
    await session.drain()
    (event,) = service.ear.all(Unclaimed)
    assert session.attach(event.task_id).result() == session.attach(key="order-17").result()


async def test_an_attached_task_can_be_unclaimed(start: Start) -> None:
    """One that was attached by its id and dropped is kept by it."""
    service = await start()
    first = await service.open()
    task_id = str((await first.submit("a lake")).task_id)
    await first.aclose()
    session = await service.open()
    session.attach(task_id)
    gc.collect()
    await session.drain()
    before = requests(service)
    assert (await session.attach(task_id)).task_id == task_id
    assert requests(service) == before


@pytest.mark.parametrize("journal", [False, True])
async def test_what_falls_out_is_not_lost(start: Start, tmp_path: Path, journal: bool) -> None:
    """The oldest results make room; they are in the journal or with the service, and `attach` has them all the same."""
    service = await start(limit=3)
    session = await service.open(journal=tmp_path / "videos.db" if journal else None)
    opened: Any = session._opened
    opened.register.kept.most = 2
    ids = [str((await session.submit(inputs, key=inputs.prompt)).task_id) for inputs in lakes(5)]
    gc.collect()
    await session.drain()
    assert len(service.ear.all(Unclaimed)) == 5
    assert len(opened.register.kept) == 2
    results = [await session.attach(task_id) for task_id in ids]
    assert [result.task_id for result in results] == ids
    assert service.emulator.statistics().accepted == 5


async def test_a_task_that_is_gone_is_asked_for_again(start: Start) -> None:
    """It has no result to keep; the service may know it again later."""
    service = await start()
    session = await service.open()
    task_id = str((await session.submit("a lake")).task_id)
    service.emulator.faults.add("http-404:on=poll,count=100")
    gc.collect()
    await session.drain()
    assert [event.state for event in service.ear.all(Unclaimed)] == ["gone"]
    service.emulator.faults.clear()
    assert (await session.attach(task_id)).task_id == task_id


def test_the_bound() -> None:
    """So many are kept, and the oldest go first; one that is added again is the newest."""

    class Row:
        def __init__(self, number: int) -> None:
            self.task_id, self.key = f"task_{number}", f"key-{number}"

    rows: list[Any] = [Row(number) for number in range(MOST_KEPT + 2)]
    kept = Kept()
    for row in [*rows[:MOST_KEPT], rows[0], *rows[MOST_KEPT:]]:
        kept.add(row)
    assert len(kept) == MOST_KEPT == 1000
    assert kept.by_task("task_0") is kept.by_key("key-0") is rows[0]
    for gone in (1, 2):
        assert kept.by_task(f"task_{gone}") is kept.by_key(f"key-{gone}") is None
    assert kept.by_task("task_3") is rows[3]


def test_a_key_stands_for_its_newest_task() -> None:
    """When the older one of two tasks of a key falls out, the key still stands for the newer."""

    class Row:
        def __init__(self, number: int) -> None:
            self.task_id, self.key = f"task_{number}", "key"

    rows: list[Any] = [Row(number) for number in range(3)]
    kept = Kept(most=2)
    for row in rows:
        kept.add(row)
    assert kept.by_key("key") is rows[2]
    assert kept.by_task("task_0") is None
