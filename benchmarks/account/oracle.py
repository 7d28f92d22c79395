"""The floor: somebody who knows how long each task takes, and needs one create and one poll for it."""

import asyncio
from collections.abc import Sequence

import aiohttp

from benchmarks.account.outcomes import Told
from benchmarks.account.workload import body_of
from benchmarks.polling.laws import Task

#: Seconds from the middle of the create until it is known, and of the poll's way: it arrives as the task ends.
_KNOWN_SINCE = 0.05
_ON_THE_WAY = 0.05
#: So that it does not arrive a moment before.
_AFTER = 1e-3


async def run(base_url: str, work: Sequence[Task], concurrency: int) -> Told:
    """Make all videos."""
    told = Told()
    semaphore = asyncio.Semaphore(concurrency)
    async with aiohttp.ClientSession(
        headers={"Authorization": "Bearer benchmark"}, connector=aiohttp.TCPConnector(limit=0)
    ) as http:

        async def one(number: int, task: Task) -> None:
            async with semaphore:
                async with http.post(f"{base_url}/jobs/createTask", json=body_of(number, task)) as response:
                    task_id = (await response.json())["taskId"]
                await asyncio.sleep(task.seconds - _KNOWN_SINCE - _ON_THE_WAY + _AFTER)
                async with http.get(f"{base_url}/jobs/recordInfo", params={"taskId": task_id}) as response:
                    record = await response.json()
            if record["status"] == "success":
                told.done(number, task_id)
            else:
                told.failed(number, "failed task")

        await asyncio.gather(*(one(number, task) for number, task in enumerate(work)))
    return told
