"""The door to the service: one HTTP request at a time, no decisions.

1. Creates use a session of their own, one connection each: a kept-alive connection that the service closed a moment
   ago would make "not sent" look like "unknown". No redirects, cookies or middlewares: each could send a create twice.
2. A create carries a send mark, set when aiohttp asks for its first byte. Exception types do not tell whether
   anything was sent; the mark does.
3. Foreign exceptions end here: they may carry headers, and with them the key. A `Cause` goes on.
"""

import asyncio
import html
import json
import platform
import re
import ssl as ssl_module
import urllib.request
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload
from attrs import define, field
from yarl import URL

from seedance_async._version import __version__
from seedance_async.core.answers import Answer, Cause, NoAnswer, Reply
from seedance_async.core.redact import REDACTED, redact, redact_json, redact_links
from seedance_async.errors import ConfigurationError
from seedance_async.settings import ApiKey, Timeouts

#: An own name: the vendor's scripts set one for the API and the file host, apparently because default names are
#: blocked (contract, section 1).
USER_AGENT: Final = f"seedance-async/{__version__} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"

#: What every request to the API says besides its key. The service's documentation asks for the content type on every
#: one (contract, section 1).
_API_HEADERS: Final = {"User-Agent": USER_AGENT, "Content-Type": "application/json", "Accept": "application/json"}

#: Polls in flight are bounded by the poller; these bound sockets. A poll's connection outlives the longest gap to
#: the next one (`PollingPolicy.max_interval`).
_POLL_CONNECTIONS: Final = 32
_KEEP_ALIVE: Final = 75.0
_FILE_CONNECTIONS: Final = 16
_DNS_CACHE: Final = 300
#: A key shorter than this is none; replacing it in every text would make the texts unreadable.
_SHORTEST_SECRET: Final = 6
_SHOWN: Final = 500

_BOM: Final = b"\xef\xbb\xbf"
_from_json = json.JSONDecoder().decode
#: A proxy's address may hold a password, and aiohttp shows addresses.
_USER_INFO: Final = re.compile(r"://[^/\s@]+@")


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
    _own: list[aiohttp.ClientSession] = field(init=False, repr=False, factory=list[aiohttp.ClientSession])
    _api_proxy: str | None = field(init=False, repr=False, default=None)
    _poll_headers: Mapping[str, str] = field(init=False, repr=False, factory=dict[str, str])
    _create_url: URL = field(init=False, repr=False)
    _poll_url: URL = field(init=False, repr=False)
    # Two timers for a create and one for a poll: aiohttp starts one for each limit that is set.
    _create_timeout: aiohttp.ClientTimeout = field(init=False, repr=False)
    _poll_timeout: aiohttp.ClientTimeout = field(init=False, repr=False)

    async def open(self) -> None:
        """Make the connection pools, in the running loop; connects nowhere yet."""
        self._create_url = URL(f"{self.base_url}/jobs/createTask")
        self._poll_url = URL(f"{URL(self.base_url)}/jobs/recordInfo")
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

    async def aclose(self) -> None:
        """Close every connection that is ours; also after an `open` that failed."""
        while self._own:
            await self._own.pop().close()

    def files(self) -> aiohttp.ClientSession:
        """Return the session for files. It knows nothing of the key."""
        return self._files

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

    async def _create(self, body: bytes, mark: SendMark) -> Reply:
        try:
            key = await self.key.reveal()
        except Exception as error:  # noqa: BLE001 (the user's own callable may raise anything)
            return NoAnswer(sent=False, cause=_no_key(error))
        try:
            async with self._creates.post(
                self._create_url,
                data=_MarkedPayload(body, mark),
                headers={"Authorization": f"Bearer {key}"},
                allow_redirects=False,
                proxy=self._api_proxy,
                timeout=self._create_timeout,
            ) as response:
                return await _read(response, key)
        except Exception as error:  # noqa: BLE001 (a create has an outcome, whatever happens to it)
            return NoAnswer(sent=mark.is_set, cause=_cause(error, key))

    async def _poll(self, task_id: str) -> Reply:
        try:
            key = await self.key.reveal()
        except Exception as error:  # noqa: BLE001 (the user's own callable may raise anything)
            return NoAnswer(sent=False, cause=_no_key(error))
        try:
            async with self._polls.get(
                self._record_url(task_id),
                headers={**self._poll_headers, "Authorization": f"Bearer {key}"},
                allow_redirects=False,
                raise_for_status=False,
                proxy=self._api_proxy,
                timeout=self._poll_timeout,
            ) as response:
                return await _read(response, key)
        except Exception as error:  # noqa: BLE001 (the user's own session may be closed, or its middlewares raise)
            return NoAnswer(sent=False, cause=_cause(error, key))

    def _record_url(self, task_id: str) -> URL:
        # The id is quoted here and the rest was parsed before: nothing is left to parse and quote anew.
        url, query = self._poll_url, f"taskId={quote(task_id, safe='')}"
        return URL.build(
            scheme=url.scheme, authority=url.raw_authority, path=url.raw_path, query_string=query, encoded=True
        )

    def _session(
        self,
        connector: aiohttp.TCPConnector,
        headers: Mapping[str, str],
        *,
        proxy: str | None = None,
        trust_env: bool = False,
    ) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            middlewares=(),
            proxy=proxy,
            trust_env=trust_env,
        )
        self._own.append(session)
        return session


def _without_frames(error: asyncio.CancelledError) -> asyncio.CancelledError:
    # In the frames below stands the key, and error trackers keep the locals of every frame.
    error.__context__ = None
    return error.with_traceback(None)


async def _read(response: aiohttp.ClientResponse, key: str) -> Answer:
    complete = True
    try:
        raw = await response.read()
    except (aiohttp.ClientError, OSError):
        # The status line is the answer; a body that was cut only says less about it.
        raw, complete = b"", False
    # Not by the codec "utf-8-sig", which is written in Python.
    content = raw.removeprefix(_BOM).decode("utf-8", "replace")
    body: object = None
    if complete:
        try:
            body = _from_json(content)
            # Without a backslash nothing is escaped, and a key that is not there as it is is not there at all.
            if response.status != 200 or "\\" in content or key in content:
                body = redact_json(body, lambda word: _shown(word, key, response.status))
        except (ValueError, RecursionError):
            body = None
    if body is None:
        text = redact_links(_without(content, key))
    else:
        # Written anew, because there are many ways to escape a key. Where all is well nobody reads it.
        text = "" if response.status == 200 else json.dumps(body, ensure_ascii=False)
    return Answer(
        status=response.status,
        body=body,
        text=text[:_SHOWN],
        complete=complete,
        retry_after=None if response.status == 200 else response.headers.get("Retry-After"),
    )


def _no_key(error: Exception) -> Cause:
    # Texts of others may hold the key; ours never do.
    text = str(error) if isinstance(error, ConfigurationError) else "while asking for the API key"
    return Cause(type(error).__name__, text)


def _cause(error: Exception, key: str) -> Cause:
    text = str(error)
    if isinstance(error, TimeoutError) and not text:
        text = "no answer in time"
    return Cause(type(error).__name__, _USER_INFO.sub(f"://{REDACTED}@", _without(text, key))[:_SHOWN])


def _shown(text: str, key: str, status: int) -> str:
    """Return a text of an answer without what the server was sent and sends back: the key and signed addresses."""
    text = redact(text, key) if len(key) >= _SHORTEST_SECRET else text
    # The addresses of a record are what it is asked for.
    return text if status == 200 else redact_links(text)


def _without(text: str, key: str) -> str:
    """Return a text without the key, in each way in which pages write it."""
    if len(key) < _SHORTEST_SECRET:
        return text
    quoted = json.dumps(key)[1:-1]
    as_html = html.escape(key), html.escape(key, quote=False)
    return redact(text, key, quoted, quoted.replace("/", "\\/"), *as_html, quote(key, safe=""), quote(key))
