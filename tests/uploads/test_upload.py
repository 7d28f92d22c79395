"""`session.upload`: a local file becomes a URL that the service can fetch, and the key stays where it belongs."""

import asyncio
import hashlib
import logging
import os
import time
import traceback
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from seedance_async import (
    AsyncSeedance,
    AuthenticationError,
    ImageToVideo,
    InputError,
    Timeouts,
    UploadError,
)
from seedance_async.contents import PIECE
from seedance_async.hooks import Uploaded
from seedance_async.testing.depot import Depot
from tests.session.service import Start, clock, steps, until
from tests.uploads.files import MP4, png, write


async def problem(awaited: Awaitable[object]) -> str:
    """What an `InputError` says."""
    with pytest.raises(InputError) as caught:
        await awaited
    return str(caught.value)


async def failure(awaited: Awaitable[object]) -> UploadError:
    """An `UploadError`, which costs nothing."""
    with pytest.raises(UploadError) as caught:
        await awaited
    assert caught.value.charged == "no"
    return caught.value


async def test_a_file_becomes_a_url(start: Start, tmp_path: Path) -> None:
    """The bytes arrive as they are, a task that uses the URL succeeds, and the hook says until when it lasts."""
    service = await start()
    session = await service.open()
    file = write(tmp_path / "cat.png")
    before = datetime.now(UTC)
    url = await session.upload(file)
    assert url.startswith(f"{service.emulator.url}/temp-uploads/")
    assert url.endswith(".png")
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        assert (await answer.read(), answer.content_type) == (file.read_bytes(), "image/png")
    await session.generate(ImageToVideo("a cat", first_frame=url))
    (told,) = service.ear.all(Uploaded)
    assert (told.path, told.size, told.url) == (str(file), 100, url)
    assert url not in repr(told)
    assert timedelta(hours=23.9) < told.until - before <= timedelta(hours=24.1)


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])
@pytest.mark.parametrize("as_bytes", [False, True])
async def test_sizes(start: Start, tmp_path: Path, size: int, as_bytes: bool) -> None:
    """Every byte arrives once, however many there are, and the progress hook hears of them in order."""
    service = await start()
    session = await service.open()
    content = os.urandom(size)
    heard: list[tuple[int, int]] = []
    source = content if as_bytes else write(tmp_path / "cat.png", content)
    await session.upload(source, name="cat.png", progress=lambda sent, total: heard.append((sent, total)))
    (stored,) = service.emulator.depot.stored()
    assert (stored.size, stored.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert heard[-1] == (size, size)
    assert [sent for sent, _ in heard] == sorted({sent for sent, _ in heard})


async def test_a_progress_hook_that_fails_disturbs_nothing(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the file is uploaded."""
    session = await (await start()).open()

    def fails(_sent: int, _total: int) -> None:
        raise ZeroDivisionError

    assert await session.upload(write(tmp_path / "cat.png"), progress=fails)
    assert "the progress hook of an upload failed" in caplog.text


async def test_what_is_wrong_is_said_before_any_request(start: Start, tmp_path: Path) -> None:
    """No file, a folder, nothing in it, something else than media: an `InputError`, and the service hears nothing."""
    service = await start()
    session = await service.open()
    assert "there is no such file" in await problem(session.upload(tmp_path / "cat.png"))
    assert "is a folder" in await problem(session.upload(tmp_path))
    assert "is empty" in await problem(session.upload(write(tmp_path / "empty.png", b"")))
    assert "is a PDF" in await problem(session.upload(write(tmp_path / "a.png", b"%PDF-1.7")))
    assert "begins like .mp4" in await problem(session.upload(write(tmp_path / "b.png", MP4)))
    assert "neither its name nor its first bytes" in await problem(session.upload(write(tmp_path / "c", b"???")))
    assert "its first bytes do not tell" in await problem(session.upload(b"???"))
    assert "is empty" in await problem(session.upload(b""))
    assert "is a URL already" in await problem(session.upload("https://cdn.example/cat.png"))
    assert "must be a path or bytes" in await problem(session.upload(5))  # type: ignore[arg-type]
    assert "is no possible path" in await problem(session.upload("a\0b.png"))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        assert "no regular file" in await problem(session.upload(tmp_path / "pipe.png"))
    assert service.emulator.depot.asked == 0


async def test_what_content_tells_counts(start: Start, tmp_path: Path) -> None:
    """A file goes out as what it is: bytes without a name, a file without an extension, a photo with a wrong one."""
    session = await (await start()).open()
    assert (await session.upload(png())).endswith(".png")
    assert (await session.upload(write(tmp_path / "cat"))).endswith(".png")
    assert (await session.upload(write(tmp_path / "cat.jpg"))).endswith(".png")
    assert (await session.upload(write(tmp_path / "song.m4a", MP4))).endswith(".m4a")
    assert (await session.upload(str(write(tmp_path / "clip.mp4", MP4)))).endswith(".mp4")


@pytest.mark.parametrize(
    "fault",
    [
        "http-503:on=upload,nth=1",
        "drop-before-accept:on=upload,nth=1",
        "cut-body:on=upload,nth=1",
        "http-429:on=upload,nth=1",
        "html:on=upload,nth=1",
        "http-500:on=storage,nth=1",
        "reset-before-accept:on=storage,nth=1",
        "drop-after-accept:on=storage,nth=1",
        "hang-after-accept:on=storage,nth=1",
        "http-403:on=storage,count=2",
        "expired-link:on=storage,nth=1,seconds=0",
    ],
)
async def test_what_may_pass_is_tried_again(start: Start, tmp_path: Path, fault: str) -> None:
    """No answer, 5xx, 429 and a signed address that refuses: a new place is asked for, and the file arrives."""
    service = await start(faults=[fault] if "expired" not in fault else ["slow-headers:on=upload,nth=1", fault])
    session = await service.open()
    url = await session.upload(write(tmp_path / "cat.png", png(size=3 * PIECE)))
    assert url.rpartition("/")[2] in {upload.name for upload in service.emulator.depot.stored()}
    assert 1 < service.emulator.depot.asked + ("on=upload" in fault) <= 3
    assert clock() < 200


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("http-500:on=upload", "HTTP 500 (8 tries in a row); try it again later"),
        ("drop-before-accept:on=storage", "(8 tries in a row)"),
        ("http-404:on=upload", "takes no uploads"),
        ("http-400:on=upload", "gave no place for it (HTTP 400"),
        ("http-413:on=storage", "answered HTTP 413"),
        ("http-403:on=storage", "answered HTTP 403"),
        ("redirect:on=storage", "answered HTTP 307, and an upload is never sent on"),
        ("redirect:on=upload", "gave no place for it (HTTP 307"),
        ("place-odd:value=no-address", "names no uploadUrl or no url"),
        ("place-odd:value=no-url", "names no uploadUrl or no url"),
        ("place-odd:value=plain-http", "its uploadUrl is not https (http://storage.example/put?[redacted])"),
        ("place-odd:value=odd-url", "its url is no http(s) URL"),
        ("place-odd:value=other-method", "another method than PUT"),
        ("html:on=upload", "the answer is no JSON (8 tries in a row)"),
    ],
)
async def test_what_does_not_pass_ends_it(start: Start, tmp_path: Path, fault: str, words: str) -> None:
    """The error names the file and what happened; nothing is left at the service."""
    service = await start(faults=[fault])
    session = await service.open()
    file = write(tmp_path / "cat.png")
    error = await failure(session.upload(file))
    assert words in str(error)
    assert str(error).startswith(f"{file} was not uploaded: ")
    assert service.emulator.depot.stored() == ()


async def test_a_wrong_key_says_so(start: Start, tmp_path: Path) -> None:
    """As everywhere else, with the place that the key came from."""
    session = await (await start()).open(api_key="wrong")
    with pytest.raises(AuthenticationError, match="the argument api_key"):
        await session.upload(write(tmp_path / "cat.png"))


async def test_a_host_that_takes_nothing_is_given_up(start: Start, tmp_path: Path) -> None:
    """A connection that stands still ends after `Timeouts.upload`, however big the file is."""
    service = await start(faults=["hang-before-accept:on=storage,count=1"])
    session = await service.open(timeouts=Timeouts(upload=7.0))
    await session.upload(write(tmp_path / "cat.png", png(size=40 * PIECE)))
    assert 7.0 < clock() < 40.0


async def test_a_slow_line_is_not_given_up(start: Start, tmp_path: Path) -> None:
    """As long as bytes are taken, an upload may last far longer than `Timeouts.upload`."""
    service = await start(faults=["slow-body:on=storage,seconds=0.5"])
    session = await service.open(timeouts=Timeouts(upload=30.0))
    await session.upload(write(tmp_path / "cat.png", png(size=40 * PIECE)))
    assert (service.emulator.depot.asked, clock() > 75) == (1, True)


@pytest.mark.parametrize("change", ["shorter", "longer", "rewritten", "rewritten with its old date"])
async def test_a_file_that_changes_meanwhile_is_noticed(start: Start, tmp_path: Path, change: str) -> None:
    """The upload fails and says why, whatever was done to the file and its date."""
    service = await start(faults=["slow-body:on=storage"])
    session = await service.open()
    file = write(tmp_path / "cat.png", png(size=40 * PIECE))
    date = file.stat()

    def meddle(sent: int, _total: int) -> None:
        if sent != PIECE:
            return
        content = png("another", {"shorter": 10, "longer": 41 * PIECE}.get(change, 40 * PIECE))
        with file.open("r+b") as open_file:
            open_file.write(content)
            open_file.truncate(len(content))
            open_file.seek(20 * PIECE)
            if change.startswith("rewritten"):
                open_file.write(b"another")
        if change.endswith("date"):
            os.utime(file, ns=(date.st_atime_ns, date.st_mtime_ns))

    error = await failure(session.upload(file, progress=meddle))
    assert "was changed" in str(error)


def ours() -> set[asyncio.Task[Any]]:
    """The tasks of this loop but those that serve the emulator's connections."""
    return {task for task in asyncio.all_tasks() if "RequestHandler" not in repr(task)}


async def test_cancelling_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    """Neither a task, nor an open file, nor half an upload; the session works on."""
    service = await start(faults=["slow-body:on=storage,count=1"])
    session = await service.open()
    file = write(tmp_path / "cat.png", png(size=40 * PIECE))
    await asyncio.sleep(0.01)
    before = ours()
    upload = asyncio.create_task(session.upload(file))
    await until(lambda: service.emulator.depot.asked)
    await asyncio.sleep(1.0)
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    await asyncio.sleep(100.0)
    assert ours() == before
    assert service.emulator.depot.stored() == ()
    if Path("/proc/self/fd").exists():
        assert file not in {fd.resolve() for fd in Path("/proc/self/fd").iterdir()}
    assert await session.upload(file)


async def test_a_session_of_the_users_serves_uploads_and_gives_nothing_away(start: Start, tmp_path: Path) -> None:
    """Its connections are used, and neither its headers, nor its cookies, nor its middlewares reach the host."""
    service = await start()
    seen: list[dict[str, str]] = []

    class Watched(Depot):
        def refusal(self, name: str, query: Any, headers: Any, *rest: Any) -> Any:
            seen.append(dict(headers))
            return super().refusal(name, query, headers, *rest)

    service.emulator._uploading.depot = service.emulator.depot = Watched(b"secret")

    async def middleware(request: aiohttp.ClientRequest, handler: Any) -> Any:
        request.headers["X-Secret"] = "planted"
        return await handler(request)

    made = 0

    class Connector(aiohttp.TCPConnector):
        async def connect(self, *args: Any, **options: Any) -> Any:
            nonlocal made
            made += 1
            return await super().connect(*args, **options)

    async with aiohttp.ClientSession(
        connector=Connector(),
        headers={"Authorization": "Bearer planted", "X-Own": "planted"},
        cookies={"planted": "planted"},
        middlewares=(middleware,),
    ) as given:
        session = await service.open(http_session=given)
        assert await session.upload(write(tmp_path / "cat.png"))
        await session.aclose()
        assert not given.closed
        async with given.get(service.emulator.url) as answer:
            assert answer.status == 404
    (headers,) = seen
    assert "planted" not in str(headers)
    assert made == 3


async def test_a_signed_address_is_shown_nowhere(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the log, nor in an error, nor among the locals of its traceback."""
    caplog.set_level(logging.DEBUG)
    service = await start(faults=["http-403:on=storage"])
    session = await service.open()
    error = await failure(session.upload(write(tmp_path / "cat.png")))
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "signature" not in told
    assert "signature" not in caplog.text
    assert "test-key" not in told


async def test_leaving_waits_for_no_huge_file_to_be_read(start: Start, tmp_path: Path) -> None:
    """A file is read in steps: who leaves waits for one of them, and uploads go on between those of others."""
    service = await start()
    session = await service.open()
    huge = write(tmp_path / "huge.png")
    os.truncate(huge, 4 * 2**30)
    uploads = [asyncio.create_task(session.upload(huge)) for _ in range(4)]
    await steps(20)
    began = time.perf_counter()
    assert await session.upload(write(tmp_path / "cat.png"))
    for upload in uploads:
        upload.cancel()
    await asyncio.wait(uploads)
    assert all(upload.cancelled() for upload in uploads)
    assert time.perf_counter() - began < 3.0, "16 GiB were read first"


async def test_many_files_at_once(start: Start, tmp_path: Path) -> None:
    """A few at a time, and each of them arrives."""
    service = await start()
    session = await service.open()
    files = [write(tmp_path / f"{number}.png") for number in range(40)]
    urls = await asyncio.gather(*(session.upload(file) for file in files))
    assert len(set(urls)) == 40
    assert service.emulator.statistics().peak_requests <= 3


async def test_a_session_that_closes_takes_no_uploads(start: Start, tmp_path: Path) -> None:
    """`SessionClosedError`, as for everything else."""
    session = await (await start()).open()
    await session.aclose()
    error = await end_of(session, write(tmp_path / "cat.png"))
    assert "the session is closed" in str(error)


async def end_of(session: AsyncSeedance, file: Path) -> BaseException | None:
    """What an upload fails with."""
    with pytest.raises(Exception) as caught:
        await session.upload(file)
    return caught.value
