"""Streaming: the bytes in order, to the last one, or an error."""

import asyncio
import os
from pathlib import Path

import aiohttp
import pytest

from seedance_async.core.results import VideoResult
from seedance_async.downloads import Downloads, VideoStream
from seedance_async.errors import DownloadError
from tests.downloads.conftest import Service
from tests.downloads.host import SECRET, Asked, FileHost, Reaction, answer, chunked, cut, drop, raw, stall
from tests.downloads.test_interruptions import LYING


async def read(stream: VideoStream) -> bytes:
    pieces = [piece async for piece in stream]
    assert all(pieces)
    return b"".join(pieces)


async def test_stream(downloads: Downloads, host: FileHost) -> None:
    """The stream says what it is and gives all bytes, more than once its end, and no more."""
    host.content = os.urandom(1_000_000)
    async with downloads.stream(host.result()) as stream:
        assert stream.size == 1_000_000
        assert stream.media_type == "video/mp4"
        assert stream.url == host.url()
        assert SECRET not in repr(stream)
        assert await read(stream) == host.content
        assert await read(stream) == b""


async def test_break_is_continued(downloads: Downloads, host: FileHost) -> None:
    """A break in the middle is continued with the rest of the same version."""
    host.content = os.urandom(300_000)
    host.script = [cut(100_000), cut(50_000), stall(10_000)]
    async with downloads.stream(host.result()) as stream:
        assert await read(stream) == host.content
    assert [asked.offset for asked in host.asked] == [0, 200_000, 250_000, 290_000]


async def test_break_before_the_first_byte(downloads: Downloads, host: FileHost) -> None:
    """Before the first byte anything may be tried again."""
    host.etag = None
    host.script = [drop, drop, drop, answer(503), cut(2000)]
    async with downloads.stream(host.result()) as stream:
        assert await read(stream) == host.content


async def test_other_file_before_the_first_byte(downloads: Downloads, host: FileHost) -> None:
    """A size that was told stays true."""
    host.script = [cut(2000), answer(200, {}, b"other")]
    async with downloads.stream(host.result()) as stream:
        with pytest.raises(DownloadError, match="has changed"):
            await read(stream)


@pytest.mark.parametrize("lie", LYING.values(), ids=LYING.keys())
async def test_doubtful_rest_is_an_error(downloads: Downloads, host: FileHost, lie: Reaction) -> None:
    """What was handed out cannot be taken back, so a rest of doubtful origin is an error."""
    host.script = [cut(500), lie]
    async with downloads.stream(host.result()) as stream:
        got = await anext(stream)
        with pytest.raises(DownloadError, match="connection broke"):
            await anext(stream)
        with pytest.raises(DownloadError, match="connection broke"):
            await anext(stream)
    assert got == host.content[:1500]


async def test_whole_file_instead_of_the_rest(downloads: Downloads, host: FileHost) -> None:
    """A host that knows no ranges cannot continue."""
    host.script = [cut(500), answer(200, {"ETag": '"v1"'}, host.content)]
    async with downloads.stream(host.result()) as stream:
        with pytest.raises(DownloadError, match="whole files only"):
            await read(stream)


@pytest.mark.parametrize("etag", [None, 'W/"v1"'])
async def test_no_strong_etag(downloads: Downloads, host: FileHost, etag: str | None) -> None:
    """Without a strong ETag a break is an error."""
    host.etag = etag
    host.script = [cut(500)]
    async with downloads.stream(host.result()) as stream:
        with pytest.raises(DownloadError, match="strong ETag"):
            await read(stream)
    assert len(host.asked) == 1


async def test_chunks_that_break(downloads: Downloads, host: FileHost) -> None:
    """Without a length a body must end with its last chunk."""
    host.script = [chunked(b"abc", b"def"), chunked(b"abc", b"def", end=False)]
    async with downloads.stream(host.result()) as stream:
        assert stream.size is None
        assert await read(stream) == b"abcdef"
    async with downloads.stream(host.result()) as stream:
        with pytest.raises(DownloadError):
            await read(stream)


async def test_nothing_is_missing(downloads: Downloads, host: FileHost) -> None:
    """A rest whose bytes are all there is the rest, even if its end is not marked."""

    async def unmarked(host: FileHost, _asked: Asked, writer: asyncio.StreamWriter) -> None:
        head = {"ETag": '"v1"', "Content-Range": "bytes 1500-1999/2000", "Transfer-Encoding": "chunked"}
        writer.write(raw(206, head, b"1f4\r\n" + host.content[1500:] + b"\r\n", length=False))
        await writer.drain()
        await asyncio.sleep(5)

    host.script = [cut(500), unmarked]
    async with downloads.stream(host.result()) as stream:
        assert await read(stream) == host.content
    assert len(host.asked) == 2


async def test_host_that_stays_away(downloads: Downloads, host: FileHost) -> None:
    """Breaks are bounded like any failure."""
    host.script = [cut(500), *[answer(503)] * 50]
    async with downloads.stream(host.result()) as stream:
        with pytest.raises(DownloadError, match="8 tries in a row"):
            await read(stream)


async def test_expired_link(downloads: Downloads, host: FileHost, service: Service) -> None:
    """An expired link is renewed once, before the first byte and later."""
    service.answers = [host.snapshot(host.url(query="?signature=new"))]
    host.script = [answer(403)]
    async with downloads.stream(host.result()) as stream:
        assert await read(stream) == host.content
        assert stream.url.endswith("?signature=new")
    service.answers = [host.snapshot(host.url(query="?signature=new"))]
    host.script = [cut(500), answer(403)]
    async with downloads.stream(host.result()) as stream:
        assert await read(stream) == host.content
    host.script = [answer(403), answer(403)]
    service.answers = [host.snapshot(host.url(query="?signature=new"))]
    with pytest.raises(DownloadError, match="HTTP 403"):
        async with downloads.stream(host.result()):
            pass


async def test_file_that_moved(downloads: Downloads, host: FileHost, service: Service) -> None:
    """A rest is not taken from another path."""
    service.answers = [host.snapshot(host.url("/other.mp4"))]
    host.script = [cut(500), answer(403)]
    async with downloads.stream(host.result()) as stream:
        with pytest.raises(DownloadError, match="has moved"):
            await read(stream)


async def test_reading_after_the_end_of_the_block(downloads: Downloads, host: FileHost) -> None:
    """A stream that was left early cannot be read on; one that was read to its end stays ended."""
    async with downloads.stream(host.result()) as stream:
        pass
    with pytest.raises(DownloadError, match="closed"):
        await anext(stream)
    async with downloads.stream(host.result()) as stream:
        await read(stream)
    assert await read(stream) == b""


async def test_cancelled_reader_goes_on(downloads: Downloads, host: FileHost) -> None:
    """A reader that gave up waiting may come back and misses nothing."""
    host.script = [cut(500), stall(499, 50.0)]
    got = b""
    async with downloads.stream(host.result()) as stream:
        while len(got) < len(host.content):
            try:
                async with asyncio.timeout(0.3):
                    got += await anext(stream)
            except TimeoutError:
                continue
    assert got == host.content


async def test_streams_take_no_place(service: Service, host: FileHost, tmp_path: Path) -> None:
    """A slow reader keeps nobody from saving."""
    async with aiohttp.ClientSession() as session:
        downloads = Downloads(lambda: session, service.refresh, limit=1)
        async with downloads.stream(host.result()), downloads.stream(host.result()):
            await downloads.save(host.result(), tmp_path)
        downloads.close()


async def test_no_output(downloads: Downloads) -> None:
    """A result without files is an error."""
    with pytest.raises(DownloadError, match="no file for the task"):
        async with downloads.stream(VideoResult("task_1", None, ())):
            pass
