"""Following a video: events, their ends, and browsers that come back."""

import asyncio
import gc
import itertools

import anyio
import attrs

from examples.web.events import events
from examples.web.settings import WebSettings
from examples.web.stopping import Stopping
from seedance_async import AsyncSeedance
from seedance_async.testing import Emulator
from tests.examples.serving import Visitor, read_events, served, visiting


async def test_events_tell_of_every_change_until_the_end(visitor: Visitor) -> None:
    """The place in the queue, the service's words, the end; then the server ends the stream."""
    for number in range(4):
        await visitor.order(f"lake {number} [takes:{60 + 30 * number}]", str(number))
    seen = [event async for event in visitor.follow("3")]
    assert [event.data["status"] for event in seen[-1:]] == ["success"]
    positions = [event.data["position"] for event in seen if event.data["position"] is not None]
    assert positions == sorted(positions, reverse=True)
    assert positions[-1] == 1
    statuses = list(dict.fromkeys(event.data["status"] for event in seen))
    assert statuses == ["queued", "waiting", "generating", "success"]
    assert len({event.id for event in seen}) == len(seen)


async def test_a_browser_that_connects_again_is_told_what_is_new(visitor: Visitor) -> None:
    """With `Last-Event-ID` the state that it has seen is not sent again; after the end 204 lets it rest."""
    await visitor.order("a lake", "one")
    async for event in visitor.follow("one"):
        if event.data["status"] == "generating":
            break
    seen = [event async for event in visitor.follow("one", event.id)]
    assert [event.data["status"] for event in seen] == ["success"]
    async with visitor.http.get("/videos/one/events", headers={"Last-Event-ID": seen[-1].id}) as answer:
        assert answer.status == 204
    # One that has not seen the end is told of it.
    assert [event.data["status"] async for event in visitor.follow("one", event.id)] == ["success"]


async def test_a_silent_stream_sends_heartbeats(kind: str, settings: WebSettings, service: Emulator) -> None:
    """A proxy sees bytes, however long nothing changes."""
    async with served(kind, attrs.evolve(settings, heartbeat=10.0)) as url, visiting(url) as visitor:
        await visitor.order("a lake [takes:600]", "one")
        async with visitor.http.get("/videos/one/events") as answer:
            assert answer.content_type == "text/event-stream"
            assert "no-transform" in answer.headers["Cache-Control"]
            times = []
            async for line in answer.content:
                if line.startswith(b":"):
                    times.append(asyncio.get_running_loop().time())
                if len(times) == 10:
                    break
    assert all(9 <= later - earlier <= 16 for earlier, later in itertools.pairwise(times))


async def test_nothing_is_left_of_a_browser_that_leaves(visitor: Visitor) -> None:
    """Its task, its reader and its generator are gone while the video goes on."""
    await visitor.order("a lake [takes:600]", "followed")
    await anyio.sleep(30)
    before = len(asyncio.all_tasks())
    for _ in range(20):
        answer = await visitor.http.get("/videos/followed/events")
        await anext(read_events(answer))
        answer.close()
    await anyio.sleep(20)
    gc.collect()
    assert len(asyncio.all_tasks()) <= before
    (video,) = [
        each
        for each in gc.get_objects()
        if type(each).__name__ == "Job" and not each.settled and each.key.endswith("/followed")
    ]
    assert not video._readers


async def test_any_number_of_browsers_may_follow(visitor: Visitor) -> None:
    """Each sees the end."""
    await visitor.order("a lake", "one")

    async def end() -> str:
        return str([event.data["status"] async for event in visitor.follow("one")][-1])

    assert await asyncio.gather(*[end() for _ in range(50)]) == ["success"] * 50


async def test_a_video_that_ends_without_the_services_word_ends_its_stream(visitor: Visitor) -> None:
    """One that is taken back while somebody follows it."""
    for number in range(3):
        await visitor.order(f"lake {number}", str(number))
    await anyio.sleep(1)
    following = visitor.follow("2")
    assert (await anext(following)).data["status"] == "queued"
    async with visitor.http.delete("/videos/2"):
        pass
    assert [event.data["status"] async for event in following] == ["withdrawn"]


async def test_the_cookie_of_https_never_leaves_without_it(url: str) -> None:
    """Also where a proxy speaks https for the application."""
    for scheme, secure in (("https", True), ("http", False)):
        async with (
            visiting(url, opens_page=False) as visitor,
            visitor.http.get("/", headers={"X-Forwarded-Proto": scheme}) as answer,
        ):
            assert bool(answer.cookies["visitor"]["secure"]) is secure


async def test_browsers_come_back_one_by_one(visitor: Visitor) -> None:
    """A thousand that lost the same server do not meet the next one in the same moment."""
    await visitor.order("a lake [takes:600]", "one")
    pauses = set()
    for _ in range(10):
        async with visitor.http.get("/videos/one/events") as answer:
            pauses.add(await answer.content.readline())
    assert len(pauses) > 1


async def test_what_no_visitor_has_is_not_followed(visitor: Visitor) -> None:
    """404, not an endless stream."""
    for path in ("/videos/nothing", "/videos/nothing/events", "/videos/nothing/file"):
        async with visitor.http.get(path) as answer:
            assert answer.status == 404


async def test_stopping_ends_streams_without_an_end(service: Emulator) -> None:
    """A stream ends when the process is told to stop, long before its video."""
    async with AsyncSeedance(service.api_key, base_url=service.base_url) as session:
        handle, stopping = session.enqueue("a lake [takes:600]"), Stopping()
        stream = events(handle, stopping, None, 15.0)
        await anext(stream)
        await anext(stream)
        began = asyncio.get_running_loop().time()
        asyncio.get_running_loop().call_later(3, stopping.begin)
        assert not [event async for event in stream if b'"done": true' in event]
        assert asyncio.get_running_loop().time() - began < 4
        # One that connects now is told where its video stands, and no more.
        assert len([event async for event in events(handle, stopping, None, 15.0)]) == 2


async def test_stopping_refuses_new_orders_and_says_so(kind: str, settings: WebSettings) -> None:
    """503 with Retry-After; readiness goes, health stays."""
    stopping = Stopping()
    async with served(kind, settings, stopping) as url, visiting(url) as visitor:
        async with visitor.http.get("/readyz") as answer:
            assert answer.status == 200
        waiting = asyncio.create_task(visitor.http.post("/generate", json={"prompt": "a lake"}))
        await anyio.sleep(10)
        stopping.begin()
        async with await waiting as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        async with visitor.http.post("/videos", json={"prompt": "a lake"}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        async with visitor.http.get("/readyz") as answer:
            assert answer.status == 503
        async with visitor.http.get("/healthz") as answer:
            assert answer.status == 200


async def test_health_is_that_of_the_session(kind: str, settings: WebSettings) -> None:
    """200 with what the queue looks like; 503 once the session's background work has ended."""
    async with served(kind, settings) as url, visiting(url) as visitor:
        async with visitor.http.get("/healthz") as answer:
            assert answer.status == 200
            assert (await answer.json())["waiting"] == 0
        (supervisor,) = [task for task in asyncio.all_tasks() if task.get_name() == "seedance_async supervisor"]
        supervisor.cancel()
        await anyio.sleep(1)
        async with visitor.http.get("/healthz") as answer:
            assert answer.status == 503
        with_retry = await visitor.http.post("/videos", json={"prompt": "a lake"})
        assert (with_retry.status, "Retry-After" in with_retry.headers) == (503, True)


async def test_the_page_is_there_and_sets_the_cookie(url: str) -> None:
    """With a policy that runs no script but ours; style and script are served beside it."""
    async with visiting(url, opens_page=False) as visitor:
        async with visitor.http.get("/") as answer:
            assert answer.status == 200
            assert answer.content_type == "text/html"
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
            cookie = answer.cookies["visitor"]
            assert (cookie["httponly"], cookie["samesite"].lower()) == (True, "lax")
        for name, kind_of in (("page.css", "text/css"), ("page.js", "javascript")):
            async with visitor.http.get(f"/static/{name}") as answer:
                assert answer.status == 200
                assert kind_of in answer.content_type
        async with visitor.http.get("/") as answer:
            assert "visitor" not in answer.cookies


def test_the_stop_is_heard_in_the_main_thread_only() -> None:
    """Elsewhere Python hears no signals, and listening does nothing."""
    import threading

    async def listen() -> None:
        with Stopping().listening():
            pass

    thread = threading.Thread(target=lambda: asyncio.run(listen()))
    thread.start()
    thread.join()
