"""What only processes of their own can show: locks, kills, forks, a full disk, a read-only one (P2, P3)."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedance_async.errors import JournalError
from seedance_async.journal import journal_host, read_journal
from seedance_async.journal.database import Database
from tests.core.record_histories import queued
from tests.journal.golden_records import RECORDS, load

ROOT = Path(__file__).parents[2]
CHILD = (sys.executable, "-W", "error", "-m", "tests.journal.child")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, forks and mounts of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place for a journal."""
    return tmp_path / "journal.db"


@contextlib.contextmanager
def child(command: str, path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a process of `tests.journal.child`, and kill it at the end."""
    with subprocess.Popen(
        [*CHILD, command, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(command: str, path: Path, before: tuple[str, ...] = ()) -> list[str]:
    """Run such a process to its end, and return what it said. It complains of nothing."""
    done = subprocess.run(
        [*before, *CHILD, command, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def line(process: "subprocess.Popen[str]") -> str:
    """The next line that a process says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def mounted(folder: Path, options: str, prepare: str = "true") -> tuple[str, ...]:
    """The start of a command that sees a file system of its own in `folder`; skips where nobody may mount."""
    unshare = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
    mount = f"mount -t tmpfs -o {options} tmpfs '{folder}'"
    try:
        allowed = subprocess.run([*unshare, mount], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("mounting is not allowed here")
    return (*unshare, f'{mount} && {prepare} && exec "$@"', "sh")


def test_a_second_process_is_refused(path: Path) -> None:
    """It is told the process that has the journal; readers are let in. A kill leaves nothing in the way."""
    with child("hold", path) as process:
        assert line(process) == "open"
        with pytest.raises(JournalError, match=f"is in use by process {process.pid} on "):
            Database(path).open()
        assert len(read_journal(path)) == 2
        assert journal_host(path) is not None
        process.kill()
        process.wait()
    assert path.with_name("journal.db.lock").exists()
    assert path.with_name("journal.db-wal").exists()
    assert len(read_journal(path)) == 2
    database = Database(path)
    assert database.open() == (queued("a"), queued("b"))
    assert database.last_host is not None
    database.close()
    assert [file.name for file in path.parent.iterdir()] == ["journal.db"]


def test_a_program_that_does_not_close(path: Path) -> None:
    """It leaves a journal that opens, whole."""
    command = [sys.executable, "-m", "tests.journal.child", "forget", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.strip() == "the end"
    database = Database(path)
    assert database.open() == (queued("a"),)
    database.close()


def test_readers_beside_a_busy_writer(path: Path) -> None:
    """Whoever reads while a process writes sees all that was durable before, in order, and never an error."""
    with child("write", path) as process:
        for _ in range(10):
            durable = int(line(process))
            keys = [record.key for record in read_journal(path)]
            assert len(keys) > durable
            assert keys == [str(number) for number in range(len(keys))]


def test_kills_at_random_moments(path: Path) -> None:
    """What was called durable is there after a kill at any moment, the creation of the journal included."""
    assert run("kill", path) == ["survived True"]


@pytest.mark.parametrize("first", ["read", "open"])
def test_a_kill_in_the_middle_of_a_write(path: Path, first: str) -> None:
    """Where there is no log, half a write is in the file: who reads it first, or opens it, puts it right."""
    with child("tear", path) as process:
        process.wait()
    assert path.with_name("journal.db-journal").exists()
    expected = tuple(queued(str(number)) for number in range(50))
    if first == "read":
        assert read_journal(path) == expected
        assert not path.with_name("journal.db-journal").exists()
    database = Database(path)
    assert database.open() == expected
    database.close()


def test_a_race_for_the_journal(path: Path) -> None:
    """However lock files come and go, one process has it at a time, and several get it in turn."""
    assert run("race", path) == ["[0, 0, 0, 0]", "True"]


def test_a_forked_child_that_lives_on(path: Path) -> None:
    """When its parent is killed the journal is free, although the child had inherited the lock."""
    with child("leave_child", path) as process:
        assert line(process) == "forked"
        with pytest.raises(JournalError, match=f"process {process.pid} "):
            Database(path).open()
        process.kill()
        # The child has the pipe's other end, so there is no end of the output to wait for.
        process.wait()
        database = Database(path)
        assert database.open() == (queued("a"),)
        database.close()


def test_a_forked_child_that_ends(path: Path) -> None:
    """Its end closes nothing of its parent's, without a warning."""
    assert run("end_child", path) == ["['a', 'b']", "['journal.db']"]


def test_a_full_disk(path: Path) -> None:
    """It is an error that says so and what to do; what was durable stays, and with room there is writing goes on."""
    lines = run("fill", path, before=mounted(path.parent, "size=400k"))
    assert all(f"the journal {path}: there is no room for it" in text and "make room" in text for text in lines[:2])
    assert lines[2:] == ["room", "True"]


def test_a_disk_that_fails(path: Path) -> None:
    """Any other failure of the disk is an error too, after which writing may succeed."""
    lines = run("fail", path)
    assert f"the journal {path}: the disk failed (SQLITE_IOERR_WRITE); see whether it is full" in lines[0]
    assert lines[1:] == ["True"]


def test_a_read_only_disk(path: Path, tmp_path: Path) -> None:
    """A journal on it can be read, and is not opened."""
    source = tmp_path / "source.db"
    load(1, source)
    (tmp_path / "disk").mkdir()
    disk = tmp_path / "disk"
    prepare = f"cp '{source}' '{disk}/journal.db' && mount -o remount,ro '{disk}'"
    lines = run("look", disk / "journal.db", before=mounted(disk, "size=1m", prepare))
    assert "its folder is read-only" in lines[0]
    assert lines[1:] == [str(len(RECORDS))]
