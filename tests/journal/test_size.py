"""A journal of 10,000 jobs is opened and read well within a second."""

import time
from pathlib import Path

import pytest

from seedance_async.journal import read_journal
from seedance_async.journal.database import Database
from tests.core.record_histories import finished

JOBS = 10_000
#: Seconds of processor time, which others on the machine do not lengthen; about three times what it takes.
MOST = 1.2


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with many jobs."""
    path = tmp_path_factory.mktemp("many") / "journal.db"
    database = Database(path)
    database.open()
    database.write([finished(f"row {number}", f"task_{number}") for number in range(JOBS)])
    database.close()
    return path


def test_opening(path: Path) -> None:
    """Opening looks at all of it, and returns every record."""
    database = Database(path)
    start = time.process_time()
    records = database.open()
    spent = time.process_time() - start
    database.close()
    assert len(records) == JOBS
    assert spent < MOST


def test_reading(path: Path) -> None:
    """So does reading from beside."""
    start = time.process_time()
    records = read_journal(path)
    spent = time.process_time() - start
    assert records[-1] == finished(f"row {JOBS - 1}", f"task_{JOBS - 1}")
    assert spent < MOST
