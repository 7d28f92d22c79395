"""The pytest plugin, in pytest runs of their own."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from seedance_async import _guard
from seedance_async.errors import ConfigurationError
from seedance_async.testing import Emulator, EmulatorThread

INNER = """
import asyncio, json, os, subprocess, sys, urllib.request
import pytest
from seedance_async import _guard
from seedance_async.errors import ConfigurationError

def statistics():
    url = os.environ["SEEDANCE_BASE_URL"].removesuffix("/api/v1") + "/emulator/statistics"
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)

def test_environment(seedance_emulator):
    assert os.environ["SEEDANCE_BASE_URL"] == seedance_emulator.base_url
    assert os.environ["KINOVI_API_KEY"] == seedance_emulator.api_key
    assert "SEEDANCE_API_KEY" not in os.environ
    assert statistics()["creates"] == seedance_emulator.statistics().creates == 0

@pytest.mark.seedance_emulator(limit=7)
def test_options(seedance_emulator):
    assert statistics()["limit"] == 7
    seedance_emulator.call(lambda emulator: setattr(emulator.world, "limit", 2))
    assert statistics()["limit"] == 2

@pytest.fixture
def anyio_backend():
    return "asyncio"  # by default anyio runs a test in trio as well, where that is installed

@pytest.mark.anyio
async def test_async(seedance_emulator):
    assert (await asyncio.to_thread(statistics))["creates"] == 0

def test_restored():
    assert "SEEDANCE_BASE_URL" not in os.environ
    assert os.environ["SEEDANCE_API_KEY"] == "theirs"

def test_guard():
    with pytest.raises(ConfigurationError, match="seedance-real"):
        _guard.check("https://kinovi.ai/api/v1")
    code = "from seedance_async import _guard; _guard.check('https://kinovi.ai/api/v1')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 1
"""

REAL = """
from seedance_async import _guard

def test_guard():
    _guard.check("https://kinovi.ai/api/v1")
"""


def run_pytest(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_inner.py").write_text(source, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != _guard.VARIABLE}
    environment["SEEDANCE_API_KEY"] = "theirs"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *options, str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_the_fixture_works_for_synchronous_and_asynchronous_tests(tmp_path: Path) -> None:
    """It sets the environment and restores it, takes options by a marker, and the guard is armed."""
    ran = run_pytest(tmp_path, INNER, "--strict-markers")
    assert "passed" in ran.stdout, ran.stdout + ran.stderr
    assert "failed" not in ran.stdout, ran.stdout


def test_real_addresses_are_allowed_when_asked_for(tmp_path: Path) -> None:
    """By `--seedance-real`, and by nothing else."""
    assert run_pytest(tmp_path, REAL).returncode == 1
    assert run_pytest(tmp_path, REAL, "--seedance-real").returncode == 0


def test_loading_the_plugin_is_cheap() -> None:
    """It must not bring aiohttp, PyAV or the command line into every pytest run."""
    code = (
        "import sys, seedance_async.testing.pytest_plugin; "
        "print([name for name in ('aiohttp', 'av', 'cyclopts', 'rich') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_importing_the_package_imports_neither_pytest_nor_pyav() -> None:
    """Nor does making an emulator that serves the packaged clip."""
    code = (
        "import sys; from seedance_async.testing import Emulator, World; Emulator(); "
        "print([name for name in ('pytest', 'av') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8080/api/v1", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:1/", True),
        ("http://localhost:1", True),
        ("http://api.localhost", False),
        ("https://kinovi.ai/api/v1", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://127.0.0.1@example.com", False),
        ("http://[bad", False),
        ("", False),
    ],
)
def test_what_counts_as_this_machine(url: str, loopback: bool) -> None:
    """Addresses and `localhost`; names are not looked up."""
    assert _guard.is_loopback(url) == loopback


def test_the_guard_holds_in_any_thread_and_in_an_emptied_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application under test makes its session where it likes."""
    monkeypatch.delenv(_guard.VARIABLE, raising=False)
    caught: list[BaseException] = []

    def work() -> None:
        try:
            _guard.check("https://kinovi.ai/api/v1?token=secret")
        except ConfigurationError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(caught) == 1
    assert "secret" not in str(caught[0])


def test_a_worker_that_inherits_the_guard_has_one_of_its_own() -> None:
    """A process that was started by a guarded one is guarded even where a test empties the environment."""
    code = (
        "import os; from seedance_async import _guard\n"
        "mine = _guard.arm(); del os.environ[_guard.VARIABLE]; held = _guard.armed()\n"
        "os.environ[_guard.VARIABLE] = '1'; _guard.disarm()\n"
        "print(mine, held, _guard.armed())"
    )
    environment = {**os.environ, _guard.VARIABLE: "1"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.split() == ["True", "True", "True"]


def test_an_emulator_in_a_thread_answers_real_clients() -> None:
    """Started and stopped by a `with`; what cannot start says why in the thread that waits."""
    with EmulatorThread(limit=2) as running:
        with urllib.request.urlopen(f"{running.url}/emulator/statistics") as answer:
            assert answer.status == 200
        assert running.call(lambda emulator: emulator.world.limit) == 2
        port = int(running.url.rpartition(":")[2])
        with pytest.raises(ConfigurationError, match="in use"):
            EmulatorThread(port=port).start()
    with pytest.raises(RuntimeError, match="does not run"):
        running.statistics()
    running.close()


def test_an_emulator_may_be_started_again() -> None:
    """In another loop, with the same account."""
    emulator = Emulator(foreign=1)

    async def visit() -> int:
        async with emulator:
            answer = await asyncio.to_thread(urllib.request.urlopen, f"{emulator.url}/emulator/statistics")
            with answer:
                return int(json.load(answer)["foreign"])

    assert asyncio.run(visit()) == asyncio.run(visit()) == 1
