"""What a figure depends on besides the code: the machine, the versions, the core a process runs on."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

VERSIONS = ("seedance-async", "aiohttp", "attrs", "cattrs", "anyio", "httpx", "tenacity", "uvloop")

#: Seconds after which a process has hung: the scenario fails then, and the next one runs.
HANGS = 900.0


def facts() -> dict[str, object]:
    """Describe the machine and the versions, for the report; nothing that names a person or a host."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": [round(each, 2) for each in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "versions": {name: version_of(name) for name in VERSIONS},
    }


def processor() -> str:
    """The processor's model, where the system tells."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def version_of(distribution: str) -> str | None:
    """The installed version of one distribution."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def pin(place: int) -> str:
    """Keep this process on one core, so that client and server do not take time from each other.

    Args:
        place: 0 for the client, 1 for the server; counted among the cores this process may use.

    Returns:
        What was done, for the report.
    """
    if sys.platform != "linux":
        return "not pinned"
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return "not pinned: one core"
    core = cores[place % len(cores)]
    os.sched_setaffinity(0, {core})
    return f"core {core}"
