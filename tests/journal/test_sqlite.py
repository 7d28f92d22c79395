"""The SQLite file itself: what lies in its folder, who may open it, and what a person finds in it (P2, P3, P7)."""

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from seedance_async.core import record_steps as steps
from seedance_async.core.frozen import freeze
from seedance_async.core.lifecycle import Event
from seedance_async.core.record import JobRecord
from seedance_async.errors import JournalError
from seedance_async.journal import Journal, SqliteJournal, journal_host, read_journal
from seedance_async.journal.database import Database
from seedance_async.journal.inspection import look, read_records
from tests.core.record_histories import LATER, finished, lost, queued, running, sending

Open = Callable[..., Awaitable[SqliteJournal]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Open journals: `journal = await opened()`; each is closed at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def begin(name: str = "journal.db", **options: Any) -> SqliteJournal:
            journal = SqliteJournal(tmp_path / name, **options)
            await journal.open()
            stack.push_async_callback(journal.aclose)
            return journal

        yield begin


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def test_one_file_is_left(opened: Open, tmp_path: Path) -> None:
    """While it is open a lock and SQLite's own files lie beside it; after a clean close there is one file."""
    journal = await opened()
    await journal.write([running()])
    assert names(tmp_path) == ["journal.db", "journal.db-shm", "journal.db-wal", "journal.db.lock"]
    await journal.aclose()
    assert names(tmp_path) == ["journal.db"]


async def test_a_journal_is_a_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The class has what the protocol asks for; it says where it is, and a relative path is one."""
    journal: Journal = SqliteJournal("journal.db")
    assert repr(journal) == "SqliteJournal('journal.db')"
    monkeypatch.chdir(tmp_path)
    await journal.open()
    await journal.aclose()
    assert names(tmp_path) == ["journal.db"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
async def test_only_its_owner_may_read_it(opened: Open, tmp_path: Path) -> None:
    """Prompts are private, in the journal and in what lies beside it."""
    journal = await opened()
    await journal.write([running()])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(names(tmp_path), 0o600)


async def test_a_second_writer_is_told_who_has_it(opened: Open, tmp_path: Path) -> None:
    """At once, with the process, its machine, since when, and the ways out; by any name of the file."""
    await opened()
    (tmp_path / "link.db").symlink_to(tmp_path / "journal.db")
    for name in ("journal.db", "link.db", "./journal.db"):
        with pytest.raises(JournalError) as caught:
            await SqliteJournal(tmp_path / name).open()
        text = str(caught.value)
        assert f"is in use by process {os.getpid()} on " in text
        assert " since 20" in text
        assert "wait for it or end it, or give this run a journal of its own" in text


async def test_opening_twice(opened: Open) -> None:
    """An open journal is not opened again, and stays open."""
    journal = await opened()
    with pytest.raises(JournalError, match="is open already"):
        await journal.open()
    await journal.write([queued()])


async def test_writing_without_opening(tmp_path: Path, opened: Open) -> None:
    """Before `open` and after `aclose` nothing is written, and nothing is made."""
    journal = SqliteJournal(tmp_path / "other.db")
    with pytest.raises(JournalError, match="is not open"):
        await journal.write([queued()])
    assert names(tmp_path) == []
    journal = await opened()
    await journal.aclose()
    with pytest.raises(JournalError, match="is not open"):
        await journal.write([queued()])


@pytest.mark.parametrize("pauses", [1, 2, 3, 10])
async def test_a_cancelled_opening_leaves_it_free(tmp_path: Path, pauses: int) -> None:
    """Whoever is cancelled while it opens has no journal to close: another one opens."""
    journal = SqliteJournal(tmp_path / "journal.db")
    opening = asyncio.ensure_future(journal.open())
    for _ in range(pauses):
        await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    other = SqliteJournal(tmp_path / "journal.db")
    await other.open()
    await other.aclose()


async def test_another_process_does_not_close_it(opened: Open, tmp_path: Path) -> None:
    """To close it, too, is to use it: a forked child is told so."""
    journal = await opened()
    journal._pid += 1
    for use in (journal.open(), journal.write([queued()]), journal.aclose()):
        with pytest.raises(JournalError, match="this is another one, forked from it"):
            await use
    journal._pid -= 1
    await journal.write([queued()])


async def test_what_waits_runs_in_a_thread(opened: Open) -> None:
    """Neither opening, writing nor closing blocks the loop."""
    with blockbuster_ctx():
        journal = await opened()
        await journal.write([queued(str(number)) for number in range(100)])
        await journal.aclose()


async def test_everything_is_synced(opened: Open) -> None:
    """SQLite waits for the disk at each commit, and overwrites what was deleted."""
    journal = await opened()
    connection = journal._database._connection
    assert connection is not None
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_what_was_cut_is_gone(opened: Open) -> None:
    """After a clean close no signed link is in the file, also not in pages that are free."""
    journal = await opened()
    signed = {
        number: freeze(
            {"kind": "image", "prompt": "a" * 30 * number, "first_frame": f"https://a.example/?{'planted' * 40}"}
        )
        for number in range(60)
    }
    await journal.write([queued(str(number), inputs=inputs) for number, inputs in signed.items()])
    for number in (*range(0, 60, 2), *range(1, 60, 2)):
        await journal.write([running(str(number), inputs=signed[number])])
    await journal.aclose()
    assert b"planted" not in journal.path.read_bytes()


async def test_readers_see_what_is_durable(opened: Open) -> None:
    """Reading while a writer has it gives what was written last, and changes nothing for the writer."""
    journal = await opened()
    assert read_journal(journal.path) == ()
    await journal.write([queued("a"), queued("b")])
    assert read_journal(journal.path) == (queued("a"), queued("b"))
    await journal.write([sending("a")])
    assert read_journal(str(journal.path)) == (sending("a"), queued("b"))


def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    """However long it reads, and whatever is written meanwhile."""
    database = Database(tmp_path / "journal.db")
    database.open()
    database.write([queued("a")])

    def read(connection: sqlite3.Connection, file: str) -> list[tuple[JobRecord, ...]]:
        before = read_records(connection, file)[0]
        database.write([running("a")])
        return [before, read_records(connection, file)[0]]

    assert look(database.path, read) == [(queued("a"),)] * 2
    database.close()


async def test_readers_and_the_writer_never_wait(opened: Open) -> None:
    """A reader in the middle of its reading sees one moment, and the writer writes on meanwhile."""
    journal = await opened()
    await journal.write([queued("a")])
    with contextlib.closing(sqlite3.connect(f"{journal.path.as_uri()}?mode=ro", uri=True, timeout=0)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT state FROM jobs").fetchall() == [("queued",)]
        await journal.write([sending("a")])
        assert reader.execute("SELECT state FROM jobs").fetchall() == [("queued",)]
        assert read_journal(journal.path) == (sending("a"),)


async def test_closing_beside_a_reader(opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that does not end leaves SQLite's files beside the journal; it opens all the same, and is whole."""
    monkeypatch.setattr("seedance_async.journal.database._PATIENCE_AT_CLOSE", 0.05)
    journal = await opened()
    await journal.write([queued("a")])
    with contextlib.closing(sqlite3.connect(f"{journal.path.as_uri()}?mode=ro", uri=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM jobs").fetchall()
        await journal.aclose()
    assert not (tmp_path / "journal.db.lock").exists()
    assert read_journal(journal.path) == (queued("a"),)
    assert tuple(await journal.open()) == (queued("a"),)
    await journal.aclose()
    assert names(tmp_path) == ["journal.db"]


def test_closing_waits_for_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that ends meanwhile is waited for, and one file is left."""
    database = Database(tmp_path / "journal.db")
    database.open()
    database.write([queued("a")])
    reader = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM jobs").fetchall()
    monkeypatch.setattr("seedance_async.journal.connections.sleep", lambda _: reader.close())
    database.close()
    assert names(tmp_path) == ["journal.db"]


async def test_a_person_can_ask_it(opened: Open) -> None:
    """The questions in the documentation of the tables have answers, with any SQLite program."""
    journal = await opened()
    await journal.write([lost("row 1"), finished("row 2", "task_2")])
    await journal.aclose()
    with contextlib.closing(sqlite3.connect(journal.path)) as connection:
        unknown = connection.execute("SELECT key, state, task_id, credits FROM jobs WHERE state = 'unknown'").fetchall()
        assert unknown == [("row 1", "unknown", None, "415")]
        prompts = connection.execute(
            "SELECT key, json_extract(inputs, '$.prompt') FROM jobs ORDER BY number"
        ).fetchall()
        assert prompts == [("row 1", "a lake at dawn"), ("row 2", "a lake at dawn")]


async def test_it_remembers_who_wrote_it(opened: Open, tmp_path: Path) -> None:
    """A new one was written by nobody before; later, by this machine, under the name it had."""
    journal = await opened()
    assert journal.last_host is None
    await journal.aclose()
    host = journal_host(journal.path)
    assert host is not None
    assert host.here
    assert host.path == str(tmp_path / "journal.db")
    journal.path.rename(tmp_path / "moved.db")
    moved = await opened("moved.db")
    assert moved.last_host == host
    assert journal_host(moved.path) != host


async def test_a_folder_that_moved_opens(opened: Open, tmp_path: Path) -> None:
    """After a clean close the file alone is enough, wherever it is."""
    journal = await opened()
    await journal.write([running()])
    await journal.aclose()
    (tmp_path / "elsewhere").mkdir()
    shutil.move(journal.path, tmp_path / "elsewhere" / "other name.db")
    assert read_journal(tmp_path / "elsewhere" / "other name.db") == (running(),)


async def test_a_copy_without_the_log_is_refused(opened: Open, tmp_path: Path) -> None:
    """A journal that was copied while in use lacks what was written last; it says so until it is told to go on."""
    journal = await opened()
    await journal.write([running()])
    shutil.copy(journal.path, tmp_path / "copy.db")
    for _ in range(2):
        with pytest.raises(JournalError, match=r"copy\.db-wal with what was written to it last is not beside it"):
            await opened("copy.db")
    shutil.copy(f"{journal.path}-wal", tmp_path / "copy.db-wal")
    copy = await opened("copy.db")
    await copy.aclose()
    assert read_journal(copy.path) == (running(),)
    shutil.copy(journal.path, tmp_path / "copy2.db")
    taken = await opened("copy2.db", take_over=True)
    assert read_journal(taken.path) == ()


async def test_a_copy_without_the_log_is_refused_after_long_use(opened: Open, tmp_path: Path) -> None:
    """The log is brought into the file from time to time; what comes afterwards is missing from a copy all the same."""
    journal = await opened()
    await journal.write([queued(str(number)) for number in range(2500)])
    log = tmp_path / "journal.db-wal"
    shutil.copy(journal.path, tmp_path / "copy.db")
    assert len(read_journal(tmp_path / "copy.db")) == 2500
    with pytest.raises(JournalError, match="is not beside it"):
        await opened("copy.db")
    for number in range(1200):
        await journal.write([running(str(number))])
    assert log.stat().st_size < 8 * 2**20
    with pytest.raises(JournalError, match="is not beside it"):
        await opened("copy.db")


async def test_a_copy_without_the_log_is_refused_after_a_large_write(opened: Open, tmp_path: Path) -> None:
    """SQLite itself never brings a part of the log into the file."""
    journal = await opened()
    await journal.write([queued(str(number), digest="d" * 9000) for number in range(1000)])
    shutil.copy(journal.path, tmp_path / "copy.db")
    with pytest.raises(JournalError, match="is not beside it"):
        await opened("copy.db")


async def test_another_program_brings_file_and_log_together(opened: Open, tmp_path: Path) -> None:
    """A person who looks at a journal after a crash with a shell that may write leaves a whole one, which opens."""
    journal = await opened()
    await journal.write([running()])
    for suffix in ("", "-wal"):
        shutil.copy(f"{journal.path}{suffix}", f"{tmp_path}/copy.db{suffix}")
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as shell:
        assert shell.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
    assert not (tmp_path / "copy.db-wal").exists()
    copy = await opened("copy.db")
    assert read_journal(copy.path) == (running(),)


async def test_many_small_writes_and_one_large(opened: Open) -> None:
    """Each is all there, in the order of the keys."""
    journal = await opened()
    for number in range(50):
        await journal.write([queued(str(number))])
    await journal.write([steps.closed(sending(str(number)), Event.OVER_LIMIT, LATER) for number in range(100)])
    assert [record.key for record in read_journal(journal.path)] == [str(number) for number in range(100)]


async def test_an_open_journal_of_a_loop_that_ended(tmp_path: Path) -> None:
    """It is closed in the next one."""
    journal = SqliteJournal(tmp_path / "journal.db")

    async def leave() -> None:
        await journal.open()
        await journal.write([queued()])

    await asyncio.to_thread(asyncio.run, leave())
    await journal.aclose()
    assert names(tmp_path) == ["journal.db"]


def test_where_memory_is_not_shared(tmp_path: Path) -> None:
    """On a file system that another system lends there is no log: every write is in the file, and readers see it."""
    database = Database(tmp_path / "journal.db", place=lambda _: ("lent", "9p"))
    database.open()
    database.write([queued("a")])
    assert read_journal(database.path) == (queued("a"),)
    assert names(tmp_path) == ["journal.db", "journal.db.lock"]
    with contextlib.closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    database.close()
    # Brought to a disk and back it works there too.
    disk = Database(tmp_path / "journal.db")
    assert disk.open() == (queued("a"),)
    disk.close()
    assert names(tmp_path) == ["journal.db"]


def test_a_log_is_given_up_where_memory_is_not_shared(tmp_path: Path) -> None:
    """A journal that crashed on a disk and was brought to such a place keeps what its log held."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "lent").mkdir()
    crashed = Database(tmp_path / "disk" / "journal.db")
    crashed.open()
    crashed.write([queued("a")])
    for path in (tmp_path / "disk").glob("*.db*"):
        shutil.copy(path, tmp_path / "lent")
    crashed.close()
    database = Database(tmp_path / "lent" / "journal.db", place=lambda _: ("lent", "9p"))
    assert database.open() == (queued("a"),)
    assert not (tmp_path / "lent" / "journal.db-wal").exists()
    database.close()


def test_the_lock_file_says_who_has_it(tmp_path: Path) -> None:
    """As JSON, for people and their scripts."""
    database = Database(tmp_path / "journal.db")
    database.open()
    said = json.loads((tmp_path / "journal.db.lock").read_text(encoding="utf-8"))
    assert said["pid"] == os.getpid()
    assert sorted(said) == ["host", "pid", "since"]
    database.close()


def test_reading_keeps_a_record(tmp_path: Path) -> None:
    """What is read is what was written, for each state."""
    records: list[JobRecord] = [queued("a"), sending("b"), running("c"), lost("d"), finished("e")]
    database = Database(tmp_path / "journal.db")
    database.open()
    database.write(records)
    database.close()
    assert list(read_journal(tmp_path / "journal.db")) == records
