"""P1: files of jobs are uploaded while the jobs wait, once per content, and no slot stands empty for one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from seedance_async import (
    AuthenticationError,
    ConnectionFailedError,
    FixedPolling,
    ImageToVideo,
    InputError,
    OmniReference,
    RetryPolicy,
    SessionClosedError,
    TaskHandle,
    TextToVideo,
    Timeouts,
    UploadError,
    WithdrawnError,
)
from seedance_async.hooks import SlotAcquired, Uploaded
from tests.session.service import PRICE_480P, Service, Start, clock, end, steps, until
from tests.uploads.files import MP3, MP4, png, write

CHEAP: dict[str, Any] = {"output_resolution": "480p"}


def cat(file: Path | bytes | str, prompt: str = "a cat", **fields: Any) -> ImageToVideo:
    """A video of a cat."""
    return ImageToVideo(prompt, first_frame=file, **CHEAP, **fields)


def images(service: Service, prompt: str = "") -> list[tuple[str, ...]]:
    """The images of the tasks, the oldest first."""
    return [task.order.images for task in service.emulator.world.tasks.values() if prompt in task.order.prompt]


def stored(service: Service) -> int:
    """How many files were uploaded."""
    return len(service.emulator.depot.stored())


async def test_a_path_and_bytes_become_urls(start: Start, tmp_path: Path) -> None:
    """The service gets URLs that it can fetch, in the order of the inputs, and the videos are made."""
    service = await start()
    session = await service.open()
    file = write(tmp_path / "cat.png")
    inputs = OmniReference(
        "@image2 like @image1 and @video1 to @audio1",
        images=[file, "https://cdn.example/cat.png", png("bytes")],
        videos=[write(tmp_path / "clip.mp4", MP4)],
        audios=[bytearray(MP3)],
        **CHEAP,
    )
    await session.generate(inputs)
    (task,) = service.emulator.world.tasks.values()
    assert task.order.images[1] == "https://cdn.example/cat.png"
    assert [url.rpartition(".")[2] for url in (*task.order.images[::2], *task.order.videos, *task.order.audios)] == [
        "png", "png", "mp4", "mp3",
    ]  # fmt: skip
    assert stored(service) == 4
    assert inputs.images[0] == file, "the inputs are what was written"
    await session.generate(cat(file, last_frame=file))
    assert stored(service) == 4


async def test_what_is_wrong_is_said_at_once(start: Start, tmp_path: Path) -> None:
    """P5: every problem of every file, each with its path, before anything is sent; a plain string says "use Path"."""
    service = await start()
    session = await service.open()
    wrong = OmniReference(
        "a cat",
        images=[
            tmp_path / "none.png",
            tmp_path,
            write(tmp_path / "empty.png", b""),
            write(tmp_path / "clip.mp4", MP4),
            "cat.png",
            b"???",
            write(tmp_path / "page.png", b"<html>"),
        ],
        audios=tmp_path / "song.mp3",  # type: ignore[arg-type]
    )
    with pytest.raises(InputError) as caught:
        session.enqueue(wrong)
    said = {problem.path: str(problem) for problem in caught.value.problems}
    assert sorted(said) == ["audios", *(f"images[{number}]" for number in range(7))]
    assert "there is no such file" in said["images[0]"]
    assert "is a folder" in said["images[1]"]
    assert "is empty" in said["images[2]"]
    assert "must be an image, and .mp4 is a video" in said["images[3]"]
    assert "use Path" in said["images[4]"]
    assert "first bytes do not tell" in said["images[5]"]
    assert "(given: 3 bytes)" in said["images[5]"]
    assert "is a web page" in said["images[6]"]
    assert "not a single one" in said["audios"]
    assert (service.emulator.depot.asked, session.statistics().waiting) == (0, 0)
    with pytest.raises(InputError, match="there is no such file"):
        session.quote(cat(tmp_path / "none.png"))


async def test_a_price_needs_no_upload(start: Start, tmp_path: Path) -> None:
    """`quote` looks at the files and sends nothing."""
    service = await start()
    session = await service.open()
    assert session.quote([cat(write(tmp_path / "cat.png")), cat(png())]).credits == 2 * PRICE_480P
    assert service.emulator.depot.asked == 0


async def test_ten_jobs_with_the_same_picture_upload_it_once(start: Start, tmp_path: Path) -> None:
    """At the same time and one after the other, by path, by another path and as bytes."""
    service = await start(limit=10)
    session = await service.open()
    one, other = write(tmp_path / "cat.png"), write(tmp_path / "copy.png", png("cat.png"))
    given: list[Path | bytes] = [one, other, one.read_bytes()] * 3
    await asyncio.gather(*(session.generate(cat(file)) for file in given))
    await session.generate(cat(one))
    assert stored(service) == 1
    assert len(set(images(service))) == 1
    assert len(service.ear.all(Uploaded)) == 1


async def test_an_upload_that_runs_out_is_made_anew(start: Start, tmp_path: Path) -> None:
    """One that lasts an hour or more is used again, and one that does not is uploaded before the create leaves."""
    service = await start(limit=1, upload_lifetime=7200.0)
    session = await service.open(timeouts=Timeouts(task=1e6), polling=FixedPolling(20.0))
    file = write(tmp_path / "cat.png")
    await session.generate(cat(file))
    await asyncio.sleep(3000)
    await session.generate(cat(file))
    assert stored(service) == 1
    await asyncio.sleep(600)
    await session.generate(cat(file))
    assert stored(service) == 2
    # One that waits for its slot for so long that what was uploaded for it is gone.
    busy = session.enqueue(TextToVideo("a lake [takes:8000]", **CHEAP))
    waiting = session.enqueue(cat(file, "a cat at last"))
    await asyncio.gather(busy.wait(), waiting.wait())
    assert stored(service) == 3
    (used,) = images(service, "at last")
    assert service.emulator.depot.find(used[0].rpartition("/")[2], service.emulator.now()) is not None


async def test_no_slot_waits_for_a_file(start: Start, tmp_path: Path) -> None:
    """A job that is not ready keeps its place, and those behind it leave before it meanwhile."""
    service = await start(limit=1, durations=14.0, faults=["slow-body:on=storage,seconds=10"])
    session = await service.open(concurrency=1)
    big = session.enqueue(cat(write(tmp_path / "cat.png", png(size=300_000))))
    small = [session.enqueue(TextToVideo(f"lake {number}", **CHEAP)) for number in range(4)]
    assert big.position == 1
    await small[0].accepted()
    assert (big.status, big.position, clock() < 5) == ("queued", 1, True)
    await big
    order = [task.order.prompt for task in service.emulator.world.tasks.values()]
    assert order.index("a cat") >= 3, "three left while the file was on its way"


async def test_only_the_next_are_uploaded(start: Start, tmp_path: Path) -> None:
    """A thousand files are not uploaded a day before they are needed: eight jobs ahead, or twice the slots."""
    service = await start(limit=2, durations=600.0)
    session = await service.open(concurrency=2, polling=FixedPolling(30.0))
    files = [write(tmp_path / f"{number}.png") for number in range(60)]
    handles = [session.enqueue(cat(file, f"cat {number}")) for number, file in enumerate(files)]
    await asyncio.sleep(300.0)
    assert stored(service) == 2 + 8
    await asyncio.gather(*(handle.wait() for handle in handles[:10]))
    assert stored(service) <= 10 + 2 + 8 + 1
    for handle in handles:
        handle.cancel()


async def test_twice_the_slots_ahead(start: Start, tmp_path: Path) -> None:
    """With many slots more jobs are prepared."""
    service = await start(limit=10, durations=600.0)
    session = await service.open(concurrency=10, polling=FixedPolling(30.0))
    for number in range(60):
        session.enqueue(cat(write(tmp_path / f"{number}.png"), f"cat {number}"))
    await asyncio.sleep(300.0)
    assert stored(service) == 10 + 20


async def test_a_few_at_a_time(start: Start, tmp_path: Path) -> None:
    """Three files are on their way, however many jobs are next."""
    service = await start(limit=20, faults=["slow-body:on=storage,seconds=10"])
    session = await service.open(concurrency=20)
    for number in range(20):
        session.enqueue(cat(write(tmp_path / f"{number}.png"), f"cat {number}"))
    await asyncio.sleep(5.0)
    assert (service.emulator.depot.asked, stored(service)) == (3, 0)


async def test_a_file_that_is_refused_fails_its_own_jobs(start: Start, tmp_path: Path) -> None:
    """Those that need it end with `UploadError`, and nothing was charged; the others go on."""
    service = await start(largest_upload=1000)
    session = await service.open()
    big, small = write(tmp_path / "big.png", png(size=2000)), write(tmp_path / "small.png")
    failing = [session.enqueue(cat(big)), session.enqueue(cat(small, last_frame=big))]
    fine = session.enqueue(cat(small))
    await fine
    for handle in failing:
        error = await end(handle)
        assert isinstance(error, UploadError)
        assert (error.charged, error.path, error.key) == ("no", str(big), handle.key)
        assert "HTTP 413" in str(error)
    assert session.statistics().credits_reserved == 0
    assert session.statistics().credits_used == PRICE_480P


async def test_an_outage_is_a_pause(start: Start, tmp_path: Path) -> None:
    """P9: a job of `map` waits for as long as the host of the files is gone, and then goes on."""
    service = await start(faults=["http-503:on=storage,until=1800"])
    session = await service.open()
    async with session.map([cat(write(tmp_path / "cat.png"))]) as items:
        async for item in items:
            assert item.error is None
    assert 1800 < clock() < 2000


async def test_an_outage_ends_for_who_is_impatient(start: Start, tmp_path: Path) -> None:
    """`generate` gives up after `RetryPolicy.give_up_after`, as it does for any outage; nothing was charged."""
    service = await start(faults=["drop-before-accept:on=storage"])
    session = await service.open(retry=RetryPolicy(give_up_after=120.0))
    error = await end(session.enqueue(cat(write(tmp_path / "cat.png"))))
    assert isinstance(error, UploadError)
    assert 120 <= clock() < 200


async def test_uploads_that_fail_hold_up_nobody_else(start: Start, tmp_path: Path) -> None:
    """Where only the places for files fail, jobs without files leave as ever."""
    service = await start(limit=5, faults=["http-500:on=upload,since=1"])
    session = await service.open()
    await session.generate(TextToVideo("a lake", **CHEAP))
    waiting = session.enqueue(cat(write(tmp_path / "cat.png")))
    await asyncio.sleep(30.0)
    began = clock()
    for number in range(5):
        await session.submit(TextToVideo(f"lake {number}", **CHEAP))
    assert clock() - began < 1.0
    waiting.cancel()


async def test_a_service_that_was_never_reached_is_told_within_seconds(start: Start, tmp_path: Path) -> None:
    """Also where the first thing that a session wants is a place for a file."""
    service = await start()
    session = await service.open()
    await service.unplug()
    async with session.map([cat(write(tmp_path / "cat.png"))]) as items:
        with pytest.raises(ConnectionFailedError):
            async for _ in items:
                pass
    assert clock() < 30


async def test_a_refused_key_ends_everything(start: Start, tmp_path: Path) -> None:
    """As with a create."""
    service = await start()
    session = await service.open(api_key="wrong")
    handles = [session.enqueue(cat(write(tmp_path / f"{number}.png"))) for number in range(3)]
    assert [type(await end(handle)) for handle in handles] == [AuthenticationError] * 3


@pytest.mark.parametrize("way", ["cancel", "aclose", "generate is cancelled"])
@pytest.mark.parametrize("moment", [0.0, 0.01, 3.0])
async def test_leaving_while_a_file_is_uploaded(start: Start, tmp_path: Path, way: str, moment: float) -> None:
    """Withdrawn, closed or cancelled: no task is left, nothing was sent, and credits are free again."""
    service = await start(faults=["slow-body:on=storage,seconds=5"])
    closed = ours()
    session = await service.open()
    await asyncio.sleep(0.01)
    before = ours()
    file = write(tmp_path / "cat.png", png(size=500_000))
    if way == "generate is cancelled":
        generating = asyncio.create_task(session.generate(cat(file)))
        await asyncio.sleep(moment)
        generating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await generating
    else:
        handle = session.enqueue(cat(file))
        await asyncio.sleep(moment)
        if way == "cancel":
            assert handle.cancel()
            assert isinstance(await end(handle), WithdrawnError)
        else:
            await session.aclose()
            assert isinstance(await end(handle), SessionClosedError)
            before = closed
    await asyncio.sleep(0.5)
    assert ours() <= before
    now = session.statistics()
    assert (now.waiting, now.on_wire, int(now.credits_reserved), now.creates) == (0, 0, 0, 0)
    if moment == 3.0:
        assert service.emulator.depot.asked == 1
    assert stored(service) == 0


def ours() -> set[asyncio.Task[Any]]:
    """The tasks of this loop but those that serve the emulator's connections."""
    return {task for task in asyncio.all_tasks() if "RequestHandler" not in repr(task)}


async def test_one_of_two_that_share_an_upload_may_leave(start: Start, tmp_path: Path) -> None:
    """The other one has it all the same."""
    service = await start(faults=["slow-body:on=storage,seconds=5"])
    session = await service.open()
    file = write(tmp_path / "cat.png")
    first, second = session.enqueue(cat(file)), session.enqueue(cat(file))
    await asyncio.sleep(1.0)
    assert first.cancel()
    await second
    assert service.emulator.depot.asked == 1


async def test_a_file_that_changes_before_its_turn(start: Start, tmp_path: Path) -> None:
    """The job says so and nothing is sent; it was another picture that was asked for."""
    service = await start()
    session = await service.open()
    file = write(tmp_path / "cat.png")
    handle = session.enqueue(cat(file))
    write(file, png("another"))
    error = await end(handle)
    assert isinstance(error, InputError)
    assert "was changed" in str(error)
    assert error.problems[0].path == "first_frame"
    gone = session.enqueue(cat(file))
    file.unlink()
    assert "there is no such file" in str(await end(gone))
    assert service.emulator.statistics().creates == 0


async def test_a_429_does_not_upload_again(start: Start, tmp_path: Path) -> None:
    """A job that comes back into the queue is still ready."""
    service = await start(limit=1, foreign=1)
    session = await service.open()
    handle = session.enqueue(cat(write(tmp_path / "cat.png")))
    await asyncio.sleep(60.0)
    assert session.statistics().refusals >= 1
    service.emulator.world.foreign = 0
    await handle
    assert service.emulator.depot.asked == 1


async def test_submit_with_a_timeout_counts_the_upload(start: Start, tmp_path: Path) -> None:
    """While its file is uploaded a job has no slot, so `timeout` withdraws it."""
    service = await start(faults=["slow-body:on=storage,seconds=10"])
    session = await service.open()
    with pytest.raises(TimeoutError):
        await session.submit(cat(write(tmp_path / "cat.png", png(size=300_000))), timeout=5.0)
    await steps(5)
    assert session.statistics().waiting == 0


async def test_nothing_blocks_the_loop(start: Start, tmp_path: Path) -> None:
    """Reading and digesting are done in threads; `enqueue` itself looks at a file with one stat and its first bytes."""
    service = await start()
    session = await service.open()
    handle: TaskHandle = session.enqueue(cat(write(tmp_path / "cat.png", png(size=3_000_000))))
    with blockbuster_ctx(scanned_modules=["seedance_async"]):
        await handle
    assert stored(service) == 1


async def test_the_order_of_leaving_is_kept(start: Start, tmp_path: Path) -> None:
    """Among jobs with files, and as soon as they are ready, the first to come is the first to leave."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    handles = [session.enqueue(cat(write(tmp_path / f"{n}.png"), f"cat {n}"), key=f"k{n}") for n in range(6)]
    await until(lambda: stored(service) == 6)
    await asyncio.gather(*(handle.wait() for handle in handles))
    first, *rest = [event.key for event in service.ear.all(SlotAcquired)]
    # Whichever file is there first has the slot that waits for one; by the second turn all are there.
    assert rest == sorted({f"k{n}" for n in range(6)} - {first})
