"""Keep a test run from spending money: while it is armed, only loopback addresses may be a base URL.

The pytest plugin arms it. It is a property of the process and of its children, not of a context: an application under
test makes its session in any thread, and a command line under test in a process of its own. So there are two marks,
an environment variable that children inherit, and one in this module that survives a test that empties the environment.
"""

import os
from typing import Final
from urllib.parse import urlsplit

from seedance_async.core import links
from seedance_async.core.redact import redact_url
from seedance_async.errors import ConfigurationError

#: Set to anything but an empty string or 0, this arms the guard.
VARIABLE: Final = "SEEDANCE_LOOPBACK_ONLY"

_ARMED: Final[set[str]] = set()
#: In `_ARMED` where the environment was armed before, by a parent process or by hand: it stays so.
_INHERITED: Final = "inherited"


def arm() -> bool:
    """Refuse base URLs that are not on this machine, in this process and the ones it starts from now on.

    Returns:
        Whether this call armed it; False if it was armed already. Who armed it disarms it.
    """
    if _ARMED:
        return False
    # A worker of a test run inherits the environment's mark, and needs the other one of its own all the same.
    _ARMED.update({VARIABLE, _INHERITED} if armed() else {VARIABLE})
    os.environ[VARIABLE] = "1"
    return True


def disarm() -> None:
    """Allow every base URL again, unless the environment forbade them before."""
    if _INHERITED not in _ARMED:
        os.environ.pop(VARIABLE, None)
    _ARMED.clear()


def armed() -> bool:
    """Whether only loopback addresses are allowed."""
    return bool(_ARMED) or os.environ.get(VARIABLE, "") not in {"", "0"}


def is_loopback(url: str) -> bool:
    """Whether the URL names this machine, by the rule of `core.links`."""
    try:
        return links.is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def check(base_url: str) -> None:
    """Refuse a base URL that leads to the real service during a test run.

    Raises:
        ConfigurationError: The guard is armed and `base_url` is not on this machine.
    """
    if armed() and not is_loopback(base_url):
        raise ConfigurationError(
            f"the tests would call {redact_url(base_url)}, and a test run must not spend credits: use the fixture "
            "`seedance_emulator`, or run pytest with --seedance-real"
        )
