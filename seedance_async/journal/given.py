"""The journal that a session was given."""

import os
from typing import Final, cast

from seedance_async.core.names import listed
from seedance_async.core.validators import what_was_given
from seedance_async.errors import ConfigurationError
from seedance_async.journal.protocol import Journal

#: What the session calls of its journal.
JOURNAL_METHODS: Final = ("open", "write", "aclose")


def checked_journal(value: object) -> Journal | None:
    """Return the journal that was given: a path stands for a SQLite file there.

    Raises:
        ConfigurationError: It is neither a path nor has it the methods of `Journal`.
    """
    if value is None:
        return None
    if isinstance(value, str | os.PathLike):
        # Here, because sessions without a journal do without SQLite.
        from seedance_async.journal.sqlite import SqliteJournal  # noqa: PLC0415

        return SqliteJournal(cast("str | os.PathLike[str]", value))
    missing = [name for name in JOURNAL_METHODS if not callable(getattr(value, name, None))]
    if isinstance(value, type) or missing:
        raise ConfigurationError(
            f"journal must be a path or an object with the methods of Journal, and is {what_was_given(value)}"
            f"{f' without {listed(missing)}' if missing else ''}"
        )
    return cast("Journal", value)
