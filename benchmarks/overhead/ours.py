"""The candidates of this package: the same tasks through the session, in two ways."""

import asyncio

from attrs import frozen

from seedance_async import AsyncSeedance, FixedPolling, Look, Polling
from seedance_async.core.polling import ticked

# Where tasks have ended when they are accepted, the first look is due at once.
AT_ONCE = FixedPolling(1e-6)


@frozen
class Ticks:
    """Every `interval` seconds, rounded to ticks as the default policy rounds."""

    interval: float

    def delay(self, look: Look) -> float:
        """Seconds until the next poll."""
        gap = self.interval * (0.9 + 0.2 * look.phase)
        return ticked(look.now + gap, gap) - look.now


def session(base_url: str, concurrency: int, polling: Polling) -> AsyncSeedance:
    """The session of every candidate."""
    return AsyncSeedance("benchmark", base_url=base_url, concurrency=concurrency, polling=polling)


async def through_map(base_url: str, prompts: list[str], concurrency: int, interval: float) -> int:
    """`session.map`: what a batch does."""
    return await _through_map(base_url, prompts, concurrency, FixedPolling(interval) if interval else AT_ONCE)


async def through_map_in_ticks(base_url: str, prompts: list[str], concurrency: int, interval: float) -> int:
    """The same, with polls that leave together as those of the default policy do."""
    return await _through_map(base_url, prompts, concurrency, Ticks(interval))


async def _through_map(base_url: str, prompts: list[str], concurrency: int, polling: Polling) -> int:
    succeeded = 0
    async with session(base_url, concurrency, polling) as seedance, seedance.map(prompts) as items:
        async for item in items:
            succeeded += item.error is None
    return succeeded


async def through_generate(base_url: str, prompts: list[str], concurrency: int, interval: float) -> int:
    """`session.generate` from as many tasks as there are slots: what a web backend does."""
    waiting = iter(prompts)
    async with session(base_url, concurrency, FixedPolling(interval) if interval else AT_ONCE) as seedance:

        async def work() -> int:
            succeeded = 0
            for prompt in waiting:
                result = await seedance.generate(prompt)
                succeeded += bool(result.url)
            return succeeded

        return sum(await asyncio.gather(*(work() for _ in range(concurrency))))
