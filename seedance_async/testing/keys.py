"""The API keys of the emulated service: which of them may do what."""

from collections.abc import Mapping
from typing import Final, Literal

from seedance_async.testing import answers
from seedance_async.testing.answers import Answer

KeyState = Literal["active", "inactive", "expired", "not-enabled", "demo"]

#: Every key that begins so is the public demo key: it reads the sample tasks and creates nothing.
DEMO_PREFIX: Final = "zimg_demo_readonly_"

#: Stands for "a demo key"; never sent.
DEMO: Final = Answer(403, {})
_ANSWERS: Final[Mapping[KeyState, Answer | None]] = {
    "active": None,
    "inactive": answers.INACTIVE_KEY,
    "expired": answers.EXPIRED_KEY,
    "not-enabled": answers.NOT_ENABLED,
    "demo": DEMO,
}


def check_key(key: str | None, keys: Mapping[str, KeyState]) -> Answer | None:
    """Return what is answered to a key, or None to one that may do everything.

    Args:
        key: The key, or None where the header is missing.
        keys: The keys that there are.

    Returns:
        For a demo key `DEMO`: what it may do depends on the request.
    """
    if key is None:
        return answers.MISSING_HEADER
    if key.startswith(DEMO_PREFIX):
        return DEMO
    return _ANSWERS[keys[key]] if key in keys else answers.INVALID_KEY
