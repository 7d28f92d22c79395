"""Links: which are followed, how an expired one is renewed, and what of them is shown."""

import asyncio
import os
import ssl
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from seedance_async.downloads import Downloads
from seedance_async.errors import (
    ConnectionFailedError,
    DownloadError,
    SessionClosedError,
    TaskNotFoundError,
)
from tests.downloads.conftest import Service
from tests.downloads.host import SECRET, FileHost, answer, cut


def told(error: BaseException) -> str:
    """Everything that a reader of the error may see: its texts, its chain, and our variables in its traceback."""
    assert error.__cause__ is None
    assert error.__context__ is None
    texts = [str(error), repr(error), repr(error.args), repr(vars(error))]
    for frame, _line in traceback.walk_tb(error.__traceback__):
        if f"{os.sep}seedance_async{os.sep}" in frame.f_code.co_filename:
            texts += [repr(value) for value in frame.f_locals.values()]
    return "\n".join(texts)


KEY = Path(__file__).with_name("loopback-test-key.pem")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_relative_redirect(downloads: Downloads, host: FileHost, tmp_path: Path, status: int) -> None:
    """A redirect is followed, also to a relative location."""
    host.script = [answer(status, {"Location": "other.mp4?x=1"})]
    path = await downloads.save(host.result(), tmp_path)
    assert path.read_bytes() == host.content
    assert [asked.target for asked in host.asked] == [f"/clip.mp4?signature={SECRET}", "/other.mp4?x=1"]


async def test_five_redirects(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """Five redirects are followed and a sixth is not."""
    host.script = [answer(302, {"Location": f"/{n}"}) for n in range(5)]
    await downloads.save(host.result(), tmp_path)
    assert len(host.asked) == 6
    host.script = [answer(302, {"Location": f"/{n}"}) for n in range(6)]
    with pytest.raises(DownloadError, match="more than 5 times"):
        await downloads.save(host.result("task_2"), tmp_path)


async def test_redirect_of_a_rest(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A redirect is asked for the rest as well: storage often hides behind one."""
    there = answer(302, {"Location": "/storage.mp4"})
    host.script = [there, cut(500), there]
    path = await downloads.save(host.result(), tmp_path)
    assert path.read_bytes() == host.content
    assert [asked.offset for asked in host.asked] == [0, 0, 1500, 1500]


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("http://files.example/clip.mp4?token=planted-signature", "not encrypted.*files.example"),
        ("ftp://127.0.0.1/clip.mp4", "not an https URL"),
        ("file:///etc/passwd", "not an https URL"),
        ("//10.0.0.1/clip.mp4", "not encrypted"),
        ("http://[bad/clip.mp4", "not a URL"),
        ("https://a b/clip.mp4", "blanks"),
        ("", "to nowhere"),
    ],
)
async def test_refused_redirects(
    downloads: Downloads, host: FileHost, tmp_path: Path, location: str, text: str
) -> None:
    """A redirect to plain http beyond this machine, or to what is no web address, is an error at once."""
    host.script = [answer(302, {"Location": location})]
    with pytest.raises(DownloadError, match=text) as caught:
        await downloads.save(host.result(), tmp_path)
    assert SECRET not in told(caught.value)
    assert len(host.asked) == 1


async def test_never_from_https_to_http(service: Service, tmp_path: Path) -> None:
    """A redirect from https to http is refused, also on this machine; https itself works with an own CA."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(KEY)
    trust = ssl.create_default_context(cafile=str(KEY))
    async with (
        FileHost(tls=tls) as secure,
        FileHost() as plain,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session,
    ):
        downloads = Downloads(lambda: session, service.refresh)
        path = await downloads.save(secure.result(), tmp_path)
        assert path.read_bytes() == secure.content
        secure.script = [answer(302, {"Location": plain.url()})]
        with pytest.raises(DownloadError, match="from https to http"):
            await downloads.save(secure.result("task_2"), tmp_path)
        assert plain.asked == []
        downloads.close()


async def test_untrusted_certificate(downloads: Downloads, tmp_path: Path) -> None:
    """A certificate that nobody vouches for is an error at once: it will not get better."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(KEY)
    async with FileHost(tls=tls) as secure:
        with pytest.raises(DownloadError, match="certificate is not trusted"):
            await downloads.save(secure.result(), tmp_path)
    assert asyncio.get_running_loop().time() < 0.5


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (f"http://files.example/clip.mp4?sig={SECRET}", "not encrypted"),
        (f"ftp://files.example/clip.mp4?sig={SECRET}", "not an https URL"),
        ("clip.mp4", "not an https URL"),
        ("", "not an https URL"),
        ("https:///clip.mp4", "not an https URL"),
        ("https://[bad", "not a URL"),
        ("https://host:99999/", "not a URL"),
        ("http://127.0.0.1.evil.example/clip.mp4", "not encrypted"),
        ("http://127.0.0.1\\@files.example/", "not an https URL"),
    ],
)
async def test_first_link_obeys_too(downloads: Downloads, host: FileHost, tmp_path: Path, url: str, text: str) -> None:
    """The link of the task itself must be https, or http on this machine."""
    with pytest.raises(DownloadError, match=text) as caught:
        await downloads.save(host.result(url=url), tmp_path)
    assert SECRET not in told(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_expired_link_is_renewed(
    downloads: Downloads, host: FileHost, service: Service, tmp_path: Path, status: int
) -> None:
    """An expired link is asked for once more, and the new one is used, on whatever host it is."""
    async with FileHost(content=b"n" * 99) as new:
        service.answers = [new.snapshot(new.url())]
        host.script = [answer(status)]
        path = await downloads.save(host.result(), tmp_path)
    assert path.read_bytes() == b"n" * 99
    assert service.asked == ["task_1"]


async def test_renewed_once(downloads: Downloads, host: FileHost, service: Service, tmp_path: Path) -> None:
    """A link that has expired after it was renewed is an error."""
    service.answers = [host.snapshot(host.url(query=f"?new={SECRET}"))]
    host.script = [answer(403), answer(410)]
    with pytest.raises(DownloadError, match=r"HTTP 410.*14 days") as caught:
        await downloads.save(host.result(), tmp_path)
    assert service.asked == ["task_1"]
    assert SECRET not in told(caught.value)
    assert caught.value.task_id == "task_1"
    assert list(tmp_path.iterdir()) == []


async def test_part_survives_a_renewal(downloads: Downloads, host: FileHost, service: Service, tmp_path: Path) -> None:
    """A link that expires in the middle is renewed; the same file under a new signature is continued."""
    service.answers = [host.snapshot(host.url(query="?signature=new"))]
    host.script = [cut(500), answer(403)]
    path = await downloads.save(host.result(), tmp_path)
    assert path.read_bytes() == host.content
    assert [(asked.target, asked.offset) for asked in host.asked] == [
        (f"/clip.mp4?signature={SECRET}", 0),
        (f"/clip.mp4?signature={SECRET}", 1500),
        ("/clip.mp4?signature=new", 1500),
    ]


async def test_another_file_is_not_continued(
    downloads: Downloads, host: FileHost, service: Service, tmp_path: Path
) -> None:
    """A renewed link to another path starts again, whatever its ETag says."""
    service.answers = [host.snapshot(host.url("/moved.mp4"))]
    host.script = [cut(500), answer(404)]
    path = await downloads.save(host.result(), tmp_path)
    assert path.read_bytes() == host.content
    assert "range" not in host.asked[-1].headers


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TaskNotFoundError(404, "Task not found"), "Task not found"),
        (ConnectionFailedError("connection refused"), "connection refused"),
    ],
)
async def test_refresh_that_fails(
    downloads: Downloads, host: FileHost, service: Service, *, tmp_path: Path, error: Exception, text: str
) -> None:
    """If the service gives no new link, the error says why."""
    service.answers = [error]
    host.script = [answer(403)]
    with pytest.raises(DownloadError, match=text) as caught:
        await downloads.save(host.result(), tmp_path)
    assert caught.value.__context__ is None


async def test_refresh_without_files(downloads: Downloads, host: FileHost, service: Service, tmp_path: Path) -> None:
    """A task whose files are gone is an error."""
    service.answers = [host.snapshot(host.url())]
    object.__setattr__(service.answers[0], "outputs", ())
    host.script = [answer(404)]
    with pytest.raises(DownloadError, match="knows no file"):
        await downloads.save(host.result(), tmp_path)


async def test_refreshed_link_obeys_too(downloads: Downloads, host: FileHost, service: Service, tmp_path: Path) -> None:
    """A renewed link is checked like the first one."""
    service.answers = [host.snapshot("http://files.example/clip.mp4")]
    host.script = [answer(403)]
    with pytest.raises(DownloadError, match="not encrypted"):
        await downloads.save(host.result(), tmp_path)


async def test_closed_session(
    make_downloads: Callable[..., Awaitable[Downloads]], service: Service, host: FileHost, tmp_path: Path
) -> None:
    """A session that is closed says so, at once."""
    async with aiohttp.ClientSession() as session:
        pass
    downloads = Downloads(lambda: session, service.refresh)
    with pytest.raises(SessionClosedError):
        await downloads.save(host.result(), tmp_path)
    downloads.close()
    assert list(tmp_path.iterdir()) == []


async def test_nothing_signed_is_left(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """Neither the error with its chain and its locals, nor the files beside the target, hold the signature."""
    host.script = [cut(500), *[answer(503)] * 7]
    with pytest.raises(DownloadError) as caught:
        await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert SECRET not in told(caught.value)
    assert len(list(tmp_path.iterdir())) == 2
    for path in tmp_path.iterdir():
        assert SECRET.encode() not in path.read_bytes()
        assert SECRET not in path.name
