"""What the library logs, as lines of a command: for whatever has no better place to be said."""

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress

from seedance_async.cli.explain import without_secrets
from seedance_async.cli.terminal import one_line

_LOGGER = logging.getLogger("seedance_async")


class LogLines(logging.Handler):
    """Print a record as one line, above whatever is being redrawn."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record, without its traceback."""
        error = record.exc_info[1] if record.exc_info else None
        reason = "" if error is None else f" ({type(error).__name__}: {error})"
        with suppress(Exception):
            print(f"seedance: {without_secrets(one_line(record.getMessage() + reason))}", file=sys.stderr)


@contextmanager
def log_lines() -> Generator[None]:
    """Print warnings and errors of the library while the block runs."""
    lines = LogLines(logging.WARNING)
    _LOGGER.addHandler(lines)
    try:
        yield
    finally:
        _LOGGER.removeHandler(lines)


@contextmanager
def told_by_events() -> Generator[None]:
    """Print errors only: each warning of a session comes as an event too, and whoever listens says it better."""
    lines = [handler for handler in _LOGGER.handlers if isinstance(handler, LogLines)]
    for handler in lines:
        handler.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for handler in lines:
            handler.setLevel(logging.WARNING)
