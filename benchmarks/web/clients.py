"""A thousand visitors, each with cookies and connections of its own, in one process."""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable

import aiohttp
from attrs import define, field


@define
class Seen:
    """What the visitors have seen.

    Attributes:
        answers: Seconds until an order was answered, refusals included.
        refused: Orders answered 503; each had `Retry-After`.
        done: Videos seen to succeed.
        gone: Visitors who hung up.
    """

    answers: list[float] = field(factory=list[float])
    refused: int = 0
    done: int = 0
    gone: int = 0


def browser() -> aiohttp.ClientSession:
    """A visitor's browser."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        timeout=aiohttp.ClientTimeout(total=None),
    )


async def order(http: aiohttp.ClientSession, url: str, prompt: str, seen: Seen) -> str:
    """Order a video, and again when the application says so; gives its id."""
    key = uuid.uuid4().hex
    while True:
        began = time.monotonic()
        async with http.post(f"{url}/videos", json={"prompt": prompt}, headers={"Idempotency-Key": key}) as answer:
            seen.answers.append(time.monotonic() - began)
            if answer.status == 202:
                return key
            if answer.status != 503:
                raise RuntimeError(await answer.text())
            seen.refused += 1
            await asyncio.sleep(int(answer.headers["Retry-After"]) * random.uniform(1, 1.5))


async def follow(http: aiohttp.ClientSession, url: str, key: str, seen: Seen) -> None:
    """Read the events of a video to their end."""
    last = b""
    async with http.get(f"{url}/videos/{key}/events") as answer:
        async for line in answer.content:
            if line.startswith(b"data: "):
                last = line
    seen.done += b'"status": "success"' in last


async def visit(url: str, prompts: Iterable[str], seen: Seen) -> None:
    """Order some videos as one visitor, and follow each over a connection of its own."""
    async with browser() as http:
        async with http.get(url):
            pass
        async with asyncio.TaskGroup() as group:
            for prompt in prompts:
                key = await order(http, url, prompt, seen)
                group.create_task(follow(http, url, key, seen))


async def generate(url: str, prompt: str, seen: Seen, leaves: asyncio.Event) -> None:
    """Wait for a video in one request, but hang up when told to."""
    async with browser() as http:

        async def wait() -> None:
            async with http.post(f"{url}/generate", json={"prompt": prompt}) as answer:
                seen.done += answer.status == 200

        waiting, told = asyncio.create_task(wait()), asyncio.create_task(leaves.wait())
        await asyncio.wait({waiting, told}, return_when=asyncio.FIRST_COMPLETED)
        seen.gone += not waiting.done()
        for task in (waiting, told):
            task.cancel()
        await asyncio.wait({waiting, told})


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 120) -> float:
    """Wait until something holds; gives the seconds it took."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 (what is waited for is in another process)
            await asyncio.sleep(0.05)
    return time.monotonic() - began
