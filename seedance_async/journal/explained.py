"""What a failure of SQLite or of the file system means for a journal, and what can be done about it."""

import contextlib
import errno
from collections.abc import Generator
from typing import TYPE_CHECKING, Final

from seedance_async.errors import JournalError

if TYPE_CHECKING:
    import sqlite3

_LOOK: Final = "; nothing in it was changed. Restore a copy, or look at what is left with `sqlite3 FILE .recover`"


@contextlib.contextmanager
def explained(path: str) -> Generator[None]:
    """Turn failures of SQLite and of the file system into JournalError."""
    import sqlite3  # noqa: PLC0415 (loaded by those who have a journal)

    try:
        yield
    except OSError as error:
        raise JournalError(explain_system(error), path) from error
    except sqlite3.Error as error:
        raise JournalError(explain_sqlite(error), path) from error


def explain_system(error: OSError) -> str:
    """Say what a failure of the file system means."""
    text = error.strerror or type(error).__name__
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"there is no room for it ({text}); make room and try again"
        case errno.EACCES | errno.EPERM:
            return f"this process may not write there ({text}); choose another folder, or change its permissions"
        case errno.EROFS:
            return f"its folder is read-only ({text}); choose another folder"
        case errno.ENAMETOOLONG:
            return f"its name is too long ({text}); choose a shorter one"
        case errno.EMFILE | errno.ENFILE:
            return f"too many files are open ({text}); raise the limit (ulimit -n)"
        case _:
            return f"the file system failed: {text}"


def explain_sqlite(error: "sqlite3.Error") -> str:
    """Say what a failure of SQLite means."""
    # Those that Python raises by itself have neither code nor name.
    name: str = getattr(error, "sqlite_errorname", None) or type(error).__name__
    match name.split("_")[1:3]:
        case ["FULL"]:
            return f"there is no room for it on the disk ({name}); make room and try again"
        case ["BUSY", *_] | ["LOCKED", *_]:
            return f"another program has locked it ({name}), such as an open `sqlite3` shell; end it and try again"
        case ["READONLY", *_]:
            return f"it cannot be written ({name}): the file or its folder is read-only"
        case ["PERM" | "AUTH", *_]:
            return f"this process may not write there ({name})"
        case ["CANTOPEN", *_]:
            return f"it cannot be opened ({name}): the file or its folder is gone, or may not be read or written"
        case ["CORRUPT" | "NOTADB", *_]:
            return f"it is damaged ({name}: {error}){_LOOK}"
        case ["IOERR", *_]:
            return f"the disk failed ({name}); see whether it is full, unplugged or broken, and try again"
        case _:
            return f"SQLite failed ({name}: {error})"
