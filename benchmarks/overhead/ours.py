"""The candidates of this package: the same tasks through the session, in two ways."""

import asyncio

from seedance_async import AsyncSeedance
from seedance_async.core.polling import FixedPolling

# The tasks of this scenario have ended when they are accepted, so the first look is due at once.
AT_ONCE = FixedPolling(1e-6)


def session(base_url: str, concurrency: int) -> AsyncSeedance:
    """The session of either candidate."""
    return AsyncSeedance("benchmark", base_url=base_url, concurrency=concurrency, polling=AT_ONCE)


async def through_map(base_url: str, prompts: list[str], concurrency: int) -> int:
    """`session.map`: what a batch does."""
    succeeded = 0
    async with session(base_url, concurrency) as seedance, seedance.map(prompts) as items:
        async for item in items:
            succeeded += item.error is None
    return succeeded


async def through_generate(base_url: str, prompts: list[str], concurrency: int) -> int:
    """`session.generate` from as many tasks as there are slots: what a web backend does."""
    waiting = iter(prompts)
    async with session(base_url, concurrency) as seedance:

        async def work() -> int:
            succeeded = 0
            for prompt in waiting:
                result = await seedance.generate(prompt)
                succeeded += bool(result.url)
            return succeeded

        return sum(await asyncio.gather(*(work() for _ in range(concurrency))))
