"""`map`: many inputs in, results and failures out as they come."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from seedance_async import (
    ConfigurationError,
    InputError,
    KeyConflictError,
    TaskFailedError,
    TextToVideo,
)
from tests.session.service import Start, lakes


async def test_items_come_in_the_order_in_which_they_finish(start: Start) -> None:
    """The quickest comes first; each item says which input it belongs to."""
    service = await start(limit=5)
    session = await service.open(concurrency=5)
    prompts = [f"lake [takes:{seconds}]" for seconds in (90, 30, 60, 10)]
    async with session.map(prompts) as items:
        seen = [item async for item in items]
    assert [item.index for item in seen] == [3, 1, 2, 0]
    for item in seen:
        assert item.inputs == prompts[item.index]
        assert item.error is None
        assert item.result is not None
        assert item.handle is not None
        assert item.handle.task_id == item.result.task_id
        assert item.key == item.handle.key


async def test_ordered_items_come_in_the_order_of_the_source(start: Start) -> None:
    """`ordered=True` holds back what finished early; the failed and the refused keep their places, too."""
    service = await start(limit=5)
    session = await service.open(concurrency=5)
    prompts = ["a [takes:90]", "", "b [takes:30]", "c [takes:10] [fail:moderation]", "d [takes:60]"]
    async with session.map(prompts, ordered=True) as items:
        seen = [item async for item in items]
    assert [item.index for item in seen] == [0, 1, 2, 3, 4]
    assert [type(item.error) for item in seen] == [type(None), InputError, type(None), TaskFailedError, type(None)]


async def test_a_hundred_thousand_inputs_are_pulled_lazily(start: Start) -> None:
    """A source is pulled as far as the window, however long it is, and further only as items are collected."""
    service = await start(limit=5, durations=20.0)
    session = await service.open(concurrency=5)
    pulled = 0

    def source() -> Iterator[TextToVideo]:
        nonlocal pulled
        for inputs in lakes(100_000):
            pulled += 1
            yield inputs

    collected = 0
    async with session.map(source(), window=20) as items:
        await asyncio.sleep(300)
        # Nothing was collected: twenty are done or under way.
        assert pulled == 20
        async for item in items:
            assert item.error is None
            collected += 1
            assert pulled <= collected + 20
            if collected == 60:
                break
    assert pulled <= 80


async def test_the_window_is_four_times_the_slots_and_at_least_sixty_four(start: Start) -> None:
    """Without a window of its own, `map` takes one that keeps every slot busy."""
    for limit, window in ((5, 64), (30, 120)):
        service = await start(limit=limit)
        session = await service.open(concurrency=limit)
        source = iter(lakes(500))
        async with session.map(source):
            await asyncio.sleep(1)
            assert len(list(source)) == 500 - window


async def test_a_slow_consumer_keeps_the_slots_full_up_to_the_window(start: Start) -> None:
    """Finished items hold no slot: others run meanwhile, until a window of them waits to be collected."""
    service = await start(limit=4, durations=30.0)
    session = await service.open(concurrency=4)
    async with session.map(lakes(40), window=24) as items:
        iterator = aiter(items)
        await anext(iterator)
        await asyncio.sleep(1000)
        seen = service.emulator.statistics()
        assert (seen.accepted, seen.succeeded) == (25, 25)
        rest = [item async for item in iterator]
    assert len(rest) == 39
    assert service.emulator.statistics().peak_in_progress == 4


@pytest.mark.parametrize("window", [1, 3])
async def test_a_window_bounds_what_is_under_way(start: Start, window: int) -> None:
    """A window below the slots leaves some of them to others."""
    service = await start(limit=10)
    session = await service.open(concurrency=10)
    async with session.map(lakes(8), window=window) as items:
        assert len([item async for item in items]) == 8
    assert service.emulator.statistics().peak_in_progress == window


async def test_keys_come_with_the_inputs(start: Start) -> None:
    """`(key, inputs)` pairs make a run repeatable within a session: nothing is made twice."""
    service = await start()
    session = await service.open()
    pairs = [(f"row-{n}", inputs) for n, inputs in enumerate(lakes(4))]
    for _ in range(2):
        async with session.map(pairs) as items:
            seen = {item.key: item async for item in items}
        assert seen.keys() == {"row-0", "row-1", "row-2", "row-3"}
        assert [seen[f"row-{n}"].inputs for n in range(4)] == [inputs for _, inputs in pairs]
        assert all(item.error is None for item in seen.values())
    assert service.emulator.statistics().accepted == 4


async def test_a_doubled_key_is_one_create_and_two_items(start: Start) -> None:
    """The same key with the same inputs shares a task; with others it is an item with the conflict."""
    service = await start()
    session = await service.open()
    pairs = [("k", "a lake"), ("k", "a lake"), ("k", "a river"), ("other", "a lake")]
    async with session.map(pairs) as items:
        seen = {item.index: item async for item in items}
    assert seen[0].result == seen[1].result is not None
    assert isinstance(seen[2].error, KeyConflictError)
    assert (seen[2].handle, seen[2].key) == (None, "k")
    assert seen[3].result is not None
    assert service.emulator.statistics().creates == 2


async def test_failures_of_the_server_are_tried_again(start: Start) -> None:
    """`attempts=3` makes up to three tasks where the service failed, each refunded; other failures are told at once."""
    service = await start()
    session = await service.open()
    prompts = ["a [fail:server,times=2]", "b [fail:server,times=3]", "c [fail:moderation]", "d"]
    async with session.map(prompts, attempts=3) as items:
        seen = {item.index: item async for item in items}
    assert seen[0].result is not None
    assert isinstance(seen[1].error, TaskFailedError)
    assert isinstance(seen[2].error, TaskFailedError)
    assert seen[3].result is not None
    made = service.emulator.statistics().accepted_by_prompt
    assert [made[prompt] for prompt in prompts] == [3, 3, 1, 1]
    assert seen[1].handle is not None
    assert seen[1].handle.task_id == service.tasks("b [")[-1]


async def test_a_key_is_kept_through_the_attempts(start: Start) -> None:
    """Attempts are made under the input's own key, so that a later call finds the one that counts."""
    service = await start()
    session = await service.open()
    async with session.map([("k", "a [fail:server,times=1]")], attempts=2) as items:
        (item,) = [item async for item in items]
    assert item.result is not None
    assert await session.generate("a [fail:server,times=1]", key="k") == item.result
    assert service.emulator.statistics().creates == 2


async def test_wrong_inputs_are_items(start: Start) -> None:
    """An input that is wrong is an item with everything that is wrong with it; the others go on."""
    service = await start()
    session = await service.open()
    sources: list[Any] = [
        "a lake",
        "",
        TextToVideo("x", duration=99),
        ("key", TextToVideo("y", aspect_ratio="5:4")),
        7,
        None,
        ("key", 7),
        (7, "a lake"),
        ("key", "a lake", "more"),
        {"prompt": "a lake"},
    ]
    async with session.map(sources) as items:
        seen = {item.index: item async for item in items}
    assert seen.keys() == set(range(len(sources)))
    assert seen[0].result is not None
    for index in range(1, len(sources)):
        assert isinstance(seen[index].error, InputError)
        assert (seen[index].handle, seen[index].result) == (None, None)
    assert seen[3].key == "key"
    assert service.emulator.statistics().creates == 1


async def test_fields_count_for_every_input(start: Start) -> None:
    """Fields beside the inputs complete prompts and replace fields of objects; a wrong name is said at once."""
    service = await start()
    session = await service.open()
    async with session.map(["a lake", TextToVideo("a river", duration=4)], duration=9) as items:
        assert len([item async for item in items]) == 2
    assert {task.order.seconds for task in service.emulator.world.tasks.values()} == {9}
    with pytest.raises(InputError):
        session.map(["a lake"], aspect_ration="16:9")
    with pytest.raises(ConfigurationError):
        session.map(["a lake"], attempts=0)
    with pytest.raises(ConfigurationError):
        session.map(["a lake"], window=0)


async def test_an_empty_source_has_no_items(start: Start) -> None:
    """Nothing in, nothing out; more than once."""
    session = await (await start()).open()
    async with session.map([]) as items:
        assert [item async for item in items] == []
        assert [item async for item in items] == []


async def test_two_maps_share_the_slots(start: Start) -> None:
    """Slots belong to the session: several loops at once get through, in the order in which they queued."""
    service = await start(limit=4, durations=20.0)
    session = await service.open(concurrency=4)

    async def collect(prefix: str) -> int:
        async with session.map([f"{prefix} {n}" for n in range(20)]) as items:
            return len([item async for item in items if item.error is None])

    assert sum(await asyncio.gather(collect("a"), collect("b"))) == 40
    assert service.emulator.statistics().peak_in_progress == 4
    assert session.statistics().in_progress == session.statistics().waiting == 0
