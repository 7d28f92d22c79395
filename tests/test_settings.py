"""What a session is told, and where it looks if it is not told."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async import Catalogue, _guard
from seedance_async.errors import ConfigurationError
from seedance_async.settings import (
    DEFAULT_BASE_URL,
    ApiKey,
    KeySource,
    Timeouts,
    checked_key,
    find_base_url,
    find_catalogue,
    find_key,
)

KEY = "zimg_planted_0123456789abcdef"


@pytest.fixture
def unguarded() -> Iterator[None]:
    """Allow the real service's address for a test that sends nothing."""
    armed = _guard.armed()
    _guard.disarm()
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

    async def give() -> object:
        return answer

    source: KeySource = give  # type: ignore[assignment]
    with pytest.raises(ConfigurationError):
        await find_key(source, {}).reveal()


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
    """No time is 0, negative or none at all."""
    make: Callable[..., Timeouts] = Timeouts
    for value in (0, -1, float("nan")):
        with pytest.raises(ConfigurationError, match=rf"Timeouts.{name} must be more than 0"):
            make(**{name: value})
    assert getattr(make(**{name: 0.5}), name) == 0.5


def test_the_task_deadline_follows_the_catalogue() -> None:
    """Unless it is given, the deadline is the catalogue's."""
    assert Timeouts().task is None
    with pytest.raises(TypeError):
        Timeouts(5)  # type: ignore[call-arg]
