"""An asyncio event loop whose clock moves only when there is nothing else to do.

Sockets are real and are polled; when none is ready, time jumps to the next timer. A test of two hours of an outage
takes milliseconds, and no test waits for anything. Four things bring real time back, and each has its answer here
or in the emulator: worker threads (the loop asks whether one is at work before it jumps), silence (an error after a
few real seconds, instead of a test that hangs), a listen backlog that overflows (the emulator's is 4096) and host
names (the emulator says 127.0.0.1).
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar, TypeVarTuple, Unpack

import anyio
import anyio.to_thread

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

#: Virtual seconds. Before a longer jump the sockets are asked once more, a real millisecond later, because a busy
#: kernel may hand a loopback packet over late, and a long jump is the one that would turn this into a false timeout.
_LONG_JUMP = 1.0


class VirtualSelector(selectors.DefaultSelector):
    """Poll real sockets; when none is ready, move the clock to the next timer.

    Attributes:
        now: Virtual seconds since the loop was made. A test may set it forward: due timers then fire at once.
        patience: Real seconds that nothing may happen before it is an error.
        thread_patience: The same while a worker thread is at work.
        limiters: The anyio thread limiters in use. The default one is known from the start; add your own.
    """

    def __init__(self, *, patience: float = 5.0, thread_patience: float = 60.0) -> None:
        super().__init__()
        self.now = 0.0
        self.patience = patience
        self.thread_patience = thread_patience
        self.limiters: set[anyio.CapacityLimiter] = set()
        self._executor_jobs = 0

    @property
    def threads_busy(self) -> bool:
        """Whether a worker thread may still wake the loop."""
        return self._executor_jobs > 0 or any(limiter.borrowed_tokens for limiter in self.limiters)

    def executor_job_started(self) -> None:
        """Count a job that was handed to an executor."""
        self._executor_jobs += 1

    def executor_job_ended(self, _future: object) -> None:
        """Count it off again."""
        self._executor_jobs -= 1

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready, or move the clock by `timeout` and return nothing.

        Raises:
            RuntimeError: Nothing can happen any more: no timer is set, and neither a socket nor a thread has
                reported within `patience`.
        """
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        busy = self.threads_busy
        if timeout is None or busy:
            ready = super().select(self.thread_patience if busy else self.patience)
            if not ready:
                waited = "a worker thread never finished" if busy else "no timer, socket or thread is left"
                raise RuntimeError(f"the virtual clock stands still and every task waits: {waited}")
            return ready
        if timeout > _LONG_JUMP:
            ready = super().select(0.001)
            if ready:
                return ready
        self.now += max(0.0, timeout)
        return ready


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time: `loop.time()`, and so every `sleep` and timeout, counts from 0.

    Hand it to `asyncio.Runner(loop_factory=VirtualClockLoop)`, or to anyio's pytest plugin as the backend
    `("asyncio", {"loop_factory": VirtualClockLoop})`. The emulator must live in the same loop: a server elsewhere
    runs on real time. What reads the real clock (`time.monotonic`, the age of pooled connections) is not moved, and a
    thread that was started by hand, not through an executor or a limiter, is not waited for.

    Attributes:
        virtual: The clock: `loop.virtual.now`, `loop.virtual.limiters`.
    """

    def __init__(self) -> None:
        self.virtual = VirtualSelector()
        self._registration: asyncio.Task[None] | None = None
        super().__init__(self.virtual)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self.virtual.now

    def run_forever(self) -> None:
        """Run until `stop`, with anyio's default thread limiter registered."""
        if self._registration is None:
            # In a task of its own: outside of one anyio may not be able to tell which library runs.
            self._registration = self.create_task(self._register_default_limiter())
        super().run_forever()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """Run in a worker thread; the clock stands still meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self.virtual.executor_job_started()
        future.add_done_callback(self.virtual.executor_job_ended)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002
        """Join the worker threads; the clock stands still meanwhile.

        `timeout` is not passed on: it is counted on this loop's clock, which would jump to its end.
        """
        self.virtual.executor_job_started()
        try:
            await super().shutdown_default_executor()
        finally:
            self.virtual.executor_job_ended(None)

    async def _register_default_limiter(self) -> None:
        self.virtual.limiters.add(anyio.to_thread.current_default_thread_limiter())
