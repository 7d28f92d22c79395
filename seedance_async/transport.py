"""The door to the service: one HTTP request at a time, no decisions.

1. Creates use a session of their own, one connection each: a kept-alive connection that the service closed a moment
   ago would make "not sent" look like "unknown". No redirects, cookies or middlewares: each could send a create twice.
2. A create carries a send mark, set when aiohttp asks for its first byte. Exception types do not tell whether
   anything was sent; the mark does.
3. Foreign exceptions end here: they may carry headers, and with them the key. A `Cause` goes on.
"""

import asyncio
import platform
import ssl as ssl_module
import urllib.request
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload
from attrs import define, field
from yarl import URL

from seedance_async._version import __version__
from seedance_async.core.answers import NoAnswer, Reply
from seedance_async.reading import cause_of, no_key, read_answer
from seedance_async.settings import ApiKey, Timeouts

#: An own name: the vendor's scripts set one for the API and the file host, apparently because default names are
#: blocked (contract, section 1).
USER_AGENT: Final = f"seedance-async/{__version__} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"

#: What every request to the API says besides its key. The service's documentation asks for the content type on every
#: one (contract, section 1).
_API_HEADERS: Final = {"User-Agent": USER_AGENT, "Content-Type": "application/json", "Accept": "application/json"}

#: Polls in flight are bounded by the poller; these bound sockets. A poll's connection outlives the longest gap to
#: the next one that the default policy makes. Servers and balancers close idle ones after 60 to 75 seconds: to keep
#: them for the longer gaps of webhooks or of another policy would only find more of them dead.
_POLL_CONNECTIONS: Final = 32
_KEEP_ALIVE: Final = 75.0
_FILE_CONNECTIONS: Final = 16
_DNS_CACHE: Final = 300
#: Addresses of tasks that are kept ready. Beyond so many tasks that run at once each is made anew.
_ADDRESSES: Final = 1024


@define(eq=False)
class SendMark:
    """Whether the body of a create was asked for, so that the service may have received it."""

    is_set: bool = False


class _MarkedPayload(BytesPayload):
    """A body that sets its mark when its first byte is asked for."""

    def __init__(self, value: bytes, mark: SendMark) -> None:
        super().__init__(value, content_type="application/json")
        self._mark = mark

    async def write(self, writer: AbstractStreamWriter) -> None:
        self._mark.is_set = True
        await super().write(writer)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        self._mark.is_set = True
        await super().write_with_length(writer, content_length)


def proxy_from_environment(url: str) -> str | None:
    """Return the proxy that the environment names for `url`, or None.

    Looked up once for the API: aiohttp's own way asks in a worker thread for every request.
    """
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy is None or (parts.hostname is not None and urllib.request.proxy_bypass(parts.netloc)):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@define(eq=False)
class Transport:
    """The connections of one session."""

    base_url: str
    key: ApiKey
    timeouts: Timeouts
    proxy: str | None = field(default=None, repr=False)
    ssl: ssl_module.SSLContext | bool = True
    given: aiohttp.ClientSession | None = field(default=None, repr=False)
    _creates: aiohttp.ClientSession = field(init=False, repr=False)
    _polls: aiohttp.ClientSession = field(init=False, repr=False)
    _files: aiohttp.ClientSession = field(init=False, repr=False)
    _storage: aiohttp.ClientSession = field(init=False, repr=False)
    _own: list[aiohttp.ClientSession] = field(init=False, repr=False, factory=list[aiohttp.ClientSession])
    _api_proxy: str | None = field(init=False, repr=False, default=None)
    _poll_headers: Mapping[str, str] = field(init=False, repr=False, factory=dict[str, str])
    _create_url: URL = field(init=False, repr=False)
    _upload_url: URL = field(init=False, repr=False)
    _record_url: Callable[[str], URL] = field(init=False, repr=False)
    # Two timers for a create and one for a poll: aiohttp starts one for each limit that is set.
    _create_timeout: aiohttp.ClientTimeout = field(init=False, repr=False)
    _poll_timeout: aiohttp.ClientTimeout = field(init=False, repr=False)

    async def open(self) -> None:
        """Make the connection pools, in the running loop; connects nowhere yet."""
        self._create_url = URL(f"{self.base_url}/jobs/createTask")
        self._upload_url = URL(f"{self.base_url}/uploads")
        # A task is asked for many times, and an address that was used before has its parts at hand.
        self._record_url = lru_cache(maxsize=_ADDRESSES)(_record_urls(URL(f"{URL(self.base_url)}/jobs/recordInfo")))
        connect = self.timeouts.connect
        self._create_timeout = aiohttp.ClientTimeout(
            total=connect + self.timeouts.create, connect=connect, sock_connect=None
        )
        self._poll_timeout = aiohttp.ClientTimeout(total=self.timeouts.poll, sock_connect=None)
        self._api_proxy = self.proxy or proxy_from_environment(self.base_url)
        # No limit here: creates on the wire are bounded by the slots.
        self._creates = self._session(
            aiohttp.TCPConnector(force_close=True, limit=0, ttl_dns_cache=_DNS_CACHE, ssl=self.ssl), _API_HEADERS
        )
        if self.given is not None:
            self._polls = self._files = self.given
            # Our own sessions say these by themselves; one of the user's says others.
            self._poll_headers = _API_HEADERS
            # Their connections and nothing else of them: a header of the user's own, such as Authorization, would go
            # to the host of uploaded files with every request.
            self._storage = self._session(self.given.connector, {"User-Agent": USER_AGENT}, owner=False)
            return
        self._polls = self._session(
            aiohttp.TCPConnector(
                limit=_POLL_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE, ttl_dns_cache=_DNS_CACHE, ssl=self.ssl
            ),
            _API_HEADERS,
        )
        self._files = self._session(
            aiohttp.TCPConnector(limit=_FILE_CONNECTIONS, ttl_dns_cache=_DNS_CACHE, ssl=self.ssl),
            {"User-Agent": USER_AGENT},
            proxy=self.proxy,
            trust_env=self.proxy is None,
        )
        # Apart from those for results, whose `trust_env` would also look for passwords in a .netrc.
        self._storage = self._session(self._files.connector, {"User-Agent": USER_AGENT}, owner=False)

    async def aclose(self) -> None:
        """Close every connection that is ours; also after an `open` that failed."""
        while self._own:
            await self._own.pop().close()

    def files(self) -> aiohttp.ClientSession:
        """Return the session for files. It knows nothing of the key."""
        return self._files

    def storage(self) -> aiohttp.ClientSession:
        """Return the session for the host of uploaded files. It adds nothing of ours or the user's to a request."""
        return self._storage

    def storage_proxy(self, url: str) -> str | None:
        """Return the proxy for a host of uploaded files: ours, that of the session that was given, or the system's."""
        if self.given is not None:
            # aiohttp shows a session's own proxy nowhere.
            own = getattr(self.given, "_default_proxy", None)
            return str(own) if own is not None else proxy_from_environment(url) if self.given.trust_env else None
        return self.proxy or proxy_from_environment(url)

    async def create(self, body: bytes, mark: SendMark) -> Reply:
        """Send one create.

        Cancellation: the mark tells whether anything may have been sent.
        """
        try:
            return await self._create(body, mark)
        except asyncio.CancelledError as error:
            raise _without_frames(error) from None

    async def poll(self, task_id: str) -> Reply:
        """Ask for one task."""
        try:
            return await self._poll(task_id)
        except asyncio.CancelledError as error:
            raise _without_frames(error) from None

    async def ask_upload(self, body: bytes) -> Reply:
        """Ask for a place for a file. Free, and may be repeated."""
        try:
            return await self._ask_upload(body)
        except asyncio.CancelledError as error:
            raise _without_frames(error) from None

    async def _create(self, body: bytes, mark: SendMark) -> Reply:
        try:
            key = await self.key.reveal()
        except Exception as error:  # noqa: BLE001 (the user's own callable may raise anything)
            return NoAnswer(sent=False, cause=no_key(error))
        try:
            async with self._creates.post(
                self._create_url,
                data=_MarkedPayload(body, mark),
                headers={"Authorization": f"Bearer {key}"},
                allow_redirects=False,
                proxy=self._api_proxy,
                timeout=self._create_timeout,
            ) as response:
                return await read_answer(response, key)
        except Exception as error:  # noqa: BLE001 (a create has an outcome, whatever happens to it)
            return NoAnswer(sent=mark.is_set, cause=cause_of(error, key))

    async def _poll(self, task_id: str) -> Reply:
        try:
            key = await self.key.reveal()
        except Exception as error:  # noqa: BLE001 (the user's own callable may raise anything)
            return NoAnswer(sent=False, cause=no_key(error))
        try:
            async with self._polls.get(
                self._record_url(task_id),
                headers={**self._poll_headers, "Authorization": f"Bearer {key}"},
                allow_redirects=False,
                raise_for_status=False,
                proxy=self._api_proxy,
                timeout=self._poll_timeout,
            ) as response:
                return await read_answer(response, key)
        except Exception as error:  # noqa: BLE001 (the user's own session may be closed, or its middlewares raise)
            return NoAnswer(sent=False, cause=cause_of(error, key))

    async def _ask_upload(self, body: bytes) -> Reply:
        try:
            key = await self.key.reveal()
        except Exception as error:  # noqa: BLE001 (the user's own callable may raise anything)
            return NoAnswer(sent=False, cause=no_key(error))
        try:
            async with self._polls.post(
                self._upload_url,
                data=body,
                headers={**_API_HEADERS, "Authorization": f"Bearer {key}"},
                allow_redirects=False,
                raise_for_status=False,
                proxy=self._api_proxy,
                timeout=self._poll_timeout,
            ) as response:
                return await read_answer(response, key)
        except Exception as error:  # noqa: BLE001 (the user's own session may be closed, or its middlewares raise)
            return NoAnswer(sent=False, cause=cause_of(error, key))

    def _session(
        self,
        connector: aiohttp.BaseConnector | None,
        headers: Mapping[str, str],
        *,
        proxy: str | None = None,
        trust_env: bool = False,
        owner: bool = True,
    ) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=owner,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            middlewares=(),
            proxy=proxy,
            trust_env=trust_env,
        )
        self._own.append(session)
        return session


def _record_urls(url: URL) -> Callable[[str], URL]:
    def record_url(task_id: str) -> URL:
        # The id is quoted here and the rest was parsed before: nothing is left to parse and quote anew.
        query = f"taskId={quote(task_id, safe='')}"
        return URL.build(
            scheme=url.scheme, authority=url.raw_authority, path=url.raw_path, query_string=query, encoded=True
        )

    return record_url


def _without_frames(error: asyncio.CancelledError) -> asyncio.CancelledError:
    # In the frames below stands the key, and error trackers keep the locals of every frame.
    error.__context__ = None
    return error.with_traceback(None)
