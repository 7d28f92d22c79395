"""The public surface as users write it, for the type checkers: mypy and pyright read this file, and nothing runs it."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import assert_type

import seedance_async
from seedance_async import (
    AsyncSeedance,
    Catalogue,
    FixedPolling,
    HookEvent,
    ImageToVideo,
    Item,
    JobBook,
    JobRecord,
    JobState,
    Look,
    Output,
    PollingPolicy,
    Prior,
    Quote,
    RetryPolicy,
    SeedanceError,
    TaskFailedError,
    TaskHandle,
    TaskSnapshot,
    TextToVideo,
    VideoResult,
)


class Impatient:
    """A polling policy of the user's own needs no base class."""

    def delay(self, look: Look) -> float:
        assert_type(look.age, float)
        return 1.0


def told(event: HookEvent) -> None:
    """A hook that is a function."""


def sessions() -> None:
    assert_type(AsyncSeedance(), AsyncSeedance)
    AsyncSeedance("key", concurrency="auto", budget=Decimal(100), hooks=[told], journal=Path("videos.db"))
    AsyncSeedance(concurrency=5, budget="99.5", catalogue=Catalogue.LATEST, retry=RetryPolicy(repeat_500=False))
    AsyncSeedance(polling=PollingPolicy(target_delay=1.5, max_rate=20, prior=Prior(seconds=90)))
    AsyncSeedance(polling=FixedPolling(3))
    AsyncSeedance(polling=Impatient())
    AsyncSeedance(concurrency="many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncSeedance(polling=3.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def one_video(seedance: AsyncSeedance) -> None:
    result = await seedance.generate("a lake at dawn", duration=8, aspect_ratio="21:9")
    assert_type(result, VideoResult)
    assert_type(result.url, str)
    assert_type(result.credits_used, Decimal | None)
    assert_type(result.outputs, tuple[Output, ...])
    assert_type(await seedance.download(result, "lake.mp4"), Path)
    async with seedance.stream(result) as video:
        async for piece in video:
            assert_type(piece, bytes)
    inputs = ImageToVideo("the cat walks away", first_frame=Path("cat.png"))
    assert_type(await seedance.generate(inputs, key="cat", polling=FixedPolling(1.0)), VideoResult)
    assert_type(await seedance.upload("cat.png"), str)
    ImageToVideo("no first frame")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def batch(seedance: AsyncSeedance) -> None:
    rows = [("dawn", TextToVideo("a lake at dawn")), ("noon", TextToVideo("a lake at noon"))]
    assert_type(seedance.quote([inputs for _, inputs in rows]), Quote)
    seedance.map(["a prompt", TextToVideo("another one"), ("key", "a third")])
    seedance.map(rows, order="shortest-first")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async with seedance.map(rows, order="longest-first", group="user-7") as items:
        async for item in items:
            assert_type(item, Item)
            assert_type(item.key, str | None)
            assert_type(item.handle, TaskHandle | None)
            assert_type(item.error, SeedanceError | None)
            if item.result is not None:
                await seedance.download(item.result, f"{item.key}.mp4")


async def handles(seedance: AsyncSeedance) -> None:
    handle = seedance.enqueue("a lake at dawn", key="order-17", group="user-7")
    assert_type(handle, TaskHandle)
    assert_type(await seedance.submit("a lake at noon", timeout=5.0), TaskHandle)
    assert_type(handle.task_id, str | None)
    assert_type(await handle.accepted(), str)
    assert_type(handle.exception(), SeedanceError | None)
    async for snapshot in handle.updates():
        assert_type(snapshot, TaskSnapshot)
    assert_type(await handle, VideoResult)
    assert_type(await asyncio.create_task(handle.wait(timeout=10)), VideoResult)
    assert_type(handle.cancel(), bool)
    async for finished in seedance_async.as_completed([handle]):
        try:
            assert_type(finished.result(), VideoResult)
        except TaskFailedError as error:
            assert_type(error.task_id, str | None)


async def what_lasts(seedance: AsyncSeedance) -> None:
    assert_type(await seedance.resume(), tuple[TaskHandle, ...])
    assert_type(seedance.pending, tuple[TaskHandle, ...])
    assert_type(seedance.attach("task_1"), TaskHandle)
    assert_type(seedance.attach(key="order-17"), TaskHandle)
    assert_type(seedance.journal, JobBook)
    assert_type(seedance.journal.jobs(JobState.UNKNOWN), tuple[JobRecord, ...])
    assert_type(seedance.journal.get("order-17"), JobRecord | None)
    used: Mapping[str | None, object] = seedance.journal.credits_by_group
    assert used is not None
    assert_type(seedance.statistics().polls, int)
    await seedance.drain(timeout=60)
    await seedance.aclose(timeout=5)
