"""A session on a full account, with the emulator and a receiver of webhooks in one loop, on virtual time."""

import asyncio
from statistics import fmean
from typing import Final

from aiohttp import web
from attrs import define, field, frozen

from seedance_async import AsyncSeedance, TextToVideo
from seedance_async.hooks import Finished, HookEvent
from seedance_async.testing import Emulator, TypicalDurations, VirtualClockLoop
from seedance_async.webhooks import CallbackUrls, Delivery, aiohttp_app

SLOTS: Final = 10
#: Seconds from the end of a task until its webhook comes. The service's own are not published.
LATE: Final = 0.5
_SECRET: Final = "not much of a secret, and long enough"


@frozen
class Candidate:
    """How a session learns of ends.

    Attributes:
        webhooks: Whether its tasks carry a callback URL.
        lost: Share of webhooks that never come.
        stop: Share of the tasks after which none comes any more.
    """

    webhooks: bool
    lost: float = 0.0
    stop: float | None = None


@frozen
class Figures:
    """What a run has cost and bought.

    Attributes:
        requests: Polls per task.
        delay: Mean seconds from the end of a task until the session has its result.
        late: The same for one task in twenty, at least.
        idle: Share of the slots' time in which they stood empty while tasks waited.
    """

    requests: float
    delay: float
    late: float
    idle: float


@define
class _Ear:
    """A hook that keeps when tasks were finished."""

    seen: dict[str, float] = field(factory=dict[str, float])

    def __call__(self, event: HookEvent) -> None:
        if isinstance(event, Finished) and event.task_id is not None:
            self.seen[event.task_id] = asyncio.get_running_loop().time()


def run(candidate: Candidate, *, tasks: int, seed: int) -> Figures:
    """Let a session with a candidate's way of learning run some tasks; the same tasks for the same seed."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(_run(candidate, tasks, seed))


async def _run(candidate: Candidate, tasks: int, seed: int) -> Figures:
    ear, begun = _Ear(), asyncio.get_running_loop().time()
    faults = [f"webhook-late:seconds={LATE}"]
    faults += [f"webhook-lost:rate={candidate.lost}"] if candidate.lost else []
    if candidate.stop is not None:
        faults.append(f"webhook-lost:since={candidate.stop * tasks / SLOTS * 100.0}")
    durations = TypicalDurations(sigma=0.3, factor=0.5)
    emulator = Emulator(limit=SLOTS, credits=10**9, seed=seed, durations=durations, faults=faults)
    async with emulator:
        opened: list[AsyncSeedance] = []

        def take(delivery: Delivery, *, token: str | None) -> None:
            opened[0].notify(delivery, token=token)

        receiver = web.AppRunner(aiohttp_app(take), access_log=None)
        await receiver.setup()
        await web.TCPSite(receiver, "127.0.0.1", 0).start()
        urls = CallbackUrls(f"http://127.0.0.1:{receiver.addresses[0][1]}", _SECRET) if candidate.webhooks else None
        async with AsyncSeedance(
            emulator.api_key, base_url=emulator.base_url, concurrency=SLOTS, callback_url=urls, hooks=[ear]
        ) as session:
            opened.append(session)
            prompts = [TextToVideo(f"a lake, number {number}") for number in range(tasks)]
            async with session.map(prompts) as items:
                async for item in items:
                    if item.error is not None:
                        raise item.error
            requests = session.statistics().polls / tasks
        await receiver.cleanup()
        return _figures(emulator, ear.seen, begun, requests)


def _figures(emulator: Emulator, seen: dict[str, float], begun: float, requests: float) -> Figures:
    tasks = list(emulator.world.tasks.values())
    delays = sorted(seen[task.task_id] - begun - task.ends_at for task in tasks)
    # A create takes the slot that came free first: those that came in between count for nothing.
    created = sorted(task.created_at for task in tasks)[SLOTS:]
    idle = sum(max(0.0, at - end) for at, end in zip(created, sorted(task.ends_at for task in tasks), strict=False))
    worked = sum(task.ends_at - task.created_at for task in tasks)
    return Figures(requests, fmean(delays), delays[int(0.95 * len(delays))], idle / (idle + worked))
