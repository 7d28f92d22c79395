"""P2: a key stands for the content of its files, in a session and, with a journal, over many."""

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from seedance_async import (
    AsyncSeedance,
    FixedPolling,
    ImageToVideo,
    InputError,
    JobRecord,
    JobState,
    KeyConflictError,
    PlannedJob,
    SessionClosedError,
    TextToVideo,
)
from seedance_async.testing import MemoryJournal, MemoryStore
from tests.session.service import Service, Start, end, until
from tests.uploads.files import png, write

CHEAP: dict[str, Any] = {"output_resolution": "480p"}


def cat(file: Path | bytes | str) -> ImageToVideo:
    """A video of a cat."""
    return ImageToVideo("a cat", first_frame=file, **CHEAP)


def record_of(session: AsyncSeedance) -> JobRecord:
    """The record of the key `k`."""
    record = session.journal.get("k")
    assert record is not None
    return record


def used(service: Service) -> list[str]:
    """Digests of what the tasks were made from, the oldest first."""
    images = [url for task in service.emulator.world.tasks.values() for url in task.order.images]
    names = [url.rpartition("/")[2] for url in images]
    return [service.emulator.depot.uploads[name].sha256 for name in names]


async def test_the_same_content_is_the_same_job(start: Start, tmp_path: Path) -> None:
    """From the same path, a copy, bytes, and the file with another date, while it waits and when it is done."""
    service = await start()
    session = await service.open()
    file, copy = write(tmp_path / "cat.png"), write(tmp_path / "copy.png", png("cat.png"))
    first = session.enqueue(cat(file), key="k")
    for same in (file, copy, png("cat.png")):
        assert session.enqueue(cat(same), key="k") is first
    await first
    os.utime(file, ns=(1, 1))
    for same in (file, copy, png("cat.png")):
        assert session.enqueue(cat(same), key="k") is first
    assert service.emulator.statistics().creates == 1


async def test_other_content_is_another_job(start: Start, tmp_path: Path) -> None:
    """Of the same size, under the same name, as bytes: a conflict, before and after the files were read."""
    service = await start()
    session = await service.open()
    file, other = write(tmp_path / "cat.png"), write(tmp_path / "dog.png")
    handle = session.enqueue(cat(file), key="k")
    for _ in range(2):
        for different in (other, png("dog.png"), "https://cdn.example/cat.png"):
            with pytest.raises(KeyConflictError):
                session.enqueue(cat(different), key="k")
        with pytest.raises(KeyConflictError):
            session.enqueue(TextToVideo("a cat", **CHEAP), key="k")
        await handle
    write(file, png("another"))
    with pytest.raises(KeyConflictError):
        session.enqueue(cat(file), key="k")


async def test_the_journal_knows_the_content(start: Start, tmp_path: Path) -> None:
    """The record has path and digest from before the create on, under the name that the content has anywhere."""
    service, store = await start(), MemoryStore()
    file = write(tmp_path / "cat.png")
    async with service.session(journal=MemoryJournal(store)) as session:
        handle = session.enqueue(cat(file), key="k")
        assert record_of(session).digest.startswith("unread1:")
        await handle.accepted()
        record = record_of(session)
        assert record.digest.startswith("v1:")
        assert record.inputs["first_frame"]["file"] == str(file)
        assert len(record.inputs["first_frame"]["sha256"]) == 64
        assert service.emulator.url not in str(record.inputs)
        await handle
    async with service.session(journal=MemoryJournal(store)) as session:
        assert (await session.generate(cat(png("cat.png")), key="k")).task_id == handle.task_id
        with pytest.raises(KeyConflictError):
            session.enqueue(cat(write(tmp_path / "dog.png")), key="k")
        shown = session.attach(key="k").inputs
        assert isinstance(shown, ImageToVideo)
        assert shown.first_frame == file
    assert service.emulator.statistics().creates == 1


@pytest.mark.parametrize("read", [False, True])
async def test_resume_uploads_again(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: bool) -> None:
    """A queued job of a session before is sent with the same file, from wherever the next process is."""
    service, store = await start(limit=1), MemoryStore()
    write(tmp_path / "cat.png")
    monkeypatch.chdir(tmp_path)
    async with service.session(journal=MemoryJournal(store), concurrency=1) as session:
        await session.submit(TextToVideo("a lake", **CHEAP))
        waiting = session.enqueue(cat(Path("cat.png")), key="k")
        if read:
            await until(service.emulator.depot.stored)
    assert isinstance(await end(waiting), SessionClosedError)
    assert dict(store.records)["k"].digest.startswith("v1:" if read else "unread1:")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    async with service.session(journal=MemoryJournal(store)) as session:
        await asyncio.gather(*(handle.wait() for handle in await session.resume()))
    assert used(service) == [hashlib.sha256(png("cat.png")).hexdigest()]


@pytest.mark.parametrize("change", ["gone", "another size", "another content", "touched", "a folder"])
@pytest.mark.parametrize("read", [False, True])
async def test_a_file_that_is_not_the_same_any_more(start: Start, tmp_path: Path, change: str, read: bool) -> None:
    """The job says so and nothing is sent. Another date alone changes nothing where the content is known."""
    service, store = await start(limit=1), MemoryStore()
    file = write(tmp_path / "cat.png")
    async with service.session(journal=MemoryJournal(store), concurrency=1) as session:
        busy = await session.submit(TextToVideo("a lake", **CHEAP))
        session.enqueue(cat(file), key="k")
        if read:
            await until(service.emulator.depot.stored)
    file.unlink()
    match change:
        case "another size":
            write(file, png("cat.png", 101))
        case "another content":
            write(file, png("dog.png"))
            os.utime(file, ns=(1, 1))
        case "touched":
            write(file)
            os.utime(file, ns=(1, 1))
        case "a folder":
            file.mkdir()
        case _:
            pass
    async with service.session(journal=MemoryJournal(store)) as session:
        (running, waiting) = await session.resume()
        error = await end(waiting)
        await running
        if change == "touched" and read:
            assert error is None
            return
        assert isinstance(error, InputError)
        assert error.problems[0].path == "first_frame"
        words = {"gone": "there is no such file", "a folder": "is a folder"}.get(change, "was changed since")
        assert words in str(error)
        assert (error.charged, waiting.task_id, running.task_id) == ("no", None, busy.task_id)
        # With what there is now under the same key, it is made after all.
        await session.generate(cat(png("dog.png")), key="k")


async def test_a_changed_file_that_was_read_meanwhile_is_noticed(start: Start, tmp_path: Path) -> None:
    """The next session has read what is there now, for another job, before it resumes the one that meant another."""
    service, store = await start(limit=1), MemoryStore()
    file = write(tmp_path / "cat.png")
    async with service.session(journal=MemoryJournal(store), concurrency=1) as session:
        await session.submit(TextToVideo("a lake", **CHEAP))
        session.enqueue(cat(file), key="k")
        await until(service.emulator.depot.stored)
    write(file, png("dog.png"))
    os.utime(file, ns=(1, 1))
    async with service.session(journal=MemoryJournal(store)) as session:
        await session.generate(cat(file), key="other")
        waiting = next(handle for handle in await session.resume() if handle.key == "k")
        assert "was changed since" in str(await end(waiting))
    assert len(used(service)) == 1


async def test_bytes_have_to_be_given_again(start: Start) -> None:
    """A journal keeps their digest and not them: the job says so, and the same call again makes it."""
    service, store = await start(limit=1), MemoryStore()
    async with service.session(journal=MemoryJournal(store), concurrency=1) as session:
        await session.submit(TextToVideo("a lake", **CHEAP))
        session.enqueue(cat(png()), key="k")
        await until(service.emulator.depot.stored)
    record = dict(store.records)["k"]
    assert set(record.inputs["first_frame"]) == {"bytes", "sha256"}
    async with service.session(journal=MemoryJournal(store)) as session:
        (_, waiting) = await session.resume()
        error = await end(waiting)
        assert isinstance(error, InputError)
        assert "was given as bytes, which a journal does not keep; give the inputs again with the same key" in str(
            error
        )
        assert record_of(session).state is JobState.QUEUED
        await session.generate(cat(png()), key="k")
    assert service.emulator.statistics().accepted == 2


async def test_a_crash_between_upload_and_create(start: Start, tmp_path: Path) -> None:
    """What was uploaded is nobody's loss: the next session uploads again and sends one create."""
    service, store = await start(), MemoryStore()
    session = await service.open(journal=MemoryJournal(store), polling=FixedPolling(1.0))
    session.enqueue(cat(write(tmp_path / "cat.png")), key="k")
    await until(service.emulator.depot.stored, step=0.001)
    store.crash()
    await session.aclose()
    creates = service.emulator.statistics().creates
    async with service.session(journal=MemoryJournal(store)) as session:
        for handle in await session.resume():
            await handle
    assert service.emulator.statistics().creates <= 1 + creates
    assert len(service.emulator.world.tasks) >= 1


async def test_jobs_can_be_planned_with_files(start: Start, tmp_path: Path) -> None:
    """`session.journal.plan` checks them, and `resume` uploads and sends them."""
    service, store = await start(), MemoryStore()
    async with service.session(journal=MemoryJournal(store)) as session:
        with pytest.raises(InputError, match="no such file"):
            await session.journal.plan([PlannedJob("k", cat(tmp_path / "cat.png"))])
        await session.journal.plan([PlannedJob("k", cat(write(tmp_path / "cat.png")))])
        (handle,) = await session.resume()
        await handle
    assert len(used(service)) == 1


async def test_other_content_with_the_old_date_is_noticed(start: Start, tmp_path: Path) -> None:
    """What is sent is compared with what was read, so that no date can make another picture of it."""
    service, store = await start(limit=1), MemoryStore()
    file = write(tmp_path / "cat.png")
    before = file.stat()
    async with service.session(journal=MemoryJournal(store), concurrency=1) as session:
        await session.submit(TextToVideo("a lake", **CHEAP))
        session.enqueue(cat(file), key="k")
        await until(service.emulator.depot.stored)
    write(file, png("dog.png"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    async with service.session(journal=MemoryJournal(store)) as session:
        (_, waiting) = await session.resume()
        assert "was changed" in str(await end(waiting))
    assert service.emulator.statistics().accepted == 1
