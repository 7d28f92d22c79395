"""The application: one session for its whole life, opened before the first request and closed after the last."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from examples.fastapi_app import health, pages, routes
from examples.web.pages import FOLDER
from examples.web.problems import answer, wrong_order
from examples.web.settings import WEBHOOKS, WebSettings
from examples.web.stopping import Stopping
from examples.web.videos import Videos
from seedance_async import Problem, SeedanceError
from seedance_async.webhooks import Delivery, asgi_app


def make_app(settings: WebSettings | None = None, stopping: Stopping | None = None) -> FastAPI:
    """Build the application.

    Args:
        settings: By default those of the environment.
        stopping: What is told that the process stops; by default one that listens to signals.
    """
    settings = settings or WebSettings.from_environment()
    stopping = Stopping() if stopping is None else stopping

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with stopping.listening():
            async with settings.session() as session:
                app.state.videos = videos = Videos(session, settings, stopping)
                # What ran when the last process ended is watched again, and what waited is queued again.
                videos.adopt(await session.resume())
                yield

    # Without a limit anybody could fill the memory with one request; aiohttp has this one by itself.
    app = FastAPI(title="Videos", lifespan=lifespan, max_body_size=2**20)
    app.include_router(pages.router)
    app.include_router(routes.router)
    app.include_router(health.router)
    app.mount("/static", StaticFiles(directory=FOLDER), name="static")

    def notify(delivery: Delivery, *, token: str | None = None) -> None:
        # The session is there once the application has started.
        videos: Videos = app.state.videos
        videos.notify(delivery, token=token)

    app.mount(WEBHOOKS, asgi_app(notify))

    @app.exception_handler(SeedanceError)
    async def say_why(_request: Request, error: SeedanceError) -> JSONResponse:
        told = answer(error)
        return JSONResponse(told.body, told.status, told.headers)

    @app.exception_handler(RequestValidationError)
    async def say_what_is_wrong(_request: Request, error: RequestValidationError) -> JSONResponse:
        # In the form of an InputError: a client reads one.
        told = wrong_order([Problem(".".join(map(str, each["loc"][1:])), each["msg"]) for each in error.errors()])
        return JSONResponse(told.body, told.status, told.headers)

    return app
