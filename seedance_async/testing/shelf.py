"""The emulator's files: links that are signed and expire, and the bytes behind them."""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from seedance_async.testing import clips
from seedance_async.testing.answers import message
from seedance_async.testing.clips import Clip, ClipMode
from seedance_async.testing.faults import Strike
from seedance_async.testing.files import FileAnswer, answer_range, etag
from seedance_async.testing.replies import Reply, json_reply
from seedance_async.testing.tasks import SAMPLES, WorldTask
from seedance_async.testing.world import World

#: Outputs are kept for 14 days (contract, section 13).
KEPT_FOR: Final = 14 * 86_400.0
#: Bytes of finished files held in memory; older ones are made again when they are asked for.
_CACHE_BYTES: Final = 128 * 2**20
_TYPES: Final = {".png": "image/png", ".mov": "video/quicktime"}


class Shelf:
    """Every file of one emulator.

    Attributes:
        kept_for: Seconds for which a link works.
    """

    def __init__(self, world: World, mode: ClipMode | bytes, *, secret: str, kept_for: float) -> None:
        self.kept_for = kept_for
        self._world = world
        self._fixed = mode if isinstance(mode, bytes) else None
        self._render = None if isinstance(mode, bytes) else clips.renderer(mode)
        self._secret = secret.encode()
        self._versions: dict[str, int] = {}
        self._cache: OrderedDict[tuple[str, int], tuple[bytes, str]] = OrderedDict()
        self._cached_bytes = 0

    def open(self) -> None:
        """Read what must be read from the disk; blocks."""
        if self._fixed is None and self._render is None:
            clips.packaged_clip()

    def query(self, name: str, now: float) -> str:
        """Return the signed query of a link that is given out now."""
        issued = f"{now:.3f}"
        return urlencode({"issued": issued, "signature": self._signature(name, issued)})

    def prompt_of(self, name: str) -> str:
        """Return the prompt of the task that a file belongs to; empty if there is none."""
        task = self._world.tasks.get(_task_id(name))
        return "" if task is None else task.order.prompt

    async def reply(self, request: web.Request, name: str, strike: Strike, now: float) -> Reply:
        """Return what is answered to a request of a file."""
        age = self._age(request.query, name, now)
        expired = strike.find("expired-link")
        if age is None or age > (self.kept_for if expired is None else expired.lasting):
            return json_reply(message(403, "Request has expired"))
        make = self._maker(name, now)
        if make is None:
            return json_reply(message(404, "Not found"))
        if strike.find("file-changes") is not None:
            self._versions[name] = self._versions.get(name, 0) + 1
        content, tag = await self._content(name, make)
        if strike.find("weak-etag") is not None:
            tag = f"W/{tag}"
        part = _part(request, content, tag, strike)
        return Reply(
            part.status,
            content[part.start : part.stop],
            _TYPES.get(PurePosixPath(name).suffix, "video/mp4"),
            part.headers,
            sized=strike.find("no-length") is None,
        )

    def has(self, name: str, query: Mapping[str, str], now: float) -> bool:
        """Whether a link of this name and query leads to a file now."""
        age = self._age(query, name, now)
        return age is not None and age <= self.kept_for and self._maker(name, now) is not None

    def _age(self, query: Mapping[str, str], name: str, now: float) -> float | None:
        issued = query.get("issued", "")
        if not hmac.compare_digest(query.get("signature", "").encode(), self._signature(name, issued).encode()):
            return None
        return now - float(issued)

    def _signature(self, name: str, issued: str) -> str:
        return hmac.new(self._secret, f"{name}\n{issued}".encode(), sha256).hexdigest()

    def _maker(self, name: str, now: float) -> Callable[[], bytes] | None:
        """Return what makes the bytes of a file; None if there is no such file now."""
        task_id = _task_id(name)
        task = self._world.tasks.get(task_id)
        if task is None:
            clip = Clip(1280, 720, 5) if task_id in SAMPLES else None
        else:
            clip = _clip(task) if task.status(now) == "success" else None
        if clip is None:
            return None
        note = f"{task_id} {self._versions.get(name, 0)}"
        if name.endswith(".png"):
            return lambda: clips.picture(clip.width, clip.height, sum(note.encode()) % 256)
        if self._fixed is not None:
            fixed = self._fixed
            return lambda: fixed
        return lambda: self._make(clip, name)

    def _make(self, clip: Clip, name: str) -> bytes:
        content = clips.packaged_clip() if self._render is None else self._render(clip)
        return clips.with_note(content, f"{_task_id(name)} version {self._versions.get(name, 0)}")

    async def _content(self, name: str, make: Callable[[], bytes]) -> tuple[bytes, str]:
        key = (name, self._versions.get(name, 0))
        known = self._cache.get(key)
        if known is not None:
            self._cache.move_to_end(key)
            return known
        slow = self._render is not None and not name.endswith(".png")
        content = await asyncio.to_thread(make) if slow else make()
        if self._fixed is not None and key[1]:
            content += f" version {key[1]}".encode()
        made = content, etag(content)
        if key not in self._cache:
            self._cache[key] = made
            self._cached_bytes += len(content)
        while self._cached_bytes > _CACHE_BYTES and len(self._cache) > 1:
            _, (dropped, _) = self._cache.popitem(last=False)
            self._cached_bytes -= len(dropped)
        return made


def _part(request: web.Request, content: bytes, tag: str, strike: Strike) -> FileAnswer:
    wanted = None if strike.find("ignore-range") is not None else request.headers.get("Range")
    # As aiohttp's own file server does: a stale condition, and the range all the same.
    careless = strike.find("wrong-range") is not None
    return answer_range(
        len(content),
        tag,
        wanted=wanted,
        if_range=None if careless else request.headers.get("If-Range"),
        if_none_match=request.headers.get("If-None-Match"),
    )


def _clip(task: WorldTask) -> Clip:
    width, height = task.size
    return Clip(width, height, task.order.seconds, task.order.audio, task.order.container)


def _task_id(name: str) -> str:
    return PurePosixPath(name).stem.removesuffix("_lastframe")
