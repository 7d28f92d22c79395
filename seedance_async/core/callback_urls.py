"""Callback URLs that nobody can guess: one for each create, checked without keeping any.

1. The last part of the path is an HMAC-SHA256 under a secret of the user's over the job's key and the name of its
   create. In the path, because proxies write queries into their logs more often; and nothing can be read out of it.
2. It names one create: a call that belongs to an older attempt at the same key does not fit a newer one.
3. Secrets can be changed without a gap: all that are given are accepted, the first one signs.
"""

import base64
import hmac
import json
from collections.abc import Sequence
from typing import Final, NoReturn, cast
from urllib.parse import urlsplit

from attrs import define, field

from seedance_async.core.frozen import is_list
from seedance_async.core.media_checks import host_only, is_http_url
from seedance_async.core.validators import what_was_given
from seedance_async.errors import ConfigurationError

#: Least bytes of a secret, and of a token's characters the number.
LEAST_SECRET: Final = 16
TOKEN_LENGTH: Final = 43
_LONGEST_URL: Final = 2000
_LONGEST_BASE: Final = _LONGEST_URL - TOKEN_LENGTH - 1
#: Keeps these tokens apart from whatever else is made with the same secret.
_PURPOSE: Final = "seedance_async callback 1"
_EXAMPLE: Final = 'such as CallbackUrls("https://example.com/seedance", os.environ["SEEDANCE_WEBHOOK_SECRET"])'

Secret = str | bytes


@define(frozen=True, init=False, eq=False)
class CallbackUrls:
    """Makes a callback URL for each create of a session, and checks what comes to it.

    Give it to a session: `AsyncSeedance(callback_url=CallbackUrls("https://example.com/seedance", secret))`. A call
    with a token that fits also tells the task id of a create whose answer was lost.

    Attributes:
        base: What every URL begins with. Its repr shows the host alone.
    """

    base: str = field(repr=host_only)
    _secrets: tuple[bytes, ...] = field(repr=False)

    def __init__(self, base: str, secret: Secret | Sequence[Secret]) -> None:
        """Check base and secrets.

        Args:
            base: An http or https URL that leads to the route, without query and fragment; a token is put behind it.
            secret: At least 16 bytes that nobody can guess, such as `secrets.token_urlsafe(32)` once and for all; the
                same for all processes that share the URL. Or several, of which the first one signs and all are
                accepted, while one replaces another.

        Raises:
            ConfigurationError: Says everything that is wrong, and shows no secret.
        """
        problems = [*_base_problems(base), *_secret_problems(secret)]
        if problems:
            raise ConfigurationError(f"CallbackUrls: {'; '.join(problems)}; {_EXAMPLE}")
        given: Sequence[Secret] = (secret,) if isinstance(secret, str | bytes) else secret
        object.__setattr__(self, "base", base.rstrip("/"))
        object.__setattr__(self, "_secrets", tuple(_bytes(each) for each in given))

    def token(self, key: str, attempt: str) -> str:
        """Return the token of one create: 43 characters that are safe in a path.

        Args:
            key: The job's key.
            attempt: Names the create among all of that key.
        """
        return self._tokens(key, attempt)[0]

    def url(self, key: str, attempt: str) -> str:
        """Return the callback URL of one create, see `token`."""
        return f"{self.base}/{self.token(key, attempt)}"

    def tokens(self, key: str, attempt: str) -> tuple[str, ...]:
        """Return the tokens that are accepted for a create: one for each secret, the signing one's first."""
        return self._tokens(key, attempt)

    def check(self, token: str, key: str, attempt: str) -> bool:
        """Whether a token is one of this create's. Takes the same time wherever two tokens differ."""
        given = token.encode("utf-8", "replace")
        fits = False
        for each in self._tokens(key, attempt):
            fits |= hmac.compare_digest(each.encode("ascii"), given)
        return fits

    def _tokens(self, key: str, attempt: str) -> tuple[str, ...]:
        # JSON, so that no two pairs of texts are the same text.
        message = json.dumps([_PURPOSE, key, attempt]).encode("ascii")
        digests = (hmac.digest(secret, message, "sha256") for secret in self._secrets)
        return tuple(base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii") for digest in digests)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: the secrets would be in it."""
        raise TypeError("CallbackUrls holds secrets and is not pickled; make it in each process")


def checked_callback_url(value: object) -> CallbackUrls | str | None:
    """Return the callback URLs that were given to a session.

    Raises:
        ConfigurationError: They are none; the message shows the host alone.
    """
    if value is None or isinstance(value, CallbackUrls):
        return value
    if not isinstance(value, str):
        raise ConfigurationError(
            f"callback_url must be an http(s) URL or CallbackUrls, {_EXAMPLE}, and is {what_was_given(value)}"
        )
    if "{" in value or "}" in value:
        raise ConfigurationError(
            "callback_url is no template: a URL of its own for each task takes a secret, so that nobody can guess it, "
            f"and is made by CallbackUrls, {_EXAMPLE}"
        )
    if not is_http_url(value) or len(value) > _LONGEST_URL:
        raise ConfigurationError(
            f"callback_url must be an http(s) URL of at most {_LONGEST_URL} characters, and is {host_only(value)}"
        )
    return value


def _bytes(secret: Secret) -> bytes:
    return secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret


def _base_problems(base: object) -> list[str]:
    if not isinstance(base, str) or not is_http_url(base):
        return [f"base must be an http(s) URL, and is {host_only(base)}"]
    parts = urlsplit(base)
    problems: list[str] = []
    if "?" in base or "#" in base:
        problems.append("base must have no query and no fragment, because a token is put behind it")
    if "@" in parts.netloc:
        problems.append("base must have no user name and password")
    if "{" in base or "}" in base:
        problems.append("base must have no braces, a token is put behind it by itself")
    if len(base) > _LONGEST_BASE:
        problems.append(f"base must have at most {_LONGEST_BASE} characters")
    return problems


def _secret_problems(secret: object) -> list[str]:
    given = cast("Sequence[object]", (secret,) if isinstance(secret, str | bytes) else secret)
    if not is_list(given) or not given:
        return [f"secret must be text or bytes, or a list of them, and is {what_was_given(secret)}"]
    problems: list[str] = []
    for number, each in enumerate(given):
        name = "secret" if isinstance(secret, str | bytes) else f"secret[{number}]"
        if not isinstance(each, str | bytes):
            problems.append(f"{name} must be text or bytes, and is a {type(each).__name__}")
        elif len(_bytes(each)) < LEAST_SECRET:
            problems.append(f"{name} must have at least {LEAST_SECRET} bytes: make one with secrets.token_urlsafe(32)")
        elif len(set(each)) < 2:
            problems.append(f"{name} is one character again and again")
    return problems
