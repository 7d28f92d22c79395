"""The bytes of a video: whole, in part, after a restart, and for nobody."""

import anyio
import pytest

from examples.web.ranges import choose_part
from examples.web.settings import WebSettings
from seedance_async.testing import Emulator
from tests.examples.serving import Visitor, served, visiting


@pytest.fixture
async def finished(visitor: Visitor) -> Visitor:
    """A visitor with a video."""
    await visitor.order("a lake", "one")
    await visitor.finished("one")
    return visitor


async def test_a_browser_gets_the_whole_file(finished: Visitor) -> None:
    """With its length and type, so that a player can show how long it is."""
    async with finished.http.get("/videos/one/file") as answer:
        body = await answer.read()
        assert (answer.status, answer.content_type, answer.content_length) == (200, "video/mp4", len(body))
        assert body[4:8] == b"ftyp"
        assert answer.headers["Content-Disposition"].startswith("inline")
    async with finished.http.get("/videos/one/file?download=1") as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="one.mp4"'


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("bytes=0-1", slice(0, 2)), ("bytes=100-", slice(100, None)), ("bytes=-50", slice(-50, None)),
     ("bytes=5-9999999", slice(5, None))],
)  # fmt: skip
async def test_a_browser_that_seeks_gets_a_part(finished: Visitor, wanted: str, chosen: slice) -> None:
    """206 with exactly the bytes asked for."""
    async with finished.http.get("/videos/one/file") as answer:
        whole, etag = await answer.read(), answer.headers["ETag"]
    async with finished.http.get("/videos/one/file", headers={"Range": wanted, "If-Range": etag}) as answer:
        body = await answer.read()
        assert (answer.status, answer.content_length) == (206, len(whole[chosen]))
        assert body == whole[chosen]
        assert answer.headers["Content-Range"].endswith(f"/{len(whole)}")
    async with finished.http.get("/videos/one/file", headers={"Range": wanted, "If-Range": '"other"'}) as answer:
        assert (answer.status, await answer.read()) == (200, whole)


async def test_a_part_that_is_not_there_is_416(finished: Visitor) -> None:
    """As the standard wants it."""
    async with finished.http.get("/videos/one/file", headers={"Range": "bytes=99999999-"}) as answer:
        assert answer.status == 416


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=1-2,4-5", "", "bytes=--1"])
def test_what_is_no_range_gets_the_whole_file(wanted: str) -> None:
    """A header that nobody can read is as if it were not there."""
    assert choose_part(100, wanted, None, '"a"').status == 200


def test_a_file_of_unknown_size_has_no_parts() -> None:
    """Nobody can say where the end is."""
    part = choose_part(None, "bytes=0-1", None, '"a"')
    assert (part.status, part.headers["Accept-Ranges"], "Content-Length" in part.headers) == (200, "none", False)


async def test_there_is_no_file_before_the_end(visitor: Visitor) -> None:
    """409 while it is made; a failed one says why."""
    await visitor.order("a lake", "one")
    async with visitor.http.get("/videos/one/file") as answer:
        assert answer.status == 409
    await visitor.order("a lake [fail:moderation]", "two")
    await visitor.finished("two")
    async with visitor.http.get("/videos/two/file") as answer:
        assert answer.status == 422


async def test_a_restart_loses_no_video(kind: str, settings: WebSettings, service: Emulator) -> None:
    """Finished, running and waiting: each is there afterwards, for its visitor, and paid once."""
    async with served(kind, settings) as url, visiting(url) as visitor:
        await visitor.order("lake 0", "0")
        await visitor.finished("0")
        for number in (1, 2, 3):
            await visitor.order(f"lake {number} [takes:80]", str(number))
        await anyio.sleep(20)
        cookies = {cookie.key: cookie.value for cookie in visitor.http.cookie_jar}
    async with served(kind, settings) as url, visiting(url, opens_page=False) as visitor:
        visitor.http.cookie_jar.update_cookies(cookies)
        told = await visitor.show("0")
        assert (told["status"], told["file"]) == ("success", "/videos/0/file")
        for number in range(4):
            assert (await visitor.finished(str(number)))["status"] == "success"
            async with visitor.http.get(f"/videos/{number}/file") as answer:
                assert answer.status == 200
    assert set(service.statistics().creates_by_prompt.values()) == {1}


async def test_a_link_that_has_expired_is_asked_for_anew(finished: Visitor, service: Emulator) -> None:
    """A visitor comes back long after the service's link has ended, and sees the video."""
    service.faults.add("expired-link:on=file,seconds=60")
    await anyio.sleep(3600)
    async with finished.http.get("/videos/one/file", headers={"Range": "bytes=0-7"}) as answer:
        assert (answer.status, (await answer.read())[4:]) == (206, b"ftyp")


async def test_a_page_in_place_of_a_video_is_not_shown(finished: Visitor, service: Emulator) -> None:
    """What a file host answers never becomes a page of this origin, whose scripts would have the visitor's cookie."""
    service.faults.add("html:on=file")
    async with finished.http.get("/videos/one/file") as answer:
        assert (answer.status, answer.content_type) == (502, "application/json")


async def test_a_viewer_who_leaves_ends_the_download(finished: Visitor, service: Emulator) -> None:
    """The connection to the service's file host is closed with that to the browser."""
    service.faults.add("drip:on=file,rate=1,seconds=5")
    answer = await finished.http.get("/videos/one/file")
    await answer.content.readany()
    before = service._requests
    answer.close()
    await anyio.sleep(5)
    assert service._requests == before - 1
