"""What a session is told, and where it comes from if it is not told."""

import os
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attrs import field, frozen

from seedance_async import _guard
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.redact import redact_url
from seedance_async.errors import ConfigurationError

if TYPE_CHECKING:
    import aiohttp

    from seedance_async.core.polling import Polling
    from seedance_async.core.retry import RetryPolicy
    from seedance_async.hooks import Hook
    from seedance_async.slots import Slots

#: The vendor's own name for the key, then the one of its older documentation. Unrelated resellers use the second
#: too, which is why it comes second and why a 401 names the source (contract, section 1).
KEY_VARIABLES: Final = ("KINOVI_API_KEY", "SEEDANCE_API_KEY")
BASE_URL_VARIABLE: Final = "SEEDANCE_BASE_URL"
CATALOGUE_VARIABLE: Final = "SEEDANCE_CATALOGUE"
DEFAULT_BASE_URL: Final = "https://kinovi.ai/api/v1"

KeySource = str | Callable[[], str | Awaitable[str]]
"""An API key, or a callable asked for it before each request (it may be a coroutine function)."""


def _positive(_instance: object, attribute: Any, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ConfigurationError(f"Timeouts.{attribute.name} must be more than 0 seconds, and is {value!r}")


@frozen(kw_only=True)
class Timeouts:
    """How long a session waits, in seconds.

    Attributes:
        connect: For a connection, names and TLS included.
        create: For the answer of a create after it was sent. It is long because a create whose answer comes late is
            not lost, and one that is given up has an unknown outcome.
        poll: For the answer of a poll.
        task: From acceptance until a handle stops waiting with `TaskTimeoutError`. None takes the catalogue's
            figure: 30 minutes, more for what takes the service longer. Never ends a wait without one poll after it.
        give_up_slot: From then on, until the slot of a task that still has not ended is used again.
        visibility: After acceptance, while a 404 means "not visible yet".
        close: For creates on the wire when the session closes; what has no answer by then is unknown.
        download: Between two pieces of a file.
    """

    connect: float = field(default=10.0, validator=_positive)
    create: float = field(default=120.0, validator=_positive)
    poll: float = field(default=30.0, validator=_positive)
    task: float | None = field(default=None, validator=_positive)
    give_up_slot: float = field(default=3600.0, validator=_positive)
    visibility: float = field(default=60.0, validator=_positive)
    close: float = field(default=10.0, validator=_positive)
    download: float = field(default=60.0, validator=_positive)


@frozen
class ApiKey:
    """The key and where it came from. Its repr shows neither the key nor its length.

    Attributes:
        source: Such as `"the argument api_key"` or the name of an environment variable.
    """

    _given: KeySource = field(repr=False)
    source: str

    async def reveal(self) -> str:
        """Return the key.

        Raises:
            ConfigurationError: The callable gave no usable key.
        """
        if isinstance(self._given, str):
            return self._given  # checked when it was found
        answer = self._given()
        return checked_key(answer if isinstance(answer, str) else await answer, self.source)


@frozen
class Settings:
    """What a session was told, checked."""

    key: ApiKey
    base_url: str
    concurrency: int | None
    slots: "Slots | None"
    retry: "RetryPolicy"
    polling: "Polling"
    timeouts: Timeouts
    budget: Decimal | None
    proxy: str | None = field(repr=False)
    ssl: ssl_module.SSLContext | bool
    http_session: "aiohttp.ClientSession | None" = field(repr=False)
    hooks: "tuple[Hook, ...]"


def checked_key(key: object, source: str) -> str:
    """Return the key if it can be a header's value.

    Raises:
        ConfigurationError: It cannot; the message does not show it.
    """
    if not isinstance(key, str) or not key.strip():
        raise ConfigurationError(f"the API key is empty or no text (it came from {source})")
    key = key.strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(f"the API key has characters that no key has; was it copied whole? ({source})")
    return key


def find_key(given: KeySource | None, environ: Mapping[str, str] | None = None) -> ApiKey:
    """Find the API key: the argument, then the environment.

    Raises:
        ConfigurationError: There is none, or it cannot be a key.
    """
    if given is not None:
        source = "the argument api_key"
        return ApiKey(given if callable(given) else checked_key(given, source), source)
    for name in KEY_VARIABLES:
        found = _variable(name, environ)
        if found.strip():
            source = f"the environment variable {name}"
            return ApiKey(checked_key(found, source), source)
    raise ConfigurationError(
        f"no API key: set the environment variable {KEY_VARIABLES[0]}, or pass api_key= to AsyncSeedance "
        "(`seedance demo` needs none)"
    )


def find_base_url(given: str | None, environ: Mapping[str, str] | None = None) -> str:
    """Find the base URL: the argument, the environment, the service's.

    Raises:
        ConfigurationError: It is no http(s) URL, is plain http to another machine, or the test guard forbids it.
    """
    url, source = given, "the argument base_url"
    if url is None:
        url, source = _variable(BASE_URL_VARIABLE, environ) or DEFAULT_BASE_URL, BASE_URL_VARIABLE
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
        parts = urlsplit("")
    shown = redact_url(url)
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError(
            f"{source} is {shown!r}, which is no URL; it must look like {DEFAULT_BASE_URL!r}, scheme included"
        )
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ConfigurationError(f"{source} must have no user name, query or fragment: {shown!r}")
    if parts.scheme == "http" and not _guard.is_loopback(url):
        raise ConfigurationError(
            f"{source} is {shown!r}: without https the API key would travel unencrypted. Only loopback addresses "
            "may use http"
        )
    _guard.check(url)
    return url


def find_catalogue(given: Catalogue | str | None, environ: Mapping[str, str] | None = None) -> Catalogue:
    """Find the catalogue: the argument, the environment, `Catalogue.CLASSIC`.

    Raises:
        ConfigurationError: There is none of that name.
    """
    if isinstance(given, Catalogue):
        return given
    return Catalogue.named(given if given is not None else _variable(CATALOGUE_VARIABLE, environ) or "classic")


def _variable(name: str, environ: Mapping[str, str] | None) -> str:
    # The environment is no local of a function that raises: error trackers keep those, and the key may be in it.
    return (os.environ if environ is None else environ).get(name, "")
