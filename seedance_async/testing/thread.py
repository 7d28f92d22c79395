"""An emulator in a thread of its own, for synchronous code and for tests with any kind of event loop."""

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from seedance_async.testing.emulator import Emulator
from seedance_async.testing.statistics import Statistics

_T = TypeVar("_T")
#: Real seconds for the thread to start or to end; it does so in milliseconds, or something is badly wrong.
_PATIENCE: Final = 30.0


class EmulatorThread:
    """Runs an emulator on real time, in its own thread with its own event loop.

    A synchronous context manager. Everything here may be called from any thread.

    Args:
        options: Those of `Emulator`.
    """

    def __init__(self, **options: Any) -> None:
        self._emulator = Emulator(**options)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    @property
    def emulator(self) -> Emulator:
        """The emulator; change it through `call` only."""
        return self._emulator

    @property
    def base_url(self) -> str:
        """What a session takes as `base_url`."""
        return self._emulator.base_url

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return self._emulator.url

    @property
    def api_key(self) -> str:
        """A key that is active."""
        return self._emulator.api_key

    def statistics(self) -> Statistics:
        """Return what has happened so far."""
        return self.call(lambda emulator: emulator.statistics())

    def call(self, function: Callable[[Emulator], _T]) -> _T:
        """Call a function in the emulator's thread and return what it returns.

        Raises:
            RuntimeError: The emulator does not run.
        """
        loop = self._loop
        if loop is None:
            raise RuntimeError("the emulator does not run")

        async def run() -> _T:
            return function(self._emulator)

        return asyncio.run_coroutine_threadsafe(run(), loop).result(_PATIENCE)

    def start(self) -> Self:
        """Start, and return when it listens.

        Raises:
            ConfigurationError: The address cannot be used.
        """
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="seedance-emulator", daemon=True)
        self._thread.start()
        if not self._ready.wait(_PATIENCE):
            raise RuntimeError("the emulator's thread did not start")
        if self._failure is not None:
            self._thread.join(_PATIENCE)
            raise self._failure
        return self

    def close(self) -> None:
        """Stop, and return when the thread has ended. May be called more than once."""
        loop, stop, thread = self._loop, self._stop, self._thread
        self._loop = self._stop = self._thread = None
        if loop is not None and stop is not None and thread is not None:
            loop.call_soon_threadsafe(stop.set)
            thread.join(_PATIENCE)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.close()

    def _run(self) -> None:
        try:
            # A loop of its own making: a policy that the application has set is for the application.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told in the thread that waits
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        async with self._emulator:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            await self._stop.wait()
