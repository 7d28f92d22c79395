"""Worker threads for file work, whose end is always waited for."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple, Unpack

import anyio

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class FileThreads:
    """At most `limit` threads, started when there is work."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pool: ThreadPoolExecutor | None = None
        self._jobs = 0
        self._closing = False

    async def run(self, work: Callable[[Unpack[_Ts]], _T], *args: *_Ts) -> _T:
        """Run blocking work in a thread, and wait for its end even when cancelled.

        Nobody may close a file that a thread still writes to, and anyio's own shield does not hold against
        `Task.cancel`.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._limit, thread_name_prefix="seedance-file")
        job = asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        cancelled: asyncio.CancelledError | None = None
        self._jobs += 1
        # The scope keeps anyio from delivering the same cancellation over and over meanwhile.
        with anyio.CancelScope(shield=True):
            while not job.done():
                try:
                    await asyncio.wait({job})
                except asyncio.CancelledError as error:
                    cancelled = error
        self._jobs -= 1
        self._let_go()
        if cancelled is not None:
            # Looked at, or asyncio would report that nobody did.
            job.exception()
            raise cancelled
        return job.result()

    def close(self) -> None:
        """Let the threads go as soon as none has work. What is still to be cleared up is done all the same."""
        self._closing = True
        self._let_go()

    def _let_go(self) -> None:
        if self._closing and self._jobs == 0 and self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None
