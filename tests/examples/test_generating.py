"""A client that waits for its video, and one that does not wait to the end."""

import asyncio

import anyio

from seedance_async.testing import Emulator
from tests.examples.serving import Visitor


async def test_a_client_may_wait_for_its_video(visitor: Visitor) -> None:
    """One request, one video; its file is under the URL of the answer."""
    async with visitor.http.post("/generate", json={"prompt": "a lake"}) as answer:
        told = await answer.json()
        assert answer.status == 200
    async with visitor.http.get(told["file"]) as answer:
        assert (answer.status, answer.content_type) == (200, "video/mp4")


async def test_a_failure_is_the_answer(visitor: Visitor) -> None:
    """With the status that fits."""
    async with visitor.http.post("/generate", json={"prompt": "a lake [fail:moderation]"}) as answer:
        assert answer.status == 422
    async with visitor.http.post("/generate", json={"prompt": "a lake [fail:server]"}) as answer:
        assert answer.status == 502


async def test_who_hangs_up_in_the_queue_frees_his_place(visitor: Visitor, service: Emulator) -> None:
    """Over a real socket: the job is withdrawn, those behind move up, and it costs nothing."""
    calls: list[asyncio.Task[int]] = []
    for number in range(4):
        calls.append(asyncio.create_task(_generate(visitor, f"lake {number}")))
        await anyio.sleep(1)
    await visitor.order("behind", "behind")
    assert (await visitor.show("behind"))["position"] == 3
    calls[2].cancel()
    await anyio.sleep(1)
    assert (await visitor.show("behind"))["position"] == 2
    assert await asyncio.gather(*calls[:2], *calls[3:]) == [200, 200, 200]
    assert (await visitor.finished("behind"))["status"] == "success"
    assert "lake 2" not in service.statistics().creates_by_prompt


async def test_who_hangs_up_after_his_turn_finds_his_video_by_key(visitor: Visitor, service: Emulator) -> None:
    """What was sent is paid for and goes on; the same request gets it."""
    call = asyncio.create_task(_generate(visitor, "a lake", "one"))
    await anyio.sleep(10)
    call.cancel()
    await anyio.sleep(1)
    assert service.statistics().in_progress == 1
    assert await _generate(visitor, "a lake", "one") == 200
    assert service.statistics().creates == 1


async def test_who_hangs_up_takes_nothing_from_another_one(visitor: Visitor) -> None:
    """Two clients wait under one key; one leaves, and the other gets the video."""
    await visitor.order("lake 0 [takes:100]")
    await visitor.order("lake 1 [takes:100]")
    leaves, stays = (asyncio.create_task(_generate(visitor, "a lake", "one")) for _ in range(2))
    await anyio.sleep(20)
    leaves.cancel()
    assert await stays == 200


async def test_who_hangs_up_takes_no_order_back(visitor: Visitor, service: Emulator) -> None:
    """What was answered 202 is a promise, also to somebody who waits for it under the same key and leaves."""
    await visitor.order("lake 0 [takes:100]")
    await visitor.order("lake 1 [takes:100]")
    call = asyncio.create_task(_generate(visitor, "a lake", "one"))
    await anyio.sleep(10)
    assert (await visitor.order("a lake", "one"))[0] == 202
    call.cancel()
    assert (await visitor.finished("one"))["status"] == "success"
    assert service.statistics().creates == 3


async def _generate(visitor: Visitor, prompt: str, key: str | None = None) -> int:
    headers = {} if key is None else {"Idempotency-Key": key}
    async with visitor.http.post("/generate", json={"prompt": prompt}, headers=headers) as answer:
        return answer.status
