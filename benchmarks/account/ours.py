"""This package: a batch through `map`."""

from collections.abc import Sequence
from typing import Any

from benchmarks.account.outcomes import Told
from benchmarks.account.workload import PROMPT
from benchmarks.polling.laws import Task
from seedance_async import AsyncSeedance, TaskFailedError, TextToVideo


async def run(base_url: str, work: Sequence[Task], *, order: Any = "source", **settings: Any) -> Told:
    """Make all videos, with the session's own defaults where nothing else is given."""
    told = Told()
    inputs = [TextToVideo(PROMPT.format(number=number), duration=task.kind.length) for number, task in enumerate(work)]
    async with (
        AsyncSeedance("benchmark", base_url=base_url, **settings) as seedance,
        seedance.map(inputs, order=order) as items,
    ):
        async for item in items:
            if item.result is not None:
                told.done(item.index, item.result.task_id)
            elif isinstance(item.error, TaskFailedError):
                told.failed(item.index, "failed task")
            elif item.error is not None:
                told.failed(item.index, type(item.error).__name__, unknown=item.error.charged == "maybe")
    return told
