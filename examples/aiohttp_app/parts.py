"""What the routes share."""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from examples.web.videos import Videos
from examples.web.visitors import COOKIE, LASTS, Visitor, is_secure, visitor
from seedance_async import TaskHandle

VIDEOS: Final = web.AppKey("videos", Videos)
_VISITOR: Final = web.RequestKey("visitor", Visitor)


def user_of(request: web.Request) -> str:
    """Say who asks."""
    if _VISITOR not in request:
        request[_VISITOR] = visitor(request.cookies.get(COOKIE))
    return request[_VISITOR].user


@web.middleware
async def know_visitors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give a new visitor a cookie, with the page or with the answer to an order."""
    response = await handler(request)
    if request.path == "/":
        user_of(request)
    who = request.get(_VISITOR)
    # An answer that has begun belongs to somebody who has a video, and so a cookie.
    if who is not None and who.new and not response.prepared:
        secure = is_secure(request.scheme, request.headers.get("X-Forwarded-Proto"))
        response.set_cookie(COOKIE, who.token, max_age=LASTS, httponly=True, secure=secure, samesite="Lax")
    return response


async def video_of(request: web.Request) -> TaskHandle:
    """Find the visitor's video that the URL names."""
    handle = await request.app[VIDEOS].find(user_of(request), request.match_info["video_id"])
    if handle is None:
        raise web.HTTPNotFound(text="there is no such video")
    return handle
