"""Which links are fetched, and which redirects are followed."""

import pytest

from seedance_async.core.links import Link, NoHop, follow, is_loopback, link_problem


@pytest.mark.parametrize(
    "url",
    [
        "https://static.kinovi.ai/videos/a.mp4",
        "https://10.0.0.1:8443/a.mp4?x=1",
        "HTTPS://host/a",
        "http://127.0.0.1:80/a",
        "http://127.9.9.9/a",
        "http://[::1]:8000/a",
        "http://localhost/a",
        "http://LOCALHOST/a",
    ],
)
def test_allowed(url: str) -> None:
    """https goes anywhere, http to this machine."""
    assert link_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://static.kinovi.ai/videos/a.mp4",
        "http://10.0.0.1/a",
        "http://0.0.0.0/a",
        "http://127.0.0.1.example/a",
        "http://localhost.example/a",
        "http://127.1/a",
        "http://2130706433/a",
        "http://user@static.kinovi.ai/a",
        "http://127.0.0.1@static.kinovi.ai/a",
        "http://static.kinovi.ai\\@127.0.0.1/a",
        "http://127.0.0.1\\@static.kinovi.ai/a",
        "https://a\nb/",
        "https://a b/",
        "ftp://127.0.0.1/a",
        "data:video/mp4;base64,AAAA",
        "//127.0.0.1/a",
        "/a",
        "https://",
        "",
    ],
)
def test_refused(url: str) -> None:
    """Anything else is refused with a sentence."""
    problem = link_problem(url)
    assert problem is not None
    assert "signature" not in (link_problem(f"{url}?signature") or "")


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://a/b/c.mp4", "d.mp4?x", "https://a/b/d.mp4?x"),
        ("https://a/b/c.mp4", "/d.mp4", "https://a/d.mp4"),
        ("https://a/b/c.mp4", "//e/d.mp4", "https://e/d.mp4"),
        ("https://a/b/c.mp4", "?x=%2B+", "https://a/b/c.mp4?x=%2B+"),
        ("http://127.0.0.1/a", "https://e/d", "https://e/d"),
        ("http://127.0.0.1/a", "http://localhost:81/d", "http://localhost:81/d"),
    ],
)
def test_followed(url: str, location: str, target: str) -> None:
    """A redirect to an allowed link is followed, absolute or relative."""
    assert follow(Link(url), location) == Link(target)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://a/b", "http://a/b"),
        ("https://a/b", "http://127.0.0.1/b"),
        ("http://127.0.0.1/a", "http://a/b"),
        ("https://a/b", None),
        ("https://a/b", ""),
        ("https://a/b", "javascript:alert(1)"),
        ("https://a/b", "http://[x"),
    ],
)
def test_not_followed(url: str, location: str | None) -> None:
    """A redirect out of encryption, or to nothing that can be fetched, is not followed."""
    refusal = follow(Link(f"{url}?signature"), location)
    assert isinstance(refusal, NoHop)
    assert "signature" not in str(refusal)
    assert "signature" not in str(Link(f"{url}?signature"))


def test_loopback_is_by_address() -> None:
    """No name is looked up, and none is taken that a resolver may look up in the network."""
    assert not is_loopback("api.localhost")
    assert not is_loopback("localhost.localdomain")
    assert not is_loopback("")
