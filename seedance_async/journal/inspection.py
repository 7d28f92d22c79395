"""Whether a file is a journal that may be opened, and what is in it. Everything here blocks and changes nothing."""

import contextlib
import os
import stat
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from attrs import field, frozen

from seedance_async.core.record import JobRecord
from seedance_async.core.record_codec import Kept, record_of
from seedance_async.errors import JournalError
from seedance_async.journal import schema as tables
from seedance_async.journal.connections import beside, connect, needs_recovery
from seedance_async.journal.explained import explained
from seedance_async.journal.hosts import JournalHost, host_identity
from seedance_async.journal.schema import SCHEMA, Schema

if TYPE_CHECKING:
    import sqlite3

_HEADER_BYTES: Final = 100
_T = TypeVar("_T")


@frozen
class Contents:
    """What a journal holds.

    Attributes:
        records: One for each key, in the order in which the keys came.
        kept: What later releases added to them, by key.
        about: What the journal says about itself.
    """

    records: tuple[JobRecord, ...] = ()
    kept: Mapping[str, Kept] = field(factory=dict[str, Kept])
    about: Mapping[str, str | None] = field(factory=dict[str, str | None])


def located(path: str | os.PathLike[str]) -> Path:
    """Return where a journal is, without links on the way to it: one file has one lock, by whatever name."""
    text = os.fspath(path)
    if "\0" in text:
        raise JournalError("has a null character in its name", repr(text))
    if text == ":memory:":
        raise JournalError("is a name of SQLite's for no file at all; name a file, or leave the journal out", text)
    return Path(os.path.realpath(text))


def refuse_odd(path: Path) -> None:
    """Refuse what can be no journal, and a folder that is not there."""
    if not path.parent.is_dir():
        raise JournalError(f"its folder {path.parent} does not exist; make it first", str(path))
    try:
        status = path.stat()
    except FileNotFoundError:
        return
    if stat.S_ISDIR(status.st_mode):
        raise JournalError("is a folder; name a file in it", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise JournalError("is a device or a pipe, not a file", str(path))
    if status.st_size == 0:
        raise JournalError(
            "is an empty file: what was written to it is lost, or nothing ever was; remove it to begin a new one",
            str(path),
        )


def refuse_foreign(path: Path) -> None:
    """Refuse a file that is no journal by its first bytes, before SQLite looks at it and at what lies beside it.

    Only for who has the lock: to close a file makes this process lose the locks that SQLite has on it.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if not header.startswith(tables.MAGIC):
        raise JournalError("is no journal, and is left as it is; give the journal a file of its own", str(path))
    if header[68:72] != tables.APPLICATION_ID.to_bytes(4, "big"):
        raise JournalError(tables.OTHER_PROGRAM, str(path))


def look(path: str | os.PathLike[str], use: "Callable[[sqlite3.Connection, str], _T]", schema: Schema = SCHEMA) -> _T:
    """Return what `use` makes of a journal as of one moment, in the newest version of its tables.

    Args:
        path: The journal's file.
        use: Is given a connection to read from, and the name of the file for what it raises.
        schema: The tables that this code knows.
    """
    import sqlite3  # noqa: PLC0415 (loaded by those who have a journal)

    with explained(os.fspath(path)):
        file = located(path)
        refuse_odd(file)
        if not file.exists():
            raise JournalError("does not exist", str(file))
        try:
            return _look(file, "ro", use, schema)
        except sqlite3.OperationalError as error:
            if not needs_recovery(error):
                raise
            return _look(file, "rw", use, schema)


def _look(file: Path, mode: Literal["ro", "rw"], use: "Callable[[sqlite3.Connection, str], _T]", schema: Schema) -> _T:
    import sqlite3  # noqa: PLC0415 (loaded by those who have a journal)

    with contextlib.closing(connect(file, mode)) as connection:
        connection.execute("BEGIN")
        version = tables.check(connection, str(file), schema)
        if version >= len(schema):
            return use(connection, str(file))
        # Reading changes nothing, so an older journal is migrated in memory.
        with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            connection.backup(copy)
            tables.migrate(copy, version, schema)
            return use(copy, str(file))


def inspect(path: Path, schema: Schema) -> Contents:
    """Return what a journal holds, after a look at the whole of it.

    Raises:
        JournalError: This release cannot follow it, or it is damaged.
    """

    def use(connection: "sqlite3.Connection", file: str) -> Contents:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise JournalError(f"is damaged ({found}); nothing in it was changed, restore a copy", file)
        records, kept = read_records(connection, file)
        return Contents(records, kept, tables.about(connection))

    return look(path, use, schema)


def read_records(connection: "sqlite3.Connection", path: str) -> tuple[tuple[JobRecord, ...], dict[str, Kept]]:
    """Return all records, in the order in which their keys came, and what later releases added to them."""
    records: list[JobRecord] = []
    kept: dict[str, Kept] = {}
    for row in connection.execute(tables.SELECT):
        try:
            record, others = record_of(row)
        except ValueError as error:
            raise JournalError(f"{error}; a later release wrote it, or the file is damaged", path) from None
        records.append(record)
        if others is not None:
            kept[record.key] = others
    return tuple(records), kept


def has_log(path: Path) -> bool:
    """Whether the log of a journal lies beside it, with something in it."""
    log = beside(path, "-wal")
    return log.exists() and log.stat().st_size > 0


def needs_log(about: Mapping[str, str | None]) -> bool:
    """Whether a part of a journal is in its log, by what it says about itself."""
    return about.get("needs_log") == "yes"


def host_of(about: Mapping[str, str | None]) -> JournalHost | None:
    """Return who wrote a journal last, by what it says about itself."""
    name, identity, path, at = (about.get(each) for each in ("host", "host_identity", "path", "opened_at"))
    if name is None or identity is None or path is None or at is None:
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return JournalHost(name, path, moment, identity == host_identity())
