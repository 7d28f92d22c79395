"""What breaks on the way: a part is continued only with bytes of the same version, and nothing short is accepted."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from seedance_async.downloads import Downloads
from seedance_async.errors import DownloadError
from tests.downloads.host import (
    Asked,
    FileHost,
    Reaction,
    answer,
    chunked,
    cut,
    drop,
    later,
    proper,
    raw,
    serve,
    stall,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_cut_body_is_continued(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """After a cut the rest is asked for, under the condition that the file is the same."""
    host.script = [cut(500), cut(100)]
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content
    assert [asked.offset for asked in host.asked] == [0, 1500, 1900]
    assert [asked.headers.get("if-range") for asked in host.asked] == [None, '"v1"', '"v1"']
    assert names(tmp_path) == ["lake.mp4"]


async def test_silence_is_ended(
    make_downloads: Callable[..., Awaitable[Downloads]], host: FileHost, tmp_path: Path
) -> None:
    """A host that stops sending is left after `sock_read` seconds, and the part is continued."""
    downloads = await make_downloads(sock_read=20.0)
    host.script = [stall(500)]
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content
    assert [asked.offset for asked in host.asked] == [0, 1500]
    assert 20.0 <= host.asked[1].moment - host.asked[0].moment < 22.0


async def test_slow_is_not_silent(
    make_downloads: Callable[..., Awaitable[Downloads]], host: FileHost, tmp_path: Path
) -> None:
    """A body that drips for hours is read to its end."""
    downloads = await make_downloads(sock_read=20.0)

    async def drip(host: FileHost, asked: Asked, writer: asyncio.StreamWriter) -> None:
        data = proper(host, asked)
        for start in range(0, len(data), 100):
            writer.write(data[start : start + 100])
            await asyncio.sleep(19.0)

    host.content *= 10
    host.script = [drip]
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content
    assert len(host.asked) == 1


async def test_changed_file_starts_again(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A file that changes between two requests is fetched anew; the two versions are never mixed."""

    async def change(host: FileHost, asked: Asked, writer: asyncio.StreamWriter) -> None:
        host.content, host.etag = b"abcdefghij" * 200, '"v2"'
        await serve(host, asked, writer)

    host.script = [cut(500), change]
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == b"abcdefghij" * 200


NEW = b"abcdefghij" * 200
LYING: dict[str, Reaction] = {
    # aiohttp's own file server does this.
    "206 of another version": answer(206, {"ETag": '"v2"', "Content-Range": "bytes 1500-1999/2000"}, NEW[1500:]),
    "206 without an ETag": answer(206, {"Content-Range": "bytes 1500-1999/2000"}, NEW[1500:]),
    "206 with a weak ETag": answer(206, {"ETag": 'W/"v1"', "Content-Range": "bytes 1500-1999/2000"}, NEW[1500:]),
    "206 from elsewhere": answer(206, {"ETag": '"v1"', "Content-Range": "bytes 1400-1999/2000"}, NEW[1400:]),
    "206 of less": answer(206, {"ETag": '"v1"', "Content-Range": "bytes 1500-1899/2000"}, NEW[1500:1900]),
    "206 of another total": answer(206, {"ETag": '"v1"', "Content-Range": "bytes 1500-1999/2001"}, NEW[1500:]),
    "206 without a range": answer(206, {"ETag": '"v1"'}, NEW[1500:]),
    "206 of several ranges": answer(206, {"ETag": '"v1"', "Content-Type": "multipart/byteranges"}, NEW[1500:]),
    "206 of a wrong length": answer(206, {"ETag": '"v1"', "Content-Range": "bytes 1500-1999/2000"}, NEW[1501:]),
    "206 compressed": answer(
        206, {"ETag": '"v1"', "Content-Range": "bytes 1500-1999/2000", "Content-Encoding": "gzip"}, NEW[1500:]
    ),
    "416": answer(416, {"Content-Range": "bytes */1400"}),
}


@pytest.mark.parametrize("lie", LYING.values(), ids=LYING.keys())
async def test_doubtful_rest_starts_again(downloads: Downloads, host: FileHost, tmp_path: Path, lie: Reaction) -> None:
    """An answer that does not prove to be the rest of the same version is not used; the whole file is fetched."""
    host.script = [cut(500), lie]
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content
    assert [asked.headers.get("range") for asked in host.asked] == [None, "bytes=1500-", None]


async def test_ignored_range(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A host that answers a range with the whole file is taken at its word."""
    host.script = [cut(500), answer(200, {"ETag": '"v1"'}, host.content)]
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content


@pytest.mark.parametrize("etag", ['W/"v1"', None, "v1", '""'])
async def test_no_continuing_without_a_strong_etag(
    downloads: Downloads, host: FileHost, tmp_path: Path, etag: str | None
) -> None:
    """Without a strong ETag nothing proves that the file is the same: it is fetched from its beginning."""
    host.etag = etag
    host.script = [cut(500)]
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content
    assert [asked.headers.get("range") for asked in host.asked] == [None, None]


async def test_rest_of_the_rest(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A rest that is sent in chunks counts only in its full length."""
    short = answer(
        206,
        {"ETag": '"v1"', "Content-Range": "bytes 1500-1999/2000", "Transfer-Encoding": "chunked"},
        b"64\r\n" + host.content[1500:1600] + b"\r\n0\r\n\r\n",
        length=False,
    )
    long = answer(
        206,
        {"ETag": '"v1"', "Content-Range": "bytes 1600-1999/2000", "Transfer-Encoding": "chunked"},
        b"1f4\r\n" + host.content[1500:2000] + b"\r\n0\r\n\r\n",
        length=False,
    )
    host.script = [cut(500), short, long]
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content


async def test_chunks_without_a_length(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A body in chunks is accepted when its last chunk has come."""
    host.script = [chunked(b"abc", b"def", end=False), chunked(b"abc", b"def")]
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == b"abcdef"
    assert len(host.asked) == 2


@pytest.mark.parametrize(
    ("reaction", "text"),
    [
        (answer(200, {}, b"abc", length=False), "does not say how long"),
        (answer(200, {"Content-Encoding": "gzip"}, b"abc"), "compresses"),
        (answer(418), "HTTP 418"),
        (answer(304), "HTTP 304"),
    ],
)
async def test_hopeless_answers(
    downloads: Downloads, host: FileHost, tmp_path: Path, reaction: Reaction, text: str
) -> None:
    """What cannot be checked, or will not change, is an error at once."""
    host.script = [reaction]
    with pytest.raises(DownloadError, match=text):
        await downloads.save(host.result(), tmp_path)
    assert len(host.asked) == 1
    assert names(tmp_path) == []


TRANSIENT: dict[str, Reaction] = {
    "500": answer(500),
    "502 in HTML": answer(502, {"Content-Type": "text/html"}, b"<html>"),
    "503": answer(503),
    "408": answer(408),
    "429": answer(429),
    "200 in HTML": answer(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>log in</html>"),
    "empty": answer(200, {"Content-Type": "video/mp4"}),
    "empty in chunks": chunked(),
    "206 unasked": answer(206, {"Content-Range": "bytes 0-2/3", "ETag": '"v1"'}, b"abc"),
    "all cut": cut(2000, after=0),
}


@pytest.mark.parametrize("failure", TRANSIENT.values(), ids=TRANSIENT.keys())
async def test_transient_failures_pass(downloads: Downloads, host: FileHost, tmp_path: Path, failure: Reaction) -> None:
    """A failure that may pass is tried again."""
    host.script = [failure]
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content
    assert len(host.asked) == 2


@pytest.mark.parametrize("failure", TRANSIENT.values(), ids=TRANSIENT.keys())
async def test_transient_failures_are_bounded(
    downloads: Downloads, host: FileHost, tmp_path: Path, failure: Reaction
) -> None:
    """After eight failures in a row, with growing delays between them, it is an error, and no file appears."""
    host.script = [failure] * 100
    with pytest.raises(DownloadError, match=r"8 tries in a row.*14 days"):
        await downloads.save(host.result(), tmp_path)
    moments = [asked.moment for asked in host.asked]
    delays = [round(after - before, 1) for before, after in pairwise(moments)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    assert names(tmp_path) == []


async def test_no_answer(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A connection that closes without an answer is tried again, and not for ever. aiohttp asks twice each time."""
    host.script = [drop] * 3
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content
    host.script = [drop] * 100
    with pytest.raises(DownloadError, match=r"without an answer.*8 tries"):
        await downloads.save(host.result("task_2"), tmp_path)
    assert len(host.script) >= 84


async def test_new_ground_counts_anew(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """Failures are counted since the last progress: a big file survives many cuts."""
    host.content = os.urandom(25_000_000)

    async def some(host: FileHost, asked: Asked, writer: asyncio.StreamWriter) -> None:
        data = proper(host, asked)
        writer.write(data[:1_500_000])
        await writer.drain()
        await asyncio.sleep(5)

    host.script = [some] * 16
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content
    assert len(host.asked) == 17


async def test_no_host(downloads: Downloads, tmp_path: Path) -> None:
    """Nobody listening is a failure that may pass, and then an error that names the address."""
    async with FileHost() as gone:
        result = gone.result()
    with pytest.raises(DownloadError, match="no connection to 127"):
        await downloads.save(result, tmp_path)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (later(9), 9.0), (later(-9), 0.5), ("86000", 120.0), ("soon", 0.5), ("nan", 0.5)],
)
async def test_retry_after(
    downloads: Downloads, host: FileHost, *, tmp_path: Path, status: int, header: str, seconds: float
) -> None:
    """`Retry-After` is honoured as seconds and as a date on the host's clock, up to two minutes."""
    host.script = [answer(status, {"Retry-After": header})]
    await downloads.save(host.result(), tmp_path)
    assert host.asked[1].moment - host.asked[0].moment == pytest.approx(seconds, abs=0.1)


async def test_part_is_kept_after_failure(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """What came before the network failed for good lies beside the target, and the next download goes on with it."""
    host.script = [cut(500), *[answer(503)] * 7]
    with pytest.raises(DownloadError):
        await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert len(names(tmp_path)) == 2
    assert all(name.startswith(".lake.mp4.") for name in names(tmp_path))
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert host.asked[-1].offset == 1500
    assert path.read_bytes() == host.content
    assert names(tmp_path) == ["lake.mp4"]


async def test_whole_part_is_proved(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A part that is whole already (a crash before its final name) is finished with one byte, if it still stands."""
    host.script = [cut(1), *[answer(503)] * 7]
    with pytest.raises(DownloadError):
        await downloads.save(host.result(), tmp_path / "lake.mp4")
    part, record = sorted(tmp_path.iterdir())
    part.write_bytes(host.content)
    record.write_text(record.read_text().replace("1999", "2000"))
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert host.asked[-1].offset == 1999
    assert path.read_bytes() == host.content


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"saved": 1500', '"saved": 1600'),
        ('"saved": 1500', '"saved": -1'),
        ('"saved": 1500', '"saved": "1500"'),
        ('"total": 2000', '"total": null'),
        ('\\"v1\\"', "v1"),
        ("/clip.mp4", "/other.mp4"),
        ('"task_1"', '"task_2"'),
        ('"version": 1', '"version": 2'),
        ("}", ""),
        ("{", "[{"),
    ],
)
async def test_doubtful_records(downloads: Downloads, host: FileHost, tmp_path: Path, old: str, new: str) -> None:
    """A record that is torn, of another file, or beyond the part's end is not trusted."""
    host.script = [cut(500), *[answer(503)] * 7]
    with pytest.raises(DownloadError):
        await downloads.save(host.result(), tmp_path / "lake.mp4")
    record = sorted(tmp_path.iterdir())[1]
    assert old in record.read_text()
    record.write_text(record.read_text().replace(old, new))
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert "range" not in host.asked[-1].headers
    assert path.read_bytes() == host.content
    assert names(tmp_path) == ["lake.mp4"]


async def test_raw_answer_is_well_formed() -> None:
    """The scripted host's own answers are what the tests think."""
    assert raw(200, {"A": "b"}, b"xy").endswith(b"A: b\r\nContent-Length: 2\r\n\r\nxy")
