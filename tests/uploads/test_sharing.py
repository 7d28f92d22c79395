"""Jobs that need the same content share an upload, and neither the fate of their files nor their patience."""

import asyncio
import os
from pathlib import Path

import pytest

from seedance_async import InputError, RetryPolicy, UploadError
from tests.session.service import Start, clock, end
from tests.uploads.files import png, write
from tests.uploads.test_jobs import cat, stored


async def test_a_file_that_is_gone_fails_only_the_jobs_that_named_it(start: Start, tmp_path: Path) -> None:
    """Another job has the same content from elsewhere, and uploads it from there."""
    service = await start(faults=["slow-body:on=storage,seconds=5,count=3"])
    session = await service.open()
    for number in range(3):
        session.enqueue(cat(write(tmp_path / f"{number}.png"), f"busy {number}"))
    one, other = write(tmp_path / "one.png", png("same")), write(tmp_path / "other.png", png("same"))
    # Which of them is read first is a matter of threads, unless each has its own moment.
    await asyncio.sleep(1.0)
    first = session.enqueue(cat(one))
    await asyncio.sleep(1.0)
    second, third = session.enqueue(cat(other)), session.enqueue(cat(png("same")))
    await asyncio.sleep(1.0)
    one.unlink()
    assert isinstance(await end(first), UploadError)
    assert await end(second) is None
    assert await end(third) is None
    assert stored(service) == 4


@pytest.mark.parametrize("first", ["patient", "impatient"])
async def test_patience_is_each_jobs_own(start: Start, tmp_path: Path, first: str) -> None:
    """`generate` gives up although a batch waits on for the same picture, and the batch goes on."""
    service = await start(faults=["http-503:on=storage,until=1800"])
    session = await service.open(retry=RetryPolicy(give_up_after=120.0))
    file = write(tmp_path / "cat.png")
    impatient = session.enqueue(cat(file)) if first == "impatient" else None

    async def batch() -> list[BaseException | None]:
        async with session.map([cat(file, "a batch")]) as items:
            return [item.error async for item in items]

    patient = asyncio.create_task(batch())
    await asyncio.sleep(1.0)
    impatient = impatient or session.enqueue(cat(file))
    assert isinstance(await end(impatient), UploadError)
    assert 115 < clock() < 200
    assert await patient == [None]


async def test_who_comes_late_to_an_outage_waits_as_long_as_others(start: Start, tmp_path: Path) -> None:
    """A job gives up after its own time, and not when the outage is old for those before it."""
    service = await start(faults=["http-503:on=storage,until=150"])
    session = await service.open(retry=RetryPolicy(give_up_after=120.0))
    file = write(tmp_path / "cat.png")
    early = session.enqueue(cat(file))
    await asyncio.sleep(100.0)
    late = session.enqueue(cat(file))
    assert isinstance(await end(early), UploadError)
    assert await end(late) is None


async def test_what_is_there_already_waits_for_no_upload(start: Start, tmp_path: Path) -> None:
    """A job whose files were uploaded for others leaves at once, however many jobs before it still need an upload."""
    service = await start(limit=3, durations=20.0, faults=["hang-before-accept:on=storage,since=10"])
    session = await service.open()
    known = write(tmp_path / "known.png")
    await session.generate(cat(known))
    waiting = [session.enqueue(cat(write(tmp_path / f"{number}.png"), f"cat {number}")) for number in range(12)]
    began = clock()
    await session.generate(cat(known))
    assert clock() - began < 60.0
    for handle in waiting:
        handle.cancel()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
async def test_a_pipe_in_place_of_a_file_holds_up_nothing(start: Start, tmp_path: Path) -> None:
    """Nobody writes to it: opening it as a file would keep a thread, and closing the session, for ever."""
    service = await start()
    session = await service.open()
    file = write(tmp_path / "cat.png")
    handle = session.enqueue(cat(file))
    file.unlink()
    os.mkfifo(file)
    error = await end(handle)
    assert isinstance(error, InputError)
    assert "was changed" in str(error)


@pytest.mark.parametrize("lifetime", [1800.0, 3600.0])
async def test_uploads_that_last_less_than_the_spare_time_are_used(
    start: Start, tmp_path: Path, lifetime: float
) -> None:
    """A service that keeps files for less than an hour gets each once, and not over and over again."""
    service = await start(upload_lifetime=lifetime)
    session = await service.open()
    await asyncio.wait_for(session.generate(cat(write(tmp_path / "cat.png"))), 300.0)
    assert stored(service) == 1
