"""Ctrl-C, SIGTERM and SIGHUP: the first stops the command in good order, the second leaves.

1. The first signal is passed to the command, which decides what to finish.
2. The second has the command say what still runs and cancels it, so that it can write down what it knows.
3. A command that has not ended `LAST_SECONDS` later, whatever it does, or a third signal, ends the process. So does
   any further one while the loop of a command that was stopped is being closed: everything has been said by then.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Final, NoReturn, Self, TypeVar

#: What a cancelled command has to write things down.
LAST_SECONDS: Final = 1.0

_T = TypeVar("_T")
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupted(Exception):  # noqa: N818 (an event of the terminal, not an error)
    """A signal ended the command.

    Attributes:
        exit_code: 128 plus the signal's number, as shells have it.
    """

    def __init__(self, signum: int) -> None:
        self.exit_code = 128 + signum
        super().__init__(signum)


class Interrupts:
    """Watch for signals while the block runs; enter it inside the running loop, and `restore` after the loop.

    Attributes:
        signum: The first signal that came, or None.
        on_first: Called with the first signal, in the loop.
        last_words: Called with the second signal, to put the terminal in order and name what still runs.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self.on_first: Callable[[int], None] | None = None
        self.last_words: Callable[[], None] | None = None
        self._came = asyncio.Event()
        self._leaving = False
        self._command: asyncio.Task[Any] | None = None
        self._undo: list[Callable[[], object]] = []
        self._before: dict[int, Any] = {}
        self._last: threading.Timer | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self  # only the main thread may be told of signals
        loop = asyncio.get_running_loop()
        self._command = asyncio.current_task()
        for name in _NAMES:
            signum = getattr(signal, name, None)  # Windows has no SIGHUP
            if signum is not None and signal.getsignal(signum) is not signal.SIG_IGN:  # nohup means it
                self._listen(loop, signum)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._undo:
            self._undo.pop()()
        if self.signum is not None:
            for signum in self._before:
                signal.signal(signum, lambda _number, _frame: self._end())

    def restore(self) -> None:
        """Put the handlers back that were there before the block; call it when the loop is closed."""
        if self._last is not None:
            self._last.cancel()
        while self._before:
            signum, handler = self._before.popitem()
            signal.signal(signum, signal.SIG_DFL if handler is None else handler)  # None: not set from Python

    def _listen(self, loop: asyncio.AbstractEventLoop, signum: int) -> None:
        self._before[signum] = signal.getsignal(signum)
        try:
            loop.add_signal_handler(signum, self.arrive, signum)
        except NotImplementedError:  # Windows

            def handler(number: int, _frame: FrameType | None) -> None:
                loop.call_soon_threadsafe(self.arrive, number)

            signal.signal(signum, handler)
        else:
            self._undo.append(lambda: loop.remove_signal_handler(signum))

    def arrive(self, signum: int) -> None:
        """Take note of a signal and act by its number, in the loop."""
        if self.signum is None:
            self.signum = signum
            self._came.set()
            if self.on_first is not None:
                self.on_first(signum)
            return
        if self._leaving or self._command is None:
            self._end()
        self._leaving = True
        with suppress(Exception):
            if self.last_words is not None:
                self.last_words()
        self._command.cancel()
        # Not in the loop, which a command that writes much down may hold up.
        self._last = threading.Timer(LAST_SECONDS, self._end)
        self._last.daemon = True
        self._last.start()

    @property
    def exit_code(self) -> int:
        """128 plus the number of the first signal."""
        assert self.signum is not None
        return 128 + self.signum

    def _end(self) -> NoReturn:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(self.exit_code)

    async def wait(self) -> int:
        """Wait for the first signal and return its number."""
        await self._came.wait()
        assert self.signum is not None
        return self.signum

    async def guard(self, work: Awaitable[_T]) -> _T:
        """Do `work` unless a signal comes first.

        Raises:
            Interrupted: A signal came; `work` was cancelled and has ended.
        """
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Interrupted(stop.result())
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})


def run_with_interrupts(command: Callable[[Interrupts], Coroutine[Any, Any, int]]) -> int:
    """Run a command's coroutine in a loop of its own and return its exit code."""
    interrupts = Interrupts()

    async def body() -> int:
        with interrupts:
            try:
                return await command(interrupts)
            except asyncio.CancelledError:
                if interrupts.signum is None:
                    raise
                return interrupts.exit_code

    try:
        return asyncio.run(body())
    finally:
        interrupts.restore()
