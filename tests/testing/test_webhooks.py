"""Webhooks of the emulator: both body forms, and everything that goes wrong with them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.testing.conftest import Api, Start


class Receiver:
    """A server that keeps what it gets, with the time."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[tuple[float, Any]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((asyncio.get_running_loop().time(), await request.json()))
        return web.Response()

    @property
    def bodies(self) -> list[Any]:
        return [body for _, body in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    here = Receiver()
    app = web.Application()
    app.router.add_post("/hook", here.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield here
    await runner.cleanup()


async def create(api: Api, url: str, prompt: str = "a lake") -> str:
    status, body = await api.post({"model": "seedance-20", "inputs": {"prompt": prompt}, "callBackUrl": url})
    assert status == 200
    return str(body["taskId"])


async def test_the_newer_form_is_the_record_in_an_envelope(start: Start, receiver: Receiver) -> None:
    """One POST at the end, and the envelope says success even of a failure."""
    api = await start()
    task = await create(api, receiver.url, "[fail:moderation]")
    await asyncio.sleep(61)
    (body,) = receiver.bodies
    assert body == {"code": 200, "message": "success", "data": (await api.record(task))[1]}
    assert body["data"]["status"] == "fail"
    assert api.emulator.statistics().webhooks == 1


async def test_the_older_form_has_a_state_and_more_keys(start: Start, receiver: Receiver) -> None:
    """As the documentation page shows it, for success and for failure."""
    api = await start(webhook_form="state")
    await create(api, receiver.url)
    await create(api, receiver.url, "[fail:moderation]")
    await asyncio.sleep(61)
    good, bad = (body["data"] for body in receiver.bodies)
    assert (good["state"], bad["state"]) == ("success", "fail")
    assert "status" not in good
    assert good["orderId"] == good["taskId"].replace("task_", "order_")
    assert good["updateTime"] == good["completeTime"]
    assert (bad["creditsUsed"], bad["completeTime"], bad["output"]) == (0, None, None)
    assert bad["updateTime"] > bad["createTime"]


async def test_webhooks_come_late_doubled_or_not_at_all(start: Start, receiver: Receiver) -> None:
    """As faults of the place `webhook`, each chosen by prompt here."""
    faults = [
        "webhook-late:prompt=late,seconds=30",
        "webhook-doubled:prompt=twice,seconds=5",
        "webhook-lost:prompt=lost",
        "webhook-form:prompt=old,value=state",
    ]
    api = await start(limit=9, faults=faults)
    began = asyncio.get_running_loop().time()
    for prompt in ("late", "twice", "lost", "old"):
        await create(api, receiver.url, prompt)
    await asyncio.sleep(100)
    assert [round(at - began) for at, _ in receiver.got] == [60, 60, 65, 90]
    assert sum("state" in body["data"] for body in receiver.bodies) == 1


@pytest.mark.parametrize(("prompt", "claim"), [("a lake", "fail"), ("[fail:server]", "success")])
async def test_a_forged_webhook_says_the_opposite(start: Start, receiver: Receiver, prompt: str, claim: str) -> None:
    """Long before the true one."""
    api = await start(faults=["webhook-forged:seconds=2"])
    task = await create(api, receiver.url, prompt)
    await asyncio.sleep(61)
    forged, true = receiver.bodies
    assert (forged["data"]["taskId"], forged["data"]["status"]) == (task, claim)
    assert true["data"]["status"] != claim


async def test_nothing_is_sent_to_another_machine(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, without what may be secret in the address."""
    api = await start()
    with caplog.at_level(logging.WARNING, "seedance_async.testing"):
        await create(api, "https://example.com/hook?token=secret")
    await asyncio.sleep(61)
    assert api.emulator.statistics().webhooks == 0
    assert "https://example.com/hook" in caplog.text
    assert "secret" not in caplog.text


async def test_a_receiver_that_is_not_there_does_no_harm(start: Start, receiver: Receiver) -> None:
    """It is sent once and not again."""
    api = await start()
    await create(api, "http://127.0.0.1:9/hook")
    await create(api, receiver.url)
    await asyncio.sleep(300)
    assert len(receiver.got) == 1
    assert api.emulator.statistics().webhooks == 2


async def test_a_closed_emulator_sends_nothing(start: Start, receiver: Receiver) -> None:
    """Planned webhooks are dropped."""
    api = await start()
    await create(api, receiver.url)
    await api.emulator.close()
    await asyncio.sleep(100)
    assert receiver.got == []
