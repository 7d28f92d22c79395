"""The file work below a download: claims, parts, and the final step."""

import errno
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seedance_async.core.ranges import Resume
from seedance_async.filelock import claim
from seedance_async.files import DISK_FULL, TargetError, explain, locate, put_in_place, same_contents
from seedance_async.parts import SYNC_EVERY, Part

URL = "https://files.example/a.mp4?[redacted]"


def part(folder: Path, *, overwrite: bool = False) -> Part:
    return Part(str(folder / "lake.mp4"), "task_1.mp4", task_id="task_1", overwrite=overwrite)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(one: Part, data: bytes, *, etag: str | None = '"v1"', total: int = 100) -> None:
    one.start(URL, etag, total)
    one.write(data)


def test_second_writer_takes_another_part(tmp_path: Path) -> None:
    """Two writers of one file never share a part; the first that ends has the name, the second finds it the same."""
    one, two = part(tmp_path), part(tmp_path)
    assert one.open(URL) is None
    assert two.open(URL) is None
    fill(one, b"x" * 100)
    fill(two, b"x" * 100)
    assert len(names(tmp_path)) == 4
    assert two.finish() == one.finish() == tmp_path / "lake.mp4"
    one.close()
    assert names(tmp_path) == ["lake.mp4"]


def test_abandoned_part_is_taken_over(tmp_path: Path) -> None:
    """A part that nobody claims any more is continued where it was last saved."""
    one = part(tmp_path)
    one.open(URL)
    fill(one, b"x" * 60)
    one.close()
    assert one.closed
    two = part(tmp_path)
    assert two.open(URL) == Resume(60, '"v1"', 100)
    two.close()
    assert len(names(tmp_path)) == 2
    three = part(tmp_path)
    assert three.open("https://files.example/other.mp4") is None
    three.close()


def test_claimed_part_is_not_taken_over(tmp_path: Path) -> None:
    """A part that is being written is nobody else's, however much of it is saved."""
    one = part(tmp_path)
    one.open(URL)
    fill(one, b"x" * 60)
    one.pause(URL)
    two = part(tmp_path)
    assert two.open(URL) is None
    two.close()
    one.close()


def test_unsaved_bytes_do_not_count(tmp_path: Path) -> None:
    """After a crash only what was synced and recorded counts; the rest may be holes."""
    one = part(tmp_path)
    one.open(URL)
    fill(one, b"x" * SYNC_EVERY, total=3 * SYNC_EVERY)
    one.write(b"y" * 1000)
    data, record = (path.read_bytes() for path in sorted(tmp_path.iterdir()))
    one.close()
    # What a crash would have left: the record of the last sync, beside a longer file.
    left = sorted(tmp_path.iterdir())
    left[0].write_bytes(data)
    left[1].write_bytes(record)
    two = part(tmp_path)
    assert two.open(URL) == Resume(SYNC_EVERY, '"v1"', 3 * SYNC_EVERY)
    two.close()


@pytest.mark.parametrize("etag", [None, '"v1"'])
def test_useless_part_is_removed(tmp_path: Path, etag: str | None) -> None:
    """A part without a byte, or that can never be continued, is not left lying about."""
    one = part(tmp_path)
    one.open(URL)
    fill(one, b"" if etag else b"x" * 60, etag=etag)
    one.close()
    assert names(tmp_path) == []


def test_crash_between_link_and_unlink(tmp_path: Path) -> None:
    """A part that is also the finished file (a crash between two steps) is never written to again."""
    one = part(tmp_path)
    one.open(URL)
    fill(one, b"x" * 60)
    one.close()
    data = min(tmp_path.iterdir())
    os.link(data, tmp_path / "lake.mp4")
    two = part(tmp_path)
    two.open(URL)
    fill(two, b"y" * 60, total=60)
    with pytest.raises(TargetError):
        two.finish()
    two.close()
    assert (tmp_path / "lake.mp4").read_bytes() == b"x" * 60


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("pattern", [".lake*", ".lake*.part", ".lake*.json"])
def test_planted_links_are_not_followed(tmp_path: Path, pattern: str) -> None:
    """A link that somebody left under the name of a part or a record leads nowhere."""
    one = part(tmp_path)
    one.open(URL)
    fill(one, b"x" * 60)
    one.close()
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    for path in sorted(tmp_path.glob(pattern)):
        path.unlink()
        path.symlink_to(victim)
    two = part(tmp_path)
    two.open(URL)
    fill(two, b"x" * 100)
    two.finish()
    assert victim.read_bytes() == b"precious"
    assert (tmp_path / "lake.mp4").read_bytes() == b"x" * 100


def test_many_writers(tmp_path: Path) -> None:
    """When all numbers are taken a writer still gets a part of its own."""
    parts = [part(tmp_path) for _ in range(20)]
    for one in parts:
        one.open(URL)
        fill(one, b"x" * 100)
    for one in parts:
        one.finish()
    assert names(tmp_path) == ["lake.mp4"]


def test_writers_that_come_and_go(tmp_path: Path) -> None:
    """However openings, claims and removals of many writers interleave, each file that appears is whole."""

    def save(letter: bytes) -> None:
        for _ in range(40):
            one = part(tmp_path, overwrite=True)
            one.open(URL)
            fill(one, letter * 50)
            one.write(letter * 50)
            one.finish()
            data = (tmp_path / "lake.mp4").read_bytes()
            assert data in {other * 100 for other in letters}

    letters = [b"a", b"b", b"c", b"d", b"e", b"f"]
    with ThreadPoolExecutor(len(letters)) as pool:
        list(pool.map(save, letters))
    assert names(tmp_path) == ["lake.mp4"]


def test_claims(tmp_path: Path) -> None:
    """A claim holds against every other opening of the file, and ends with its own."""
    with (tmp_path / "a").open("wb+") as one, (tmp_path / "a").open("rb+") as two:
        assert claim(one.fileno()) == "ours"
        assert claim(two.fileno()) == "theirs"
        one.close()
        assert claim(two.fileno()) == "ours"


def no_links(_one: Path, _other: Path) -> None:
    raise PermissionError(errno.EPERM, "no links here")


def test_final_step_without_links(tmp_path: Path) -> None:
    """On a file system without hard links a file is moved, and one that exists is kept."""
    one, other = tmp_path / "part", tmp_path / "final"
    one.write_bytes(b"x")
    assert put_in_place(one, other, overwrite=False, link=no_links)
    assert names(tmp_path) == ["final"]
    one.write_bytes(b"y")
    assert not put_in_place(one, other, overwrite=False, link=no_links)
    assert other.read_bytes() == b"x"
    assert one.read_bytes() == b"y"


@pytest.mark.skipif(sys.platform == "win32", reason="links are not used there")
def test_final_step_that_fails(tmp_path: Path) -> None:
    """Any other failure of the final step is one."""

    def full(_one: Path, _other: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    (tmp_path / "part").write_bytes(b"x")
    with pytest.raises(OSError, match="full"):
        put_in_place(tmp_path / "part", tmp_path / "final", overwrite=False, link=full)
    assert names(tmp_path) == ["part"]


def test_same_contents(tmp_path: Path) -> None:
    """Files are compared byte by byte, to the last one."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"x" * 3_000_000)
    other.write_bytes(b"x" * 2_999_999 + b"y")
    assert not same_contents(one, other)
    other.write_bytes(b"x" * 3_000_000)
    assert same_contents(one, other)
    other.unlink()
    assert not same_contents(one, other)


def test_locate_says_what_is_there(tmp_path: Path) -> None:
    """A link to a folder is a folder."""
    (tmp_path / "real").mkdir()
    assert locate(str(tmp_path / "real"), "n.mp4") == tmp_path / "real" / "n.mp4"
    assert locate(str(tmp_path / "new.mp4"), "n.mp4") == tmp_path / "new.mp4"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk of .* is full; make room"),
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "larger than"),
        (errno.EACCES, "no permission to write in"),
        (errno.EPERM, "no permission to write in"),
        (errno.EROFS, "read-only"),
        (errno.ENAMETOOLONG, "choose a shorter one"),
        (errno.ENOTDIR, "is a file"),
        (errno.EMFILE, "ulimit"),
        (errno.EIO, "writing in .* failed: .+"),
    ],
)
def test_every_failure_has_a_sentence(tmp_path: Path, code: int, words: str) -> None:
    """A failure of the file system says what happened, where, and what can be done."""
    text = explain(OSError(code, os.strerror(code)), tmp_path)
    assert re.search(words, text)
    assert "Errno" not in text
    assert (code in DISK_FULL) == (code in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
