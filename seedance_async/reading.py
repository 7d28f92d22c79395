"""An HTTP answer and a foreign exception as values, without the key and without what is signed."""

import html
import json
import re
from typing import Final
from urllib.parse import quote

import aiohttp

from seedance_async.core.answers import Answer, Cause
from seedance_async.core.redact import REDACTED, redact, redact_json, redact_links
from seedance_async.errors import ConfigurationError

#: A key shorter than this is none; replacing it in every text would make the texts unreadable.
_SHORTEST_SECRET: Final = 6
_SHOWN: Final = 500
#: Statuses whose bodies are what was asked for: signed addresses stay in them.
_GOOD: Final = frozenset({200, 201})

_BOM: Final = b"\xef\xbb\xbf"
_from_json = json.JSONDecoder().decode
#: JSON as it is sent.
to_json = json.JSONEncoder(separators=(",", ":")).encode
#: A proxy's address may hold a password, and aiohttp shows addresses.
_USER_INFO: Final = re.compile(r"://[^/\s@]+@")


async def read_answer(response: aiohttp.ClientResponse, key: str) -> Answer:
    """Read an answer as far as it came."""
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
            if response.status not in _GOOD or "\\" in content or key in content:
                body = redact_json(body, lambda word: _shown(word, key, response.status))
        except (ValueError, RecursionError):
            body = None
    if body is None:
        text = redact_links(_without(content, key))
    else:
        # Written anew, because there are many ways to escape a key. Where all is well nobody reads it.
        text = "" if response.status in _GOOD else json.dumps(body, ensure_ascii=False)
    return Answer(
        status=response.status,
        body=body,
        text=text[:_SHOWN],
        complete=complete,
        retry_after=None if response.status == 200 else response.headers.get("Retry-After"),
    )


def no_key(error: Exception) -> Cause:
    """Say that there is no key to ask with."""
    # Texts of others may hold the key; ours never do.
    text = str(error) if isinstance(error, ConfigurationError) else "while asking for the API key"
    return Cause(type(error).__name__, text)


def cause_of(error: Exception, key: str) -> Cause:
    """Say what a request failed with."""
    text = str(error)
    if isinstance(error, TimeoutError) and not text:
        text = "no answer in time"
    return Cause(type(error).__name__, _USER_INFO.sub(f"://{REDACTED}@", _without(text, key))[:_SHOWN])


def _shown(text: str, key: str, status: int) -> str:
    """Return a text of an answer without what the server was sent and sends back: the key and signed addresses."""
    text = redact(text, key) if len(key) >= _SHORTEST_SECRET else text
    # The addresses of a record are what it is asked for.
    return text if status in _GOOD else redact_links(text)


def _without(text: str, key: str) -> str:
    """Return a text without the key, in each way in which pages write it."""
    if len(key) < _SHORTEST_SECRET:
        return text
    quoted = json.dumps(key)[1:-1]
    as_html = html.escape(key), html.escape(key, quote=False)
    return redact(text, key, quoted, quoted.replace("/", "\\/"), *as_html, quote(key, safe=""), quote(key))
