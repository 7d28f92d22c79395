"""Send an answer over HTTP, whole or spoilt."""

import asyncio
from collections.abc import Mapping

from aiohttp import web
from attrs import field, frozen

from seedance_async.testing import answers
from seedance_async.testing.answers import Answer
from seedance_async.testing.fault_kinds import status_of
from seedance_async.testing.faults import Fault, Strike

_PIECES = 10


@frozen
class Reply:
    """An HTTP answer in bytes.

    Attributes:
        status: The HTTP status.
        body: The body.
        media_type: Its `Content-Type`.
        headers: Other headers; `Content-Length` comes by itself.
        sized: Whether a `Content-Length` is sent at all.
    """

    status: int
    body: bytes
    media_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(factory=dict[str, str])
    sized: bool = True


def json_reply(answer: Answer) -> Reply:
    """Return the reply of a JSON answer."""
    return Reply(answer.status, answers.encode(answer.body))


def html_reply(status: int) -> Reply:
    """Return a page as the proxy in front of the service makes it."""
    page = answers.CLOUDFLARE_502
    if status != 502:
        page = page.replace("502: Bad gateway", f"{status}: Error").replace("Bad gateway", "Error")
    return Reply(status, page.encode(), "text/html; charset=utf-8")


def error_reply(status: int, *, over_the_limit: Answer) -> Reply:
    """Return what the service, or the proxy before it, says with a status."""
    if status == 429:
        return json_reply(over_the_limit)
    # 502 and above come from the proxy, and so does 408.
    if status in {408, 413} or status > 500:
        return html_reply(status)
    if status < 400:
        headers = {"Location": "/elsewhere"} if status // 100 == 3 else {}
        return Reply(status, b"", headers=headers)
    known = {
        400: answers.INVALID_REQUEST,
        401: answers.INVALID_KEY,
        403: answers.NOT_ENABLED,
        404: answers.TASK_NOT_FOUND,
        500: answers.INTERNAL_ERROR,
    }
    return json_reply(known.get(status, answers.message(status, "Error")))


def fault_reply(fault: Fault, request: web.Request, *, over_the_limit: Answer) -> Reply | None:
    """Return what a fault of the stage `before` answers; None where it answers nothing."""
    match fault.kind:
        case "429-without-numbers":
            headers = {"Retry-After": fault.meaning} if fault.meaning else {}
            body = answers.message(429, "Too many requests")
            return Reply(429, answers.encode(body.body), headers=headers)
        case "redirect":
            to_file = request.path.startswith("/files/")
            target = f"/files/moved{request.path.removeprefix('/files')}" if to_file else request.path
            query = f"?{request.query_string}" if request.query_string else ""
            return Reply(302 if to_file else 307, b"", headers={"Location": fault.meaning or target + query})
        case "not-found":
            return json_reply(answers.TASK_NOT_FOUND)
        case "outage" if fault.meaning != "drop":
            return error_reply(int(fault.meaning), over_the_limit=over_the_limit)
        case kind if kind.startswith("http-"):
            return error_reply(status_of(kind), over_the_limit=over_the_limit)
        case _:
            return None


async def refuse_service(request: web.Request, fault: Fault) -> web.StreamResponse:
    """Close the connection without an answer, after the fault's seconds if it hangs."""
    if fault.kind.startswith("hang-"):
        await asyncio.sleep(fault.lasting)
    return cut_off(request, reset=fault.kind.startswith("reset-"))


def cut_off(request: web.Request, *, reset: bool = False) -> web.StreamResponse:
    """Close or reset the connection; what is returned goes nowhere."""
    if request.transport is not None:
        if reset:
            request.transport.abort()
        else:
            request.transport.close()
    return web.Response()


async def send(request: web.Request, reply: Reply, strike: Strike) -> web.StreamResponse:
    """Send a reply, as the faults of the stage `after` would have it."""
    lost = strike.find("drop-after-accept", "reset-after-accept", "hang-after-accept")
    if lost is not None:
        return await refuse_service(request, lost)
    slow = strike.find("slow-headers")
    if slow is not None:
        await asyncio.sleep(slow.lasting)
    if strike.find("html") is not None:
        page = html_reply(502)
        reply = Reply(200, page.body, page.media_type)
    headers = {**reply.headers, "Content-Type": reply.media_type}
    spoilt = strike.find("cut-body", "drip")
    if reply.sized and spoilt is None:
        return web.Response(status=reply.status, body=reply.body, headers=headers)
    return await _send_in_pieces(request, reply, headers, spoilt)


async def _send_in_pieces(
    request: web.Request, reply: Reply, headers: Mapping[str, str], spoilt: Fault | None
) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=headers)
    if reply.sized:
        response.content_length = len(reply.body)
    await response.prepare(request)
    if spoilt is not None and spoilt.kind == "cut-body":
        await response.write(reply.body[: len(reply.body) // 2])
        cut_off(request)
        return response
    size = max(1, -(-len(reply.body) // _PIECES))
    for start in range(0, len(reply.body), size):
        if start and spoilt is not None:
            await asyncio.sleep(spoilt.lasting)
        await response.write(reply.body[start : start + size])
    await response.write_eof()
    return response
