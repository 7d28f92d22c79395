"""Which machine this is, for a journal that was carried from one to another."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from seedance_async.journal import journal_host
from seedance_async.journal.database import Database
from seedance_async.journal.hosts import host_identity, host_name


def identity_file(folder: Path, text: str) -> tuple[str, ...]:
    """A file with the identity of a machine."""
    file = folder / "machine-id"
    file.write_text(text, encoding="utf-8")
    return (str(folder / "not there"), str(file))


def test_an_identity_is_stable_and_secret(tmp_path: Path) -> None:
    """It is the same every time, another one on another machine, and does not show the one that the system keeps."""
    one, other = identity_file(tmp_path, "0" * 31 + "1\n"), "0" * 31 + "2\n"
    identity = host_identity(one)
    assert host_identity(one) == identity
    assert "0" * 31 not in identity
    assert host_identity(identity_file(tmp_path, other)) != identity
    assert host_identity() == host_identity()


@pytest.mark.parametrize("text", ["", "\n", "uninitialized\n", "ö" * 32])
def test_a_machine_without_identity(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that was never started has none: then its name counts."""
    named = host_identity((str(tmp_path / "not there"),))
    assert host_identity(identity_file(tmp_path, text)) == named
    monkeypatch.setattr("seedance_async.journal.hosts.host_name", lambda: "another")
    assert host_identity(identity_file(tmp_path, text)) != named


def test_a_machine_has_a_name() -> None:
    """For people."""
    assert host_name()


def test_a_journal_from_another_machine(tmp_path: Path) -> None:
    """It says so before it is opened and after, with the other machine's name and path; opening makes it ours."""
    path = tmp_path / "journal.db"
    database = Database(path)
    database.open()
    database.close()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE about SET value = 'other' WHERE name = 'host_identity'")
        connection.execute("UPDATE about SET value = 'studio' WHERE name = 'host'")
        connection.execute("UPDATE about SET value = '/videos/journal.db' WHERE name = 'path'")
    before = journal_host(path)
    assert before is not None
    assert (before.name, before.path, before.here) == ("studio", "/videos/journal.db", False)
    database.open()
    assert database.last_host == before
    database.close()
    after = journal_host(path)
    assert after is not None
    assert after.here
    assert after.at > before.at


@pytest.mark.parametrize(
    "change", ["DELETE FROM about WHERE name = 'host'", "UPDATE about SET value = 'x' WHERE name = 'opened_at'"]
)
def test_a_journal_that_does_not_say(tmp_path: Path, change: str) -> None:
    """Where a part is missing or cannot be read, nobody is named."""
    path = tmp_path / "journal.db"
    database = Database(path)
    database.open()
    database.close()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    assert journal_host(path) is None
