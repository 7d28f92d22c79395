"""A service that answers what a test wants, where the emulator is too well-behaved."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from attrs import define, field


def says(status: int, body: object, *, html: bool = False) -> web.Response:
    """Return an answer: JSON, or a page of something in front of the service."""
    if html:
        return web.Response(status=status, text=f"<html>{body}</html>", content_type="text/html")
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")


def record(task_id: str, status: str, **more: Any) -> web.Response:
    """Return what `recordInfo` says of a task."""
    body = {"taskId": task_id, "model": "seedance-20", "status": status, "creditsUsed": 415, "output": None, **more}
    return says(200, body)


def finished(task_id: str) -> web.Response:
    """Return the record of a task that succeeded."""
    return record(task_id, "success", output=[{"url": f"https://files.example.com/{task_id}.mp4"}])


@define
class OddService:
    """Answers creates with a new task id and polls with what `poll` returns, unless told otherwise."""

    create: Callable[[int], web.Response] = lambda number: says(200, {"taskId": f"task_{number}"})
    poll: Callable[[str, int], web.Response] = lambda task_id, _number: finished(task_id)
    creates: list[dict[str, Any]] = field(factory=list)
    polls: list[str] = field(factory=list)
    url: str = ""

    async def _create(self, request: web.Request) -> web.Response:
        self.creates.append(await request.json())
        return self.create(len(self.creates))

    async def _poll(self, request: web.Request) -> web.Response:
        task_id = request.query["taskId"]
        self.polls.append(task_id)
        return self.poll(task_id, self.polls.count(task_id))

    @asynccontextmanager
    async def running(self) -> AsyncIterator["OddService"]:
        """Listen on a free port of this machine."""
        app = web.Application()
        app.router.add_post("/api/v1/jobs/createTask", self._create)
        app.router.add_get("/api/v1/jobs/recordInfo", self._poll)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=86_400, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1"
        try:
            yield self
        finally:
            await runner.cleanup()
