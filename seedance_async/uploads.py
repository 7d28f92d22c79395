"""Uploads: from a local file or bytes to an address that the service can fetch.

Each attempt asks for a new place and sends the bytes to it, see `core.uploading`. Nothing here costs credits, and
what is left of an attempt that broke is deleted by the service.
"""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path, PurePath
from typing import Final, Protocol, cast

from attrs import define, evolve, field, frozen

from seedance_async.clock import wall_now
from seedance_async.contents import PIECE, ContentError, Digesting, FileContent, look
from seedance_async.core.media_types import FileFacts, Material, as_bytes, facts_of_bytes, recognise
from seedance_async.core.names import shown
from seedance_async.core.retry import Rand, grown_delay, parse_retry_after
from seedance_async.core.uploading import (
    Place,
    Put,
    Refused,
    Stored,
    TryLater,
    after_asking,
    after_put,
    is_refusal,
    upload_body,
)
from seedance_async.errors import InputError, Problem, SessionClosedError, UploadError
from seedance_async.filethreads import FileThreads
from seedance_async.hooks import Hooks, Uploaded
from seedance_async.reading import to_json
from seedance_async.storage import SentBytes, UploadProgress, put
from seedance_async.transport import Transport

#: Files that are on their way at a time: a line is full with a few, and each has a file open.
AT_A_TIME: Final = 3
#: Failures in a row before an upload that somebody waits for gives up: a bit more than a minute.
TRIES: Final = 8
_FIRST_DELAY: Final = 0.5
_MOST_DELAY: Final = 30.0
#: A host may ask for more; somebody is waiting.
_MOST_RETRY_AFTER: Final = 120.0


@frozen
class Kept:
    """A file at the service.

    Attributes:
        url: Where it is.
        until: When it is deleted (UTC).
        until_loop: The same in the loop's time, which does not move while the machine sleeps.
        lasts: Seconds for which it is there in all.
    """

    url: str
    until: datetime
    until_loop: float
    lasts: float


class Wait(Protocol):
    """Waits before another attempt, or gives up by raising."""

    async def __call__(self, why: TryLater, failures: int, delay: float, /) -> None:
        """Wait `delay` seconds or longer, after so many failures in a row."""
        ...


@define(eq=False)
class Uploads:
    """The uploads of one session.

    Attributes:
        answered: Called when the API has had a proper answer.

    Concurrency: `AT_A_TIME` files at a time; the rest wait in the order in which they came.
    """

    transport: Transport
    rand: Rand
    hooks: Hooks
    wall: Callable[[], datetime] = wall_now
    answered: Callable[[], object] = int
    _places: asyncio.Semaphore = field(init=False, factory=lambda: asyncio.Semaphore(AT_A_TIME))
    _closed: bool = field(init=False, default=False)
    _threads: FileThreads = field(init=False, factory=lambda: FileThreads(AT_A_TIME))

    async def identify(self, material: Material) -> Material:
        """Return the material with the digest of its content.

        Raises:
            ContentError: The file is not the one that was looked at, or cannot be read.
        """
        if material.facts.sha256 is not None:
            return material
        content = material.content
        if isinstance(content, bytes):
            sha256 = await self._threads.run(_digest_of_bytes, content)
        else:
            sha256 = await self._digest_of_file(PurePath(material.facts.path), material.facts)
        return evolve(material, facts=evolve(material.facts, sha256=sha256))

    async def send(self, material: Material, wait: Wait, progress: UploadProgress | None = None) -> Kept:
        """Upload something, as often as it takes.

        Args:
            material: What, with its digest.
            wait: Waits between attempts.
            progress: Told how far an attempt is.

        Raises:
            UploadError: The service or its host refused the file.
            ContentError: The file cannot be read, or was changed meanwhile.
            ApiError: The service refused the key or the account.

        Cancellation: leaves no connection and no open file.
        """
        failures = refusals = 0
        while True:
            async with self._places:
                step, refused = await self._attempt(material, refusals, progress)
            if isinstance(step, Kept):
                self.hooks.call(Uploaded(material.path, material.facts.size, step.url, step.until))
                return step
            if isinstance(step, Refused):
                error = step.error
                raise UploadError(error.reason, material.path) if isinstance(error, UploadError) else error
            failures += 1
            refusals = refusals + 1 if refused else 0
            delay = grown_delay(failures - 1, self.rand, first=_FIRST_DELAY, most=_MOST_DELAY)
            asked = parse_retry_after(step.retry_after, self.wall()) or 0.0
            await wait(step, failures, max(delay, min(asked, _MOST_RETRY_AFTER)))

    async def upload(
        self, source: str | os.PathLike[str] | bytes, name: str | None, progress: UploadProgress | None
    ) -> str:
        """Upload one file for somebody who waits for it; see `AsyncSeedance.upload`."""
        material = await self._threads.run(_material, source, name)
        try:
            return (await self.send(await self.identify(material), self._wait_in_person, progress)).url
        except ContentError as error:
            raise UploadError(str(error), material.path) from None
        except UploadError as error:
            raise UploadError(error.reason, material.path) from None

    async def _wait_in_person(self, why: TryLater, failures: int, delay: float) -> None:
        """Wait as somebody does who waits for this upload and nothing else."""
        if self._closed:
            raise SessionClosedError
        if failures >= TRIES:
            raise UploadError(f"{why.reason} ({TRIES} tries in a row); try it again later")
        await asyncio.sleep(delay)

    def close(self) -> None:
        """Let the worker threads go when the last of them has ended."""
        self._closed = True
        self._threads.close()

    async def _attempt(
        self, material: Material, refusals: int, progress: UploadProgress | None
    ) -> tuple[Kept | TryLater | Refused, bool]:
        """Try once; say also whether a signed address refused."""
        transport = self.transport
        asked_at, asked_at_loop = self.wall(), asyncio.get_running_loop().time()
        reply = await transport.ask_upload(to_json(upload_body(material.format)).encode("ascii"))
        local = transport.base_url.startswith("http:")
        place = after_asking(reply, material.format, local=local, key_source=transport.key.source)
        if not (isinstance(place, TryLater) and place.of_api):
            self.answered()
        if not isinstance(place, Place):
            return place, False
        sent = await self._put(place, material, progress)
        step = after_put(sent, refusals)
        if isinstance(step, Stored):
            until = asked_at + timedelta(seconds=place.lasts)
            return Kept(place.url, until, asked_at_loop + place.lasts, place.lasts), False
        return step, is_refusal(sent)

    async def _put(self, place: Place, material: Material, progress: UploadProgress | None) -> Put:
        transport, content = self.transport, material.content
        reader: FileContent | None = None
        if isinstance(content, bytes):
            read = _pieces_of(content)
        else:
            reader = FileContent(PurePath(material.facts.path), material.facts)
            read = self._pieces_of_file(reader)
        body = SentBytes(read, material.facts.size, progress)
        try:
            if reader is not None:
                await self._threads.run(reader.open)
            done = await put(
                transport.storage(),
                place,
                body,
                proxy=transport.storage_proxy(place.address),
                connect=transport.timeouts.connect,
                patience=transport.timeouts.upload,
            )
            if body.failure is not None:
                reason = str(body.failure) if isinstance(body.failure, ContentError) else type(body.failure).__name__
                raise ContentError(reason)
            if reader is not None and done.status is not None and done.status < 300:
                await self._threads.run(reader.check)
                # Written to and set back to its old date: what was sent is not what was asked for.
                if body.sha256 != material.facts.sha256:
                    raise ContentError("was changed while it was read; give it again")
        finally:
            if reader is not None:
                await self._threads.run(reader.close)
        return done

    async def _digest_of_file(self, path: PurePath, facts: FileFacts) -> str:
        # In steps, so that a file of gigabytes holds up neither the pieces of others nor whoever leaves.
        reading = Digesting(path, facts)
        try:
            while (sha256 := await self._threads.run(reading.step)) is None:
                pass
        finally:
            if reading.is_open:
                await self._threads.run(reading.close)
        return sha256

    def _pieces_of_file(self, reader: FileContent) -> Callable[[], Awaitable[bytes]]:
        async def read() -> bytes:
            return await self._threads.run(reader.read)

        return read


def _pieces_of(content: bytes) -> Callable[[], Awaitable[bytes]]:
    pieces = (content[start : start + PIECE] for start in range(0, len(content), PIECE))

    async def read() -> bytes:
        return next(pieces, b"")

    return read


def _material(source: object, name: str | None) -> Material:
    """Look at what is to be uploaded; blocks.

    Raises:
        InputError: It is nothing that can be.
    """
    if name is not None and not isinstance(cast("object", name), str):
        raise InputError([Problem("name", "must be a string such as 'cat.png'", shown(name))])
    other: object = source
    given: PurePath | bytes | None = as_bytes(source)
    if isinstance(source, str) and "://" in source:
        raise InputError([Problem("file", "is a URL already and needs no upload", shown(source))])
    if isinstance(source, str | os.PathLike):
        given = Path(os.fsdecode(cast("str | os.PathLike[str]", source)))
    if given is None:
        raise InputError([Problem("file", "must be a path or bytes", shown(other))])
    facts = facts_of_bytes(given) if isinstance(given, bytes) else look(given)
    if isinstance(facts, str):
        raise InputError([Problem("file", facts, shown(given))])
    found = recognise(name or (None if isinstance(given, bytes) else given.name), facts.size, facts.head)
    if isinstance(found, str):
        raise InputError([Problem("file", found, shown(given))])
    return Material(given, facts, found)


def _digest_of_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
