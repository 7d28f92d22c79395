"""What is hidden in texts and links."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.redact import REDACTED, redact, redact_json, redact_links, redact_url

SECRET = "planted-5f0a9c"
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789-._~", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("Bearer abc!", ("abc",), "Bearer [redacted]!"),
        ("abcabc", ("abc",), "[redacted][redacted]"),
        ("nothing", ("abc",), "nothing"),
        ("nothing", (), "nothing"),
        ("nothing", ("",), "nothing"),
        ("one two", ("one", "two"), "[redacted] [redacted]"),
        ("", ("abc",), ""),
    ],
)
def test_redact(text: str, secrets: tuple[str, ...], shown: str) -> None:
    """Every secret goes, wherever it stands; an empty one is none."""
    assert redact(text, *secrets) == shown


@given(st.text(), st.text(), st.text("ABCDEF0123456789", min_size=8))
def test_no_secret_survives(before: str, after: str, secret: str) -> None:
    """Whatever stands around it, a secret is not in the text any more."""
    assert secret not in redact(before + secret + after, secret)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://files.example/a.mp4", "https://files.example/a.mp4"),
        (f"https://files.example/a.mp4?sig={SECRET}", f"https://files.example/a.mp4?{REDACTED}"),
        (f"https://files.example/a.mp4#{SECRET}", "https://files.example/a.mp4"),
        (f"https://user:{SECRET}@files.example:8443/a", "https://files.example:8443/a"),
        (f"https://{SECRET}@files.example/a", "https://files.example/a"),
        (f"data:image/png;base64,{SECRET * 5}", "data:image/png;base64,pl..."),
        ("https://[bad", REDACTED),
        ("https://host:port/a", REDACTED),
        ("kinovi.ai/api/v1", "kinovi.ai/api/v1"),
        (f"kinovi.ai/api/v1?key={SECRET}", "kinovi.ai/api/v1..."),
        (f"user:{SECRET}@kinovi.ai/api/v1", f"{REDACTED}@kinovi.ai/api/v1"),
        ("photos/me@home.png", "photos/me@home.png"),
        ("@image1", "@image1"),
        ("", ""),
    ],
)
def test_redact_url(url: str, shown: str) -> None:
    """A link shows where it points and nothing that may be signed."""
    assert redact_url(url) == shown


@given(words, words, st.sampled_from(["https", "http", "ftp", "HTTPS"]), st.text(min_size=1), st.booleans())
def test_no_signature_survives(host: str, path: str, scheme: str, query: str, quoted: bool) -> None:
    """Whatever is signed, in the query, the fragment or the user info, is not in what is shown."""
    secret = f"{SECRET}{quote(query) if quoted else query}"
    for url in (
        f"{scheme}://{host}.example/{path}?{secret}",
        f"{scheme}://{host}.example/{path}?a=b&sig={secret}",
        f"{scheme}://{host}.example/{path}#{secret}",
        f"{scheme}://{SECRET}:{SECRET}@{host}.example/{path}",
        f"{host}.example/{path}?{secret}",
    ):
        assert SECRET not in redact_url(url)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no link", "no link"),
        ("see https://a.example/b", "see https://a.example/b"),
        (f"cannot fetch https://a.example/b.png?sig={SECRET}", f"cannot fetch https://a.example/b.png?{REDACTED}"),
        (f"'HTTPS://a.example/b?{SECRET}' and (http://c.example/#{SECRET})", None),
        (f'<a href="https://a.example/?{SECRET}">x</a>', f'<a href="https://a.example/?{REDACTED}">x</a>'),
        (f"https://user:{SECRET}@a.example/", "https://a.example/"),
        (f"https://[bad?{SECRET}", REDACTED),
    ],
)
def test_links_in_a_text(text: str, shown: str | None) -> None:
    """Every address in a text shows where it points; what stands around it stays."""
    found = redact_links(text)
    assert SECRET not in found
    assert found == (found if shown is None else shown)


def test_texts_in_json() -> None:
    """Every text of decoded JSON is shown in the way that is asked for; all else stays as it is."""
    body = {"a": ["x", 1, None, True, {"x": "y x"}], "x": 2.5}
    assert redact_json(body, lambda text: text.replace("x", "-")) == {"a": ["-", 1, None, True, {"-": "y -"}], "-": 2.5}
