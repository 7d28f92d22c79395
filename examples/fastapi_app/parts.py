"""What the routes depend on."""

from typing import Annotated, cast

from fastapi import Depends, HTTPException, Request, Response

from examples.web.videos import Videos
from examples.web.visitors import COOKIE, LASTS, is_secure, visitor
from seedance_async import TaskHandle


def videos_of(request: Request) -> Videos:
    """Give the videos of this process."""
    return cast("Videos", request.app.state.videos)


def user_of(request: Request, response: Response) -> str:
    """Say who asks; a new visitor gets a cookie with the answer."""
    who = visitor(request.cookies.get(COOKIE))
    if who.new:
        secure = is_secure(request.url.scheme, request.headers.get("X-Forwarded-Proto"))
        response.set_cookie(COOKIE, who.token, max_age=LASTS, httponly=True, secure=secure, samesite="lax")
    return who.user


TheVideos = Annotated[Videos, Depends(videos_of)]
User = Annotated[str, Depends(user_of)]


async def video_of(video_id: str, videos: TheVideos, user: User) -> TaskHandle:
    """Find the visitor's video that the URL names."""
    handle = await videos.find(user, video_id)
    if handle is None:
        raise HTTPException(404, "there is no such video")
    return handle


Video = Annotated[TaskHandle, Depends(video_of)]
