"""Requests that no page of ours sends: they are refused or served, and nothing breaks for anybody else."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
import anyio
import pytest

from seedance_async.testing import Emulator
from tests.examples.serving import Visitor

_JSON: Final = {"Content-Type": "application/json"}
_NO_ORDERS: Final = (
    b'{"prompt": "a lake", "duration": ' + b"9" * 5000 + b"}",
    b'{"prompt": ' * 20_000,
    b'{"prompt": "\xff"}',
    b'{"prompt": "\\ud800"}',
    b'{"prompt": "a lake", "\\ud800": 1}',
    b'{"prompt": "a lake", "aspect_ratio": ["16:9"]}',
    b'{"prompt": "a lake", "output_resolution": {}}',
    b'{"prompt": "a lake", "duration": true}',
    b'{"prompt": "a lake", "duration": 1e999}',
)


async def test_what_is_no_order_is_the_clients_fault(visitor: Visitor, service: Emulator) -> None:
    """4xx, whatever is wrong with the body; the next order is taken."""
    for body in _NO_ORDERS:
        async with visitor.http.post("/videos", data=body, headers=_JSON) as answer:
            assert answer.status in {400, 422}, body[:80]
    assert (await visitor.order("a market", "next"))[0] == 202
    await visitor.finished("next")
    assert service.statistics().creates == 1


async def test_an_order_that_does_not_say_what_it_is_is_refused(visitor: Visitor, service: Emulator) -> None:
    """A foreign page can send a body without a type along with a visitor's cookie."""
    for path in ("/videos", "/generate"):
        async with visitor.http.post(path, data=b'{"prompt": "a lake"}', skip_auto_headers=["Content-Type"]) as answer:
            assert answer.status == 422
    assert service.statistics().creates == 0


async def test_an_encoding_that_nobody_knows_breaks_nothing(visitor: Visitor) -> None:
    """JSON is UTF-8, so one application overlooks it and the other says no."""
    headers = {"Content-Type": "application/json; charset=nothing"}
    async with visitor.http.post("/videos", data=b'{"prompt": "a lake"}', headers=headers) as answer:
        assert answer.status in {202, 422}


@pytest.mark.parametrize("path", ["/videos", "/generate"])
async def test_a_huge_body_is_not_read(visitor: Visitor, path: str) -> None:
    """413: nobody can fill the memory with an order."""
    async with visitor.http.post(path, data=io.BytesIO(b" " * 2_000_000), headers=_JSON) as answer:
        assert answer.status == 413

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    async with visitor.http.post(path, data=pieces(), headers=_JSON) as answer:
        assert answer.status == 413


async def test_the_same_key_at_the_same_moment_is_one_video(visitor: Visitor, service: Emulator) -> None:
    """A double click, or a client that repeats before it has an answer."""
    answers = await asyncio.gather(*[visitor.order("a lake", "one") for _ in range(20)])
    assert [status for status, _ in answers] == [202] * 20
    await visitor.finished("one")
    assert service.statistics().creates == 1


async def test_a_range_of_many_digits_gets_the_whole_file(visitor: Visitor) -> None:
    """A number that nobody can read is no range."""
    await visitor.order("a lake", "one")
    await visitor.finished("one")
    for wanted in ("bytes=" + "9" * 5000 + "-", "bytes=0-" + "9" * 5000):
        async with visitor.http.get("/videos/one/file", headers={"Range": wanted}) as answer:
            assert answer.status == 200


async def test_a_video_that_was_taken_back_says_so(visitor: Visitor) -> None:
    """Also to whoever asks later, or takes it back again."""
    for number in range(3):
        await visitor.order(f"lake {number}", str(number))
    await anyio.sleep(1)
    async with visitor.http.delete("/videos/2") as answer:
        assert answer.status == 200
    assert (await visitor.show("2"))["status"] == "withdrawn"
    async with visitor.http.delete("/videos/2") as answer:
        assert answer.status == 200


async def test_a_file_that_breaks_off_ends_the_connection(visitor: Visitor, service: Emulator) -> None:
    """No error is written into the middle of a video."""
    await visitor.order("a lake", "one")
    await visitor.finished("one")
    service.faults.add("cut-body:on=file")
    async with visitor.http.get("/videos/one/file") as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
