"""Keep secrets out of everything that people read: keys by value, signed URLs by shape."""

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from seedance_async.core.frozen import is_list, is_mapping

REDACTED: Final = "[redacted]"

#: User name and password of a URL whose scheme was forgotten.
_USER_INFO: Final = re.compile(r"^[^/@]*:[^/@]*@")
#: A web address within a text.
_LINK: Final = re.compile(r"https?://[^\s\"'<>\\]+", re.IGNORECASE)


def redact(text: str, *secrets: str) -> str:
    """Replace every secret in `text`, by value, so that no list of header names can go stale."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, REDACTED)
    return text


def redact_url(url: str) -> str:
    """Show where a URL points without what may be signed: user info, query and fragment.

    A `data:` URL, or anything without a host, is cut after its first characters.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return REDACTED
    if not host:
        url = _USER_INFO.sub(f"{REDACTED}@", url)
        return url if len(url) <= 40 and "?" not in url else f"{url[:24].split('?', maxsplit=1)[0]}..."
    where = host if port is None else f"{host}:{port}"
    hidden = f"?{REDACTED}" if parts.query else ""
    return f"{parts.scheme}://{where}{parts.path}{hidden}"


def redact_links(text: str) -> str:
    """Show every web address in a text as `redact_url` does: a service may send back what it was sent."""
    return _LINK.sub(lambda found: redact_url(found[0]), text)


def redact_json(value: Any, shown: Callable[[str], str]) -> Any:
    """Return decoded JSON with every text, names included, as `shown` returns it."""
    if isinstance(value, str):
        return shown(value)
    if is_mapping(value):
        return {redact_json(name, shown): redact_json(inner, shown) for name, inner in value.items()}
    if is_list(value):
        return [redact_json(inner, shown) for inner in value]
    return value
