"""The tables of a journal, and what makes a file one.

    sqlite3 videos.db "SELECT key, state, task_id, credits FROM jobs WHERE state = 'unknown'"
    sqlite3 videos.db "SELECT key, job_group FROM jobs WHERE job_group IS NOT NULL"
    sqlite3 videos.db "SELECT key, json_extract(inputs, '$.prompt') FROM jobs ORDER BY number"

1. `jobs` has one row for each key; `core.record_codec` says what is in its columns. `about` has names and values: what
   this is, who made it, and which host wrote it last, and where.
2. A journal is known by its `application_id`. Its `user_version` counts changes of the tables. `oldest_reader` in
   `about` is the lowest version whose code may use it: a release that changes the tables so that older code would do
   harm raises it, one that only adds to them leaves it.
3. Code of version n opens a journal of a lower version and migrates it, in one transaction; of a higher one, as it is,
   if `oldest_reader` allows. Any other is refused, and nothing in it is changed.
4. Later versions may add tables, and columns that have a default. Nothing that older code knows is removed or renamed
   unless `oldest_reader` is raised.
"""

import contextlib
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from attrs import frozen

from seedance_async._version import __version__
from seedance_async.core.record_codec import COLUMNS, Column
from seedance_async.errors import JournalError

if TYPE_CHECKING:
    import sqlite3

#: What every SQLite file starts with.
MAGIC: Final = b"SQLite format 3\0"
#: "SDJL" at byte 68 of the file.
APPLICATION_ID: Final = int.from_bytes(b"SDJL", "big")


@frozen
class Step:
    """What makes a journal of one version from one of the version before.

    Attributes:
        oldest_reader: The lowest version whose code may use the journal afterwards.
        statements: SQL, run in one transaction.
    """

    oldest_reader: int
    statements: tuple[str, ...]


#: The step to version n is at place n - 1.
Schema = tuple[Step, ...]

SCHEMA: Final[Schema] = (
    Step(
        oldest_reader=1,
        statements=(
            "CREATE TABLE about (name TEXT NOT NULL PRIMARY KEY, value TEXT)",
            """\
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,  -- counts the keys in the order in which they came
    key TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,         -- queued, sending, running, succeeded, failed, refused, withdrawn, unknown, gone
    task_id TEXT,                -- the newest task
    digest TEXT NOT NULL,        -- name of the inputs
    catalogue TEXT NOT NULL,
    credits TEXT,                -- list price; NULL where it is not known
    queued_at TEXT NOT NULL,     -- UTC, as all moments
    changed_at TEXT NOT NULL,
    earlier INTEGER NOT NULL,    -- attempts up to this number are history
    inputs TEXT NOT NULL,        -- JSON, as all below
    attempts TEXT NOT NULL,      -- the creates, the oldest first
    error TEXT,
    result TEXT,
    notes TEXT NOT NULL          -- what the application wrote down
)""",
            "INSERT INTO about VALUES ('what', 'the journal of a seedance_async session or batch')",
        ),
    ),
    # Code of version 1 leaves the group of a job alone, and gives none to those that it makes.
    Step(oldest_reader=1, statements=("ALTER TABLE jobs ADD COLUMN job_group TEXT",)),
)

_SETS: Final = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS if column != "key")
#: Writes one row, `COLUMNS` in order. Columns of later versions keep what they have.
UPSERT: Final = (
    f"INSERT INTO jobs ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "  # noqa: S608 (our own names)
    f"ON CONFLICT (key) DO UPDATE SET {_SETS}"
)
#: Reads all rows, `COLUMNS` in order, in the order in which their keys came.
SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM jobs ORDER BY number"  # noqa: S608 (our own names)


def migrate(connection: "sqlite3.Connection", version: int, schema: Schema = SCHEMA) -> None:
    """Bring a journal of this version to the newest, or make one of an empty file (version 0); all of it or nothing."""
    if version >= len(schema):
        return
    with _transaction(connection):
        for step in schema[version:]:
            for statement in step.statements:
                connection.execute(statement)
        if version == 0:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            _upsert_about(connection, made_by=__version__)
        connection.execute(f"PRAGMA user_version = {len(schema)}")
        _upsert_about(connection, oldest_reader=str(schema[-1].oldest_reader))


def check(connection: "sqlite3.Connection", path: str, schema: Schema = SCHEMA) -> int:
    """Return the version of a journal that this code may use (rules 2 and 3).

    Raises:
        JournalError: The file is no journal, or a later release forbids this one to use it.
    """
    if _number(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise JournalError(OTHER_PROGRAM, path)
    version = _number(connection, "PRAGMA user_version")
    known = about(connection)
    oldest_reader = int(known.get("oldest_reader") or version)
    if oldest_reader > len(schema):
        writer = known.get("written_by") or known.get("made_by")
        raise JournalError(
            f"was written by a later release of seedance_async ({writer}, journal version {version}) that this one "
            f"({__version__}, journal version {len(schema)}) cannot follow; use that release or a newer one",
            path,
        )
    return version


def about(connection: "sqlite3.Connection") -> dict[str, str | None]:
    """Return what the journal says about itself."""
    return dict(connection.execute("SELECT name, value FROM about"))


def note(connection: "sqlite3.Connection", **values: str | None) -> None:
    """Write down what the journal says about itself."""
    with _transaction(connection):
        _upsert_about(connection, **values)


def write(connection: "sqlite3.Connection", rows: Iterable[Sequence[Column]]) -> None:
    """Write the rows of jobs, all or none."""
    with _transaction(connection):
        connection.executemany(UPSERT, rows)


@contextlib.contextmanager
def _transaction(connection: "sqlite3.Connection") -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # After some failures SQLite has rolled it back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _upsert_about(connection: "sqlite3.Connection", **values: str | None) -> None:
    connection.executemany(
        "INSERT INTO about VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", values.items()
    )


OTHER_PROGRAM: Final = (
    "is an SQLite database of another program, and is left as it is; give the journal a file of its own"
)


def _number(connection: "sqlite3.Connection", query: str) -> int:
    (value,) = connection.execute(query).fetchone()
    return int(value)
