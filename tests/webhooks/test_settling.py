"""A call to a create's own URL settles it where its outcome was unknown, once the service has confirmed the task."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from seedance_async import AsyncSeedance, JobState, OutcomeUnknownError, TaskFailedError, Timeouts
from seedance_async.hooks import StatusChanged
from seedance_async.testing import Fault
from seedance_async.webhooks import CallbackUrls, aiohttp_app
from tests.session.service import PRICE_480P, Service, Start, clock, end, until
from tests.webhooks.serving import Serve, delivery
from tests.webhooks.test_callback_url import SECRET, Application, urls, with_webhooks

#: Answers that are lost although there is a task.
LOST = ["drop-after-accept:nth=1", "cut-body:on=create,nth=1", "no-task-id:nth=1", "error-after-accept:nth=1,value=502"]


def token(service: Service, number: int = 0) -> str:
    """The token of one of the tasks, the oldest first."""
    return str(urls(service)[number]).rpartition("/")[2]


def told(session: AsyncSeedance, task_id: str, given: str) -> None:
    """What a route does with a call."""
    session.notify(delivery(task_id), token=given)


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "no journal"])
@pytest.mark.parametrize("fault", LOST)
async def test_a_lost_create_is_settled_by_its_webhook(
    start: Start, serve: Serve, tmp_path: Path, fault: str, journal: bool
) -> None:
    """The answer was lost; when the task ends its webhook tells the id, and the handle has its result. Paid once."""
    service = await start(faults=[fault])
    # Half of them without a key, which without a journal is a job that only its handle knows.
    key = "order-17" if "drop" in fault or "html" in fault else None
    session, _ = await with_webhooks(service, serve, journal=tmp_path / "jobs.db" if journal else None)
    handle = session.enqueue("a lake", key=key, output_resolution="480p")
    assert isinstance(await end(handle), OutcomeUnknownError)
    assert session.statistics().credits_maybe == PRICE_480P
    await asyncio.sleep(70)
    result = await handle
    assert result.task_id == handle.task_id == service.tasks()[0]
    statistics = session.statistics()
    assert service.emulator.statistics().creates == 1
    assert (statistics.unknown, statistics.credits_maybe, statistics.credits_used) == (0, Decimal(0), PRICE_480P)
    assert statistics.in_progress == 0
    if journal:
        record = session.journal.get(handle.key)
        assert record is not None
        assert record.state is JobState.SUCCEEDED


async def test_a_webhook_before_the_answer_is_given_up_is_used(start: Start, serve: Serve) -> None:
    """The create hangs for two minutes, and its task ends after one: what came meanwhile is remembered."""
    service = await start(faults=["hang-after-accept:on=create"])
    session, _ = await with_webhooks(service, serve, timeouts=Timeouts(create=120))
    handle = session.enqueue("a lake")
    assert isinstance(await end(handle), OutcomeUnknownError)
    assert clock() > 119
    await asyncio.sleep(5)
    assert (await handle).task_id == service.tasks()[0]


async def test_a_failed_task_settles_its_create_too(start: Start, serve: Serve) -> None:
    """It is refunded, and the key is free for another try."""
    service = await start(faults=["drop-after-accept:nth=1"])
    session, _ = await with_webhooks(service, serve)
    handle = session.enqueue("a lake [fail:moderation]", key="k")
    await end(handle)
    await asyncio.sleep(70)
    assert isinstance(await end(handle), TaskFailedError)
    assert session.statistics().credits_maybe == 0


async def after_a_crash(service: Service, url: str, journal: Path, secret: Any, **options: Any) -> AsyncSeedance:
    """Leave a create unknown in a journal, and open the next session with it."""
    first = await service.open(journal=journal, callback_url=CallbackUrls(url, SECRET))
    lost = asyncio.create_task(end(first.enqueue("a lake", key="order-17")))
    await until(service.tasks)
    await first.aclose(timeout=0.1)
    assert isinstance(await lost, OutcomeUnknownError)
    return await service.open(journal=journal, callback_url=CallbackUrls(url, secret), **options)


@pytest.mark.parametrize("secret", [SECRET, ["the next secret of ours", SECRET]], ids=["same", "changed"])
async def test_what_a_crash_left_unknown_is_settled(start: Start, serve: Serve, tmp_path: Path, secret: Any) -> None:
    """By the next session with that journal, also while one secret replaces another."""
    service, application = await start(faults=["hang-after-accept:on=create,nth=1"]), Application()
    url = await serve(aiohttp_app(application.take))
    session = application.session = await after_a_crash(service, url, tmp_path / "jobs.db", secret)
    assert session.pending == ()
    await asyncio.sleep(70)
    result = await session.attach(key="order-17")
    assert result.task_id == service.tasks()[0]
    assert (await session.generate("a lake", key="order-17")).task_id == result.task_id
    assert service.emulator.statistics().creates == 1


async def test_without_the_secret_it_stays_unknown(start: Start, serve: Serve, tmp_path: Path) -> None:
    """A secret that is gone makes its tokens worthless; nothing is asked of the service."""
    service, application = await start(faults=["hang-after-accept:on=create,nth=1"]), Application()
    url = await serve(aiohttp_app(application.take))
    session = await after_a_crash(service, url, tmp_path / "jobs.db", "the next secret of ours")
    application.session = session
    await asyncio.sleep(70)
    assert len(application.got) == 1
    assert session.journal.jobs(JobState.UNKNOWN)
    assert session.statistics().polls == 0


async def stays_unknown(session: AsyncSeedance, service: Service, handle: Any, told_now: Callable[[], None]) -> None:
    """Say something, and see that the job is as unknown as before, and that nothing more was paid."""
    creates = service.emulator.statistics().creates
    told_now()
    await asyncio.sleep(30)
    assert isinstance(await end(handle), OutcomeUnknownError)
    assert handle.status == "unknown"
    assert service.emulator.statistics().creates == creates


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "no journal"])
async def test_what_does_not_settle_a_create(start: Start, serve: Serve, tmp_path: Path, journal: bool) -> None:
    """A wrong token, an id of nobody's, of another account, of another job or attempt of ours, of another time."""
    service = await start(faults=["drop-after-accept:nth=4", "webhook-lost"], durations=300.0, limit=9)
    session, _ = await with_webhooks(service, serve, journal=tmp_path / "jobs.db" if journal else None)
    stranger = await service.open()
    old = await stranger.submit("of another time")
    service.emulator.world.tasks[str(old.task_id)].created_at -= timedelta(minutes=30).total_seconds()
    ended = await end(await session.submit("ended [fail:server] [takes:1]", key="k"))
    assert isinstance(ended, TaskFailedError)
    running = await session.submit("running")
    handle = session.enqueue("a lake", key="k", retry_failed=True)
    await end(handle)
    other = await stranger.submit("of another account")
    service.emulator.world.strangers.add(str(other.task_id))
    first, right = token(service, 1), token(service, 3)
    tasks = service.tasks()
    true = tasks[3]
    for task_id, given in [
        (true, "A" * 43),  # nobody's token
        (true, first),  # the token of the attempt before
        (true, token(service, 2)),  # of another job
        (ended.task_id, first),  # a delivery of the attempt before, once more
        (ended.task_id, right),  # its id with the token of this one
        (str(running.task_id), right),
        (str(old.task_id), right),
        (str(other.task_id), right),
        ("task_of_nobody", right),
    ]:
        await stays_unknown(session, service, handle, partial(told, session, str(task_id), given))
    told(session, true, right)
    await asyncio.sleep(5)
    await handle
    assert handle.task_id == true


async def test_a_delivery_alone_is_never_believed(start: Start, serve: Serve) -> None:
    """It says success and the task runs: the job runs, too, and is watched to its end."""
    service = await start(faults=["drop-after-accept:nth=1", "webhook-lost"])
    session, _ = await with_webhooks(service, serve)
    handle = session.enqueue("a lake", key="k")
    await end(handle)
    told(session, service.tasks()[0], token(service))
    await asyncio.sleep(2)
    assert handle.status in {"waiting", "generating"}
    assert [event.task_id for event in service.ear.all(StatusChanged)][-1:] in ([], service.tasks())
    await handle
    assert session.statistics().succeeded == 1


async def test_an_outage_delays_the_settling(start: Start, serve: Serve) -> None:
    """A delivery is sent once: where the service is not reached then, it is asked again."""
    service = await start(faults=["drop-after-accept:nth=1"])
    session, _ = await with_webhooks(service, serve)
    handle = session.enqueue("a lake", key="k")
    await end(handle)
    service.emulator.faults.add(Fault("http-503", on="poll"))
    await asyncio.sleep(65)
    assert handle.status == "unknown"
    service.emulator.faults.clear()
    await asyncio.sleep(90)
    await handle


async def test_a_long_outage_loses_no_delivery(start: Start, serve: Serve) -> None:
    """Nor does one of half an hour: what a delivery told is looked into when the service is back."""
    service = await start(faults=["drop-after-accept:nth=1"])
    session, _ = await with_webhooks(service, serve)
    handle = session.enqueue("a lake", key="k")
    await end(handle)
    service.emulator.faults.add(Fault("http-503", on="poll"))
    await asyncio.sleep(1800)
    service.emulator.faults.clear()
    await asyncio.sleep(1800)
    await handle


async def test_a_flood_with_a_true_token_asks_little(start: Start, serve: Serve) -> None:
    """Whoever has read a URL in somebody's log can make the session ask a few times, and that is all."""
    service = await start(faults=["drop-after-accept:nth=1", "webhook-lost"])
    session, _ = await with_webhooks(service, serve)
    handle = session.enqueue("a lake", key="k")
    await end(handle)
    for number in range(10_000):
        told(session, f"task_{number}", token(service))
    await asyncio.sleep(600)
    assert service.emulator.statistics().polls <= 8
    assert handle.status == "unknown"


async def test_a_job_tried_again_is_not_settled_by_the_old_create(start: Start, serve: Serve, tmp_path: Path) -> None:
    """`resubmit_unknown` made another create, which runs: the webhook of the lost one changes nothing of it."""
    service = await start(faults=["drop-after-accept:nth=1"])
    session, application = await with_webhooks(service, serve, journal=tmp_path / "jobs.db")
    await end(session.enqueue("a lake [takes:50]", key="k"))
    again = session.enqueue("a lake [takes:50]", key="k", resubmit_unknown=True)
    result = await again
    await asyncio.sleep(60)
    assert len(application.got) == 2
    assert result.task_id == service.tasks()[1]
    assert service.emulator.statistics().creates == 2
    assert session.statistics().credits_maybe > 0


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "no journal"])
@pytest.mark.parametrize("key", ["order-17", None])
async def test_what_waits_to_be_sent_again_is_not(
    start: Start, serve: Serve, tmp_path: Path, journal: bool, key: str | None
) -> None:
    """A 500 although there is a task, then no slot for the repeat: the webhook comes first, and it is paid once."""
    service = await start(faults=["error-after-accept:nth=1,value=500"])
    session, _ = await with_webhooks(service, serve, journal=tmp_path / "jobs.db" if journal else None)
    handle = session.enqueue("a lake", key=key, output_resolution="480p")
    await until(lambda: service.emulator.statistics().creates)
    service.emulator.faults.add(Fault("429-without-numbers", on="create"))
    result = await asyncio.wait_for(handle.wait(), 600)
    service.emulator.faults.clear()
    await asyncio.sleep(600)
    assert service.tasks() == [result.task_id]
    statistics = session.statistics()
    assert (statistics.waiting, statistics.in_progress, statistics.unknown) == (0, 0, 0)
    assert statistics.credits_reserved == statistics.credits_maybe == 0
    assert statistics.credits_used == PRICE_480P
    if journal:
        record = session.journal.get(handle.key)
        assert record is not None
        assert (record.state, record.task_id) == (JobState.SUCCEEDED, result.task_id)


async def test_what_is_about_to_be_repeated_is_not(start: Start) -> None:
    """So it is in the pause before the repeat; a task id that the service does not know keeps nothing back."""
    service = await start(faults=["error-after-accept:nth=1,value=500", "webhook-lost"])
    session = await service.open(callback_url=CallbackUrls("http://127.0.0.1:9", SECRET))
    first = session.enqueue("a lake")
    await until(lambda: service.emulator.statistics().creates)
    told(session, service.tasks()[0], token(service))
    assert isinstance(await end(first), OutcomeUnknownError)
    await asyncio.sleep(5)
    assert (await first).task_id == service.tasks()[0]
    assert len(service.tasks()) == 1
    service.emulator.faults.add(Fault("error-after-accept", on="create", nth=1, value="500"))
    second = session.enqueue("a market")
    await until(lambda: len(service.tasks()) == 2)
    told(session, "task_of_nobody", token(service, 1))
    assert (await second).task_id == service.tasks()[2]
