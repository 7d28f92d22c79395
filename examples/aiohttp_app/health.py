"""What Kubernetes asks: whether to start the process anew, and whether to send it visitors."""

from aiohttp import web

from examples.aiohttp_app.parts import VIDEOS
from examples.web.health import health, readiness

routes = web.RouteTableDef()


@routes.get("/healthz")
async def healthz(request: web.Request) -> web.Response:
    """Whether the session works; a process that does not is to be started anew."""
    told, status = health(request.app[VIDEOS])
    return web.json_response(told, status=status)


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """Whether to send visitors here; not while the process stops."""
    told, status = readiness(request.app[VIDEOS])
    return web.json_response(told, status=status)
