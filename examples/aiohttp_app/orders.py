"""The videos: order, wait, look, take back."""

import asyncio
from typing import Any

from aiohttp import web

from examples.aiohttp_app.parts import VIDEOS, user_of, video_of
from examples.web.videos import describe, read_key, read_order
from seedance_async import InputError, Problem, SessionClosedError, TextToVideo

routes = web.RouteTableDef()


@routes.post("/videos")
async def order(request: web.Request) -> web.Response:
    """Take an order and answer at once; the status URL says how it goes on. The same key twice is one video."""
    key, inputs = read_key(request.headers.get("Idempotency-Key")), await inputs_of(request)
    handle = await request.app[VIDEOS].order(user_of(request), key, inputs)
    if handle.done():
        # The key is known: its video is there, or has failed and says why.
        handle.result()
    headers = {"Location": f"/videos/{key}"}
    return web.json_response(describe(handle), status=200 if handle.done() else 202, headers=headers)


@routes.post("/generate")
async def generate(request: web.Request) -> web.Response:
    """Make a video while the client waits. One that hangs up before its turn gives up its place in the queue."""
    videos = request.app[VIDEOS]
    key, inputs = read_key(request.headers.get("Idempotency-Key")), await inputs_of(request)
    making = asyncio.create_task(videos.make(user_of(request), key, inputs))
    stopped = asyncio.create_task(videos.stopping.wait())
    try:
        # A client that hangs up cancels this handler, here.
        await asyncio.wait({making, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not making.done():
            raise SessionClosedError
        result = making.result()
    finally:
        for task in (making, stopped):
            task.cancel()
        await asyncio.wait({making, stopped})
    told = {"id": key, "file": f"/videos/{key}/file", "task_id": result.task_id}
    return web.json_response(told, headers={"Location": f"/videos/{key}"})


@routes.get("/videos/{video_id}")
async def show(request: web.Request) -> web.Response:
    """Say where a video stands."""
    return web.json_response(describe(await video_of(request)))


@routes.delete("/videos/{video_id}")
async def take_back(request: web.Request) -> web.Response:
    """Take a video back while nothing was sent; the service cannot stop what runs."""
    video = await video_of(request)
    if not video.cancel() and video.status != "withdrawn":
        raise web.HTTPConflict(text="the video is being made, or has ended, and cannot be taken back")
    return web.json_response(describe(video))


async def inputs_of(request: web.Request) -> TextToVideo:
    """Read an order.

    Raises:
        InputError: It is none.
    """
    # A form of another site can be sent with a visitor's cookie, but not as JSON.
    if request.content_type != "application/json":
        raise InputError([Problem("body", "must be JSON, with Content-Type: application/json")])
    try:
        body: Any = await request.json()
    except (ValueError, LookupError, RecursionError):
        # No JSON, in no known encoding, with numbers or depths that nobody means.
        raise InputError([Problem("body", "is no JSON")]) from None
    return read_order(body)
