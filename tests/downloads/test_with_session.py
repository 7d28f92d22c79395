"""Downloads of a real session from the emulator's file server, with its faults."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from seedance_async import AsyncSeedance, DownloadError
from seedance_async.testing import Emulator
from seedance_async.testing.faults import Fault

StartEmulator = Callable[..., Awaitable[Emulator]]


def session(emulator: Emulator) -> AsyncSeedance:
    return AsyncSeedance(api_key=emulator.api_key, base_url=emulator.base_url)


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [Fault("cut-body", on="file", count=3)],
        [Fault("cut-body", on="file", count=2), Fault("file-changes", nth=2)],
        [Fault("cut-body", on="file", count=2), Fault("file-changes", nth=2), Fault("wrong-range", nth=2)],
        [Fault("cut-body", on="file", count=2), Fault("ignore-range")],
        [Fault("cut-body", on="file", count=2), Fault("weak-etag")],
        [Fault("no-length")],
        [Fault("redirect", on="file", count=3), Fault("cut-body", on="file", count=1)],
        [Fault("html", on="file", count=2)],
        [Fault("drop-before-accept", on="file", count=2), Fault("reset-after-accept", on="file", count=1)],
        [Fault("http-503", on="file", count=3)],
        [Fault("not-found", on="file", nth=1)],
        [Fault("drip", on="file")],
        [Fault("hang-before-accept", on="file", nth=1)],
    ],
    ids=lambda faults: ", ".join(fault.kind for fault in faults) or "none",
)
async def test_the_file_is_what_the_host_has(emulator: StartEmulator, tmp_path: Path, faults: list[Fault]) -> None:
    """Whatever breaks on the way, the saved and the streamed bytes are one version of the file."""
    server = await emulator()
    async with session(server) as seedance:
        result = await seedance.generate("a lake at dawn")
        whole = b""
        async with seedance.stream(result) as stream:
            async for piece in stream:
                whole += piece
        for fault in faults:
            server.faults.add(fault)
        path = await seedance.download(result, f"{tmp_path}/")
        assert path == tmp_path / f"{result.task_id}.mp4"
        if not any(fault.kind == "file-changes" for fault in faults):
            assert path.read_bytes() == whole
        assert [path.name for path in tmp_path.iterdir()] == [path.name]
        server.faults.clear()
        # The host's present version, and not a mixture, is what another download finds identical.
        assert await seedance.download(result, path) == path


async def test_an_expired_link_is_renewed(emulator: StartEmulator, tmp_path: Path) -> None:
    """A link that has expired is asked for anew; if the new one does not work either, it is an error."""
    server = await emulator(link_lifetime=100.0)
    async with session(server) as seedance:
        result = await seedance.generate("a lake at dawn")
        polls = server.statistics().polls
        await asyncio.sleep(101)
        path = await seedance.download(result, tmp_path)
        assert path.stat().st_size > 0
        assert server.statistics().polls == polls + 1
        server.faults.add(Fault("http-403", on="file"))
        with pytest.raises(DownloadError, match="14 days"):
            await seedance.download(result, tmp_path / "again.mp4")


async def test_a_download_holds_no_slot(emulator: StartEmulator, tmp_path: Path) -> None:
    """While a file drips in, another task is accepted in the only slot."""
    server = await emulator(limit=1, faults=[Fault("drip", on="file", seconds=30.0)])
    async with session(server) as seedance:
        first = await seedance.generate("one")
        second = seedance.enqueue("two")
        await seedance.download(first, tmp_path)
        assert second.done()
