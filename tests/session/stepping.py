"""Cancel something at every single step of the loop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Self

from attrs import define, field

from seedance_async.testing import VirtualClockLoop


@define
class Stepper:
    """Counts the steps of the running loop, from when it is made, and acts at one of them.

    A step is one look at the sockets and timers, and whatever is run after it. So acting at each step in turn puts
    the act between every two callbacks that a program can be interrupted between.
    """

    steps: int = field(init=False, default=0)
    at: int = field(init=False, default=-1)
    act: Callable[[], object] = field(init=False, default=lambda: None)
    _undo: Callable[[], None] = field(init=False, default=lambda: None)

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualClockLoop)
        selector, select = loop.virtual, loop.virtual.select

        def counting(timeout: float | None = None) -> Any:
            self.steps += 1
            if self.steps == self.at:
                self.act()
                # What the act made ready is run now, before anything that time would bring.
                timeout = 0.0
            return select(timeout)

        vars(selector)["select"] = counting
        self._undo = lambda: vars(selector).pop("select")
        return self

    def __exit__(self, *_: object) -> None:
        self._undo()


async def steps_of(call: Callable[[], Awaitable[object]]) -> int:
    """Return how many steps an undisturbed call takes."""
    with Stepper() as stepper:
        await call()
        return stepper.steps


async def cancelled_at(step: int, call: Callable[[], Coroutine[Any, Any, object]]) -> bool:
    """Cancel a call at a step; return whether it ended by that."""
    with Stepper() as stepper:
        task = asyncio.ensure_future(call())
        stepper.at, stepper.act = step, task.cancel
        await asyncio.wait([task])
    return task.cancelled()
