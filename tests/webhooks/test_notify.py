"""A delivery is a hint: it hurries one poll, changes nothing by itself, and any number of them is cheap."""

import asyncio
from typing import Any

import pytest

from seedance_async import (
    AsyncSeedance,
    ConfigurationError,
    FixedPolling,
    InputError,
    SessionClosedError,
    TaskFailedError,
    TextToVideo,
)
from seedance_async.core.early import MOST
from seedance_async.core.haste import GAPS
from seedance_async.events import PollEnded
from seedance_async.testing import Fault, MemoryJournal, MemoryStore
from seedance_async.webhooks import Delivery, aiohttp_app, asgi_app
from tests.session.service import Service, Start, clock, end, lakes, until
from tests.webhooks.serving import Serve, behind_a_server, delivery

#: Polling so rarely that whatever comes sooner came from a delivery.
RARELY = FixedPolling(1000.0)


async def running(service: Service, count: int = 1, **options: Any) -> tuple[AsyncSeedance, list[Any]]:
    """A session that hardly polls, with tasks that run."""
    session = await service.open(polling=RARELY, **options)
    return session, [await session.submit(inputs) for inputs in lakes(count)]


@pytest.mark.parametrize("kind", ["asgi", "aiohttp"])
@pytest.mark.parametrize("form", ["status", "state"])
async def test_a_webhook_ends_the_wait(start: Start, serve: Serve, kind: str, form: str) -> None:
    """From the service's call over a real server to the result, without a poll of the ordinary kind."""
    service = await start(webhook_form=form)
    session = await service.open(polling=RARELY)
    url = await serve(aiohttp_app(session) if kind == "aiohttp" else behind_a_server(asgi_app(session), "/hooks"))
    if kind == "asgi":
        url += "/hooks/"
    good = await session.submit(TextToVideo("a lake", callback_url=url))
    bad = await session.submit(TextToVideo("a lake [fail:moderation]", callback_url=url))
    result = await good
    assert isinstance(await end(bad), TaskFailedError)
    assert clock() < 62
    assert result.task_id == good.task_id
    assert service.emulator.statistics().webhooks == 2
    assert session.statistics().polls == 2
    assert session.statistics().deliveries == 2


async def test_a_forged_delivery_changes_nothing(start: Start) -> None:
    """Success or failure of a task that runs: it is looked at, and goes on running."""
    service = await start()
    session, (handle,) = await running(service)
    for status in ("success", "fail", "cancelled"):
        session.notify(delivery(handle.task_id, status))
        await asyncio.sleep(0.5)
        assert not handle.done()
        assert handle.status in {"waiting", "generating"}
    await asyncio.sleep(20)
    assert not handle.done()
    assert session.statistics().succeeded == session.statistics().failed == 0


async def test_late_doubled_and_strange_deliveries_cost_nothing(start: Start) -> None:
    """About a task that has ended, or one of nobody's: no request, nothing remembered."""
    service = await start()
    session, (handle,) = await running(service)
    await asyncio.sleep(61)
    session.notify(delivery(handle.task_id))
    session.notify(delivery(handle.task_id))
    await handle
    polls = session.statistics().polls
    for task_id in (handle.task_id, "task_of_nobody"):
        session.notify(delivery(task_id))
    await asyncio.sleep(10)
    assert session.statistics().polls == polls == 1
    assert len(session._live().opened.notices._early) == 0


async def test_a_success_that_is_not_recorded_yet_is_looked_for_again(start: Start) -> None:
    """The delivery is two seconds ahead of the record: some looks follow by themselves, and then no more."""
    service = await start()
    session, (handle,) = await running(service)
    await asyncio.sleep(58)
    session.notify(delivery(handle.task_id))
    await handle
    assert clock() < 62
    assert session.statistics().polls <= 4
    session, (other,) = await running(service)
    session.notify(delivery(other.task_id))
    await asyncio.sleep(40)
    assert session.statistics().polls == 4


async def test_a_delivery_before_the_answer_of_its_create_is_used(start: Start, serve: Serve) -> None:
    """The task ends at once, the answer of the create comes later: the first look leaves with it."""
    service = await start(durations=0.5, faults=["slow-headers:on=create,seconds=5"])
    session = await service.open(polling=RARELY)
    url = await serve(aiohttp_app(session))
    await session.generate("a lake", callback_url=url)
    assert clock() < 8
    assert session.statistics().polls == 1


async def test_a_delivery_while_the_id_is_written_down_is_used(start: Start, serve: Serve) -> None:
    """With a journal a task is watched once its id is on the disk; what comes before is kept, and hurries nothing."""
    service = await start(durations=0.5)
    session = await service.open(polling=RARELY, journal=MemoryJournal(MemoryStore(latency=2.0)))
    url = await serve(aiohttp_app(session))
    handle = session.enqueue("a lake", callback_url=url, key="order-17")
    await until(lambda: service.emulator.statistics().webhooks)
    await asyncio.sleep(0.5)
    assert session.statistics().polls == 0
    await handle
    assert session.statistics().polls == 1
    assert clock() < 7


async def test_a_flood_for_one_task_makes_few_polls(start: Start) -> None:
    """A hundred thousand deliveries within ten minutes: polls as far apart as the gaps say, and a small heap."""
    service = await start(durations=3600.0)
    session, (handle,) = await running(service)
    poller, forged = session._live().opened.poller, delivery(handle.task_id)
    for _ in range(100):
        for _ in range(1000):
            session.notify(forged)
        await asyncio.sleep(6)
        assert len(poller._heap) < 20
    assert clock() >= 600
    assert session.statistics().polls <= len(GAPS) + 600 / GAPS[-1] + 2
    assert session.statistics().deliveries == 100_000
    assert not handle.done()


async def test_a_flood_for_many_tasks_is_bounded_together(start: Start) -> None:
    """Two hundred tasks named at once, again and again: at most fifty polls a second for it, each task looked at."""
    service = await start(limit=200, durations=3600.0)
    session = await service.open(concurrency=200, polling=RARELY)
    handles = [session.enqueue(inputs) for inputs in lakes(200)]
    for handle in handles:
        await handle.accepted()
    begin = clock()
    for _ in range(10):
        for handle in handles:
            session.notify(delivery(str(handle.task_id)))
        await asyncio.sleep(0.1)
    assert session.statistics().polls <= 50 * (clock() - begin) + 30
    await asyncio.sleep(10)
    assert {handle.status for handle in handles} <= {"waiting", "generating"}
    assert session.statistics().polls >= 200


async def test_a_flood_for_one_task_holds_no_other_up(start: Start) -> None:
    """Looks of the one are put off for longer and longer; the first delivery for another is looked into at once."""
    service = await start(durations=3600.0)
    session, (named, other) = await running(service, 2)
    for _ in range(20):
        session.notify(delivery(named.task_id))
        await asyncio.sleep(3)
    session.notify(delivery(named.task_id))
    session.notify(delivery(other.task_id))
    await asyncio.sleep(0.5)
    assert [event.task_id for event in service.ear.all(PollEnded)].count(other.task_id) == 1


async def test_a_flood_of_strange_ids_is_forgotten(start: Start) -> None:
    """While a create is on the wire ids are remembered, and not more of them than fit."""
    service = await start(faults=["slow-headers:on=create,seconds=50"])
    session = await service.open(polling=RARELY)
    job = asyncio.create_task(session.submit("a lake"))
    await until(lambda: session.statistics().on_wire)
    for number in range(100_000):
        session.notify(Delivery(f"task_{number // 2}", "success", {}))
    assert len(session._live().opened.notices._early) <= MOST
    await job
    assert session.statistics().polls == 0


async def test_a_delivery_during_an_outage_waits_for_its_end(start: Start) -> None:
    """No poll is added while polls fail; the task is looked at when the service is back."""
    service = await start()
    session, (handle,) = await running(service)
    await asyncio.sleep(61)
    service.emulator.faults.add(Fault("http-502", on="poll"))
    for _ in range(1000):
        session.notify(delivery(handle.task_id))
    await asyncio.sleep(120)
    assert session.statistics().polls < 15
    service.emulator.faults.clear()
    await asyncio.wait_for(handle.wait(), 70)


async def test_what_is_no_delivery_is_named(start: Start) -> None:
    """Bytes, or what JSON makes of them, have to be parsed first; and a session must be open."""
    service = await start()
    session = service.session()
    with pytest.raises(ConfigurationError, match="not open"):
        session.notify(delivery("task_1"))
    await session.open()
    given: Any
    for given in (b"{}", {"taskId": "task_1"}, None):
        with pytest.raises(InputError, match="parse_delivery"):
            session.notify(given)
    await session.aclose()
    with pytest.raises(SessionClosedError):
        session.notify(delivery("task_1"))
