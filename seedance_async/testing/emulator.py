"""The emulated service on a loopback port."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from random import Random
from typing import Any, Self

from aiohttp import web

from seedance_async.testing import answers
from seedance_async.testing.answers import Answer
from seedance_async.testing.durations import DurationModel, FixedDurations
from seedance_async.testing.files import answer_range, etag
from seedance_async.testing.statistics import Statistics
from seedance_async.testing.world import World


class Emulator:
    """The API of the service, over real HTTP."""

    def __init__(
        self,
        *,
        limit: int = 3,
        credits: Decimal | int = 100_000,  # noqa: A002
        speed: float = 1.0,
        seed: int = 0,
        api_key: str = "test-key",
        durations: DurationModel | float | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        **world: Any,
    ) -> None:
        self.api_key = api_key
        self._host, self._port = host, port
        if isinstance(durations, (int, float)):
            durations = FixedDurations(float(durations))
        self.world = World(
            limit=limit,
            credits=credits,
            speed=speed,
            rng=Random(seed),
            keys=[api_key],
            durations=durations,
            file_url=lambda task_id, name: f"{self.url}/files/{name}",
            **world,
        )
        self._runner: web.AppRunner | None = None
        self._started = 0.0
        self.url = ""

    @property
    def base_url(self) -> str:
        return f"{self.url}/api/v1"

    def now(self) -> float:
        return asyncio.get_running_loop().time() - self._started

    def statistics(self) -> Statistics:
        return self.world.statistics(self.now())

    async def start(self) -> Self:
        app = web.Application()
        app.router.add_post("/api/v1/jobs/createTask", self._create)
        app.router.add_get("/api/v1/jobs/recordInfo", self._record)
        app.router.add_get("/files/{name}", self._file)
        app.router.add_get("/emulator/statistics", self._statistics)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=86_400, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, backlog=4096)
        await site.start()
        self._started = asyncio.get_running_loop().time()
        self.world.epoch = time.time() - self._started
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _create(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = None
        key = _key(request)
        self.world.tally.create(body, key)
        outcome = self.world.create(body, key=key, now=self.now())
        return _json(outcome if isinstance(outcome, Answer) else outcome.answer)

    async def _record(self, request: web.Request) -> web.StreamResponse:
        return _json(self.world.record_info(request.query.get("taskId"), key=_key(request), now=self.now()))

    async def _statistics(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self.statistics().to_json())

    async def _file(self, request: web.Request) -> web.StreamResponse:
        content = b"video" * 2000 + request.match_info["name"].encode()
        tag = etag(content)
        part = answer_range(
            len(content),
            tag,
            wanted=request.headers.get("Range"),
            if_range=request.headers.get("If-Range"),
            if_none_match=request.headers.get("If-None-Match"),
        )
        kind = "image/png" if request.match_info["name"].endswith(".png") else "video/mp4"
        return web.Response(
            status=part.status, body=content[part.start : part.stop], headers=dict(part.headers), content_type=kind
        )


def _key(request: web.Request) -> str | None:
    header = request.headers.get("Authorization")
    return None if header is None else header.removeprefix("Bearer ").strip()


def _json(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answers.encode(answer.body), content_type="application/json")
