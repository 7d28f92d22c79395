"""The way of a file to the service: what is asked, what the answers mean, and what may be tried again.

1. The API is asked for a place (`POST /uploads`, with the key). Its answer names a signed address that takes the
   bytes, and the public address that the file will have.
2. The bytes are PUT to the signed address, without the key. It must be https; plain http only to this machine, and
   only where the API itself is plain http on this machine, as the emulator is. Redirects are not followed.
3. Both cost nothing and may be repeated: no answer, 429 and 5xx are tried again, with a new place each time. So is a
   signed address that refuses, since it may have expired, `MOST_REFUSALS` times in a row.
"""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

from seedance_async.core.answers import Answer, Reply, api_error
from seedance_async.core.links import is_loopback
from seedance_async.core.media_types import Format
from seedance_async.core.redact import redact_url
from seedance_async.errors import AuthenticationError, PermissionDeniedError, SeedanceError, UploadError

#: Uploads are deleted after a day (contract, section 10).
LASTS: Final = 86_400.0
#: Seconds for which a file must be there at least: the service has to fetch it.
SHORTEST: Final = 60.0
#: Times in a row that a signed address may refuse before the upload fails.
MOST_REFUSALS: Final = 3

_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}(; ?[A-Za-z0-9=_.+-]{1,64})?")
#: What a signed address that has expired, or does not know its signature any more, may answer.
_MAY_HAVE_EXPIRED: Final = frozenset({400, 401, 403, 404, 410})


@frozen
class Place:
    """Where the bytes go, and where the file will be.

    Attributes:
        address: Takes the bytes. Signed: shown nowhere.
        url: Where the file will be, for everybody.
        content_type: What the PUT must call it.
        lasts: Seconds for which the file will be there.
    """

    address: str = field(repr=False)
    url: str
    content_type: str
    lasts: float


@frozen
class TryLater:
    """What happened says nothing about the file.

    Attributes:
        reason: What happened, with secrets removed.
        retry_after: The `Retry-After` header as sent, or None.
        of_api: Whether it was the API that failed, and not the host of the files.
    """

    reason: str
    retry_after: str | None = None
    of_api: bool = False


@frozen
class Refused:
    """Trying again would end the same way."""

    error: SeedanceError


@frozen
class Stored:
    """The bytes are there."""


@frozen
class Put:
    """What a PUT came to.

    Attributes:
        status: The HTTP status; None where there was no answer.
        reason: Why there was none, with secrets removed.
        retry_after: The `Retry-After` header as sent, or None.
        final: Whether another try would end the same way.
    """

    status: int | None
    reason: str = ""
    retry_after: str | None = None
    final: bool = False


def upload_body(found: Format) -> dict[str, str]:
    """Return the JSON object that asks for a place. The file's own name stays here: it is nobody else's business."""
    name = {"images": "image", "videos": "video", "audios": "audio"}[found.kind]
    return {"fileName": f"{name}{found.extension}", "contentType": found.content_type}


def after_asking(reply: Reply, found: Format, *, local: bool, key_source: str) -> Place | TryLater | Refused:
    """Say what the answer to `POST /uploads` means.

    Args:
        reply: The answer.
        found: What the file is.
        local: Whether the API is plain http on this machine, so that its files may be there too.
        key_source: Where the API key came from, to be named with a 401.
    """
    if not isinstance(reply, Answer):
        return TryLater(str(reply.cause), of_api=True)
    if reply.status >= 500 or reply.status in {408, 429}:
        # A 429 is the API's own word: it is there.
        return TryLater(f"HTTP {reply.status}", reply.retry_after, of_api=reply.status != 429)
    if reply.status in {200, 201}:
        if not reply.complete:
            return TryLater("the answer was cut", of_api=True)
        if reply.body is None:
            # A page of something in front of the service, which says nothing about the file.
            return TryLater("the answer is no JSON", of_api=True)
        return _place(reply, found, local=local)
    error = api_error(reply, key_source)
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return Refused(error)
    if reply.status in {404, 405}:
        return Refused(UploadError("the service at base_url takes no uploads; put the file where it has a URL"))
    return Refused(UploadError(f"the service gave no place for it (HTTP {reply.status}: {error.message})"))


def after_put(put: Put, refusals: int) -> Stored | TryLater | Refused:
    """Say what a PUT came to, after so many in a row that were refused."""
    status = put.status
    if status is None:
        return Refused(UploadError(put.reason)) if put.final else TryLater(put.reason)
    if 200 <= status < 300:
        return Stored()
    reason = f"the host of the files answered HTTP {status}"
    if 300 <= status < 400:
        return Refused(UploadError(f"{reason}, and an upload is never sent on to another place"))
    if status >= 500 or status in {408, 425, 429} or (status in _MAY_HAVE_EXPIRED and refusals < MOST_REFUSALS):
        return TryLater(reason, put.retry_after)
    return Refused(UploadError(reason))


def is_refusal(put: Put) -> bool:
    """Whether a signed address refused in a way in which one that has expired does."""
    return put.status in _MAY_HAVE_EXPIRED


def address_problem(address: str, *, local: bool) -> str | None:
    """Say why nothing may be sent to `address`, without what is signed; None where it may."""
    # Parsers disagree about these characters, and so about the host: what is checked must be what is asked.
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in address):
        return "has blanks or control characters"
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if not host or "\\" in parts.netloc or parts.username is not None or parts.password is not None:
        return "is no plain URL"
    if parts.scheme != "https" and not (parts.scheme == "http" and local and is_loopback(host)):
        return f"is not https ({redact_url(address)})"
    if not local and not _is_public(host):
        # The file is for the service: nothing of this machine or its network may be written to in its name.
        return f"is not public ({redact_url(address)})"
    return None


def url_problem(url: str, *, local: bool) -> str | None:
    """Say why `url` cannot be where the service fetches a file from; None where it can."""
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        return "has blanks or control characters"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        return "is no http(s) URL"
    if not local and not _is_public(host):
        return f"is not public ({redact_url(url)})"
    return None


def _is_public(host: str) -> bool:
    host = host.lower().removesuffix(".")
    if is_loopback(host):
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        # Resolvers read 127.1 and 0x7f.1 as addresses; no public name ends in a number.
        last = host.rpartition(".")[2]
        return "." in host and not last[:1].isdigit() and last not in {"local", "localhost", "internal"}


def _place(answer: Answer, found: Format, *, local: bool) -> Place | Refused:
    fields = answer.fields
    address, url = fields.get("uploadUrl"), fields.get("url")
    problem: str | None = None
    if not isinstance(address, str) or not isinstance(url, str):
        problem = "its answer names no uploadUrl or no url"
    elif (trouble := address_problem(address, local=local)) is not None:
        problem = f"its uploadUrl {trouble}"
    elif (trouble := url_problem(url, local=local)) is not None:
        problem = f"its url {trouble}"
    elif fields.get("method") not in {None, "PUT"}:
        problem = "it wants another method than PUT"
    content_type = fields.get("contentType", found.content_type)
    if not isinstance(content_type, str) or _MEDIA_TYPE.fullmatch(content_type) is None:
        problem = problem or "its contentType is no media type"
    lasts = _seconds(fields.get("assetTtlSeconds"))
    if lasts < SHORTEST:
        problem = problem or f"it would be deleted after {lasts:g} s"
    if problem is not None:
        return Refused(UploadError(f"the service's answer cannot be used: {problem}"))
    assert isinstance(address, str)
    assert isinstance(url, str)
    assert isinstance(content_type, str)
    return Place(address, url, content_type, lasts)


def _seconds(value: object) -> float:
    """Return for how long a file is kept: what the answer says, and never more than is published."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return LASTS
    return min(float(value), LASTS)
