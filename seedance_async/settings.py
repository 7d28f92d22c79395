"""What a session is told, checked: wrong types are named where they are given, and not where they do harm."""

import ssl as ssl_module
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from inspect import isawaitable
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from attrs import field, frozen
from attrs.validators import optional

from seedance_async.core.callback_urls import CallbackUrls
from seedance_async.core.names import listed, shown
from seedance_async.core.polling import Polling, PollingPolicy
from seedance_async.core.redact import REDACTED, redact_url
from seedance_async.core.retry import RetryPolicy
from seedance_async.core.validators import finite, positive, what_was_given
from seedance_async.errors import ConfigurationError
from seedance_async.hooks import Hook
from seedance_async.journal.protocol import Journal
from seedance_async.slots import Slots

if TYPE_CHECKING:
    import aiohttp

#: What the session calls of its slots.
SLOTS_METHODS: Final = (
    "open", "aclose", "enqueue", "withdraw", "hold", "ready", "position", "upcoming", "adopt", "take", "accepted",
    "refused", "not_sent", "lost", "release", "wakeup", "statistics",
)  # fmt: skip

KeySource = str | Callable[[], str | Awaitable[str]]
"""An API key, or a callable asked for it before each request (it may be a coroutine function)."""


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
        upload: Between two pieces of a file that is sent, and from the last one to the answer, longer where bytes may
            still be on their way.
    """

    connect: float = field(default=10.0, validator=[positive, finite])
    create: float = field(default=120.0, validator=[positive, finite])
    poll: float = field(default=30.0, validator=[positive, finite])
    task: float | None = field(default=None, validator=optional(positive))
    give_up_slot: float = field(default=3600.0, validator=positive)
    visibility: float = field(default=60.0, validator=positive)
    close: float = field(default=10.0, validator=positive)
    download: float = field(default=60.0, validator=[positive, finite])
    upload: float = field(default=60.0, validator=[positive, finite])


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
            ConfigurationError: The callable failed or gave no usable key; the message shows neither a key nor the
                callable's own words, which might.
        """
        if isinstance(self._given, str):
            return self._given  # checked when it was found
        try:
            answer = self._given()
            key = await answer if isawaitable(answer) else answer
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 (the user's own callable may raise anything)
            raise ConfigurationError(f"the api_key callable failed: {type(error).__name__}") from None
        return checked_key(key, self.source)


@frozen
class Settings:
    """What a session was told, checked."""

    key: ApiKey
    base_url: str
    concurrency: int | None
    slots: Slots | None
    retry: RetryPolicy
    polling: Polling
    timeouts: Timeouts
    budget: Decimal | None
    proxy: str | None = field(repr=False)
    ssl: ssl_module.SSLContext | bool
    http_session: "aiohttp.ClientSession | None" = field(repr=False)
    hooks: tuple[Hook, ...]
    journal: Journal | None = None
    # A URL that all tasks share is often the receiver's secret.
    callback_url: CallbackUrls | str | None = field(default=None, repr=False)
    max_waiting: int | None = None
    max_waiting_per_group: int | None = None


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


def checked_concurrency(value: object) -> int | None:
    """Return the ceiling that was given, or None for `"auto"`.

    Raises:
        ConfigurationError: It is neither.
    """
    if value == "auto":
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f'concurrency is a whole number from 1 on, or "auto", and is {shown(value)}')
    return value


def checked_budget(value: object) -> Decimal | None:
    """Return the budget in credits, exactly as written.

    Raises:
        ConfigurationError: It is no amount.
    """
    if value is None:
        return None
    try:
        budget = Decimal(str(value))
    except (InvalidOperation, ValueError):  # the second of a number with thousands of digits
        budget = Decimal(-1)
    if isinstance(value, bool) or not budget.is_finite() or budget < 0:
        raise ConfigurationError(f"budget is an amount of credits from 0 on, and is {shown(value)}")
    return budget


def checked_timeouts(value: object) -> Timeouts:
    """Return the timeouts that were given, or the defaults.

    Raises:
        ConfigurationError: They are none, such as a bare number of seconds.
    """
    if value is None:
        return Timeouts()
    if not isinstance(value, Timeouts):
        raise ConfigurationError(
            f"timeouts must be a Timeouts, such as Timeouts(task=900, poll=15), and is {what_was_given(value)}"
        )
    return value


def checked_retry(value: object) -> RetryPolicy:
    """Return the policy that was given, or the default one.

    Raises:
        ConfigurationError: It is none, such as a bare number of attempts.
    """
    if value is None:
        return RetryPolicy()
    if not isinstance(value, RetryPolicy):
        raise ConfigurationError(
            f"retry must be a RetryPolicy, such as RetryPolicy(repeat_500=False), and is {what_was_given(value)}"
        )
    return value


def checked_polling(value: object) -> Polling:
    """Return the polling that was given, or the default one.

    Raises:
        ConfigurationError: It has no method `delay`, such as a bare number of seconds.
    """
    if value is None:
        return PollingPolicy()
    # A class has its methods, too, but nothing to call them on.
    if isinstance(value, type) or not callable(getattr(value, "delay", None)):
        raise ConfigurationError(
            "polling must be a PollingPolicy(), a FixedPolling(seconds), or an object with a method `delay`, and is "
            f"{what_was_given(value)}"
        )
    return cast("Polling", value)


def checked_slots(value: object) -> Slots | None:
    """Return the slots that were given.

    Raises:
        ConfigurationError: They lack methods, such as a bare number of slots.
    """
    if value is None:
        return None
    missing = [name for name in SLOTS_METHODS if not callable(getattr(value, name, None))]
    if isinstance(value, type) or missing:
        raise ConfigurationError(
            f"slots must be an object with the methods of Slots, and is {what_was_given(value)}"
            f"{f' without {listed(missing)}' if missing else ''}; for a number of slots use concurrency="
        )
    return cast("Slots", value)


def checked_proxy(value: object) -> str | None:
    """Return the proxy's URL that was given.

    Raises:
        ConfigurationError: It is no http(s) URL with a host; the message shows no credentials.
    """
    if value is None:
        return None
    like = "such as 'http://proxy.example:3128'"
    if not isinstance(value, str):
        raise ConfigurationError(f"proxy must be a URL, {like}, and is {what_was_given(value)}")
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        good = False
    if not good:
        shown = redact_url(value)
        raise ConfigurationError(
            f"proxy must be an http or https URL with a host, {like}, and is {REDACTED if '@' in shown else shown!r}"
        )
    return value


def checked_ssl(value: object) -> ssl_module.SSLContext | bool:
    """Return the TLS setting that was given.

    Raises:
        ConfigurationError: It is neither a context nor a flag.
    """
    if not isinstance(value, bool | ssl_module.SSLContext):
        raise ConfigurationError(
            "ssl must be True, False or an ssl.SSLContext, such as ssl.create_default_context(cafile=...), and is "
            f"{what_was_given(value)}"
        )
    return value


def checked_http_session(value: object) -> "aiohttp.ClientSession | None":
    """Return the aiohttp session that was given.

    Raises:
        ConfigurationError: It is none, or it is closed.
    """
    if value is None:
        return None
    # Here, because scripts that make no session do without it (see `Lifetime.__init__`).
    import aiohttp  # noqa: PLC0415

    if not isinstance(value, aiohttp.ClientSession):
        raise ConfigurationError(f"http_session must be an open aiohttp.ClientSession, and is {what_was_given(value)}")
    if value.closed:
        raise ConfigurationError("http_session is closed; give one that stays open for as long as this session")
    return value
