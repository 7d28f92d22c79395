"""httpx with tenacity, as people write it: every request is retried after a failed connection, a 5xx, a 429 and an
answer that is no JSON.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import tenacity

from benchmarks.account.loop import POLL_EVERY
from benchmarks.account.outcomes import Told
from benchmarks.account.workload import body_of
from benchmarks.polling.laws import Task


def worth_a_retry(error: BaseException) -> bool:
    """Whether it may go well the next time."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == 429 or error.response.status_code >= 500
    return isinstance(error, httpx.TransportError | ValueError)


def retrying() -> tenacity.AsyncRetrying:
    """Up to ten attempts within about five minutes."""
    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(worth_a_retry),
        wait=tenacity.wait_exponential_jitter(initial=1, max=60),
        stop=tenacity.stop_after_attempt(10),
        reraise=True,
    )


async def run(base_url: str, work: Sequence[Task], concurrency: int) -> Told:
    """Make all videos."""
    told = Told()
    semaphore = asyncio.Semaphore(concurrency)
    async with httpx.AsyncClient(headers={"Authorization": "Bearer benchmark"}) as http:

        async def answer(method: str, path: str, **given: Any) -> dict[str, Any]:
            async def once() -> dict[str, Any]:
                response = await http.request(method, f"{base_url}{path}", **given)
                response.raise_for_status()
                content: dict[str, Any] = response.json()
                return content

            found: dict[str, Any] = await retrying()(once)
            return found

        async def one(number: int, task: Task) -> None:
            async with semaphore:
                try:
                    created = await answer("POST", "/jobs/createTask", json=body_of(number, task))
                    task_id = created["taskId"]
                    while True:
                        await asyncio.sleep(POLL_EVERY)
                        record = await answer("GET", "/jobs/recordInfo", params={"taskId": task_id})
                        if record["status"] in {"success", "fail"}:
                            break
                except (httpx.HTTPError, KeyError, ValueError) as error:
                    told.failed(number, type(error).__name__)
                    return
            if record["status"] == "success":
                told.done(number, task_id)
            else:
                told.failed(number, "failed task")

        await asyncio.gather(*(one(number, task) for number, task in enumerate(work)))
    return told
