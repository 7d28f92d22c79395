"""`map(order="longest-first")`: what usually takes longest is started first, where all of it can be paid."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from seedance_async import ConfigurationError, InputError, TextToVideo
from tests.session.service import PRICE_480P, Service, Start

SHORT, LONG = TextToVideo("short", output_resolution="480p"), TextToVideo("long", duration=15, output_resolution="480p")


def started(service: Service) -> list[str]:
    """Return the prompts in the order in which the service accepted them."""
    return [task.order.prompt for task in service.emulator.world.tasks.values()]


async def test_longest_first(start: Start) -> None:
    """The long ones leave first, and each item says where it was in the source, wrong inputs included."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    sources = [SHORT, ("mine", LONG), 7, SHORT, LONG]
    async with session.map(sources, order="longest-first") as items:  # type: ignore[arg-type]
        found = [item async for item in items]
    assert started(service) == ["long", "long", "short", "short"]
    assert [item.index for item in found] == [2, 1, 4, 0, 3]
    assert [item.key == "mine" for item in found] == [False, True, False, False, False]
    assert isinstance(found[0].error, InputError)


@pytest.mark.parametrize(("factor", "first"), [(4, "long"), (3, "short")])
async def test_only_where_the_budget_is_enough(start: Start, factor: int, first: str) -> None:
    """A clip of fifteen seconds costs as much as three of five: without credits for all the source's order holds."""
    service = await start(limit=1)
    session = await service.open(concurrency=1, budget=PRICE_480P * factor)
    async with session.map([SHORT, LONG], order="longest-first") as items:
        try:
            async for _ in items:
                pass
        except Exception:  # noqa: BLE001 (the budget is at its end)
            pass
    assert started(service)[0] == first


@pytest.mark.parametrize("options", [{"order": "random"}, {"order": "longest-first", "ordered": True}])
async def test_orders_that_do_not_go(start: Start, options: Any) -> None:
    """There are two orders, and one that moves things does not go with yielding in the order of the source."""
    session = await (await start()).open()
    with pytest.raises(ConfigurationError, match="order"):
        session.map(["a lake"], **options)


async def test_not_from_an_async_iterable(start: Start) -> None:
    """It would have to be read to its end first."""

    async def sources() -> AsyncIterator[str]:
        yield "a lake"

    session = await (await start()).open()
    with pytest.raises(ConfigurationError, match="async iterable"):
        session.map(sources(), order="longest-first")
