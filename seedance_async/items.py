"""`map`: many inputs in, results and failures out as they come. `map_run` does the work."""

import asyncio
import weakref
from collections.abc import AsyncIterable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from attrs import frozen

from seedance_async.core.inputs import Inputs
from seedance_async.core.results import VideoResult
from seedance_async.errors import SeedanceError
from seedance_async.handle import TaskHandle

if TYPE_CHECKING:
    from seedance_async.map_run import Run

Source = str | Inputs | tuple[str, str | Inputs]
Sources = Iterable[Source] | AsyncIterable[Source]


@frozen
class Item:
    """What became of one input of `map`.

    Attributes:
        index: Its place in the source, from 0.
        key: Its key: the one given, or one that was made up; None where the input was refused before it had one.
        inputs: The input as it was given, without its key.
        handle: Its handle; None if it was never known to be accepted.
        result: The result of a success. Exactly one of `result` and `error` is set.
        error: What went wrong, not raised.
    """

    index: int
    key: str | None
    inputs: str | Inputs
    handle: TaskHandle | None
    result: VideoResult | None
    error: SeedanceError | None


class Items:
    """The items of one `map`, as they finish, or in order.

    Use it as `async with session.map(inputs) as items:` and `async for item in items:`. Leaving the block stops the
    pulling of inputs, withdraws what is queued and costs nothing more; creates on the wire finish into
    `session.pending`. Without `async with`, the same happens when the object is dropped.

    Concurrency: one task at a time may iterate.
    """

    def __init__(self, run: "Run") -> None:
        """Made by `AsyncSeedance.map`."""
        self._run = run
        self._abandoned: weakref.finalize[..., Any] | None = None

    def __aiter__(self) -> Self:
        self._begin()
        return self

    async def __anext__(self) -> Item:
        self._begin()
        return await self._run.next()

    async def __aenter__(self) -> Self:
        self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def finish(self) -> None:
        """Submit nothing further and go on yielding: what runs as it ends, what was queued with `WithdrawnError`.

        Nothing that was withdrawn costs anything. A task that fails is not tried again.
        """
        self._run.finish()

    async def aclose(self) -> None:
        """Stop, as leaving the block does."""
        if self._abandoned is not None:
            self._abandoned.detach()
        self._run.stop()
        await self._run.stopped()

    def _begin(self) -> None:
        if self._abandoned is None:
            loop = asyncio.get_running_loop()
            self._abandoned = weakref.finalize(self, _stop_soon, loop, self._run)
            self._abandoned.atexit = False
            self._run.begin()


def _stop_soon(loop: asyncio.AbstractEventLoop, run: "Run") -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(run.stop)
