"""Run commands as a user does, in this process with captured streams; `harness.process` runs them on their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from seedance_async.cli import main
from seedance_async.testing import EmulatorThread
from tests.cli.harness import SPEED, Ended, Seedance, environ_of


@pytest.fixture
def seedance(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Seedance:
    """Run one command after the other, on a terminal of 100 columns."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: str | Path) -> Ended:
        capfd.readouterr()
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return run


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the key of whoever runs it."""
    for name in ("KINOVI_API_KEY", "SEEDANCE_API_KEY", "SEEDANCE_BASE_URL", "SEEDANCE_CATALOGUE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., EmulatorThread]]:
    """Start an emulator and point every command to it: `serve(limit=3, speed=60)`."""
    with ExitStack() as running:

        def start(**options: Any) -> EmulatorThread:
            served = running.enter_context(EmulatorThread(**{"speed": SPEED, "limit": 5, **options}))
            for name, value in environ_of(served).items():
                monkeypatch.setenv(name, value)
            return served

        yield start


@pytest.fixture
def account(serve: Callable[..., EmulatorThread]) -> EmulatorThread:
    """An emulator as it comes: five slots, plenty of credits."""
    return serve(credits=Decimal(100_000))
