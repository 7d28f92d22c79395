"""Callback URLs that nobody can guess: what a token fits, what is refused, what is never shown."""

import copy
import pickle
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedance_async.core.callback import CLOCKS, Callback, Sent, fits
from seedance_async.core.callback_urls import TOKEN_LENGTH, CallbackUrls, checked_callback_url
from seedance_async.errors import ConfigurationError

BASE = "https://example.com/seedance"
SECRET = "correct horse battery staple"
URLS = CallbackUrls(BASE, SECRET)

texts = st.text(max_size=40)


@settings(max_examples=50)
@given(texts, texts, texts, texts)
def test_a_token_fits_one_create_and_no_other(key: str, attempt: str, other_key: str, other_attempt: str) -> None:
    """Also where key and attempt together are the same text."""
    token = URLS.token(key, attempt)
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}", token)
    assert URLS.check(token, key, attempt)
    same = (key, attempt) == (other_key, other_attempt)
    assert URLS.check(token, other_key, other_attempt) is same
    assert URLS.check(token, key + attempt, "") is (attempt == "")
    assert not URLS.check(token[:-1], key, attempt)
    assert not URLS.check(token + "=", key, attempt)


@given(st.text(max_size=60))
def test_any_text_may_be_checked(token: str) -> None:
    """Nothing that comes in a path raises."""
    assert URLS.check(token, "order-17", "1") is (token == URLS.token("order-17", "1"))


def test_golden() -> None:
    """A token is the same in every release: URLs are with the service while an application is updated."""
    assert URLS.url("order-17", "1 2026-09-21T09:36:18.000000+00:00") == (
        "https://example.com/seedance/XPWm2tctALEYulz4GPwciDg_4YefF_TsnZUNSwG240k"
    )


def test_secrets_change_without_a_gap() -> None:
    """The first one signs, all of them are accepted; one that is gone is not."""
    old, new = CallbackUrls(BASE, "an old secret of ours"), CallbackUrls(BASE, b"a new secret of ours")
    both = CallbackUrls(BASE, [b"a new secret of ours", "an old secret of ours"])
    assert both.token("k", "1") == new.token("k", "1") != old.token("k", "1")
    assert both.check(old.token("k", "1"), "k", "1")
    assert not new.check(old.token("k", "1"), "k", "1")
    assert both.tokens("k", "1") == (new.token("k", "1"), old.token("k", "1"))


def test_the_base_keeps_its_path() -> None:
    """With and without a slash at the end, a port, another script."""
    assert CallbackUrls(BASE + "/", SECRET).url("k", "1") == URLS.url("k", "1")
    url = CallbackUrls("http://127.0.0.1:8000", SECRET).url("k\r\n/../", "?#")
    assert urlsplit(url).path == "/" + url.rpartition("/")[2]
    assert len(url.rpartition("/")[2]) == TOKEN_LENGTH


@pytest.mark.parametrize(
    ("base", "secret", "words"),
    [
        (BASE, "short", ["at least 16 bytes"]),
        (BASE, "", ["at least 16 bytes"]),
        (BASE, [], ["secret must be text or bytes"]),
        (BASE, None, ["secret must be text or bytes"]),
        (BASE, [SECRET, "short", 5], ["secret[1]", "secret[2]", "int"]),
        (BASE, "a" * 40, ["again and again"]),
        ("example.com/hook", SECRET, ["http(s) URL"]),
        (None, SECRET, ["http(s) URL"]),
        ("https://example.com/hook?x=1", SECRET, ["no query"]),
        ("https://example.com/hook#", SECRET, ["no fragment"]),
        ("https://user:pass@example.com/hook", SECRET, ["user name"]),
        ("https://example.com/{token}", SECRET, ["braces"]),
        ("https://example.com/" + "a" * 2000, SECRET, ["at most"]),
        ("https://example.com/a?b", "short", ["no query", "at least 16 bytes"]),
    ],
)
def test_what_is_wrong_is_said_at_once(base: Any, secret: Any, words: list[str]) -> None:
    """Everything, and without the secret."""
    with pytest.raises(ConfigurationError) as caught:
        CallbackUrls(base, secret)
    for word in words:
        assert word in str(caught.value)
    assert "pass@" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_secrets_are_shown_nowhere() -> None:
    """Neither in a repr nor in a pickle; the base may hold one, too."""
    urls = CallbackUrls("https://example.com/s3cret-path", SECRET)
    assert SECRET not in repr(urls)
    assert "s3cret" not in repr(urls)
    assert "example.com" in repr(urls)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(urls)
    with pytest.raises(TypeError, match="not pickled"):
        copy.copy(urls)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("https://example.com/{token}", "CallbackUrls"),
        ("https://example.com/{key}", "CallbackUrls"),
        ("example.com/s3cret", "must be an http"),
        ("https://example.com/s3cret x", "must be an http"),
        ("ftp://example.com/s3cret", "must be an http"),
        ("https://example.com/s3cret" + "a" * 2000, "at most 2000"),
        (17, "and is 17"),
        (b"https://example.com/s3cret", "of type bytes"),
        (["https://example.com/s3cret"], "of type list"),
    ],
)
def test_a_session_takes_no_other_callback_url(value: Any, word: str) -> None:
    """Checked as the inputs' own is, and nothing behind the host is shown."""
    with pytest.raises(ConfigurationError, match=re.escape(word)) as caught:
        checked_callback_url(value)
    assert "s3cret" not in str(caught.value)


def test_what_a_session_takes() -> None:
    """Nothing, a URL, or URLs of their own."""
    assert checked_callback_url(None) is None
    assert checked_callback_url(BASE) == BASE
    assert checked_callback_url(URLS) is URLS


def test_a_task_fits_a_create_by_its_time() -> None:
    """As long as a create may take, and as far as clocks may be apart; a task without a time fits none."""
    at = datetime(2026, 9, 21, tzinfo=UTC)
    sent = [Sent("1", at - timedelta(days=1)), Sent("2", at)]
    second = timedelta(seconds=1)
    assert fits(sent, at, 120.0)
    assert fits(sent, at - CLOCKS, 120.0)
    assert fits(sent, at + CLOCKS + timedelta(seconds=120), 120.0)
    assert not fits(sent, at - CLOCKS - second, 120.0)
    assert not fits(sent, at + CLOCKS + timedelta(seconds=121), 120.0)
    assert not fits(sent, None, 120.0)
    assert not fits([], at, 120.0)


def test_few_creates_of_a_job_are_kept() -> None:
    """A job that meets the limit a thousand times does not collect names."""
    callback = Callback()
    for number in range(1000):
        callback.leaves(Sent(str(number), datetime.now(UTC)))
    assert [each.name for each in callback.sent] == [str(number) for number in range(992, 1000)]
