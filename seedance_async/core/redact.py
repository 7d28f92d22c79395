"""Keep secrets out of everything that people read: keys by value, signed URLs by shape."""

import re
from typing import Final
from urllib.parse import urlsplit

REDACTED: Final = "[redacted]"

#: User name and password of a URL whose scheme was forgotten.
_USER_INFO: Final = re.compile(r"^[^/@]*:[^/@]*@")


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
