"""What goes on for longer than a moment: events, and the bytes of a video."""

from contextlib import aclosing

from aiohttp import web

from examples.aiohttp_app.parts import VIDEOS, video_of
from examples.web import events
from examples.web.ranges import choose_part, cut
from examples.web.videos import etag_of, file_headers

routes = web.RouteTableDef()


@routes.get("/videos/{video_id}/events")
async def follow(request: web.Request) -> web.StreamResponse:
    """Tell a browser of every change, until the end."""
    videos, video = request.app[VIDEOS], await video_of(request)
    last_seen = request.headers.get("Last-Event-ID")
    if events.is_over(video, last_seen):
        return web.Response(status=204)
    response = web.StreamResponse(headers={**events.HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    # A client that leaves cancels this handler, and the generator is closed with it.
    async with aclosing(events.events(video, videos.stopping, last_seen, videos.settings.heartbeat)) as stream:
        async for event in stream:
            await response.write(event)
    return response


@routes.get("/videos/{video_id}/file")
async def send_file(request: web.Request) -> web.StreamResponse:
    """Pass the bytes on as they come; the service's signed URL stays here."""
    video = await video_of(request)
    if not video.done():
        raise web.HTTPConflict(text="there is no video yet")
    async with request.app[VIDEOS].session.stream(video.result()) as stream:
        part = choose_part(stream.size, request.headers.get("Range"), request.headers.get("If-Range"), etag_of(video))
        response = web.StreamResponse(
            status=part.status,
            headers={
                **part.headers,
                **file_headers(video, download="download" in request.query),
                "Content-Type": stream.media_type or "video/mp4",
            },
        )
        await response.prepare(request)
        async with aclosing(cut(stream, part)) as pieces:
            async for piece in pieces:
                await response.write(piece)
    return response
