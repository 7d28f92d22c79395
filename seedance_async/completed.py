"""`as_completed`: handles in the order in which they finish."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from seedance_async.handle import TaskHandle


async def as_completed(handles: Iterable[TaskHandle]) -> AsyncIterator[TaskHandle]:
    """Yield each handle once it is done, the first to finish first.

    The handles themselves are yielded, so that a result can be told from the others; `handle.result()` then answers
    without waiting, or raises the job's failure. A handle given twice is yielded once.

    Cancellation: the jobs go on.
    """
    finished: asyncio.Queue[TaskHandle] = asyncio.Queue()
    waiting = dict.fromkeys(handles)
    for handle in waiting:
        handle.add_done_callback(finished.put_nowait)
    try:
        for _ in range(len(waiting)):
            handle = await finished.get()
            del waiting[handle]
            yield handle
    finally:
        for handle in waiting:
            handle.remove_done_callback(finished.put_nowait)
