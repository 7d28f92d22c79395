"""The application: one session for its whole life, opened before the first request and closed after the last."""

from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.typedefs import Handler

from examples.aiohttp_app import health, orders, playing
from examples.aiohttp_app.parts import VIDEOS, know_visitors
from examples.web.pages import FOLDER, HEADERS, PAGE
from examples.web.problems import answer
from examples.web.settings import WEBHOOKS, WebSettings
from examples.web.stopping import Stopping
from examples.web.videos import Videos
from seedance_async import SeedanceError
from seedance_async.webhooks import Delivery, aiohttp_app


def make_app(settings: WebSettings | None = None, stopping: Stopping | None = None) -> web.Application:
    """Build the application. Run it with `handler_cancellation=True`, which ends the answer of a client that leaves.

    Args:
        settings: By default those of the environment.
        stopping: What is told that the process stops.
    """
    settings = settings or WebSettings.from_environment()
    stopping = Stopping() if stopping is None else stopping

    async def session(app: web.Application) -> AsyncIterator[None]:
        async with settings.session() as opened:
            app[VIDEOS] = videos = Videos(opened, settings, stopping)
            # What ran when the last process ended is watched again, and what waited is queued again.
            videos.adopt(await opened.resume())
            yield

    async def stop(_app: web.Application) -> None:
        # Before the server waits for its connections, so that streams of events end.
        stopping.begin()

    app = web.Application(middlewares=[know_visitors, say_why])
    app.cleanup_ctx.append(session)
    app.on_shutdown.append(stop)
    app.add_routes([web.get("/", page), web.static("/static", FOLDER)])
    app.add_routes(orders.routes)
    app.add_routes(playing.routes)
    app.add_routes(health.routes)

    def notify(delivery: Delivery, *, token: str | None = None) -> None:
        # The session is there once the application has started.
        app[VIDEOS].notify(delivery, token=token)

    app.add_subapp(WEBHOOKS, aiohttp_app(notify))
    return app


@web.middleware
async def say_why(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn the SDK's errors into answers."""
    try:
        return await handler(request)
    except SeedanceError as error:
        if request.writer.output_size:
            # Half of a video is out. A second answer would be written into it; the server cuts the connection instead.
            raise
        told = answer(error)
        return web.json_response(told.body, status=told.status, headers=told.headers)


async def page(_request: web.Request) -> web.FileResponse:
    """Send the page."""
    return web.FileResponse(PAGE, headers=HEADERS)
