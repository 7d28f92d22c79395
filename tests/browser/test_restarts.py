"""The applications as processes: told to stop by Kubernetes, or killed, in the middle of everything."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import anyio
import pytest

from examples.web.settings import GRACE
from seedance_async.testing import EmulatorThread
from tests.examples.processes import Application
from tests.examples.serving import Event, Visitor, visiting

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process can answer")


@pytest.fixture(params=["fastapi_app", "aiohttp_app"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which application."""
    name: str = request.param
    return name


@pytest.fixture
def anyio_backend() -> str:
    """Real time: the processes are on it."""
    return "asyncio"


@pytest.fixture
def service() -> Iterator[EmulatorThread]:
    """A service with two slots; a create with this word in its prompt is answered two seconds late."""
    with EmulatorThread(
        limit=2,
        durations=3.0,
        faults=["slow-headers:on=create,prompt=late,seconds=2", "drip:on=file,rate=1,seconds=0.3"],
    ) as running:
        yield running


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await anyio.sleep(0.02)


async def _follow(visitor: Visitor, video_id: str, seen: list[Event]) -> None:
    """Follow as a browser does: connect again until the end."""
    last: str | None = None
    while not (seen and seen[-1].data["done"]):
        try:
            async for event in visitor.follow(video_id, last):
                seen.append(event)
                last = event.id
        except (aiohttp.ClientError, AssertionError):
            pass
        await anyio.sleep(0.1)


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_nothing_is_lost_or_paid_twice(kind: str, end: str, service: EmulatorThread, tmp_path: Path) -> None:
    """One runs, one is on the wire, two wait, each is followed, a file is on its way: then the process ends.

    Told to stop, it ends within the grace period, and the create on the wire is in the journal with its task. Killed,
    that one alone is unknown. The next process watches what runs, sends what waited, and every browser sees the end.
    """
    with Application(kind, service, tmp_path, VIDEOS_CONCURRENCY="2") as application:
        async with visiting(application.url) as visitor:
            await visitor.order("finished", "finished")
            followed: dict[str, list[Event]] = {"finished": []}
            await _follow(visitor, "finished", followed["finished"])
            file = await visitor.http.get("/videos/finished/file")
            assert file.status == 200
            await visitor.order("running", "running")
            await _until(lambda: service.statistics().accepted == 2)
            for name in ("late", "waiting-1", "waiting-2"):
                assert (await visitor.order(name, name))[0] == 202
            names = ("running", "late", "waiting-1", "waiting-2")
            async with asyncio.TaskGroup() as group:
                for name in names:
                    group.create_task(_follow(visitor, name, followed.setdefault(name, [])))
                await _until(lambda: service.statistics().creates == 3 and all(followed.values()))
                if end == "stop":
                    seconds = await asyncio.to_thread(application.stop)
                    # The file may take the whole patience for answers under way; the create takes two seconds.
                    assert seconds < GRACE + 4, application.log()
                else:
                    application.kill()
                file.close()
                application.start()
            ends = {name: followed[name][-1].data for name in names}
            if end == "kill":
                lost = ends.pop("late")
                assert (lost["status"], lost["error"]["charged"]) == ("unknown", "maybe")
            assert {told["status"] for told in ends.values()} == {"success"}
            async with visitor.http.get(ends["running"]["file"]) as answer:
                assert (answer.status, (await answer.read())[4:8]) == (200, b"ftyp")
    # A kill leaves a task that nobody knows of: what is sent while it has a slot is refused once, which costs nothing.
    once = dict.fromkeys(("finished", *names), 1)
    statistics = service.statistics()
    assert dict(statistics.accepted_by_prompt) == once
    assert end == "kill" or dict(statistics.creates_by_prompt) == once


async def test_open_streams_do_not_hold_up_the_end(kind: str, service: EmulatorThread, tmp_path: Path) -> None:
    """With nothing under way but events, the process ends at once, far from its patience."""
    with Application(kind, service, tmp_path) as application:
        async with visiting(application.url) as visitor:
            await visitor.order("a lake [takes:600]", "one")
            answers = [await visitor.http.get("/videos/one/events") for _ in range(20)]
            await anyio.sleep(0.5)
            assert await asyncio.to_thread(application.stop) < 3, application.log()
            for answer in answers:
                assert b"event: status" in await answer.read()


async def test_what_was_answered_survives_a_kill_at_once(kind: str, service: EmulatorThread, tmp_path: Path) -> None:
    """202 is a promise: killed right after it, before anything was sent, the video is made by the next process."""
    with Application(kind, service, tmp_path, VIDEOS_CONCURRENCY="1") as application:
        async with visiting(application.url) as visitor:
            await visitor.order("first [takes:4]", "first")
            assert (await visitor.order("second", "second"))[0] == 202
            application.kill()
            began = time.monotonic()
            application.start()
            second: list[Event] = []
            await _follow(visitor, "second", second)
            assert second[-1].data["status"] == "success"
            assert time.monotonic() - began < 30
    assert service.statistics().creates_by_prompt["second"] == 1
