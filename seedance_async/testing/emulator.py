"""The emulated service: `world` behind real HTTP, on a port of this machine."""

import asyncio
import errno
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from decimal import Decimal
from random import Random, SystemRandom
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import attrs
from aiohttp import web

from seedance_async.core.catalogue import Catalogue
from seedance_async.errors import ConfigurationError
from seedance_async.testing import answers, replies, requests
from seedance_async.testing.answers import Answer
from seedance_async.testing.clips import ClipMode
from seedance_async.testing.controls import add_controls
from seedance_async.testing.depot import KEPT_FOR as UPLOADS_KEPT_FOR
from seedance_async.testing.depot import Depot
from seedance_async.testing.durations import DurationModel, FixedDurations
from seedance_async.testing.fault_kinds import Place
from seedance_async.testing.faults import Fault, Faults, Strike
from seedance_async.testing.oddities import odd_reader, odd_record, odd_task
from seedance_async.testing.orders import OrderReader
from seedance_async.testing.shelf import KEPT_FOR, Shelf
from seedance_async.testing.statistics import Statistics
from seedance_async.testing.uploading import Uploading
from seedance_async.testing.validation import DurationRule
from seedance_async.testing.webhooks import Form, WebhookSender
from seedance_async.testing.world import Accepted, World

#: A test starts hundreds of connections in one step of the loop; a shorter queue would make them wait in real time.
_BACKLOG: Final = 4096
#: Idle connections are closed by the client; the server's timers would only add to what a virtual clock steps through.
_KEEP_ALIVE: Final = 86_400.0
_LARGEST_BODY: Final = 16 * 2**20
#: Scheme and host as the client of this request sees them.
_ROOT: Final = ContextVar[str]("root", default="")


class Emulator:
    """The API of the service as the contract describes it, over real HTTP, without spending anything.

    Use it as an async context manager in the loop of the client (the virtual clock needs that), or through
    `EmulatorThread`. Time is the loop's; world time 0 is the moment of `start`.

    Marks in a prompt decide the fate of a task: `[fail:moderation]` (any name of `failures.FAILURES`),
    `[fail:server,times=2]` (the first two tasks of that prompt), `[takes:90]` and `[waits:30]` (seconds before
    `speed`), `[stuck]`.

    Attributes:
        api_key: A key that is active.
        world: The account and its tasks; limit, credits, keys and foreign tasks may be changed at any time.
        faults: What breaks; may be changed at any time.
        shelf: The files.
        depot: What was uploaded.
        url: Scheme, host and port; empty before `start`.
    """

    def __init__(
        self,
        *,
        limit: int = 3,
        credits: Decimal | int = 100_000,
        speed: float = 1.0,
        seed: int = 0,
        fresh_ids: bool = False,
        catalogue: Catalogue = Catalogue.CLASSIC,
        duration_form: DurationRule = "any",
        durations: DurationModel | float | None = None,
        failure_rate: float = 0.0,
        failure_names: Iterable[str] = ("server",),
        foreign: int = 0,
        faults: Faults | Iterable[Fault | str] = (),
        clips: ClipMode | bytes = "packaged",
        link_lifetime: float = KEPT_FOR,
        upload_lifetime: float = UPLOADS_KEPT_FOR,
        largest_upload: int | None = None,
        webhook_form: Form = "status",
        api_key: str = "test-key",
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Describe an emulator; nothing is opened before `start`.

        Args:
            limit: Tasks that may be in progress at once.
            credits: What the account has.
            speed: How many times faster than the real service tasks go.
            seed: Of everything that is drawn: durations, failures, ids, faults with a rate.
            fresh_ids: Whether task ids are new for every emulator instead of repeatable, for one that is started again
                while its clients remember ids.
            catalogue: The contract to emulate: models, limits, prices.
            duration_form: The JSON type that `duration` must have.
            durations: How long tasks take, before `speed`: a model, or the same seconds for every task. None is
                what the vendor calls typical.
            failure_rate: Part of the tasks, 0 to 1, that fail.
            failure_names: How those fail, names of `failures.FAILURES`.
            foreign: Slots taken by others who use the account.
            faults: What breaks.
            clips: What a video is: the packaged clip, a rendered one, or these bytes. The packaged one is made
                different for every task by a note at its end; given bytes stay as they are.
            link_lifetime: Seconds for which a link to a file works.
            upload_lifetime: Seconds for which an upload can be fetched.
            largest_upload: Bytes that an upload may have; None for no limit, as the service has none.
            webhook_form: Which published body form webhooks have.
            api_key: The key that is active.
            host: Address to listen on; more than this machine only if you say so.
            port: 0 takes a free one.
        """
        self.api_key = api_key
        self.faults = faults if isinstance(faults, Faults) else Faults(*faults)
        self.url = ""
        self.world = World(
            limit=limit,
            credits=credits,
            keys=(api_key,),
            rng=Random(seed),  # noqa: S311 - a game of chance that must repeat
            ids=SystemRandom() if fresh_ids else Random(seed),  # noqa: S311
            durations=FixedDurations(durations) if isinstance(durations, int | float) else durations,
            speed=speed,
            failure_rate=failure_rate,
            failure_names=failure_names,
            foreign=foreign,
            file_url=self._link,
            read=OrderReader(catalogue=catalogue, duration=duration_form),
        )
        # Apart from the world's, so that a fault with a rate does not change what tasks do.
        self._rng = Random(seed + 1)  # noqa: S311
        self.shelf = Shelf(self.world, clips, secret=f"emulator {seed}", kept_for=link_lifetime)
        self.depot = Depot(f"emulator {seed}".encode(), kept_for=upload_lifetime, largest=largest_upload)
        self._uploading = Uploading(self.depot, self.shelf, self.world, self.now)
        self._webhooks = WebhookSender(self.world, self.now, form=webhook_form)
        self._address = host, port
        self._runner: web.AppRunner | None = None
        self._clock: Callable[[], float] = float
        self._began = 0.0
        self._file_requests = self._requests = self._peak_requests = 0

    @property
    def base_url(self) -> str:
        """What a session takes as `base_url`."""
        return f"{self.url}/api/v1"

    def now(self) -> float:
        """Return world time: seconds since `start`."""
        return self._clock() - self._began

    def statistics(self) -> Statistics:
        """Return what has happened so far."""
        stored = self.depot.stored()
        return attrs.evolve(
            self.world.statistics(self.now()),
            file_requests=self._file_requests,
            uploads=len(stored),
            uploaded_bytes=sum(upload.size for upload in stored),
            keys_leaked=self.depot.leaked,
            webhooks=self._webhooks.sent,
            peak_requests=self._peak_requests,
        )

    async def start(self) -> Self:
        """Listen.

        Raises:
            ConfigurationError: The address cannot be used, such as a port that another program has.
        """
        app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[self._count])
        app.router.add_post("/api/v1/jobs/createTask", self._create)
        app.router.add_get("/api/v1/jobs/recordInfo", self._record_info)
        app.router.add_get("/files/{name}", self._file)
        app.router.add_get("/files/moved/{name}", self._file)
        self._uploading.add_routes(app, self._place, self._put, self._uploaded)
        add_controls(app, self)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=_KEEP_ALIVE, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, *self._address, backlog=_BACKLOG).start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigurationError(_why_not(error, *self._address)) from error
        # Off the loop: users' tests may watch for code that blocks theirs.
        await asyncio.to_thread(self.shelf.open)
        self._runner = runner
        loop = asyncio.get_running_loop()
        self._clock, self._began = loop.time, loop.time()
        self.world.epoch = time.time()
        host, port = runner.addresses[0][:2]
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104
        self.url = f"http://{shown}:{port}"
        return self

    async def close(self) -> None:
        """Stop listening, cut what is open, send no more webhooks. May be called more than once."""
        runner, self._runner = self._runner, None
        await self._webhooks.close()
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        """Start."""
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()

    @web.middleware
    async def _count(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self._requests += 1
        self._peak_requests = max(self._peak_requests, self._requests)
        try:
            response: web.StreamResponse = await handler(request)
        finally:
            self._requests -= 1
        return response

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = requests.json_value(await request.read())
        key = requests.api_key(request)
        strike = self._strike("create", requests.prompt_of(body))
        self._change_limit(strike)
        if strike.at("before"):
            self.world.cut_create(body, key=key)
            return await self._spoil(request, strike.at("before")[0])
        outcome = self.world.create(
            body,
            key=key,
            now=self.now(),
            twist=odd_task(strike),
            read=odd_reader(self.world.read, strike),
            missing=self._missing(request),
        )
        if isinstance(outcome, Accepted):
            task, answer = outcome.task, outcome.answer
            if task.order.callback_url is not None:
                self._webhooks.plan(task, self._strike("webhook", task.order.prompt))
            if strike.find("no-task-id") is not None:
                answer = Answer(200, {})
        else:
            answer = outcome
        reply = replies.json_reply(answer)
        error = strike.find("error-after-accept")
        if error is not None:
            reply = replies.error_reply(int(error.meaning), over_the_limit=self._full())
        return await replies.send(request, reply, strike)

    async def _record_info(self, request: web.Request) -> web.StreamResponse:
        task_id = request.query.get("taskId")
        task = self.world.tasks.get(task_id or "")
        strike = self._strike("poll", "" if task is None else task.order.prompt)
        if strike.at("before"):
            self.world.cut_poll(task_id, now=self.now())
            return await self._spoil(request, strike.at("before")[0])
        # A client on another machine, or one that says `localhost`, gets links to the host that it knows.
        _ROOT.set(f"{request.scheme}://{request.host}")
        answer = self.world.record_info(task_id, key=requests.api_key(request), now=self.now())
        return await replies.send(request, replies.json_reply(odd_record(answer, strike)), strike)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self._file_requests += 1
        name = request.match_info["name"]
        moved = request.path.startswith("/files/moved/")
        strike = self._strike("file", self.shelf.prompt_of(name))
        before = [fault for fault in strike.at("before") if fault.kind != "expired-link"]
        # What a redirect leads to is not redirected again.
        before = [fault for fault in before if not (moved and fault.kind == "redirect")]
        if before:
            return await self._spoil(request, before[0])
        reply = await self.shelf.reply(request, name, strike, self.now())
        return await replies.send(request, reply, strike)

    async def _place(self, request: web.Request) -> web.StreamResponse:
        strike = self._strike("upload", "")
        if strike.at("before"):
            return await self._spoil(request, strike.at("before")[0])
        return await self._uploading.answer_place(request, strike)

    async def _put(self, request: web.Request) -> web.StreamResponse:
        strike = self._strike("storage", "")
        before = [fault for fault in strike.at("before") if fault.kind != "expired-link"]
        if before:
            return await self._spoil(request, before[0])
        return await self._uploading.answer_put(request, strike)

    async def _uploaded(self, request: web.Request) -> web.StreamResponse:
        self._file_requests += 1
        return await replies.send(request, self._uploading.get(request), Strike())

    def _missing(self, request: web.Request) -> Callable[[str], bool]:
        hosts = {request.host, urlsplit(self.url).netloc}
        return lambda url: self._uploading.is_missing(url, hosts)

    def _strike(self, place: Place, prompt: str) -> Strike:
        return self.faults.strike(place, now=self.now(), rng=self._rng, prompt=prompt)

    def _change_limit(self, strike: Strike) -> None:
        changed = strike.find("limit")
        if changed is not None:
            self.world.limit = int(changed.meaning)

    async def _spoil(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        reply = replies.fault_reply(fault, request, over_the_limit=self._full())
        if reply is None:
            return await replies.refuse_service(request, fault)
        return await replies.send(request, reply, Strike())

    def _full(self) -> Answer:
        world = self.world
        return answers.over_the_limit(world.limit, world.in_progress + world.foreign)

    def _link(self, _task_id: str, name: str) -> str:
        return f"{_ROOT.get() or self.url}/files/{name}?{self.shelf.query(name, self.now())}"


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use by another program; choose another, or 0 for any that is free"
    return f"cannot listen on {host}, port {port}: {error.strerror or error}"
