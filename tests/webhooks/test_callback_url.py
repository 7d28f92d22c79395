"""A session's own callback URL: which tasks carry it, that it is no part of a key, and how rarely those are polled."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from seedance_async import AsyncSeedance, ConfigurationError, PollingPolicy, RetryPolicy, SeedanceError, TextToVideo
from seedance_async.core.haste import MOST_AGAIN
from seedance_async.settling import Hint
from seedance_async.testing import Fault
from seedance_async.webhooks import CallbackUrls, Delivery, aiohttp_app
from tests.session.odd import OddService, says
from tests.session.service import Ear, Service, Start, clock, end, lakes
from tests.webhooks.serving import Serve, delivery

SECRET = "correct horse battery staple"


class Application:
    """A web application with a session that comes and goes."""

    def __init__(self) -> None:
        self.session: AsyncSeedance | None = None
        self.got: list[tuple[Delivery, str | None]] = []

    def take(self, given: Delivery, *, token: str | None) -> None:
        self.got.append((given, token))
        if self.session is not None:
            self.session.notify(given, token=token)


async def with_webhooks(service: Service, serve: Serve, **options: Any) -> tuple[AsyncSeedance, Application]:
    """A session whose tasks call back to a route that knows it."""
    application = Application()
    url = await serve(aiohttp_app(application.take))
    options = {"callback_url": CallbackUrls(url, SECRET), "polling": PollingPolicy(), **options}
    application.session = await service.open(**options)
    return application.session, application


def urls(service: Service) -> list[str | None]:
    """The callback URLs of the tasks, the oldest first."""
    return [task.order.callback_url for task in service.emulator.world.tasks.values()]


async def test_each_create_has_a_url_of_its_own(start: Start, serve: Serve) -> None:
    """Also two attempts at one key, and two jobs with the same inputs."""
    service = await start(durations=5.0)
    session, application = await with_webhooks(service, serve)
    await end(await session.submit("a lake [fail:server]", key="k"))
    await end(await session.submit("a lake [fail:server]", key="k", retry_failed=True))
    await session.generate("a lake")
    await session.generate("a lake")
    await asyncio.sleep(10)
    assert len(set(urls(service))) == 4
    assert [str(url).rpartition("/")[2] for url in urls(service)] == [token for _, token in application.got]


async def test_a_plain_url_is_the_same_for_all_tasks(start: Start) -> None:
    """As it was given."""
    service = await start(durations=1.0)
    session = await service.open(callback_url="http://127.0.0.1:9/hook?x=1")
    await session.generate("a lake")
    await session.generate("a market")
    assert urls(service) == ["http://127.0.0.1:9/hook?x=1"] * 2


async def test_the_inputs_own_url_wins(start: Start) -> None:
    """Then the session expects no webhook, and polls as if there were none."""
    service = await start(durations=100.0)
    session = await service.open(callback_url="http://127.0.0.1:9/session", polling=PollingPolicy())
    other = await service.open(polling=PollingPolicy())
    await session.generate(TextToVideo("a lake", callback_url="http://127.0.0.1:9/own"))
    await other.generate("a lake")
    assert urls(service) == ["http://127.0.0.1:9/own", None]
    assert session.statistics().polls == other.statistics().polls


async def test_the_url_is_no_part_of_a_key(start: Start, tmp_path: Path) -> None:
    """A key that was submitted without a callback URL is the same job with one, and the other way round."""
    service = await start(durations=1.0)
    for url in (None, "http://127.0.0.1:9/a", CallbackUrls("http://127.0.0.1:9/b", SECRET), None):
        async with service.session(journal=tmp_path / "jobs.db", callback_url=url) as session:
            await session.generate("a lake", key="order-17")
    assert service.emulator.statistics().creates == 1


@pytest.mark.parametrize("value", ["example.com/s3cret", "https://example.com/s3cret/{token}", 5])
def test_a_wrong_url_is_said_at_once(value: Any) -> None:
    """When the session is made, without what may be secret."""
    with pytest.raises(ConfigurationError, match="callback_url") as caught:
        AsyncSeedance("key", base_url="http://127.0.0.1:9/api/v1", callback_url=value)
    assert "s3cret" not in str(caught.value)


async def test_secrets_of_callbacks_are_shown_nowhere(
    start: Start, serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither secret nor token nor a plain URL's path: not in settings, jobs, handles, logs, hooks or the journal."""
    service = await start(durations=5.0)
    with caplog.at_level(logging.DEBUG, "seedance_async"):
        session, application = await with_webhooks(service, serve, journal=tmp_path / "jobs.db")
        handle = await session.submit("a lake", key="k")
        job = session._live().opened.register.tasks[str(handle.task_id)]
        assert job.callback is not None
        its_token = str(urls(service)[0]).rpartition("/")[2]
        job.callback.told = ("task_1", its_token)
        hint = Hint("task_1", its_token, "k", job)
        shown = [repr(each) for each in (session._settings, session._live().opened.notices, handle, job, hint)]
        await handle
        await asyncio.sleep(10)
        shown.append(repr(session.journal.get("k")))
        await session.aclose()
    (token,) = {token for _, token in application.got}
    assert token
    everything = "".join([*shown, *map(repr, service.ear.heard), *caplog.messages])
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (SECRET, token):
        assert secret not in everything
        assert secret.encode() not in written
    plain = AsyncSeedance("key", base_url="http://127.0.0.1:9/api/v1", callback_url="https://example.com/s3cret")
    assert "s3cret" not in repr(plain._settings)


async def test_a_call_to_another_address_is_not_listened_to(start: Start, serve: Serve) -> None:
    """A job with a URL of its own is looked at when a call comes there; the application itself may vouch for one."""
    service = await start()
    session, _ = await with_webhooks(service, serve)
    handle = await session.submit("a lake")
    other = await session.submit("a market")
    await asyncio.sleep(1)
    polls = session.statistics().polls
    for token in ("", "A" * 43, str(urls(service)[1]).rpartition("/")[2]):
        session.notify(delivery(str(handle.task_id)), token=token)
    await asyncio.sleep(0.5)
    assert session.statistics().polls == polls
    assert session.statistics().deliveries == 0
    session.notify(delivery(str(handle.task_id)), token=str(urls(service)[0]).rpartition("/")[2])
    session.notify(delivery(str(other.task_id)))
    await asyncio.sleep(0.5)
    assert session.statistics().polls == polls + 2


async def many(service: Service, session: AsyncSeedance, count: int = 40) -> tuple[float, float]:
    """Run tasks one wave after the other; return polls per task, and seconds per task and slot."""
    begin, before = clock(), session.statistics().polls
    async with session.map(lakes(count)) as items:
        async for item in items:
            assert item.error is None
    slots = service.emulator.world.limit
    return (session.statistics().polls - before) / count, (clock() - begin) * slots / count


async def test_tasks_are_polled_far_less(start: Start, serve: Serve) -> None:
    """With webhooks that come: at most a fifth of the polls, and slots that are full."""
    service = await start(limit=5, durations=100.0)
    alone = await service.open(polling=PollingPolicy(), concurrency=5)
    usual, seconds_alone = await many(service, alone)
    await alone.aclose()
    session, _ = await with_webhooks(service, serve, concurrency=5)
    await many(service, session)
    rare, seconds = await many(service, session)
    assert rare <= usual / 4
    assert seconds <= min(seconds_alone, 100.5)


async def test_webhooks_that_never_come_leave_slots_full(start: Start) -> None:
    """An address that nobody reaches: once that is learned, tasks are polled as without webhooks (P1)."""
    service = await start(limit=5, durations=100.0, faults=["webhook-lost"])
    found = []
    for url in (None, "http://127.0.0.1:9/hook"):
        async with service.session(polling=PollingPolicy(), concurrency=5, callback_url=url) as session:
            await many(service, session, 20)
            found.append(await many(service, session))
    (usual, seconds_alone), (polls, seconds) = found
    assert polls == pytest.approx(usual, rel=0.15)
    assert seconds == pytest.approx(seconds_alone, rel=0.01)


async def test_webhooks_that_stop_are_noticed(start: Start, serve: Serve) -> None:
    """The proxy's configuration was changed: some tasks are seen late, and then no more."""
    service = await start(limit=5, durations=100.0)
    session, _ = await with_webhooks(service, serve, concurrency=5)
    await many(service, session)
    service.emulator.faults.add(Fault("webhook-lost"))
    _, first = await many(service, session, 30)
    _, later = await many(service, session, 30)
    assert first < 112.0
    assert later < 103.0


async def test_a_failed_task_whose_webhook_is_lost_is_seen(start: Start, serve: Serve) -> None:
    """However sure the session is of its webhooks: within minutes, whatever the law of durations says."""
    service = await start(limit=5, durations=100.0)
    session, _ = await with_webhooks(service, serve, concurrency=5)
    await many(service, session)
    service.emulator.faults.add(Fault("webhook-lost"))
    begin = clock()
    await end(await session.submit("a lake [fail:server] [takes:2]"))
    assert clock() - begin < 302
    begin = clock()
    await session.generate("a lake [takes:600]")
    assert clock() - begin < 600 + 300


async def test_after_a_delivery_in_vain_a_task_is_polled_as_usual(start: Start, serve: Serve) -> None:
    """The webhook came too soon: nobody waits for a second one."""
    service = await start(limit=5, durations=100.0)
    session, _ = await with_webhooks(service, serve, concurrency=5)
    await many(service, session)
    service.emulator.faults.add(Fault("webhook-lost"))
    before = session.statistics().polls
    handle = await session.submit("a lake")
    await asyncio.sleep(50)
    session.notify(delivery(str(handle.task_id)))
    await handle
    assert session.statistics().polls - before > 1 + MOST_AGAIN + 3


@pytest.mark.parametrize("url", ["urls", "session", "inputs"])
@pytest.mark.parametrize("html", [True, False], ids=["page", "json"])
async def test_a_service_that_repeats_the_url_makes_it_no_more_known(url: str, html: bool) -> None:
    """The path of a callback URL is a secret: no error, hook or log has it where the service sends it back."""
    ear, own = Ear(), "https://example.com/s3cret/path?s3cret=1"
    async with OddService().running() as service:

        def refuse(_number: int) -> Any:
            text = f"this cannot be reached: {service.creates[-1]['callBackUrl']}, try again"
            return says(400, text if html else {"code": 400, "message": text}, html=html)

        service.create = refuse
        callback = {"urls": CallbackUrls("https://example.com/s3cret", SECRET), "session": own, "inputs": None}[url]
        options: Any = {"callback_url": callback, "hooks": [ear], "retry": RetryPolicy(first_contact=1.0)}
        async with AsyncSeedance("sk-0123456789", base_url=service.url, **options) as session:
            inputs = TextToVideo("a lake", callback_url=own if url == "inputs" else None)
            error = await end(session.enqueue(inputs))
        sent = service.creates[-1]["callBackUrl"]
    assert isinstance(error, SeedanceError)
    shown = f"{error} {error!r} {error.args} {ear.heard}"
    assert html or "https://example.com/[redacted]" in shown
    assert "s3cret" not in shown
    assert sent.rpartition("/")[2] not in shown
