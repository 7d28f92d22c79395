"""The page."""

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from examples.fastapi_app.parts import user_of
from examples.web.pages import HEADERS, PAGE

router = APIRouter()


@router.get("/", include_in_schema=False)
async def page(request: Request) -> FileResponse:
    """Send the page; a new visitor gets a cookie with it."""
    response = FileResponse(PAGE, headers=HEADERS)
    # By hand: FastAPI gives what a dependency sets to answers that it makes itself, and not to this one.
    user_of(request, response)
    return response
