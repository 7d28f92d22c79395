"""What a session is told, and where it looks if it is not told."""

import ssl
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async import AsyncSeedance, Catalogue, FixedPolling, PollingPolicy, RetryPolicy, _guard
from seedance_async.errors import ConfigurationError
from seedance_async.finding import DEFAULT_BASE_URL, find_base_url, find_catalogue, find_key
from seedance_async.hooks import HookEvent
from seedance_async.settings import SLOTS_METHODS, ApiKey, KeySource, Timeouts, checked_key
from seedance_async.slots import LocalSlots, Slots

KEY = "zimg_planted_0123456789abcdef"


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Allow the real service's address for a test that sends nothing, also where the run's environment forbids it."""
    armed = _guard.armed()
    _guard.disarm()
    with monkeypatch.context() as context:
        context.delenv(_guard.VARIABLE, raising=False)
        yield
    if armed:
        _guard.arm()


# The key


@pytest.mark.parametrize(
    ("given_key", "environ", "source"),
    [
        (KEY, {"KINOVI_API_KEY": "other"}, "the argument api_key"),
        (None, {"KINOVI_API_KEY": KEY, "SEEDANCE_API_KEY": "other"}, "the environment variable KINOVI_API_KEY"),
        (None, {"SEEDANCE_API_KEY": KEY}, "the environment variable SEEDANCE_API_KEY"),
        (None, {"KINOVI_API_KEY": "  ", "SEEDANCE_API_KEY": KEY}, "the environment variable SEEDANCE_API_KEY"),
        (f"  {KEY}\n", {}, "the argument api_key"),
    ],
)
async def test_where_the_key_comes_from(given_key: str | None, environ: dict[str, str], source: str) -> None:
    """The argument, then the vendor's variable, then the older one; the source is remembered."""
    key = find_key(given_key, environ)
    assert await key.reveal() == KEY
    assert key.source == source


def test_no_key() -> None:
    """Without a key the error names the variable and the argument."""
    with pytest.raises(ConfigurationError, match=r"KINOVI_API_KEY.*api_key="):
        find_key(None, {"SEEDANCE_API_KEY": ""})


@pytest.mark.parametrize("bad", ["", "   ", "a b", "a\nb", "a\x00b", "schlüssel", "key\u200b", 5, None, b"key"])
def test_what_is_no_key(bad: object) -> None:
    """What cannot be a header's value is refused at once, and not shown."""
    with pytest.raises(ConfigurationError) as caught:
        checked_key(bad, "the environment variable X")
    assert "the environment variable X" in str(caught.value)
    if isinstance(bad, str) and len(bad.strip()) > 3:
        assert bad.strip() not in str(caught.value)


async def test_a_callable_is_asked_each_time() -> None:
    """A callable gives the key anew for each request, also as a coroutine function."""
    keys = iter(["first-key", "second-key"])

    async def later() -> str:
        return "third-key"

    key = find_key(lambda: next(keys), {})
    assert [await key.reveal(), await key.reveal()] == ["first-key", "second-key"]
    assert await find_key(later, {}).reveal() == "third-key"


@pytest.mark.parametrize("answer", ["", "a b", None, 5])
async def test_a_callable_without_a_key(answer: object) -> None:
    """A callable that gives no key is an error that does not show what it gave."""

    async def later() -> object:
        return answer

    for give in (later, lambda: answer):
        source: KeySource = give  # type: ignore[assignment]
        with pytest.raises(ConfigurationError, match=r"the API key .*the argument api_key"):
            await find_key(source, {}).reveal()


@pytest.mark.parametrize("late", [False, True])
async def test_a_callable_that_fails(late: bool) -> None:
    """The error says that it was the callable and which class it raised, and not its words: the key may be in them."""

    def give() -> str:
        raise LookupError(f"no vault for {KEY}")

    async def later() -> str:
        return give()

    with pytest.raises(ConfigurationError) as caught:
        await find_key(later if late else give, {}).reveal()
    assert str(caught.value) == "the api_key callable failed: LookupError"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_a_callable_that_says_what_is_wrong() -> None:
    """An error of this package's own keeps its words."""

    def give() -> str:
        raise ConfigurationError("no profile of that name")

    with pytest.raises(ConfigurationError, match=r"^no profile of that name$"):
        await find_key(give, {}).reveal()


def test_the_key_is_not_shown() -> None:
    """The repr of a key shows where it came from and nothing of it."""
    for source in (KEY, lambda: KEY):
        shown = repr(find_key(source, {}))
        assert KEY not in shown
        assert "the argument api_key" in shown
        assert str(len(KEY)) not in shown
    assert KEY not in str(ApiKey(KEY, "x"))


# The base URL


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://127.0.0.1:8080/api/v1", "http://127.0.0.1:8080/api/v1"),
        ("  http://127.0.0.1:8080/api/v1/// ", "http://127.0.0.1:8080/api/v1"),
        ("http://localhost", "http://localhost"),
        ("https://127.0.0.1", "https://127.0.0.1"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("HTTP://LOCALHOST/x", "HTTP://LOCALHOST/x"),
    ],
)
def test_good_base_urls(url: str, found: str) -> None:
    """Slashes and blanks at the end do not matter; this machine may be reached without https."""
    assert find_base_url(url, {}) == found
    assert find_base_url(None, {"SEEDANCE_BASE_URL": url}) == found


@pytest.mark.usefixtures("unguarded")
def test_the_default_base_url() -> None:
    """Without argument and variable it is the service's own; an empty variable is none."""
    assert find_base_url(None, {}) == DEFAULT_BASE_URL == "https://kinovi.ai/api/v1"
    assert find_base_url(None, {"SEEDANCE_BASE_URL": ""}) == DEFAULT_BASE_URL
    assert find_base_url("https://proxy.example/kinovi", {"SEEDANCE_BASE_URL": "x"}) == "https://proxy.example/kinovi"


def test_the_guard() -> None:
    """In a test run the service's own address is refused."""
    with pytest.raises(ConfigurationError, match="must not spend"):
        find_base_url(None, {})


@pytest.mark.usefixtures("unguarded")
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("kinovi.ai/api/v1", "scheme included"),
        ("kinovi.ai", "scheme included"),
        ("", "scheme included"),
        ("https://", "scheme included"),
        ("ftp://kinovi.ai", "scheme included"),
        ("file:///etc/passwd", "scheme included"),
        ("https://[bad", "scheme included"),
        ("https://host:port/x", "scheme included"),
        ("https://user:planted-secret@kinovi.ai/api", "no user name"),
        ("https://kinovi.ai/api?key=planted-secret", "no user name, query"),
        ("https://kinovi.ai/api#planted-secret", "no user name, query or fragment"),
        ("http://kinovi.ai/api/v1", "unencrypted"),
        ("http://10.0.0.1/api/v1", "unencrypted"),
        ("http://127.0.0.1.evil.example/api", "unencrypted"),
        ("user:planted-secret@kinovi.ai/api/v1", "scheme included"),
    ],
)
def test_bad_base_urls(url: str, says: str) -> None:
    """What is no address for a key is refused, and the error says why and shows no secret."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        find_base_url(url, {})
    assert "planted-secret" not in str(caught.value)
    assert "base_url" in str(caught.value)
    if url:
        with pytest.raises(ConfigurationError, match="SEEDANCE_BASE_URL"):
            find_base_url(None, {"SEEDANCE_BASE_URL": url})


@pytest.mark.usefixtures("unguarded")
@given(st.text())
def test_any_base_url(url: str) -> None:
    """Whatever is given, it is an address or a clear error."""
    try:
        found: str | None = find_base_url(url, {})
    except ConfigurationError:
        found = None
    assert found is None or found.lower().startswith("http")


# The catalogue


@pytest.mark.parametrize(
    ("given_catalogue", "environ", "name"),
    [
        (None, {}, "classic"),
        (None, {"SEEDANCE_CATALOGUE": ""}, "classic"),
        (None, {"SEEDANCE_CATALOGUE": "latest"}, "latest"),
        ("classic", {"SEEDANCE_CATALOGUE": "latest"}, "classic"),
        (Catalogue.LATEST, {"SEEDANCE_CATALOGUE": "classic"}, "latest"),
    ],
)
def test_catalogues(given_catalogue: Catalogue | str | None, environ: dict[str, str], name: str) -> None:
    """The argument, then the variable, then the seed page's."""
    assert find_catalogue(given_catalogue, environ).name == name


def test_no_such_catalogue() -> None:
    """An unknown name is an error."""
    with pytest.raises(ConfigurationError, match="newest"):
        find_catalogue(None, {"SEEDANCE_CATALOGUE": "newest"})


# Timeouts


@pytest.mark.parametrize(
    "name", ["connect", "create", "poll", "task", "give_up_slot", "visibility", "close", "download"]
)
def test_timeouts_are_checked(name: str) -> None:
    """No time is 0, negative or no number of seconds at all."""
    make: Callable[..., Timeouts] = Timeouts
    bad: list[object] = [0, -1, float("nan"), True, "30", [], Timeouts]
    for value in bad:
        with pytest.raises(ConfigurationError, match=rf"Timeouts.{name} must be a number above 0"):
            make(**{name: value})
    assert getattr(make(**{name: 0.5}), name) == 0.5


def test_the_task_deadline_follows_the_catalogue() -> None:
    """Unless it is given, the deadline is the catalogue's."""
    assert Timeouts().task is None
    with pytest.raises(TypeError):
        Timeouts(5)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["connect", "create", "poll", "download"])
def test_what_the_http_library_counts_with_is_finite(name: str) -> None:
    """aiohttp fails on an infinite time when the request is sent; a deadline of a task may be infinite."""
    make: Callable[..., Timeouts] = Timeouts
    with pytest.raises(ConfigurationError, match=rf"Timeouts.{name} must not be infinite"):
        make(**{name: float("inf")})
    assert Timeouts(task=float("inf"), give_up_slot=float("inf")).task == float("inf")


# What a session is made with


class Half:
    """Slots that can do next to nothing."""

    def take(self) -> None:
        """Give none."""

    def enqueue(self) -> None:
        """Take nobody."""


class HookThatWaits:
    """An object that is called like a coroutine function."""

    async def __call__(self, event: object) -> None: ...


def hook_that_yields(event: object) -> Iterator[object]:
    """A generator function."""
    yield event


async def hook_that_waits(event: HookEvent) -> None:
    """Nobody awaits this."""


def make_session(**options: Any) -> AsyncSeedance:
    """A session that is not opened."""
    return AsyncSeedance(**{"api_key": KEY, "base_url": "http://127.0.0.1:9/api/v1", **options})


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("timeouts", 30, r"timeouts must be a Timeouts, such as Timeouts\(.*, and is 30$"),
        ("timeouts", 0, r"and is 0$"),
        ("timeouts", {"create": 30}, "and is of type dict"),
        ("retry", 3, r"retry must be a RetryPolicy, such as RetryPolicy\(.*, and is 3$"),
        ("retry", RetryPolicy, "and is the class RetryPolicy"),
        ("retry", False, "and is False"),
        ("polling", 2.0, r"polling must be .*FixedPolling\(seconds\).*`delay`, and is 2.0$"),
        ("polling", 0, "and is 0"),
        ("polling", PollingPolicy, "and is the class PollingPolicy"),
        ("slots", 5, "slots must be an object with the methods of Slots, and is 5 .*use concurrency="),
        ("slots", Half(), r"of type Half without open, .* or statistics; "),
        ("slots", LocalSlots, "and is the class LocalSlots;"),
        ("concurrency", 0, 'concurrency is a whole number from 1 on, or "auto", and is 0'),
        ("concurrency", "5", "and is '5'"),
        ("concurrency", 2.5, "and is 2.5"),
        ("concurrency", True, "and is True"),
        ("concurrency", [], r"and is \[\]"),
        ("budget", float("nan"), "budget is an amount of credits from 0 on, and is nan"),
        ("budget", Decimal("NaN"), r"and is Decimal\('NaN'\)"),
        ("budget", "sNaN", "and is 'sNaN'"),
        ("budget", float("inf"), "and is inf"),
        ("budget", -1, "and is -1"),
        ("budget", True, "and is True"),
        ("budget", "many", "and is 'many'"),
        ("budget", [5], r"and is \[5\]"),
        ("hooks", print, r"hooks is a list of callables, such as hooks=\[print\]"),
        ("hooks", [5], r"hooks\[0\] is none: it is 5"),
        ("hooks", [print, None], r"hooks\[1\] is none: it is None"),
        ("hooks", 5, "hooks is a list of callables"),
        ("hooks", "print", "hooks is a list of callables, .*of type str"),
        ("hooks", {"on": print}, "hooks is a list of callables, .*of type dict"),
        ("hooks", [HookThatWaits()], r"hooks\[0\] is a coroutine function, and a hook is called and not awaited"),
        ("hooks", [partial(hook_that_waits)], r"hooks\[0\] is a coroutine function"),
        ("hooks", [hook_that_yields], r"hooks\[0\] is a generator function, whose body does not run"),
        ("hooks", [hook_that_waits], r"hooks\[0\] is a coroutine function, and a hook is called and not awaited"),
        ("catalogue", 5, "catalogue must be a Catalogue, such as Catalogue.LATEST, or its name, and is 5"),
        ("catalogue", Catalogue, "and is the class Catalogue"),
        ("base_url", 5, "the argument base_url must be a text such as 'https://.*, and is 5"),
        ("base_url", b"https://kinovi.ai", "and is of type bytes"),
        ("proxy", "nonsense", r"proxy must be an http or https URL with a host, such as .*, and is 'nonsense'$"),
        ("proxy", "http://", "and is 'http://'"),
        ("proxy", "socks5://proxy.example:1080", "and is 'socks5://proxy.example:1080'"),
        ("proxy", "http://proxy.example:many", "and is "),
        ("proxy", "proxy.example:3128", "and is 'proxy.example:3128'"),
        ("proxy", 3128, "proxy must be a URL, such as .*, and is 3128"),
        ("ssl", "x", "ssl must be True, False or an ssl.SSLContext, .*, and is of type str"),
        ("ssl", None, "and is None"),
        ("ssl", 0, "and is 0"),
        ("http_session", "x", "http_session must be an open aiohttp.ClientSession, and is of type str"),
        ("http_session", aiohttp.ClientSession, "and is the class ClientSession"),
        ("api_key", 5, "the API key is empty or no text"),
    ],
)  # fmt: skip
def test_wrong_types_are_named_where_they_are_given(option: str, value: object, says: str) -> None:
    """Making the session says which argument it is, what was given and what to give."""
    with pytest.raises(ConfigurationError, match=says):
        make_session(**{option: value})


@pytest.mark.parametrize("option", ["budget", "concurrency", "timeouts"])
def test_a_number_that_python_does_not_write_out(option: str) -> None:
    """An absurd number is refused like any other: Python shows none of more than some thousand digits."""
    with pytest.raises(ConfigurationError, match=rf"{option} .*, and is a int"):
        make_session(**{option: -(10**5000)})


@pytest.mark.parametrize(
    "proxy",
    [
        "user:planted-secret@proxy.example:3128",
        "socks5://user:planted-secret@proxy.example",
        "http//user:planted-secret@proxy.example",
        "http:/user:planted-secret@proxy.example",
        "http://user:planted-secret@[bad",
        "http://user:planted-secret@host:port",
    ],
)
def test_credentials_of_a_proxy_are_not_shown(proxy: str) -> None:
    """However a proxy's URL is misspelled, its password is not in the error."""
    with pytest.raises(ConfigurationError, match="proxy must be") as caught:
        make_session(proxy=proxy)
    assert "planted-secret" not in repr(caught.value)


async def test_a_closed_http_session() -> None:
    """It could send nothing."""
    async with aiohttp.ClientSession() as open_session:
        make_session(http_session=open_session)
    with pytest.raises(ConfigurationError, match="http_session is closed; give one that stays open"):
        make_session(http_session=open_session)


def test_what_a_session_takes() -> None:
    """What is right is taken, and None is the default wherever there is one."""
    for options in (
        {"timeouts": None, "retry": None, "polling": None, "slots": None, "budget": None, "proxy": None},
        {"timeouts": Timeouts(task=5), "retry": RetryPolicy(repeat_500=False), "polling": FixedPolling(2)},
        {"slots": LocalSlots(5, lambda: 0.5), "concurrency": "auto", "hooks": iter([print, Half().take])},
        {"budget": "12.5", "proxy": "https://user:password@proxy.example:3128", "ssl": False},
        {"budget": 0.5, "ssl": ssl.create_default_context(), "http_session": None, "catalogue": "latest"},
    ):
        make_session(**options)


def test_the_methods_of_slots_are_all_looked_for() -> None:
    """The list follows the protocol."""
    assert set(SLOTS_METHODS) == {name for name in vars(Slots) if not name.startswith("_")}
