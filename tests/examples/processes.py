"""An application in a process of its own, as it is run: started, told to stop, killed, started again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from seedance_async.testing import EmulatorThread

ROOT: Final = Path(__file__).parents[2]
#: Real seconds for a process to start; a machine that is busy needs some.
_PATIENCE: Final = 30.0


def free_port() -> int:
    """Return a port that nobody has, for a process that is to come back under the same address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Application:
    """A process that serves one of the examples; a context manager that kills what is left.

    Attributes:
        url: Where it is, the same after each start.
    """

    def __init__(self, kind: str, emulator: EmulatorThread, folder: Path, **variables: str) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._kind = kind
        self._log = folder / "application.log"
        self._environment = {
            "KINOVI_API_KEY": emulator.api_key,
            "SEEDANCE_BASE_URL": emulator.base_url,
            "VIDEOS_JOURNAL": str(folder / "videos.db"),
            "VIDEOS_POLL_EVERY": "0.2",
            **variables,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def start(self, environment: Mapping[str, str] = os.environ) -> Self:
        """Start it, and return when it is ready for visitors."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"examples.{self._kind}", "--port", str(self._port)],
                cwd=ROOT,
                env={**environment, **self._environment},
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            assert self._process.poll() is None, self.log()
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                    return self
            except OSError:
                time.sleep(0.05)
        raise TimeoutError(self.log())

    def stop(self) -> float:
        """Tell it to stop as Kubernetes does; gives the seconds until it has ended."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(_PATIENCE)
        return time.monotonic() - began

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_PATIENCE)

    def log(self) -> str:
        """Return what it has printed."""
        return self._log.read_text()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
