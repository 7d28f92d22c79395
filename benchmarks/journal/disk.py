"""The disk that journals are measured on."""

import os
import statistics
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from seedance_async.journal.places import place_of

REPOSITORY = Path(__file__).parents[2]
SYNCS = 200


@contextmanager
def folder() -> Generator[Path]:
    """Make a folder that is removed afterwards, in the repository: the system's own may be memory and no disk."""
    build = REPOSITORY / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="journal-", dir=build) as made:
        yield Path(made)


def facts(place: Path) -> dict[str, object]:
    """Say what the disk is, and how long it takes to make 4 KiB durable: what a journal can never be quicker than."""
    _, file_system = place_of(place)
    file, took = place / "sync", list[float]()
    number = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0))
    try:
        for _ in range(SYNCS):
            start = time.perf_counter()
            os.write(number, bytes(4096))
            os.fsync(number)
            took.append((time.perf_counter() - start) * 1000)
    finally:
        os.close(number)
        file.unlink()
    return {"file system": file_system, "fsync ms": round(statistics.median(took), 3)}


def note(found: dict[str, object]) -> str:
    """The sentence on the disk for a report."""
    return f"The journal lay on {found['file system']}, where 4 KiB are durable in {found['fsync ms']} ms (median)."
