"""The emulator's side of uploads over HTTP: giving out places, taking bytes, serving them."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from attrs import define

from seedance_async.testing import answers, replies, requests
from seedance_async.testing.answers import Answer, message
from seedance_async.testing.depot import Depot
from seedance_async.testing.faults import Strike
from seedance_async.testing.keys import DEMO, check_key
from seedance_async.testing.replies import Reply, json_reply
from seedance_async.testing.shelf import Shelf
from seedance_async.testing.world import World


@define(eq=False)
class Uploading:
    """What the emulator does with uploads."""

    depot: Depot
    shelf: Shelf
    world: World
    now: Callable[[], float]

    def add_routes(self, app: web.Application, place: Any, put: Any, get: Any) -> None:
        """Add the routes; the handlers are the emulator's, which counts and breaks requests."""
        app.router.add_post("/api/v1/uploads", place)
        app.router.add_put("/storage/{name}", put)
        app.router.add_get("/temp-uploads/{name}", get)

    async def place(self, request: web.Request) -> Answer:
        """Answer a request for a place."""
        refusal = check_key(requests.api_key(request), self.world.keys)
        if refusal is not None:
            return answers.NOT_ENABLED if refusal is DEMO else refusal
        root = f"{request.scheme}://{request.host}"
        given = self.depot.place(requests.json_value(await request.read()), root, self.now())
        return answers.INVALID_REQUEST if given is None else Answer(200, given)

    async def put(self, request: web.Request, strike: Strike) -> Reply:
        """Take bytes, or say why not."""
        name = request.match_info["name"]
        expired = strike.find("expired-link")
        lasts = None if expired is None else expired.lasting
        refusal = self.depot.refusal(name, request.query, request.headers, self.now(), lasts)
        if refusal is not None:
            return json_reply(message(refusal.status, refusal.message))
        slow = strike.find("slow-body")
        total, size, kept = hashlib.sha256(), 0, bytearray()
        with suppress(ConnectionResetError):  # a body that was cut is one that is too short
            async for piece in request.content.iter_chunked(2**16):
                total.update(piece)
                size += len(piece)
                if len(kept) + len(piece) <= self.depot.keep_bytes:
                    kept += piece
                if slow is not None:
                    await asyncio.sleep(slow.lasting)
        if size != request.content_length:
            return json_reply(message(400, "IncompleteBody"))
        if size == 0:
            return json_reply(message(400, "EmptyBody"))
        self.depot.put(name, bytes(kept) if len(kept) == size else None, size, total.hexdigest(), self.now())
        return Reply(200, b"")

    def get(self, request: web.Request) -> Reply:
        """Serve an upload."""
        upload = self.depot.find(request.match_info["name"], self.now())
        if upload is None:
            return json_reply(message(404, "Not found"))
        if upload.content is None:
            return json_reply(message(404, "the emulator knows this upload and has not kept its bytes (keep_bytes)"))
        return Reply(200, upload.content, upload.content_type)

    def is_missing(self, url: str, hosts: set[str]) -> bool:
        """Whether a URL leads to the emulator itself and to nothing that is there now."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        if parts.netloc not in hosts:
            return False
        folder, _, name = parts.path.strip("/").partition("/")
        if folder == "temp-uploads":
            return self.depot.find(name, self.now()) is None
        if folder == "files":
            query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            return not self.shelf.has(name, query, self.now())
        return True

    async def answer_place(self, request: web.Request, strike: Strike) -> web.StreamResponse:
        """Answer a request for a place, as the faults would have it."""
        return await replies.send(request, json_reply(_odd_place(await self.place(request), strike)), strike)

    async def answer_put(self, request: web.Request, strike: Strike) -> web.StreamResponse:
        """Answer a PUT, as the faults would have it."""
        return await replies.send(request, await self.put(request, strike), strike)


#: What `place-odd` changes, by its value; None leaves the field out.
_ODD: Final[Mapping[str, Mapping[str, str | None]]] = {
    "no-address": {"uploadUrl": None},
    "no-url": {"url": None},
    "plain-http": {"uploadUrl": "http://storage.example/put?signature=odd"},
    "odd-url": {"url": "ftp://files.example/a.png"},
    "other-method": {"method": "POST"},
}


def _odd_place(answer: Answer, strike: Strike) -> Answer:
    odd = strike.find("place-odd")
    if odd is None or answer.status != 200:
        return answer
    changed = {**answer.body, **_ODD[odd.meaning]}
    return Answer(200, {name: value for name, value in changed.items() if value is not None})
