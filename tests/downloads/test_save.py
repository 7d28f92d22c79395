"""Saving a video: names, folders, what goes to the host, and what is there already."""

import asyncio
import os
import stat
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from seedance_async._version import __version__
from seedance_async.core.results import VideoResult
from seedance_async.downloads import Downloads
from seedance_async.errors import DownloadError
from tests.downloads.host import Asked, FileHost, Reaction, cut, serve, stall


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_file(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """The bytes are saved under the name that was given, and nothing else is left in the folder."""
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path == tmp_path / "lake.mp4"
    assert path.read_bytes() == host.content
    assert names(tmp_path) == ["lake.mp4"]


async def test_existing_folder(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """In a folder the file is called after the task."""
    assert await downloads.save(host.result("task_9"), str(tmp_path)) == tmp_path / "task_9.mp4"


@pytest.mark.parametrize("separator", sorted({"/", os.sep}))
async def test_new_folder(downloads: Downloads, host: FileHost, tmp_path: Path, separator: str) -> None:
    """A target that ends with a separator is a folder, made with its parents."""
    path = await downloads.save(host.result(), f"{tmp_path}{os.sep}a{os.sep}b{separator}")
    assert path == tmp_path / "a" / "b" / "task_1.mp4"
    assert path.read_bytes() == host.content


async def test_missing_parents(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """The folders of a file are made."""
    path = await downloads.save(host.result(), tmp_path / "a" / "b" / "lake.mp4")
    assert path.read_bytes() == host.content


async def test_extension_follows_the_media_type(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """QuickTime is saved as .mov, whatever the link says."""
    path = await downloads.save(host.result(media_type="video/quicktime"), tmp_path)
    assert path.name == "task_1.mov"


@pytest.mark.parametrize(
    "task_id", ["../../evil", "..", "/etc/passwd", "a\\..\\b", "C:evil", "CON", "x\0y", ".hidden", ""]
)
async def test_hostile_task_id(downloads: Downloads, host: FileHost, tmp_path: Path, task_id: str) -> None:
    """A task id cannot lead out of the folder, and hides nothing."""
    inside = await downloads.save(host.result(task_id), f"{tmp_path / 'videos'}/")
    assert inside.parent == tmp_path / "videos"
    assert inside.resolve().parent == (tmp_path / "videos").resolve()
    assert not inside.name.startswith(".")


async def test_only_a_user_agent_is_sent(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """The file host gets our name, asks for no compression, and gets no key and no cookies."""
    await downloads.save(host.result(), tmp_path)
    (asked,) = host.asked
    assert set(asked.headers) == {"host", "user-agent", "accept", "accept-encoding"}
    assert asked.headers["user-agent"].startswith(f"seedance-async/{__version__}")
    assert asked.headers["accept-encoding"] == "identity"


async def test_signature_arrives_unchanged(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A signed link is asked for byte by byte: encoding it anew would break the signature."""
    target = "/a%2Fb%7Ec.mp4?x=%3A%2B+y&z=%7e&sig=a%2fB=="
    await downloads.save(host.result(url=host.url(target, query="")), tmp_path)
    assert host.asked[0].target == target


async def test_progress(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """Progress is told in bytes, and ends at the whole."""
    host.content = bytes(3_000_000)
    told: list[tuple[int, int | None]] = []
    await downloads.save(host.result(), tmp_path, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3_000_000, 3_000_000)
    assert [done for done, _total in told] == sorted({done for done, _total in told})
    assert len(told) > 1


async def test_progress_that_raises(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """What the callback raises ends the download, and no final name appears."""

    def complain(_done: int, _total: int | None) -> None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        await downloads.save(host.result(), tmp_path / "lake.mp4", on_progress=complain)
    assert not (tmp_path / "lake.mp4").exists()


async def test_identical_file_is_kept(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A file with the same contents is returned, and not written again."""
    path = tmp_path / "lake.mp4"
    path.write_bytes(host.content)
    os.utime(path, (1, 1))
    before = path.stat()
    assert await downloads.save(host.result(), path) == path
    assert path.stat().st_mtime == before.st_mtime
    assert path.stat().st_ino == before.st_ino
    assert names(tmp_path) == ["lake.mp4"]


@pytest.mark.parametrize("other", [b"", b"short", b"x" * 2000], ids=["empty", "short", "same length"])
async def test_different_file_is_never_replaced(
    downloads: Downloads, host: FileHost, tmp_path: Path, other: bytes
) -> None:
    """A different file of the name is an error, stays as it is, and no litter is left."""
    path = tmp_path / "lake.mp4"
    path.write_bytes(other)
    with pytest.raises(DownloadError, match=r"different file of this name.*overwrite=True") as caught:
        await downloads.save(host.result(), path)
    assert caught.value.path == str(path)
    assert path.read_bytes() == other
    assert names(tmp_path) == ["lake.mp4"]


async def test_other_length_is_seen_at_once(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A file of another length is known to be different before the body comes, at the start and when going on."""
    path = tmp_path / "lake.mp4"
    path.write_bytes(b"old")
    host.script = [stall(2000)]
    with pytest.raises(DownloadError, match="different file"):
        await downloads.save(host.result(), path)
    path.unlink()

    async def appear(host: FileHost, asked: Asked, writer: asyncio.StreamWriter) -> None:
        path.write_bytes(b"old")
        await stall(500)(host, asked, writer)

    host.script = [cut(500), appear]
    with pytest.raises(DownloadError, match="different file"):
        await downloads.save(host.result(), path)
    assert host.asked[-1].offset == 1500
    assert asyncio.get_running_loop().time() < 20
    assert names(tmp_path) == ["lake.mp4"]


async def test_overwrite(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """With `overwrite` it is replaced."""
    path = tmp_path / "lake.mp4"
    path.write_bytes(b"old")
    assert await downloads.save(host.result(), path, overwrite=True) == path
    assert path.read_bytes() == host.content
    assert names(tmp_path) == ["lake.mp4"]


async def test_overwrite_keeps_the_old_file_on_failure(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """The old file is there until the new one is complete."""
    path = tmp_path / "lake.mp4"
    path.write_bytes(b"old")
    host.script = [stall(500)] * 8
    with pytest.raises(DownloadError):
        await downloads.save(host.result(), path, overwrite=True)
    assert path.read_bytes() == b"old"


async def test_file_that_appears_meanwhile(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A file that another program makes during the download is not replaced either."""
    path = tmp_path / "lake.mp4"

    async def make_it(host: FileHost, asked: Asked, writer: asyncio.StreamWriter) -> None:
        await serve(host, asked, writer)
        path.write_bytes(b"y" * len(host.content))

    host.script = [make_it]
    with pytest.raises(DownloadError, match="different file"):
        await downloads.save(host.result(), path)
    assert path.read_bytes() == b"y" * len(host.content)


async def test_same_target_at_once(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """Many downloads of one task to one file at a time give one whole file."""
    host.content = os.urandom(2_500_000)
    paths = await asyncio.gather(*(downloads.save(host.result(), tmp_path / "lake.mp4") for _ in range(20)))
    assert set(paths) == {tmp_path / "lake.mp4"}
    assert paths[0].read_bytes() == host.content
    assert names(tmp_path) == ["lake.mp4"]


async def test_same_target_of_different_tasks(downloads: Downloads, tmp_path: Path) -> None:
    """Of two tasks that want one name one gets it, whole, and the other one is told."""
    path = tmp_path / "lake.mp4"
    async with FileHost(content=b"a" * 5000) as one, FileHost(content=b"b" * 5000) as other:
        ends = await asyncio.gather(
            downloads.save(one.result("task_a"), path),
            downloads.save(other.result("task_b"), path),
            return_exceptions=True,
        )
    assert sorted(type(end).__name__ for end in ends) == ["DownloadError", type(path).__name__]
    assert path.read_bytes() in {b"a" * 5000, b"b" * 5000}
    assert names(tmp_path) == ["lake.mp4"]


async def test_limit(make_downloads: Callable[..., Awaitable[Downloads]], host: FileHost, tmp_path: Path) -> None:
    """No more files than the limit are fetched at a time."""
    downloads = await make_downloads(limit=3)
    now = peak = 0

    async def count(host: FileHost, asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal now, peak
        now += 1
        peak = max(peak, now)
        await asyncio.sleep(1)
        now -= 1
        await serve(host, asked, writer)

    script: list[Reaction] = [count] * 10
    host.script = script
    await asyncio.gather(*(downloads.save(host.result(f"task_{n}"), tmp_path) for n in range(10)))
    assert peak == 3
    assert len(names(tmp_path)) == 10


async def test_usual_permissions(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """The file has the permissions that any new file of the user has."""
    (tmp_path / "other").write_bytes(b"")
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


async def test_target_is_a_folder_without_separator(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A folder inside of the folder that has the file's name is an error that says so."""
    (tmp_path / "task_1.mp4").mkdir()
    with pytest.raises(DownloadError, match="folder of this name"):
        await downloads.save(host.result(), tmp_path)
    assert host.asked == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")
async def test_devices_and_pipes(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A device or a pipe is neither written to nor replaced, also with `overwrite`."""
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(DownloadError, match="device or a pipe"):
        await downloads.save(host.result(), tmp_path / "pipe.mp4", overwrite=True)
    assert host.asked == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
async def test_links(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A link to nowhere is something that has the name; nothing is written through it."""
    (tmp_path / "lake.mp4").symlink_to(tmp_path / "nowhere.mp4")
    with pytest.raises(DownloadError, match="different file"):
        await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert names(tmp_path) == ["lake.mp4"]


@pytest.mark.parametrize(("target", "word"), [("", "empty"), ("a\0b", "null character")])
async def test_impossible_targets(downloads: Downloads, host: FileHost, target: str, word: str) -> None:
    """A target that can be no file is an error before anything is fetched."""
    with pytest.raises(DownloadError, match=word):
        await downloads.save(host.result(), target)
    assert host.asked == []


async def test_parent_is_a_file(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A path through a file is an error that names it."""
    (tmp_path / "file").write_bytes(b"x")
    for target in (tmp_path / "file" / "lake.mp4", f"{tmp_path / 'file'}/", tmp_path / "file" / "a" / "lake.mp4"):
        with pytest.raises(DownloadError, match="is a file"):
            await downloads.save(host.result(), target)
    assert host.asked == []


async def test_name_too_long(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A name that the file system cannot hold is an error that says so; one that just fits is saved."""
    with pytest.raises(DownloadError, match="too long"):
        await downloads.save(host.result(), tmp_path / ("x" * 300 + ".mp4"))
    path = await downloads.save(host.result(), tmp_path / ("x" * 251 + ".mp4"))
    assert path.read_bytes() == host.content


async def test_no_output(downloads: Downloads, tmp_path: Path) -> None:
    """A result without files is an error."""
    with pytest.raises(DownloadError, match="no file for the task"):
        await downloads.save(VideoResult("task_1", None, ()), tmp_path)
