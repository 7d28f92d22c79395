"""The videos: order, look, follow, fetch, take back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from examples.fastapi_app.parts import TheVideos, User, Video
from examples.fastapi_app.streams import ClosingStream, until_gone
from examples.web import events
from examples.web.ranges import choose_part, cut
from examples.web.videos import describe, etag_of, file_headers, read_key
from seedance_async import SessionClosedError, TextToVideo, VideoStream

router = APIRouter()
Key = Annotated[str | None, Header(alias="Idempotency-Key")]


class VideoOrder(BaseModel):
    """What a visitor may ask for. What it may say is the SDK's business, which knows the service's limits."""

    model_config = ConfigDict(extra="forbid")

    prompt: str
    duration: int = 5
    aspect_ratio: str = "16:9"
    output_resolution: str | None = None

    def inputs(self) -> TextToVideo:
        """Put it into the SDK's words."""
        return TextToVideo(**self.model_dump())


@router.post("/videos", status_code=202)
async def order(body: VideoOrder, videos: TheVideos, user: User, response: Response, key: Key = None) -> dict[str, Any]:
    """Take an order and answer at once; the status URL says how it goes on. The same key twice is one video."""
    handle = await videos.order(user, read_key(key), body.inputs())
    if handle.done():
        # The key is known: its video is there, or has failed and says why.
        handle.result()
        response.status_code = 200
    told = describe(handle)
    response.headers["Location"] = f"/videos/{told['id']}"
    return told


@router.post("/generate")
async def generate(
    request: Request, body: VideoOrder, videos: TheVideos, user: User, *, response: Response, key: Key = None
) -> dict[str, Any]:
    """Make a video while the client waits. One that hangs up before its turn gives up its place in the queue."""
    video_id = read_key(key)
    making = asyncio.create_task(videos.make(user, video_id, body.inputs()))
    waiting = [asyncio.create_task(until_gone(request)), asyncio.create_task(videos.stopping.wait())]
    try:
        await asyncio.wait({making, *waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not making.done():
            # A client that has gone reads no answer; one that is still there is to ask again, with the same key.
            raise SessionClosedError
        result = making.result()
    finally:
        for task in (making, *waiting):
            task.cancel()
        await asyncio.wait({making, *waiting})
    response.headers["Location"] = f"/videos/{video_id}"
    return {"id": video_id, "file": f"/videos/{video_id}/file", "task_id": result.task_id}


@router.get("/videos/{video_id}")
async def show(video: Video) -> dict[str, Any]:
    """Say where a video stands."""
    return describe(video)


@router.delete("/videos/{video_id}")
async def take_back(video: Video) -> dict[str, Any]:
    """Take a video back while nothing was sent; the service cannot stop what runs."""
    if not video.cancel() and video.status != "withdrawn":
        raise HTTPException(409, "the video is being made, or has ended, and cannot be taken back")
    return describe(video)


@router.get("/videos/{video_id}/events")
async def follow(
    video: Video, videos: TheVideos, last_seen: Annotated[str | None, Header(alias="Last-Event-ID")] = None
) -> Response:
    """Tell a browser of every change, until the end."""
    if events.is_over(video, last_seen):
        return Response(status_code=204)
    stream = events.events(video, videos.stopping, last_seen, videos.settings.heartbeat)
    return ClosingStream(stream, headers=dict(events.HEADERS), media_type="text/event-stream")


async def opened(video: Video, videos: TheVideos) -> AsyncIterator[VideoStream]:
    """Open the file of a finished video; FastAPI closes it when the answer has been sent, or the client has gone."""
    if not video.done():
        raise HTTPException(409, "there is no video yet")
    async with videos.session.stream(video.result()) as stream:
        yield stream


@router.get("/videos/{video_id}/file")
async def send_file(
    video: Video,
    stream: Annotated[VideoStream, Depends(opened)],
    *,
    wanted: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header(alias="If-Range")] = None,
    download: Annotated[bool, Query()] = False,
) -> StreamingResponse:
    """Pass the bytes on as they come; the service's signed URL stays here."""
    part = choose_part(stream.size, wanted, if_range, etag_of(video))
    return ClosingStream(
        cut(stream, part),
        part.status,
        {**part.headers, **file_headers(video, download=download)},
        media_type=stream.media_type or "video/mp4",
    )
