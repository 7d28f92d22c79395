"""Many videos with bounded spending; one failure does not disturb the others.

export KINOVI_API_KEY=...
python examples/many_videos.py
"""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from seedance_async import AsyncSeedance, SeedanceError, TextToVideo

SCENES = ["a lake at dawn", "a market at noon", "a harbour at dusk", "a street at night"]


def wanted() -> Iterator[tuple[str, TextToVideo]]:
    """Give each scene in two shapes, under a key that says which video it is."""
    for number, scene in enumerate(SCENES, 1):
        for shape, ratio in (("wide", "16:9"), ("tall", "9:16")):
            yield f"scene-{number}-{shape}", TextToVideo(scene, aspect_ratio=ratio, output_resolution="720p")


def folder() -> Path:
    """Make the folder of the videos."""
    made = Path("scenes")
    made.mkdir(exist_ok=True)
    return made


async def main() -> None:
    """Save what succeeds, say why the rest did not."""
    scenes = folder()
    async with (
        AsyncSeedance(budget=Decimal(2000)) as seedance,
        # Errors are data here: an item has either a result or an error. attempts=3 repeats only tasks that failed
        # for the service's own reasons, which it refunds.
        seedance.map(wanted(), attempts=3) as items,
    ):
        async for item in items:
            if item.result is None:
                print(f"{item.key}: {item.error}")
                continue
            try:
                path = await seedance.download(item.result, scenes / f"{item.key}.mp4")
            except SeedanceError as error:
                print(f"{item.key}: paid and finished, but not saved: {error}")
            else:
                print(f"{item.key}: {path}")
        print(f"{seedance.statistics().credits_used} credits used")


if __name__ == "__main__":
    asyncio.run(main())
