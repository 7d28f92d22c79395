"""The pytest plugin: an emulator for tests, and a guard so that no test run spends credits.

Loaded in every pytest run where this package is installed, so nothing heavy is imported before a test asks for it.

- Fixture `seedance_emulator`: a running emulator, with `SEEDANCE_BASE_URL` and a dummy `KINOVI_API_KEY` in the
  environment. It is synchronous and runs in a thread of its own, on real time, so it works under pytest-asyncio, anyio,
  Starlette's `TestClient` and plain functions. Tasks take half a second of real time; a session that does not look more
  often than it usually does (`polling=FixedPolling(0.1)`) sees that after about three.
- Marker `@pytest.mark.seedance_emulator(limit=2, faults=[...])`: options of `Emulator` for that fixture.
- While the plugin is active a session refuses every base URL that is not on this machine, in this process and in those
  that it starts. `--seedance-real` allows them.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from seedance_async import _guard

if TYPE_CHECKING:
    from seedance_async.testing.thread import EmulatorThread

_MARKER = "seedance_emulator"
_DUMMY_KEY = "test-key"
_ARMED_HERE = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--seedance-real`."""
    parser.getgroup("seedance").addoption(
        "--seedance-real",
        action="store_true",
        default=False,
        help="Let tests talk to the real Seedance service, which spends credits.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and arm the guard."""
    config.addinivalue_line(
        "markers", f"{_MARKER}(**options): options of seedance_async.testing.Emulator for the fixture of that name."
    )
    config.stash[_ARMED_HERE] = not config.getoption("--seedance-real") and _guard.arm()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Disarm the guard: pytest may have been called from a program that goes on, or from another test run."""
    if config.stash.get(_ARMED_HERE, False):
        _guard.disarm()


@pytest.fixture
def seedance_emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> "Iterator[EmulatorThread]":
    """Run an emulator for the test, and point `SEEDANCE_BASE_URL` and `KINOVI_API_KEY` at it."""
    # Here and not above: it pulls in aiohttp.
    from seedance_async.testing.thread import EmulatorThread  # noqa: PLC0415

    options: dict[str, Any] = {"durations": 0.5, "api_key": _DUMMY_KEY}
    # The nearest mark wins: function over class over module.
    for mark in reversed(list(request.node.iter_markers(_MARKER))):
        options |= mark.kwargs
    with EmulatorThread(**options) as emulator:
        monkeypatch.setenv("SEEDANCE_BASE_URL", emulator.base_url)
        monkeypatch.setenv("KINOVI_API_KEY", emulator.api_key)
        monkeypatch.delenv("SEEDANCE_API_KEY", raising=False)
        yield emulator
