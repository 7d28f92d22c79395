"""What a competent user writes today: a semaphore, aiohttp, a poll every three seconds, a retry on 429.

Creates are not repeated after anything else, because that could pay twice; a poll that fails is only asked again.
"""

import asyncio
from collections.abc import Sequence

import aiohttp

from benchmarks.account.outcomes import Told
from benchmarks.account.workload import body_of
from benchmarks.polling.laws import Task

#: Seconds between two polls, as the service advises, and before a create that was refused is sent again.
POLL_EVERY = 3.0
RETRY_AFTER = 5.0


async def run(base_url: str, work: Sequence[Task], concurrency: int) -> Told:
    """Make all videos."""
    told = Told()
    semaphore = asyncio.Semaphore(concurrency)
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer benchmark"}) as http:

        async def one(number: int, task: Task) -> None:
            async with semaphore:
                try:
                    task_id = await create(http, base_url, body_of(number, task))
                    record = await finished(http, base_url, task_id)
                except (aiohttp.ClientError, KeyError) as error:
                    told.failed(number, type(error).__name__)
                    return
            if record["status"] == "success":
                told.done(number, task_id)
            else:
                told.failed(number, "failed task")

        await asyncio.gather(*(one(number, task) for number, task in enumerate(work)))
    return told


async def create(http: aiohttp.ClientSession, base_url: str, body: dict[str, object]) -> str:
    """Create a task, and wait as long as the account is full."""
    while True:
        async with http.post(f"{base_url}/jobs/createTask", json=body) as response:
            if response.status != 429:
                response.raise_for_status()
                return str((await response.json())["taskId"])
        await asyncio.sleep(RETRY_AFTER)


async def finished(http: aiohttp.ClientSession, base_url: str, task_id: str) -> dict[str, object]:
    """Ask for a task until it has ended."""
    while True:
        await asyncio.sleep(POLL_EVERY)
        try:
            async with http.get(f"{base_url}/jobs/recordInfo", params={"taskId": task_id}) as response:
                response.raise_for_status()
                record: dict[str, object] = await response.json()
        except aiohttp.ClientError:
            continue
        if record["status"] in {"success", "fail"}:
            return record
