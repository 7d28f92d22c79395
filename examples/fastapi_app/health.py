"""What Kubernetes asks: whether to start the process anew, and whether to send it visitors."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from examples.fastapi_app.parts import TheVideos
from examples.web.health import health, readiness

router = APIRouter()


@router.get("/healthz")
async def healthz(videos: TheVideos) -> JSONResponse:
    """Whether the session works; a process that does not is to be started anew."""
    return JSONResponse(*health(videos))


@router.get("/readyz")
async def readyz(videos: TheVideos) -> JSONResponse:
    """Whether to send visitors here; not while the process stops."""
    return JSONResponse(*readiness(videos))
