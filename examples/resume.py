"""A script that may be killed at any moment and started again: no scene is paid for twice, and every file comes.

export KINOVI_API_KEY=...
python examples/resume.py                        # Ctrl-C, kill -9 or pull the plug, then the same again
python examples/resume.py scene-2=TASK_ID        # scene-2 is unknown, and the account's page shows its task
"""

import asyncio
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from seedance_async import AsyncSeedance, JobState, SeedanceError, TextToVideo

SCENES = ["a lake at dawn", "a market at noon", "a harbour at dusk", "a street at night"]


def wanted() -> dict[str, TextToVideo]:
    """Give each scene under a key that is the same in every run: the key is what makes it one video."""
    return {f"scene-{number}": TextToVideo(scene, output_resolution="720p") for number, scene in enumerate(SCENES, 1)}


def make_folder() -> Path:
    """Make the folder of the videos; the journal lies in it."""
    made = Path("scenes")
    made.mkdir(exist_ok=True)
    return made


def is_saved(seedance: AsyncSeedance, folder: Path, key: str) -> bool:
    """Whether an earlier run has saved a scene, and its file is still there."""
    record = seedance.journal.get(key)
    saved = None if record is None else record.notes.get("saved")
    return saved is not None and (folder / saved).exists()


async def main(known: Mapping[str, str]) -> None:
    """Go on where the last run ended, whatever ended it.

    Args:
        known: Task ids of scenes whose outcome was unknown, found on the account's page.
    """
    folder = make_folder()
    # The budget counts what all runs with this journal have spent, together.
    async with AsyncSeedance(journal=folder / "journal.db", budget=Decimal(2000)) as seedance:
        for key, task_id in known.items():
            seedance.attach(task_id, key=key)
        # What runs on the service holds its slots before anything new is sent.
        await seedance.resume()
        missing = [(key, inputs) for key, inputs in wanted().items() if not is_saved(seedance, folder, key)]
        print(f"{len(SCENES) - len(missing)} of {len(SCENES)} are there")
        async with seedance.map(missing) as items:
            async for item in items:
                assert item.key is not None
                if item.result is None:
                    print(f"{item.key}: {item.error}")
                    continue
                try:
                    # Killed from here on, the next run finds the complete file and keeps it.
                    path = await seedance.download(item.result, folder / f"{item.key}.mp4")
                except SeedanceError as error:
                    print(f"{item.key}: paid and finished, but not saved; the next run tries again: {error}")
                else:
                    await seedance.journal.note(item.key, saved=path.name)
                    print(f"{item.key}: {path}")
        for record in seedance.journal.jobs(JobState.UNKNOWN):
            print(f"{record.key}: perhaps paid. If the account's page shows its task, pass {record.key}=TASK_ID")
        print(f"{seedance.journal.credits.used} credits used by all runs together")


if __name__ == "__main__":
    asyncio.run(main(dict(hint.split("=", 1) for hint in sys.argv[1:])))
