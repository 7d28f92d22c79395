"""A web backend: one session for all visitors, videos by order number, orders that survive a restart.

export KINOVI_API_KEY=...
python examples/web_backend.py
curl -d '{"prompt": "a lake at dawn"}' localhost:8080/videos/order-17
curl localhost:8080/videos/order-17
curl -o lake.mp4 localhost:8080/videos/order-17/file
"""

import json
from collections.abc import AsyncIterator

from aiohttp import web

from seedance_async import AsyncSeedance, InputError, KeyConflictError, SeedanceError, TaskHandle

SEEDANCE = web.AppKey("seedance", AsyncSeedance)
ORDERS = web.AppKey("orders", dict[str, TaskHandle])


async def order(request: web.Request) -> web.Response:
    """Take an order. The same order sent twice is one video, because its number is the key."""
    number = request.match_info["number"]
    try:
        handle = request.app[SEEDANCE].enqueue((await request.json())["prompt"], key=number)
    except InputError as error:
        return web.json_response({"problems": [str(problem) for problem in error.problems]}, status=422)
    except KeyConflictError as error:
        return web.json_response({"error": str(error)}, status=409)
    except (KeyError, TypeError, json.JSONDecodeError):
        return web.json_response({"error": 'send {"prompt": "..."}'}, status=400)
    request.app[ORDERS][number] = handle
    return web.json_response(describe(handle), status=202)


async def show(request: web.Request) -> web.Response:
    """Say where an order stands."""
    return web.json_response(describe(find(request)))


async def send_file(request: web.Request) -> web.StreamResponse:
    """Pass the finished video on; the service's signed URL stays here."""
    handle = find(request)
    if not handle.done() or handle.exception() is not None:
        raise web.HTTPConflict(text="there is no video yet")
    async with request.app[SEEDANCE].stream(handle.result()) as video:
        response = web.StreamResponse()
        response.content_type = video.media_type or "video/mp4"
        response.content_length = video.size
        await response.prepare(request)
        async for piece in video:
            await response.write(piece)
    return response


def find(request: web.Request) -> TaskHandle:
    """Give the handle of the order that the URL names; one that had ended before a restart is in the journal."""
    number, orders = request.match_info["number"], request.app[ORDERS]
    if number not in orders:
        try:
            orders[number] = request.app[SEEDANCE].attach(key=number)
        except InputError:
            raise web.HTTPNotFound(text="no such order") from None
    return orders[number]


def describe(handle: TaskHandle) -> dict[str, object]:
    """Put a handle into JSON."""
    error: SeedanceError | None = handle.exception() if handle.done() else None
    return {
        "status": handle.status,
        "task_id": handle.task_id,
        "position": handle.position,
        "error": None if error is None else str(error),
    }


async def session(app: web.Application) -> AsyncIterator[None]:
    """Open one session when the application starts, go on with its orders, and close it when it stops."""
    # One process has the journal at a time: run one worker, or give each a journal and orders of its own.
    async with AsyncSeedance(journal="orders.db") as seedance:
        app[SEEDANCE] = seedance
        for handle in await seedance.resume():
            app[ORDERS][handle.key] = handle
        yield


def make_app() -> web.Application:
    """Build the application."""
    app = web.Application()
    app[ORDERS] = {}
    app.cleanup_ctx.append(session)
    app.add_routes(
        [
            web.post("/videos/{number}", order),
            web.get("/videos/{number}", show),
            web.get("/videos/{number}/file", send_file),
        ]
    )
    return app


if __name__ == "__main__":
    web.run_app(make_app(), port=8080)
