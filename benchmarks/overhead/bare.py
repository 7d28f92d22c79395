"""The yardstick: what someone writes in ten minutes with aiohttp, a create and polls per task and nothing else."""

import asyncio
from collections.abc import Callable, Iterator
from random import Random

import aiohttp

KEY = {"Authorization": "Bearer benchmark"}


async def keep_alive(base_url: str, prompts: list[str], concurrency: int, interval: float) -> int:
    """Send creates and polls over pooled connections; return how many tasks have succeeded."""
    async with aiohttp.ClientSession(headers=KEY, connector=aiohttp.TCPConnector(limit=concurrency)) as session:
        return await loop_over(base_url, prompts, concurrency, lambda: interval, creates=session, polls=session)


async def connection_per_create(
    base_url: str, prompts: list[str], concurrency: int, interval: float, *, spread: float = 0.0
) -> int:
    """The same, with a connection of its own for each create: the rule that makes "not sent" a certainty."""
    chance = Random(1)

    def gap() -> float:
        return interval * chance.uniform(1.0 - spread, 1.0 + spread)

    async with (
        aiohttp.ClientSession(
            headers=KEY, connector=aiohttp.TCPConnector(limit=concurrency, force_close=True)
        ) as creates,
        aiohttp.ClientSession(headers=KEY, connector=aiohttp.TCPConnector(limit=concurrency)) as polls,
    ):
        return await loop_over(base_url, prompts, concurrency, gap, creates=creates, polls=polls)


async def connection_per_create_apart(base_url: str, prompts: list[str], concurrency: int, interval: float) -> int:
    """The same, with gaps of nine to eleven tenths: on a network workers do not stay in step."""
    return await connection_per_create(base_url, prompts, concurrency, interval, spread=0.1)


async def loop_over(
    base_url: str,
    prompts: list[str],
    concurrency: int,
    gap: Callable[[], float],
    *,
    creates: aiohttp.ClientSession,
    polls: aiohttp.ClientSession,
) -> int:
    """Let `concurrency` workers take prompts from one iterator."""
    waiting = iter(prompts)
    succeeded = await asyncio.gather(*(work(base_url, waiting, gap, creates, polls) for _ in range(concurrency)))
    return sum(succeeded)


async def work(
    base_url: str,
    waiting: Iterator[str],
    gap: Callable[[], float],
    creates: aiohttp.ClientSession,
    polls: aiohttp.ClientSession,
) -> int:
    """Create a task, look at it until it has ended, take the next prompt."""
    succeeded = 0
    for prompt in waiting:
        body = {
            "model": "seedance-20",
            "inputs": {"prompt": prompt, "duration": "5", "aspectRatio": "16:9", "outputResolution": "1080p"},
        }
        async with creates.post(f"{base_url}/jobs/createTask", json=body) as response:
            response.raise_for_status()
            task_id = (await response.json())["taskId"]
        while True:
            if (seconds := gap()) > 0.0:
                await asyncio.sleep(seconds)
            async with polls.get(f"{base_url}/jobs/recordInfo", params={"taskId": task_id}) as response:
                response.raise_for_status()
                record = await response.json()
            if record["status"] in {"success", "fail"}:
                break
        succeeded += record["status"] == "success"
    return succeeded
