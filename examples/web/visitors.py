"""Who is asking. An application with accounts puts its own answer here: `user` is all that the rest wants to know."""

import hashlib
import re
import secrets
from typing import Final

from attrs import frozen

COOKIE: Final = "visitor"
#: A year, in seconds.
LASTS: Final = 365 * 24 * 3600
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@frozen
class Visitor:
    """A browser, known by a random token in a cookie.

    Attributes:
        token: The cookie's value: whoever has it is this visitor, so it is written nowhere.
        user: A name for keys, groups and journals, from which the token cannot be had.
        new: Whether the cookie has to be set.
    """

    token: str
    user: str
    new: bool


def is_secure(scheme: str, forwarded: str | None) -> bool:
    """Whether the visitor came by https, so that the cookie may not go out by less.

    Args:
        scheme: How the request came here.
        forwarded: `X-Forwarded-Proto`: how it came to the proxy. Who lies there spoils only a cookie of one's own.
    """
    return "https" in {scheme, forwarded}


def visitor(cookie: str | None) -> Visitor:
    """Return the visitor of a cookie; a new one where there is none, or one that we never gave out."""
    known = cookie is not None and _TOKEN.fullmatch(cookie) is not None
    token = cookie if cookie is not None and known else secrets.token_urlsafe(32)
    return Visitor(token, hashlib.sha256(token.encode()).hexdigest()[:20], not known)
