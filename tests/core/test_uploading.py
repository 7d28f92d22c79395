"""What the answer to `POST /uploads` may be: where files are never sent, and how long they must last."""

from collections.abc import Mapping
from typing import Any

import pytest

from seedance_async.core.answers import Answer
from seedance_async.core.media_types import Format
from seedance_async.core.uploading import LASTS, Place, Refused, after_asking

PNG = Format("images", ".png")
GOOD: dict[str, Any] = {"uploadUrl": "https://storage.example/a?X-Signature=s3cr3t", "url": "https://cdn.example/a.png"}


def asked(fields: Mapping[str, object], *, local: bool = False) -> object:
    """What an answer with these fields means."""
    answer = Answer(status=200, body={**GOOD, **fields}, text="", complete=True, retry_after=None)
    return after_asking(answer, PNG, local=local, key_source="")


HOSTS = [
    "127.0.0.1", "127.1", "0x7f.1", "2130706433", "localhost", "localhost.", "a.localhost.", "[::1]",
    "[::ffff:127.0.0.1]", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[fe80::1]", "0.0.0.0", "nas.local", "intranet",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("name", ["uploadUrl", "url"])
def test_no_file_goes_into_this_network(name: str, host: str) -> None:
    """Neither what takes the bytes nor where they will be may be this machine or one beside it, also not over https."""
    refused = asked({name: f"https://{host}/a?X-Signature=s3cr3t"})
    assert isinstance(refused, Refused)
    assert "not public" in str(refused.error)
    assert "s3cr3t" not in repr(refused)


def test_the_emulator_may_have_its_files_beside_it() -> None:
    """Where the API itself is plain http on this machine."""
    here = {"uploadUrl": "http://127.0.0.1:8/a", "url": "http://127.0.0.1:8/a.png"}
    assert isinstance(asked(here, local=True), Place)
    assert isinstance(asked(here), Refused)


@pytest.mark.parametrize(("said", "lasts"), [(None, LASTS), (900, 900.0), (10**9, LASTS), (True, LASTS), (-1, LASTS)])
def test_how_long_a_file_lasts(said: object, lasts: float) -> None:
    """As long as the answer says, never longer than is published."""
    place = asked({"assetTtlSeconds": said})
    assert isinstance(place, Place)
    assert place.lasts == lasts
    assert "s3cr3t" not in repr(place)


def test_a_file_that_is_gone_at_once_is_not_uploaded() -> None:
    """It could be uploaded for ever and would never be there."""
    refused = asked({"assetTtlSeconds": 0})
    assert isinstance(refused, Refused)
    assert "deleted after 0 s" in str(refused.error)
