"""The emulator's files: ranges, conditions, signed links, and how they break."""

import asyncio
import re
import zlib
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.testing.clips import picture
from seedance_async.testing.files import answer_range, etag
from tests.testing.conftest import Api, Start

TAG = '"abc"'


def ask(size: int, wanted: str | None, **conditions: str) -> tuple[int, int, int]:
    found = answer_range(
        size,
        TAG,
        wanted=wanted,
        if_range=conditions.get("if_range"),
        if_none_match=conditions.get("if_none_match"),
    )
    return found.status, found.start, found.stop


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (None, (200, 0, 10)),
        ("bytes=0-", (206, 0, 10)),
        ("bytes=3-", (206, 3, 10)),
        ("bytes=3-5", (206, 3, 6)),
        ("bytes=3-99", (206, 3, 10)),
        ("bytes=-4", (206, 6, 10)),
        ("bytes=-99", (206, 0, 10)),
        ("bytes=-0", (416, 0, 0)),
        ("bytes=10-", (416, 0, 0)),
        ("bytes=5-3", (200, 0, 10)),
        ("bytes=-", (200, 0, 10)),
        ("bytes=0-1,3-4", (200, 0, 10)),
        ("lines=1-2", (200, 0, 10)),
    ],
)
def test_a_range_is_answered_as_the_standard_says(wanted: str | None, answer: tuple[int, int, int]) -> None:
    """One range; what is no range is ignored, what lies behind the end is a 416."""
    assert ask(10, wanted) == answer


def test_conditions_decide_first() -> None:
    """If-Range counts only as exactly the strong tag; If-None-Match answers 304."""
    assert ask(10, "bytes=3-", if_range=TAG) == (206, 3, 10)
    assert ask(10, "bytes=3-", if_range='"other"') == (200, 0, 10)
    assert ask(10, "bytes=3-", if_range=f"W/{TAG}") == (200, 0, 10)
    assert ask(10, "bytes=3-", if_range="Wed, 21 Oct 2026 07:28:00 GMT") == (200, 0, 10)
    assert ask(10, None, if_none_match=f'"x", {TAG}') == (304, 0, 0)


@given(content=st.binary(max_size=50), start=st.integers(0, 60), stop=st.integers(0, 60))
def test_pieces_are_exactly_the_bytes_that_were_asked_for(content: bytes, start: int, stop: int) -> None:
    """Every 206 says where its bytes lie, and they are those."""
    found = answer_range(len(content), etag(content), wanted=f"bytes={start}-{stop}", if_range=None, if_none_match=None)
    if found.status == 206:
        assert content[found.start : found.stop] == content[start : stop + 1]
        assert found.headers["Content-Range"] == f"bytes {found.start}-{found.stop - 1}/{len(content)}"
    else:
        assert start >= len(content) or stop < start


async def finished(api: Api) -> Any:
    task = await api.task()
    await asyncio.sleep(60)
    return (await api.record(task))[1]["output"][0]


async def test_a_file_is_continued(start: Start) -> None:
    """Two halves by range, under one strong tag, are the whole file."""
    api = await start()
    url = (await finished(api))["url"]
    _, headers, whole = await api.fetch(url)
    tag = headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]+"', tag)
    half = len(whole) // 2
    status, headers, rest = await api.fetch(url, Range=f"bytes={half}-", If_Range=tag)
    assert (status, headers["ETag"], headers["Content-Length"]) == (206, tag, str(len(whole) - half))
    assert headers["Content-Range"] == f"bytes {half}-{len(whole) - 1}/{len(whole)}"
    assert whole[half:] == rest


async def test_two_tasks_have_different_bytes_and_the_same_task_the_same(start: Start) -> None:
    """So that a file saved under a wrong name shows."""
    api = await start()
    one, two = await finished(api), await finished(api)
    first = await api.fetch(one["url"])
    assert (await api.fetch(one["url"]))[2] == first[2] != (await api.fetch(two["url"]))[2]


async def test_the_last_frame_is_a_picture_of_the_size(start: Start) -> None:
    """A PNG."""
    api = await start()
    _, headers, content = await api.fetch((await finished(api))["lastFrameImage"])
    assert headers["Content-Type"] == "image/png"
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (1280, 720)


def test_a_picture_holds_every_row() -> None:
    """Rows times (filter byte and pixels)."""
    content = picture(7, 5, 3)
    start = content.index(b"IDAT") + 4
    length = int.from_bytes(content[start - 8 : start - 4])
    assert len(zlib.decompress(content[start : start + length])) == 5 * 8


async def test_a_link_is_signed_and_runs_out(start: Start) -> None:
    """Without its query, or after its time, it is a 403; the record gives a fresh one."""
    api = await start(link_lifetime=100.0)
    output = await finished(api)
    url = output["url"]
    assert (await api.fetch(url.partition("?")[0]))[0] == 403
    assert (await api.fetch(url.replace("issued=", "issued=1")))[0] == 403
    await asyncio.sleep(101)
    assert (await api.fetch(url))[0] == 403
    task_id = url.rpartition("/")[2].partition(".")[0]
    fresh = (await api.record(task_id))[1]["output"][0]["url"]
    assert (await api.fetch(fresh))[0] == 200


async def test_a_file_of_a_task_that_runs_is_not_there(start: Start) -> None:
    """Whoever guesses its name."""
    api = await start()
    name = f"{await api.task()}.mp4"
    url = f"{api.emulator.url}/files/{name}?{api.emulator.shelf.query(name, api.emulator.now())}"
    assert (await api.fetch(url))[0] == 404


async def test_given_bytes_are_served_as_they_are(start: Start) -> None:
    """For tests that compare."""
    api = await start(clips=b"0123456789")
    assert (await api.fetch((await finished(api))["url"]))[2] == b"0123456789"


@pytest.mark.parametrize("clips", ["packaged", b"0123456789"], ids=["packaged", "bytes"])
async def test_a_file_changes_between_two_ranges(start: Start, clips: Any) -> None:
    """Other bytes under another tag, so a stale condition gets the whole new file."""
    api = await start(clips=clips, faults=["file-changes:nth=2"])
    url = (await finished(api))["url"]
    _, before, whole = await api.fetch(url)
    status, after, changed = await api.fetch(url, Range="bytes=5-", If_Range=before["ETag"])
    assert status == 200
    assert before["ETag"] != after["ETag"]
    assert whole != changed


@pytest.mark.parametrize(
    ("fault", "status", "header", "value"),
    [
        ("ignore-range", 200, "Content-Length", "10"),
        ("wrong-range", 206, "Content-Range", "bytes 4-9/10"),
        ("weak-etag", 200, "ETag", "W/"),
        ("no-length", 200, "Content-Length", None),
        ("expired-link:seconds=0.5", 403, "Content-Type", "application/json"),
        ("redirect:on=file", 302, "Location", "/files/moved/"),
        ("redirect:on=file,value=http://example.com/x", 302, "Location", "http://example.com/x"),
        ("http-503:on=file", 503, "Content-Type", "text/html"),
        ("not-found:on=file", 404, "Content-Type", "application/json"),
    ],
)
async def test_file_hosts_are_odd(start: Start, fault: str, status: int, header: str, value: str | None) -> None:
    """Each oddity that is known of one."""
    api = await start(clips=b"0123456789", faults=[fault])
    url = (await finished(api))["url"]
    await asyncio.sleep(1)
    got, headers, _ = await api.fetch(url, Range="bytes=4-", If_Range='"stale"')
    assert got == status
    if value is None:
        assert header not in headers
    else:
        assert headers[header].startswith(value)


async def test_a_redirected_file_is_found(start: Start) -> None:
    """What the redirect leads to is served."""
    api = await start(faults=["redirect:on=file"])
    async with api.client.get((await finished(api))["url"]) as answer:
        assert answer.status == 200
        assert len(answer.history) == 1


async def test_a_body_is_cut_or_drips(start: Start) -> None:
    """Half of it and then nothing; or all of it, slowly."""
    api = await start(clips=b"x" * 1000, faults=["cut-body:on=file,nth=1", "drip:on=file,nth=2,seconds=0.2"])
    url = (await finished(api))["url"]
    with pytest.raises(aiohttp.ClientPayloadError):
        await api.fetch(url)
    began = asyncio.get_running_loop().time()
    assert (await api.fetch(url))[2] == b"x" * 1000
    assert asyncio.get_running_loop().time() - began == pytest.approx(1.8, abs=0.1)
