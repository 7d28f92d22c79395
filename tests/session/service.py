"""What the tests of the session share: an emulator, the sessions opened with it, and what their hooks heard."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, TypeVar

from aiohttp import web
from attrs import define, field

from seedance_async import AsyncSeedance, Catalogue, FixedPolling, SessionStatistics, TaskHandle, TextToVideo
from seedance_async.hooks import AttemptEnded, HookEvent
from seedance_async.testing import Emulator, VirtualClockLoop
from tests.session.hook_order import HookOrder

EventT = TypeVar("EventT")

#: What a clip of five seconds in 1080p costs, and one of five seconds in 480p (CLASSIC).
PRICE_1080P = Decimal(415)
PRICE_480P = Decimal(75)


@define
class Ear:
    """A hook that keeps what it hears, and when."""

    heard: list[tuple[float, HookEvent]] = field(factory=list)

    def __call__(self, event: HookEvent) -> None:
        self.heard.append((asyncio.get_running_loop().time(), event))

    def all(self, kind: type[EventT]) -> list[EventT]:
        """Return the events of a class, the oldest first."""
        return [event for _, event in self.heard if isinstance(event, kind)]

    def times(self, kind: type[Any]) -> list[float]:
        """Return when events of a class came."""
        return [moment for moment, event in self.heard if isinstance(event, kind)]

    def outcomes(self, outcome: str) -> int:
        """Count the creates that ended so."""
        return sum(1 for event in self.all(AttemptEnded) if event.outcome == outcome)


@define
class Service:
    """An emulator and the sessions of one test."""

    emulator: Emulator
    ear: Ear = field(factory=Ear)
    sessions: list[AsyncSeedance] = field(factory=list)
    orders: list[HookOrder] = field(factory=list)

    def session(self, **options: Any) -> AsyncSeedance:
        """Make a session that looks at its tasks every two seconds and is closed after the test."""
        self.orders.append(HookOrder())
        options["hooks"] = [*options.get("hooks", [self.ear]), self.orders[-1]]
        session = AsyncSeedance(
            **{
                "api_key": self.emulator.api_key,
                "base_url": self.emulator.base_url,
                "catalogue": Catalogue.CLASSIC,
                "polling": FixedPolling(2.0),
                **options,
            }
        )
        self.sessions.append(session)
        return session

    async def open(self, **options: Any) -> AsyncSeedance:
        """Open such a session."""
        return await self.session(**options).open()

    async def close(self) -> None:
        """Close what is open, and check what is true of every session that was closed."""
        for session in self.sessions:
            try:
                opened = session.statistics()
            except Exception:  # noqa: BLE001 (never opened)
                continue
            await session.aclose()
            opened = session.statistics()
            assert (opened.waiting, opened.on_wire) == (0, 0), "something of the queue is left"
            # Only a task that the service accepted may still hold a slot.
            assert opened.creates >= opened.accepted + opened.refusals + opened.unknown
        self.check_hook_order()

    def check_hook_order(self) -> None:
        """Check that the hooks of all sessions were told of every job in the order that is promised."""
        wrong = [problem for order in self.orders for problem in order.wrong]
        assert not wrong, "\n".join(wrong)

    def tasks(self, prompt: str = "") -> list[str]:
        """Return the ids of the tasks whose prompt contains this, the oldest first."""
        tasks = self.emulator.world.tasks.values()
        return [task.task_id for task in tasks if prompt in task.order.prompt]

    async def unplug(self) -> None:
        """Let nobody connect from now on, and cut who is connected; the service's tasks go on."""
        runner = self.emulator._runner
        assert runner is not None
        assert runner.server is not None
        for site in list(runner.sites):
            await site.stop()
        await runner.server.shutdown(0.01)

    async def plug(self) -> None:
        """Listen again, where it was."""
        runner = self.emulator._runner
        assert runner is not None
        await web.TCPSite(runner, "127.0.0.1", int(self.emulator.url.rpartition(":")[2]), backlog=4096).start()


Start = Callable[..., Awaitable[Service]]


def lakes(count: int, marks: str = "", **fields: Any) -> list[TextToVideo]:
    """Return inputs with the prompts `lake 0`, `lake 1` and so on."""
    return [TextToVideo(f"lake {number}{marks}", output_resolution="480p", **fields) for number in range(count)]


def clock() -> float:
    """Return the virtual time."""
    return asyncio.get_running_loop().time()


def jump(seconds: float) -> None:
    """Let the clock be so much later at once, as it is for a laptop that slept."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualClockLoop)
    loop.virtual.now += seconds


async def until(is_true: Callable[[], object], timeout: float = 3600.0, step: float = 0.05) -> None:
    """Wait until something is true, for at most so many virtual seconds."""
    async with asyncio.timeout(timeout):
        while not is_true():
            await asyncio.sleep(step)


async def steps(count: int) -> None:
    """Let the loop run so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def end(handle: TaskHandle) -> BaseException | None:
    """Wait for a handle and return its failure, or None."""
    try:
        await handle
    except Exception as error:  # noqa: BLE001 (the caller looks at it)
        return error
    return None


def slots(session: AsyncSeedance) -> tuple[int, int]:
    """Return how many slots are held and how many jobs wait."""
    now: SessionStatistics = session.statistics()
    return now.in_progress, now.waiting
