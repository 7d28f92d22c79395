"""One file's way from its host: links, redirects, expiry, and what to do when it breaks. No file is touched here."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, assert_never

import aiohttp
from yarl import URL

from seedance_async.clock import wall_now
from seedance_async.core.links import Link, NoHop, follow, link_problem
from seedance_async.core.ranges import (
    Expired,
    GiveUp,
    Moved,
    Rest,
    Resume,
    StartAgain,
    TryLater,
    Whole,
    judge,
    request_headers,
)
from seedance_async.core.redact import redact_url
from seedance_async.core.results import TaskSnapshot
from seedance_async.core.retry import Rand, grown_delay, parse_retry_after
from seedance_async.errors import ApiError, ConnectionFailedError, DownloadError, SessionClosedError
from seedance_async.transfer import Answered, Broken, Transfer, broken_by
from seedance_async.transport import USER_AGENT

#: Failures in a row, without progress, before a download gives up: a bit more than a minute with the delays below.
TRIES: Final = 8
_FIRST_DELAY: Final = 0.5
_MOST_DELAY: Final = 30.0
# A host may ask for more; somebody is waiting.
_MOST_RETRY_AFTER: Final = 120.0
# Bytes beyond the furthest point so far that make a failure the first in a row again.
_PROGRESS: Final = 1024 * 1024
_MOST_HOPS: Final = 5
_KEPT: Final = "the service keeps finished files for 14 days"

FileFetch = Callable[[], aiohttp.ClientSession]
"""Gives the HTTP session for files, which adds no key of ours to a request."""

Arrived = Whole | Rest | StartAgain | Expired | TryLater | GiveUp
"""What an answer can mean once redirects are followed."""

Refresh = Callable[[str], Awaitable[TaskSnapshot]]
"""Asks the service for a task, and so for the present link to its file."""


class Fetch:
    """The fetching of one file: its present link, whether that was renewed, the failures in a row.

    Attributes:
        url: The link, replaced when it has expired. May be signed.
        path: Where the file will be, for the error's text; None for a stream.
    """

    def __init__(
        self,
        session: FileFetch,
        refresh: Refresh,
        *,
        task_id: str,
        url: str,
        connect: float,
        sock_read: float,
        rand: Rand,
    ) -> None:
        """Note what is to be fetched.

        Args:
            session: Gives the HTTP session.
            refresh: Asks the service for the task.
            task_id: Whose file it is.
            url: The link that is known.
            connect: Seconds a connection may take.
            sock_read: Seconds without a byte that end an attempt.
            rand: Chance, for the delays.
        """
        self.url = url
        self.path: str | None = None
        self._session = session
        self._refresh = refresh
        self._task_id = task_id
        # No total: a big file on a slow line takes as long as it takes.
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect, sock_read=sock_read)
        self._sock_read = sock_read
        self._rand = rand
        self._renewed = False
        self._failures = 0
        self._furthest = 0
        self._not_before = 0.0

    async def open(self, resume: Resume | None = None, *, only_rest: bool = False) -> Transfer:
        """Ask for the file until there is a body to read.

        Args:
            resume: Ask for the rest from there on; the answer may be the whole file all the same.
            only_rest: Accept nothing but the rest.

        Raises:
            DownloadError: It cannot be had.
        """
        while True:
            # A moment and not a delay: whoever is cancelled here and comes back waits for the rest of it only.
            await asyncio.sleep(self._not_before - asyncio.get_running_loop().time())
            arrived = await self._follow(resume)
            if isinstance(arrived, Broken):
                self.failed(arrived)
                continue
            answer, verdict = arrived
            if isinstance(verdict, Rest) or (isinstance(verdict, Whole) and not only_rest):
                return Transfer(answer.response, self.url, verdict, self._sock_read)
            answer.response.close()
            before = redact_url(self.url)
            stale = await self._react(verdict, answer)
            if stale is None and resume is not None and redact_url(self.url) != before:
                stale = "the file has moved since"
            if stale is not None:
                if only_rest:
                    raise self.error(f"the connection broke, and it cannot go on: {stale}")
                resume = None

    async def _react(self, verdict: Whole | StartAgain | Expired | TryLater | GiveUp, answer: Answered) -> str | None:
        """Do what an answer without a usable body calls for; return why a part is worth nothing, or None."""
        match verdict:
            case Whole():
                return "the host sends whole files only"
            case StartAgain(reason):
                return reason
            case Expired(status):
                await self._renew(status)
            case TryLater(reason, retry_after):
                self.failed(Broken(reason, _seconds(retry_after, answer)))
            case GiveUp(reason):
                raise self.error(f"{redact_url(self.url)}: {reason}")
            case _:
                assert_never(verdict)
        return None

    def failed(self, broken: Broken, reached: int = 0) -> None:
        """Count a failure: the next `open` waits first, longer with each failure in a row.

        Args:
            broken: What happened.
            reached: Bytes of the file that are there. New ground makes the failure the first in a row.

        Raises:
            DownloadError: It has failed too often.
        """
        if reached >= self._furthest + _PROGRESS:
            self._failures = 0
        self._furthest = max(self._furthest, reached)
        self._failures += 1
        where = redact_url(self.url)
        if broken.final:
            raise self.error(f"{where}: {broken.reason}")
        if self._failures >= TRIES:
            raise self.error(f"{where}: {broken.reason} ({TRIES} tries in a row). Download it again later; {_KEPT}")
        delay = grown_delay(self._failures - 1, self._rand, first=_FIRST_DELAY, most=_MOST_DELAY)
        delay = max(delay, min(broken.retry_after or 0.0, _MOST_RETRY_AFTER))
        self._not_before = asyncio.get_running_loop().time() + delay

    def error(self, reason: str) -> DownloadError:
        """Return the error for this file."""
        return DownloadError(reason, self.path, self._task_id)

    async def _follow(self, resume: Resume | None) -> tuple[Answered, Arrived] | Broken:
        """Ask, and follow redirects by the rules of `core.links`."""
        link = Link(self.url)
        problem = link_problem(link.url)
        if problem is not None:
            raise self.error(problem)
        for _hop in range(_MOST_HOPS + 1):
            answer = await self._ask(link, request_headers(resume))
            if isinstance(answer, Broken):
                return answer
            verdict = judge(answer.response.status, answer.response.headers, resume)
            if not isinstance(verdict, Moved):
                return answer, verdict
            answer.response.close()
            target = follow(link, verdict.location)
            if isinstance(target, NoHop):
                raise self.error(target.reason)
            link = target
        raise self.error(f"{redact_url(self.url)} was redirected more than {_MOST_HOPS} times")

    async def _ask(self, link: Link, headers: Mapping[str, str]) -> Answered | Broken:
        session = self._session()
        if session.closed:
            raise SessionClosedError
        try:
            response = await session.get(
                # As it is: decoding and encoding it anew may break a signature.
                URL(link.url, encoded=link.url.isascii()),
                headers={"User-Agent": USER_AGENT, **headers},
                allow_redirects=False,
                raise_for_status=False,
                auto_decompress=False,
                timeout=self._timeout,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return broken_by(error, self._sock_read)
        return Answered(response)

    async def _renew(self, status: int) -> None:
        """Ask the service for the present link, once."""
        where = redact_url(self.url)
        if self._renewed:
            raise self.error(f"{where} answers HTTP {status}, and so did the link before it; {_KEPT}")
        self._renewed = True
        problem: str | None = None
        outputs: tuple[object, ...] = ()
        try:
            snapshot = await self._refresh(self._task_id)
        except (ApiError, ConnectionFailedError) as error:
            problem = str(error)
        else:
            outputs = snapshot.outputs
            if snapshot.outputs:
                self.url = snapshot.outputs[0].url
        if problem is not None:
            raise self.error(f"{where} answers HTTP {status}, and the service gave no new link: {problem}")
        if not outputs:
            raise self.error(f"{where} answers HTTP {status}, and the service knows no file of the task; {_KEPT}")


def _seconds(retry_after: str | None, answer: Answered) -> float | None:
    """Read a `Retry-After`; a date in it is measured by the host's own clock where that is shown."""
    try:
        now = parsedate_to_datetime(answer.response.headers.get("Date", ""))
    except ValueError:
        now = wall_now()
    return parse_retry_after(retry_after, now if now.tzinfo is not None else now.replace(tzinfo=UTC))
