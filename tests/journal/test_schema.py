"""Journals of other releases: the golden one opens, older ones are migrated, later ones are followed or left alone."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from seedance_async.core import record_steps as steps
from seedance_async.errors import JournalError
from seedance_async.journal import SqliteJournal, journal_host, read_journal
from seedance_async.journal.database import Database
from seedance_async.journal.inspection import look, read_records
from seedance_async.journal.schema import SCHEMA, Schema, Step
from tests.core.record_histories import LATER, queued
from tests.journal.golden_records import BY_VERSION, GOLDEN, RECORDS, T2, dump, load

#: Adds what this release may ignore, as a release of next year may.
ADDS: Schema = (
    *SCHEMA,
    Step(
        1,
        (
            "ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0",
            "CREATE TABLE slots (name TEXT)",
            "UPDATE jobs SET priority = number",
        ),
    ),
)
#: Adds what this release would do harm to, if it wrote without a thought of it.
BREAKS: Schema = (*ADDS, Step(4, ("CREATE TABLE claims (key TEXT NOT NULL, until TEXT NOT NULL)",)))


def query(path: Path, sql: str) -> list[Any]:
    """What a person's program reads."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of version 1, as a release wrote it."""
    load(1, tmp_path / "journal.db")
    return tmp_path / "journal.db"


@pytest.mark.parametrize("version", BY_VERSION)
def test_the_golden_journals_are_read(tmp_path: Path, version: int) -> None:
    """What each version wrote is understood, word for word, and who wrote it."""
    path = tmp_path / "journal.db"
    load(version, path)
    assert read_journal(path) == BY_VERSION[version]
    host = journal_host(path)
    assert host is not None
    assert (host.name, host.path, host.at, host.here) == ("studio", "/videos/journal.db", T2, False)


@pytest.mark.parametrize("version", BY_VERSION)
async def test_the_golden_journals_are_opened(tmp_path: Path, version: int) -> None:
    """And written again, they are what they were."""
    path, records = tmp_path / "journal.db", BY_VERSION[version]
    load(version, path)
    journal = SqliteJournal(path)
    assert tuple(await journal.open()) == records
    assert journal.last_host is not None
    assert journal.last_host.name == "studio"
    await journal.write(records)
    await journal.aclose()
    assert read_journal(path) == records


async def test_this_release_writes_the_golden_journal(tmp_path: Path) -> None:
    """Tables and rows are still those of the newest version; another form of either needs a version of its own."""
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()
    await journal.write(BY_VERSION[len(SCHEMA)])
    await journal.aclose()
    golden = (GOLDEN / f"v{len(SCHEMA)}.sql").read_text(encoding="utf-8")

    def of_this_run(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith('INSERT INTO "about"')]

    assert of_this_run(dump(journal.path)) == of_this_run(golden)


def test_an_older_journal_is_migrated(path: Path) -> None:
    """Opening brings it to the newest version, and its records are what they were."""
    database = Database(path, schema=ADDS)
    assert database.open() == RECORDS
    database.close()
    assert query(path, "PRAGMA user_version") == [(3,)]
    assert query(path, "SELECT number, priority FROM jobs WHERE number < 3") == [(1, 1), (2, 2)]


def test_an_older_journal_is_read_as_it_is(path: Path) -> None:
    """Reading migrates a copy in memory, and changes nothing."""
    before = path.read_bytes()
    assert look(path, lambda connection, file: read_records(connection, file)[0], ADDS) == RECORDS
    assert look(path, lambda connection, _: connection.execute("SELECT priority FROM jobs").fetchall(), ADDS)[1] == (2,)
    assert path.read_bytes() == before


def test_a_migration_is_done_or_not(path: Path) -> None:
    """One that fails half way leaves the journal as it was, and unlocked."""
    before = dump(path)
    broken: Schema = (*SCHEMA, Step(2, ("DELETE FROM jobs", "CREATE TABLE jobs (again)")))
    with pytest.raises(JournalError, match="table jobs already exists"):
        Database(path, schema=broken).open()
    assert dump(path) == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_compatible_later_journal_is_followed(path: Path) -> None:
    """Its version, tables, columns and fields stay, also in rows that are written again; new rows have defaults."""
    later = Database(path, schema=ADDS)
    later.open()
    later.close()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("""UPDATE jobs SET attempts = json_set(attempts, '$[0].region', 'eu') WHERE number = 3""")
    ours = Database(path)
    assert ours.open() == RECORDS
    ours.write([steps.noted(RECORDS[2], {"seen": True}, LATER), queued("new")])
    ours.close()
    assert query(path, "PRAGMA user_version") == [(3,)]
    assert query(path, "SELECT name FROM sqlite_master WHERE name = 'slots'") == [("slots",)]
    assert query(path, "SELECT priority, json_extract(attempts, '$[0].region') FROM jobs WHERE number = 3") == [
        (3, "eu")
    ]
    assert query(path, "SELECT priority FROM jobs WHERE key = 'new'") == [(0,)]
    again = Database(path, schema=ADDS)
    assert again.open()[2].notes == {"seen": True}
    again.close()


def test_what_a_later_release_added_is_kept_for_as_long_as_it_is_open(path: Path) -> None:
    """The second write of a row has it as well as the first."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("""UPDATE jobs SET attempts = json_set(attempts, '$[0].region', 'eu') WHERE number = 3""")
    database = Database(path)
    database.open()
    for line in (1, 2):
        database.write([steps.noted(RECORDS[2], {"line": line}, LATER)])
    database.close()
    assert query(path, "SELECT json_extract(attempts, '$[0].region') FROM jobs WHERE number = 3") == [("eu",)]


@pytest.mark.parametrize("closed", [True, False])
def test_another_later_journal_is_left_alone(path: Path, tmp_path: Path, closed: bool) -> None:
    """It is refused with a sentence that says which release to use, and not a byte of it is changed."""
    later = Database(path, schema=BREAKS)
    later.open()
    if closed:
        later.close()
    else:
        copy = tmp_path / "copied"
        copy.mkdir()
        for name in ("journal.db", "journal.db-wal"):
            (copy / name).write_bytes((tmp_path / name).read_bytes())
        later.close()
        path = copy / "journal.db"
    files = {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    for opening in (Database(path).open, lambda: read_journal(path), lambda: journal_host(path)):
        with pytest.raises(JournalError, match=r"later release of seedance_async \(.*, journal version 4\)"):
            opening()
    assert {file: file.read_bytes() for file in files} == files
    assert not (path.parent / "journal.db.lock").exists()


def test_a_new_journal_has_the_newest_version(tmp_path: Path) -> None:
    """Made from nothing it has the tables that migrations lead to."""
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    load(1, old)
    for path in (new, old):
        database = Database(path, schema=BREAKS)
        database.open()
        database.close()
    tables = "SELECT sql FROM sqlite_master ORDER BY name"
    assert query(new, tables) == query(old, tables)
