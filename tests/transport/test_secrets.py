"""P7, secrets stay inside: keys and signed URLs are in nothing that people, logs and error trackers see."""

import asyncio
import gc
import html as html_module
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
from attrs import asdict, field, frozen

from seedance_async import AsyncSeedance, OmniReference, RetryPolicy, Timeouts
from seedance_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConnectionFailedError,
    InsufficientCreditsError,
    OutcomeUnknownError,
    SeedanceError,
)
from seedance_async.hooks import HookEvent
from tests.transport.conftest import KEY
from tests.transport.secrets import failure_of, places_of, texts_of, texts_of_logs
from tests.transport.server import Exchange, Reaction, Server, answer, drop, hang, html, raw, redirect

#: A key with everything that some way of writing a text escapes.
ODD_KEY = 'zimg/planted+4f9c"1e7&ab=2d\\05<836>'


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Log all that there is, asyncio's own debugging included."""
    caplog.set_level(logging.DEBUG)


def echo(status: int, write: Callable[[str], bytes]) -> Reaction:
    """Answer with the Authorization header, as a careless debugging page does."""

    async def react(_server: Server, exchange: Exchange) -> None:
        exchange.writer.write(raw(status, write(exchange.asked.headers["authorization"])))

    return react


def in_json(header: str) -> bytes:
    return json.dumps({"message": f"refused: {header}", "headers": {header: [header]}}).encode()


def in_php_json(header: str) -> bytes:
    return in_json(header).replace(b"/", b"\\/")


def in_unicode_json(header: str) -> bytes:
    inner = "".join(f"\\u{ord(letter):04x}" for letter in header)
    return f'{{"error":"{inner}","errors":[{{"message":"{inner}","path":["{inner}"],"received":"{inner}"}}]}}'.encode()


def in_html(header: str) -> bytes:
    return f"<html><body>{html_module.escape(header)} {header}</body></html>".encode()


def in_text(header: str) -> bytes:
    return f"refused {header} {quote(header)} {quote(header, safe='')}".encode()


def in_the_status_line(header: str) -> bytes:
    return b""


WRITERS = [in_json, in_php_json, in_unicode_json, in_html, in_text]

#: What the server does with everything, and what comes of a create.
SCENARIOS: dict[str, tuple[Reaction, type[SeedanceError]]] = {
    "400": (answer(400, {"message": "Unknown model"}), BadRequestError),
    "401": (answer(401, {"message": "Invalid API Key"}), AuthenticationError),
    "402": (answer(402, {"message": "Insufficient credits", "required": 1, "available": 0}), InsufficientCreditsError),
    "500": (answer(500, {"message": "Internal server error"}), SeedanceError),
    "500 as HTML": (html(500), OutcomeUnknownError),
    "502 as HTML": (html(502), OutcomeUnknownError),
    "dropped": (drop, OutcomeUnknownError),
    "cut": (answer(200, b'{"taskId":', length=99), OutcomeUnknownError),
    "hang": (hang, OutcomeUnknownError),
    "redirect": (redirect(307, f"/elsewhere?key={KEY}"), SeedanceError),
    "no HTTP": (answer(99, b"?"), OutcomeUnknownError),
}


class Watched:
    """A session against a scripted server, and a search of all that it shows."""

    def __init__(self, session: AsyncSeedance, events: list[HookEvent], caplog: pytest.LogCaptureFixture) -> None:
        self.session = session
        self.events = events
        self.caplog = caplog

    def check(self, secret: str, *errors: BaseException) -> None:
        """Search for the secret."""
        gc.collect()
        found = [place for error in errors for place in places_of(secret, texts_of(error))]
        found += places_of(secret, texts_of_logs(self.caplog))
        opened: Any = self.session._opened
        shown = [self.session, self.session._settings, opened, self.session.pending, self.session.statistics()]
        shown += [
            opened.transport,
            opened.exchange,
            opened.register,
            opened.poller,
            opened.background,
            vars(self.session),
        ]
        shown += [*opened.register.unsettled, *opened.register.running, *self.session.pending]
        found += places_of(secret, ((f"repr of a {type(each).__name__}", repr(each)) for each in shown))
        # Not only as they are printed: whoever writes records as JSON writes every field.
        told = ((type(event).__name__, f"{event!r} {asdict(event)!r}") for event in self.events)
        found += places_of(secret, ((f"event {name}", text) for name, text in told))
        assert found == []


Watch = Callable[..., Awaitable[Watched]]


@pytest.fixture
async def watch(caplog: pytest.LogCaptureFixture) -> Any:
    """Open watched sessions: `await watch(server.base_url)`."""
    asyncio.get_running_loop().set_debug(True)
    sessions: list[AsyncSeedance] = []

    async def open_one(base_url: str, key: Any = KEY, **options: Any) -> Watched:
        events: list[HookEvent] = []
        options.setdefault("retry", RetryPolicy(repeats_of_500=1))
        session = AsyncSeedance(key, base_url=base_url, concurrency=3, hooks=[events.append], **options)
        sessions.append(await session.open())
        return Watched(session, events, caplog)

    yield open_one
    for session in sessions:
        await session.aclose()
    asyncio.get_running_loop().set_debug(False)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_failing_creates(watch: Watch, server: Server, name: str) -> None:
    """However a create fails, its error, the logs and all reprs are clean."""
    server.otherwise, kind = SCENARIOS[name]
    watched = await watch(server.base_url, timeouts=Timeouts(create=30.0))
    session = watched.session
    error = await failure_of(lambda: session.generate("a lake", key="order-17"))
    assert isinstance(error, kind), error
    handle_error = await failure_of(lambda: session.submit("a lake", key="order-17"))
    watched.check(KEY, error, handle_error)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_failing_polls(watch: Watch, server: Server, name: str) -> None:
    """So are those of a poll, and of a handle whose polls fail."""
    server.otherwise, _ = SCENARIOS[name]
    watched = await watch(server.base_url)
    session = watched.session
    error = await failure_of(lambda: session.snapshot("task_1"))
    handle = session.attach("task_1")
    handle_error = await failure_of(lambda: handle.wait(300))
    watched.check(KEY, error, handle_error)


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
@pytest.mark.parametrize("status", [200, 307, 401, 500])
@pytest.mark.parametrize("key", [KEY, ODD_KEY], ids=["plain", "odd"])
async def test_a_server_that_echoes_the_key(
    watch: Watch, server: Server, status: int, write: Callable[[str], bytes], key: str
) -> None:
    """A server that sends the header back makes it no more public, in whatever way it writes it."""
    server.otherwise = echo(status, write)
    watched = await watch(server.base_url, key)
    session = watched.session
    errors = [await failure_of(lambda: session.snapshot("task_1"))]
    handle = session.enqueue("a lake")
    errors.append(await failure_of(lambda: handle.wait(60)))
    for written in {key, json.dumps(key)[1:-1], html_module.escape(key), quote(key, safe="")}:
        watched.check(written, *errors)


#: The part of a reference's address that lets anybody fetch it.
SIGNATURE = "X-Amz-Signature=planted-7d1c09e4"


async def send_back(_server: Server, exchange: Exchange) -> None:
    """Refuse a create and show all that was sent, as validation libraries do."""
    given = json.loads(exchange.asked.body)
    url = given["inputs"]["imageUrls"][0]
    errors = [{"path": ["imageUrls", 0], "code": url, "message": f"cannot fetch {url}", "received": url}]
    exchange.writer.write(raw(400, json.dumps({"message": f"no: {url}", "errors": errors, "given": given}).encode()))


async def send_back_as_text(_server: Server, exchange: Exchange) -> None:
    """The same, in words."""
    url = json.loads(exchange.asked.body)["inputs"]["imageUrls"][0]
    exchange.writer.write(raw(400, f"cannot fetch {url}".encode()))


@pytest.mark.parametrize("reaction", [send_back, send_back_as_text], ids=["JSON", "text"])
async def test_signed_references(watch: Watch, server: Server, reaction: Reaction) -> None:
    """The signature of a reference is in no repr, and in no error of a service that sends it back."""
    server.otherwise = reaction
    watched = await watch(server.base_url)
    session = watched.session
    inputs = OmniReference("@image1", images=[f"https://files.example/a.png?{SIGNATURE}"])
    handle = session.enqueue(inputs, key="order-17")
    error = await failure_of(handle.wait)
    assert isinstance(error, BadRequestError)
    assert "https://files.example/a.png?[redacted]" in str(error)
    assert SIGNATURE in server.posts[0].body.decode()
    assert SIGNATURE not in repr(handle.inputs)
    watched.check(SIGNATURE, error)


@pytest.mark.parametrize("task", [{"status": "fail"}, {"status": "success"}, {"taskId": "task_2"}, {"status": None}])
async def test_signed_results(watch: Watch, server: Server, task: dict[str, object]) -> None:
    """Neither is that of a result, or of a task that failed over a reference."""
    url = f"https://files.example/a.mp4?{SIGNATURE}"
    record = {"taskId": "task_1", "status": "waiting", "output": [{"url": url, "lastFrameImage": url}]}
    server.otherwise = answer(200, {**record, "error": {"code": "500", "message": f"Failed to download {url}"}, **task})
    watched = await watch(server.base_url)
    session = watched.session
    handle = session.attach("task_1")
    errors: list[BaseException] = []
    if task == {"status": "success"}:
        result = await handle
        assert result.url == url
        assert SIGNATURE not in repr(result) + repr(handle.snapshot)
        assert (await session.snapshot("task_1")).outputs[0].last_frame_url == url
    else:
        errors += [await failure_of(lambda: handle.wait(300))]
        if task != {"status": "fail"}:
            errors += [await failure_of(lambda: session.snapshot("task_1"))]
    watched.check(SIGNATURE, *errors)


async def test_nobody_listens(watch: Watch, closed_port: int) -> None:
    """The error about a service that is not reached is clean."""
    watched = await watch(f"http://127.0.0.1:{closed_port}/api/v1")
    error = await failure_of(lambda: watched.session.generate("a lake"))
    assert isinstance(error, ConnectionFailedError)
    watched.check(KEY, error, await failure_of(lambda: watched.session.snapshot("task_1")))


async def test_a_callable_that_raises(watch: Watch, server: Server) -> None:
    """A callable whose error shows the key, as those of some vaults do, does not make it public."""

    def give() -> str:
        raise RuntimeError(f"cannot decrypt {KEY}")

    watched = await watch(server.base_url, give)
    errors = [
        await failure_of(lambda: watched.session.generate("a lake")),
        await failure_of(lambda: watched.session.snapshot("task_1")),
    ]
    assert all(isinstance(error, ConnectionFailedError) for error in errors)
    watched.check(KEY, *errors)


async def test_a_callable_that_gives_no_key(watch: Watch, server: Server) -> None:
    """What a callable gives instead of a key is not shown: it may contain one."""
    watched = await watch(server.base_url, lambda: f"Bearer {KEY}\n{KEY}")
    watched.check(KEY, await failure_of(lambda: watched.session.snapshot("task_1")))


@pytest.mark.parametrize("how", ["timeout", "wait_for", "cancel"])
async def test_cancelled_requests(watch: Watch, server: Server, how: str) -> None:
    """A request that its caller cancels carries no frame in which the key stands."""
    server.otherwise = hang
    watched = await watch(server.base_url)
    session = watched.session

    async def within_timeout() -> None:
        async with asyncio.timeout(1):
            await session.snapshot("task_1")

    async def within_wait_for() -> None:
        await asyncio.wait_for(session.snapshot("task_1"), 1)

    async def cancelled() -> None:
        task = asyncio.create_task(session.snapshot("task_1"))
        await asyncio.sleep(1)
        task.cancel()
        await task

    works = {"timeout": within_timeout, "wait_for": within_wait_for, "cancel": cancelled}
    error = await failure_of(works[how])
    assert isinstance(error, TimeoutError | asyncio.CancelledError)
    watched.check(KEY, error)


@frozen
class Given:
    """What a user's program hands over; no frame shows it."""

    key: str | None = field(repr=False)
    options: dict[str, Any] = field(factory=dict)

    async def make(self) -> None:
        """Make a session."""
        AsyncSeedance(self.key, **self.options)


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "kinovi.ai/api/v1"},
        {"base_url": "http://127.0.0.1:1", "concurrency": 0},
        {"base_url": "http://127.0.0.1:1", "budget": "many"},
        {"base_url": "http://127.0.0.1:1", "catalogue": "newest"},
        {},
    ],
    ids=lambda options: ([*options] or ["guard"])[-1],
)
@pytest.mark.parametrize("how", ["argument", "variable"])
async def test_a_session_that_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], how: str
) -> None:
    """An error of the constructor has no frame of ours in which the key stands, nor the environment."""
    monkeypatch.setenv("KINOVI_API_KEY", KEY)
    error = await failure_of(Given(KEY if how == "argument" else None, options).make)
    assert isinstance(error, ConfigurationError)
    assert places_of(KEY, texts_of(error)) == []


@pytest.mark.parametrize("bad", [f"Bearer {KEY}", f"{KEY}\n{KEY}", f"{KEY}é"], ids=["bearer", "twice", "accent"])
@pytest.mark.parametrize("how", ["argument", "variable"])
async def test_a_key_that_is_none(monkeypatch: pytest.MonkeyPatch, bad: str, how: str) -> None:
    """A key that was copied with something around it is refused and not shown."""
    monkeypatch.setenv("KINOVI_API_KEY", bad)
    given = Given(bad if how == "argument" else None, {"base_url": "http://127.0.0.1:1"})
    error = await failure_of(given.make)
    assert isinstance(error, ConfigurationError)
    assert places_of(KEY, texts_of(error)) == []
