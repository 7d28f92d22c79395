"""Each failure of SQLite or of the disk is a sentence that says what can be done."""

import errno
import os
import sqlite3

import pytest

from seedance_async.errors import JournalError
from seedance_async.journal.explained import explain_sqlite, explain_system, explained


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("SQLITE_FULL", "there is no room for it on the disk"),
        ("SQLITE_BUSY", "another program has locked it"),
        ("SQLITE_BUSY_SNAPSHOT", "another program has locked it"),
        ("SQLITE_LOCKED", "another program has locked it"),
        ("SQLITE_READONLY", "the file or its folder is read-only"),
        ("SQLITE_READONLY_DIRECTORY", "the file or its folder is read-only"),
        ("SQLITE_PERM", "this process may not write there"),
        ("SQLITE_CANTOPEN", "it cannot be opened"),
        ("SQLITE_CORRUPT", "it is damaged"),
        ("SQLITE_CORRUPT_INDEX", "it is damaged"),
        ("SQLITE_NOTADB", "it is damaged"),
        ("SQLITE_IOERR_FSYNC", "the disk failed"),
        ("SQLITE_ERROR", "SQLite failed"),
    ],
)
def test_sqlite(name: str, sentence: str) -> None:
    """By the name that SQLite gives it, which is in the sentence, for a search."""
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorname = name
    assert sentence in explain_sqlite(error)
    assert name in explain_sqlite(error)


def test_what_python_says_of_sqlite() -> None:
    """Failures of the module itself have no such name."""
    assert explain_sqlite(sqlite3.ProgrammingError("closed")) == "SQLite failed (ProgrammingError: closed)"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "there is no room for it"),
        (errno.EACCES, "this process may not write there"),
        (errno.EROFS, "its folder is read-only"),
        (errno.ENAMETOOLONG, "its name is too long"),
        (errno.EMFILE, "too many files are open"),
        (errno.EIO, "the file system failed"),
    ],
)
def test_the_system(number: int, sentence: str) -> None:
    """By its number, with what the system says."""
    text = explain_system(OSError(number, os.strerror(number)))
    assert sentence in text
    assert os.strerror(number) in text


def test_both_become_an_error_of_the_journal() -> None:
    """With the file, and with what was seen as the cause."""
    for cause in (OSError(errno.EIO, "broken"), sqlite3.OperationalError("broken")):
        with pytest.raises(JournalError) as caught, explained("videos.db"):
            raise cause
        assert caught.value.path == "videos.db"
        assert caught.value.__cause__ is cause
