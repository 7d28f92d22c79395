"""What hooks are told of downloads: that each began and how it ended."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from seedance_async import AsyncSeedance, DownloadEnded, DownloadError, DownloadProgress, DownloadStarted, VideoResult
from seedance_async.events import HookEvent
from seedance_async.testing import Emulator
from seedance_async.testing.faults import Fault

StartEmulator = Callable[..., Awaitable[Emulator]]


class Ear:
    """A session's hook that keeps what is told of downloads."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def __call__(self, event: HookEvent) -> None:
        if isinstance(event, DownloadStarted | DownloadProgress | DownloadEnded):
            self.heard.append(event)


async def open_session(emulator: Emulator) -> tuple[AsyncSeedance, VideoResult, Ear]:
    """Open a session that has made a video."""
    ear = Ear()
    session = await AsyncSeedance(emulator.api_key, base_url=emulator.base_url, hooks=[ear]).open()
    return session, await session.generate("a lake at dawn"), ear


async def test_a_saved_file(emulator: StartEmulator, tmp_path: Path) -> None:
    """It is told with its folder first, then with its name, its progress and its size."""
    session, result, ear = await open_session(await emulator())
    path = await session.download(result, tmp_path)
    size = path.stat().st_size
    started, *progress, ended = ear.heard
    assert started == DownloadStarted(result.task_id, str(tmp_path))
    assert progress[-1] == DownloadProgress(result.task_id, str(path), size, size)
    assert (ended.task_id, ended.path, ended.outcome) == (result.task_id, str(path), "complete")
    assert (ended.size, ended.reason) == (size, None)
    assert ended.seconds >= 0
    await session.aclose()


async def test_a_download_that_fails(emulator: StartEmulator, tmp_path: Path) -> None:
    """Its reason is the error's text."""
    server = await emulator()
    session, result, ear = await open_session(server)
    server.faults.add(Fault("not-found", on="file"))
    with pytest.raises(DownloadError) as caught:
        await session.download(result, tmp_path / "lake.mp4")
    with pytest.raises(DownloadError):
        async with session.stream(result):
            pass
    assert [type(event) for event in ear.heard] == [DownloadStarted, DownloadEnded] * 2
    assert (ear.heard[1].outcome, ear.heard[1].reason) == ("failed", str(caught.value))
    assert (ear.heard[3].outcome, ear.heard[3].path) == ("failed", None)
    await session.aclose()


async def test_a_download_that_is_cancelled(emulator: StartEmulator, tmp_path: Path) -> None:
    """It is told as cancelled, also while it waits for bytes that do not come."""
    server = await emulator()
    session, result, ear = await open_session(server)
    server.faults.add(Fault("hang-before-accept", on="file"))
    download = asyncio.create_task(session.download(result, tmp_path / "lake.mp4"))
    await asyncio.sleep(5)
    download.cancel()
    await asyncio.wait([download])
    assert [type(event) for event in ear.heard] == [DownloadStarted, DownloadEnded]
    assert ear.heard[-1].outcome == "cancelled"
    assert ear.heard[-1].seconds == pytest.approx(5, abs=0.1)
    await session.aclose()


@pytest.mark.parametrize("whole", [True, False])
async def test_a_stream(emulator: StartEmulator, whole: bool) -> None:
    """Read to its end it is complete; left before that, cancelled."""
    session, result, ear = await open_session(await emulator())
    read = 0
    async with session.stream(result) as video:
        if whole:
            async for piece in video:
                read += len(piece)
    assert ear.heard[0] == DownloadStarted(result.task_id, None)
    assert (ear.heard[-1].outcome, ear.heard[-1].size) == ("complete" if whole else "cancelled", read)
    await session.aclose()


async def test_a_callback_of_the_user_that_raises(emulator: StartEmulator, tmp_path: Path) -> None:
    """What ends the download from outside is told by its class alone."""
    session, result, ear = await open_session(await emulator())

    def broken(_written: int, _total: int | None) -> None:
        raise KeyError("secret")

    opened: Any = session._opened
    with pytest.raises(KeyError):
        await opened.downloads.save(result, tmp_path / "lake.mp4", on_progress=broken)
    assert (ear.heard[-1].outcome, ear.heard[-1].reason) == ("failed", "KeyError")
    await session.aclose()
