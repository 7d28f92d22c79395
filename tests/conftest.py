"""Async tests run on virtual time, against an emulator in the same loop."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from seedance_async.testing import Emulator, VirtualClockLoop

# A machine that is busy with something else makes no test fail.
settings.register_profile("seedance", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("seedance")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run every async test on asyncio, with the virtual clock."""
    return "asyncio", {"loop_factory": VirtualClockLoop}


@pytest.fixture
def signals_heard() -> Iterator[None]:
    """Ignore no signal, here and in programs that are started, also where the run does: under nohup, or in a script."""
    known = [number for number in signal.Signals if number.name in {"SIGINT", "SIGTERM", "SIGHUP"}]
    ignored = [number for number in known if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
async def emulator() -> AsyncIterator[Callable[..., Awaitable[Emulator]]]:
    """Start emulators: `await emulator(limit=3)`; each is closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> Emulator:
            return await stack.enter_async_context(Emulator(**options))

        yield start
