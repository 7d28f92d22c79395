"""What is no journal, or none that may be written, is refused with a sentence, and nothing is damaged."""

import contextlib
import os
import random
import sqlite3
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from seedance_async.core.frozen import freeze
from seedance_async.core.record import JobRecord
from seedance_async.errors import JournalError
from seedance_async.journal import SqliteJournal, journal_host, read_journal
from seedance_async.journal.database import Database
from seedance_async.journal.places import Place
from tests.core.record_histories import queued, running
from tests.journal.golden_records import RECORDS, load


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place for a journal."""
    return tmp_path / "journal.db"


def refusal(path: Path, *, place: tuple[Place, str] = ("disk", "ext4")) -> str:
    """Why a journal is not opened. Nothing is there afterwards that was not there before, and what was is as it was."""
    before = files(path.parent)
    with pytest.raises(JournalError) as caught:
        Database(path, place=lambda _: place).open()
    assert files(path.parent) == before
    assert str(caught.value).startswith(f"the journal {path}: ")
    return caught.value.reason


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder and what it holds, without what SQLite makes to read and needs no more."""
    if not folder.is_dir():
        return {}
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and not file.name.endswith("-shm")
    }


def foreign(path: Path, *, journal_mode: str = "delete") -> None:
    """Make the database of another program."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA journal_mode = {journal_mode}")
        connection.execute("CREATE TABLE jobs (key TEXT)")
        connection.execute("INSERT INTO jobs VALUES ('theirs')")


@pytest.mark.parametrize("contents", [b"prompt,duration\na lake,5\n", b"x", b"\0" * 4096, b"SQLite format 2" * 100])
def test_another_file(path: Path, contents: bytes) -> None:
    """A file that is no database is left as it is."""
    path.write_bytes(contents)
    assert refusal(path) == "is no journal, and is left as it is; give the journal a file of its own"


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_another_database(path: Path, journal_mode: str) -> None:
    """A database of another program is left as it is, whatever tables it has."""
    foreign(path, journal_mode=journal_mode)
    assert "is an SQLite database of another program" in refusal(path)
    with pytest.raises(JournalError, match="another program"):
        read_journal(path)


def test_an_empty_file(path: Path) -> None:
    """What was written to it may be lost, so it is not taken for a new one."""
    path.touch()
    assert "is an empty file" in refusal(path)
    path.unlink()
    database = Database(path)
    assert database.open() == ()
    database.close()


def test_a_folder(path: Path) -> None:
    """A folder is no file."""
    path.mkdir()
    assert refusal(path) == "is a folder; name a file in it"


def test_no_folder(path: Path) -> None:
    """The folder of a journal is not made: one that is not there may be a slip of the pen."""
    missing = path.parent / "video" / "journal.db"
    assert refusal(missing) == f"its folder {missing.parent} does not exist; make it first"
    path.touch()
    assert "does not exist" in refusal(path / "journal.db")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of POSIX")
def test_a_pipe(path: Path) -> None:
    """A pipe is refused, and not waited for."""
    os.mkfifo(path)
    assert refusal(path) == "is a device or a pipe, not a file"


@pytest.mark.parametrize(
    ("name", "message"), [("a\0b", "has a null character in its name"), (":memory:", "is a name of SQLite's")]
)
async def test_a_name_that_is_none(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no file can be called, and what SQLite takes for no file, makes none."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JournalError, match=message):
        await SqliteJournal(name).open()
    with pytest.raises(JournalError, match=message):
        read_journal(name)
    assert files(tmp_path) == {}


def test_a_name_that_is_too_long(path: Path) -> None:
    """An error of the file system is a sentence too."""
    assert "too long" in refusal(path.with_name("x" * 254))


@pytest.mark.parametrize("name", ["journal.db-wal", "journal.db-journal"])
def test_only_the_log_is_left(path: Path, name: str) -> None:
    """Where a journal was removed and its log was not, a new one would be mixed with it."""
    (path.parent / name).write_bytes(b"what was written last")
    assert f"is gone, and {name} with what was written to it last is still there" in refusal(path)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (("network", "nfs4"), "lies on a network file system (nfs4), whose locks do not keep a second writer out"),
        (("network", "smb"), "put it on a disk of this machine"),
    ],
)
def test_a_network_file_system(path: Path, place: tuple[Place, str], message: str) -> None:
    """A place where locks do not hold is refused before anything is made there."""
    assert message in refusal(path, place=place)


def test_a_network_file_system_can_be_read(path: Path) -> None:
    """Looking at a journal takes no lock that must hold."""
    load(1, path)
    assert "network" in refusal(path, place=("network", "nfs4"))
    assert read_journal(path) == RECORDS


def test_there_is_none(path: Path) -> None:
    """Reading makes no journal."""
    for look in (read_journal, journal_host):
        with pytest.raises(JournalError, match="does not exist"):
            look(path)
    assert files(path.parent) == {}


async def test_a_refused_journal_may_be_opened_later(path: Path) -> None:
    """The same object opens when what was in the way is gone."""
    path.touch()
    journal = SqliteJournal(path)
    with pytest.raises(JournalError):
        await journal.open()
    await journal.aclose()
    path.unlink()
    await journal.open()
    await journal.write([queued()])
    await journal.aclose()
    assert read_journal(path) == (queued(),)


def test_a_truncated_journal(path: Path) -> None:
    """However much of its end is missing, it is refused as it is."""
    load(1, path)
    whole = path.read_bytes()
    for size in [1, 50, 99, 100, 511, *range(1024, len(whole), 1024), len(whole) - 1]:
        path.write_bytes(whole[:size])
        refusal(path)
        # What is missing may be what only a writer needs.
        with contextlib.suppress(JournalError):
            assert read_journal(path) == RECORDS


def test_a_damaged_journal(path: Path) -> None:
    """Whatever bytes are wrong, it is refused as it is, or opens; it is never another error."""
    load(1, path)
    whole = path.read_bytes()
    rng = random.Random(3)
    refused = 0
    for _ in range(40):
        damaged = bytearray(whole)
        start = rng.randrange(100, len(whole))
        length = rng.choice([1, 8, 512])
        damaged[start : start + length] = rng.randbytes(len(damaged[start : start + length]))
        path.write_bytes(damaged)
        database = Database(path)
        try:
            database.open()
        except JournalError:
            refused += 1
            assert path.read_bytes() == damaged
        finally:
            database.close()
    assert refused > 10


def test_a_row_that_cannot_be_read(path: Path) -> None:
    """One record that is damaged is not left out: its job might be paid twice."""
    load(1, path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE jobs SET attempts = 'secret' WHERE key = 'failed'")
    looks: list[Callable[[], object]] = [Database(path).open, lambda: read_journal(path)]
    for look in looks:
        with pytest.raises(JournalError, match="the row of the job 'failed' cannot be read") as caught:
            look()
        assert "secret" not in str(caught.value)
    assert not path.with_name("journal.db.lock").exists()


def test_a_journal_without_its_tables(path: Path) -> None:
    """A file that says it is a journal and has no tables is refused."""
    load(1, path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE about")
    assert "no such table: about" in refusal(path)


@pytest.mark.parametrize("what", ["removed", "replaced", "moved"])
def test_a_journal_that_is_taken_away(path: Path, what: str) -> None:
    """What is written to a file without a name is lost, so it is an error; what lies there instead is not touched."""
    database = Database(path)
    database.open()
    database.write([queued("a")])
    kept = path.parent / "kept.db"
    path.rename(kept)
    if what == "removed":
        kept.unlink()
    elif what == "replaced":
        load(1, path)
    before = path.read_bytes() if path.exists() else None
    for _ in range(2):
        with pytest.raises(JournalError, match="was removed, moved or replaced while it was in use"):
            database.write([queued("b")])
    database.close()
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows renames no folder with open files")
def test_a_folder_that_is_moved(path: Path) -> None:
    """The log of a journal that lies there afterwards is left alone, and what was moved away is whole."""
    folder = path.parent / "videos"
    folder.mkdir()
    first = Database(folder / "journal.db")
    first.open()
    first.write([queued("a")])
    moved = folder.rename(path.parent / "moved")
    folder.mkdir()
    second = Database(folder / "journal.db")
    second.open()
    second.write([queued("b")])
    with pytest.raises(JournalError, match="was removed, moved or replaced"):
        first.write([queued("c")])
    first.close()
    assert (folder / "journal.db-wal").exists()
    assert read_journal(folder / "journal.db") == (queued("b"),)
    second.close()
    again = Database(moved / "journal.db")
    assert again.open() == (queued("a"),)
    again.close()


def test_a_lock_file_that_is_taken_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who removes it lets a second writer in: the first one stops, and leaves the lock of the second alone."""
    monkeypatch.setattr("seedance_async.journal.database._PATIENCE_AT_CLOSE", 0.05)
    first, second = Database(path), Database(path)
    first.open()
    path.with_name("journal.db.lock").unlink()
    with pytest.raises(JournalError, match="lost its lock file"):
        first.write([queued("a")])
    second.open()
    with pytest.raises(JournalError, match="lost its lock file"):
        first.write([queued("a")])
    first.close()
    assert path.with_name("journal.db.lock").exists()
    second.write([running("b")])
    second.close()
    assert read_journal(path) == (running("b"),)


def test_another_program_holds_the_database(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's shell in a transaction is waited for, and then named; afterwards writing goes on."""
    monkeypatch.setattr("seedance_async.journal.connections.PATIENCE", 0.05)
    database = Database(path)
    database.open()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="another program has locked it"):
            database.write([queued("a")])
        shell.execute("ROLLBACK")
    database.write([queued("b")])
    database.close()
    assert read_journal(path) == (queued("b"),)


@pytest.mark.parametrize(
    "broken",
    [
        queued(notes=freeze({"x": object()})),
        queued(notes=freeze({"x": float("inf")})),
        queued(changed_at=datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
    ],
)
def test_a_record_that_cannot_be_written(path: Path, broken: JobRecord) -> None:
    """It is an error before anything is written, and the next record is written."""
    database = Database(path)
    database.open()
    with pytest.raises(JournalError, match="a record is no JSON"):
        database.write([queued("a"), broken])
    database.write([queued("b")])
    database.close()
    assert read_journal(path) == (queued("b"),)


def test_what_is_left_of_a_creation_is_cleared_up(path: Path) -> None:
    """A process that was killed while it made a journal leaves a file aside; the next one removes it."""
    path.with_name("journal.db.new").write_bytes(b"half a journal")
    path.with_name("journal.db.new-journal").write_bytes(b"half a journal")
    database = Database(path)
    assert database.open() == ()
    database.close()
    assert sorted(files(path.parent)) == ["journal.db"]


def test_the_other_name_of_a_new_journal_is_cleared_up(path: Path) -> None:
    """A process that was killed right after the journal got its name leaves the one it had before."""
    database = Database(path)
    database.open()
    database.write([queued("a")])
    database.close()
    os.link(path, path.with_name("journal.db.new"))
    assert database.open() == (queued("a"),)
    database.close()
    assert sorted(files(path.parent)) == ["journal.db"]


def test_what_lies_beside_a_foreign_file_is_not_cleared_up(path: Path) -> None:
    """Only beside a journal of ours is such a file ours."""
    path.write_bytes(b"somebody's")
    path.with_name("journal.db.new").write_bytes(b"somebody's")
    with pytest.raises(JournalError):
        Database(path).open()
    assert sorted(files(path.parent)) == ["journal.db", "journal.db.new"]
