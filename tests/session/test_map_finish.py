"""`Items.finish`: submit nothing further, and lose nothing that runs."""

import asyncio
from collections.abc import Iterator

from seedance_async import TaskFailedError, WithdrawnError
from tests.session.service import Start


async def test_finish_withdraws_the_queue_and_yields_what_runs(start: Start) -> None:
    """After `finish` no create leaves; queued inputs come back as withdrawn, running ones with their results."""
    service = await start(limit=3)
    session = await service.open(concurrency=3)
    pulled: list[int] = []

    def prompts() -> Iterator[str]:
        for number in range(1000):
            pulled.append(number)
            yield f"prompt {number}"

    made, withdrawn = 0, 0
    async with session.map(prompts(), window=10) as items:
        async for item in items:
            if item.index == 0:
                items.finish()
                before = session.statistics().creates
            if isinstance(item.error, WithdrawnError):
                withdrawn += 1
                assert item.handle is None
                assert item.error.charged == "no"
            else:
                assert item.result is not None
                made += 1
    assert session.statistics().creates == before
    assert (made, made + withdrawn) == (before, len(pulled))
    assert session.pending == ()


async def test_finish_makes_no_further_attempt(start: Start) -> None:
    """A task that the service fails after `finish` is an item, and is not sent again."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    async with session.map(["a [fail:server]"], attempts=3) as items:
        while session.statistics().accepted < 1:
            await asyncio.sleep(1)
        items.finish()
        found = [item async for item in items]
    assert [type(item.error) for item in found] == [TaskFailedError]
    assert len(service.tasks("a [fail")) == 1


async def test_finish_before_the_first_item(start: Start) -> None:
    """An `Items` that is finished at once pulls nothing and ends."""
    service = await start()
    session = await service.open()
    items = session.map(["a", "b"])
    items.finish()
    assert [item async for item in items] == []
    assert session.statistics().creates == 0


async def test_a_job_that_others_want_is_not_withdrawn(start: Start) -> None:
    """`finish` and leaving give up the map's own interest in a key, not that of another caller."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    first = session.enqueue("first")
    async with session.map([("k", "second")]) as items:
        while session.statistics().waiting + session.statistics().in_progress < 2:
            await asyncio.sleep(0)
        other = session.enqueue("second", key="k")
        items.finish()
    await first
    assert (await other).task_id in service.tasks("second")
