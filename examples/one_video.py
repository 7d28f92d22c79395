"""One video, from a prompt to a file.

export KINOVI_API_KEY=...
python examples/one_video.py
"""

import asyncio

from seedance_async import AsyncSeedance, OutcomeUnknownError, TaskFailedError, TextToVideo


async def main() -> None:
    """Say what it costs, make the video, save it."""
    inputs = TextToVideo("a lake at dawn, mist over the water, slow push in", duration=8, aspect_ratio="21:9")
    async with AsyncSeedance() as seedance:
        print(seedance.quote(inputs))
        handle = await seedance.submit(inputs)
        print(f"accepted as {handle.task_id}")
        async for snapshot in handle.updates():
            print(snapshot.status)
        try:
            result = await handle
        except TaskFailedError as error:
            print(f"the service refused it ({error.kind}), nothing was charged: {error.message}")
            return
        path = await seedance.download(result, "lake.mp4")
        print(f"{path}: {result.outputs[0].width}x{result.outputs[0].height}, {result.credits_used} credits")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except OutcomeUnknownError as error:
        # The one case in which nobody can say whether credits are gone. It is never sent again by itself.
        print(error)
