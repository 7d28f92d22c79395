"""The lock of a journal: a file beside it, claimed from the system while somebody writes.

1. The claim counts, not the file: one that a killed process left behind is claimed by the next.
2. The file is removed before the claim is given up. Whoever opened it in between holds the claim of a file without a
   name, notices (`samestat`), and takes the next one. Windows removes no open file, so there the order is the other,
   and removing fails while the next one has it open.
3. A forked child inherits the opened file, and with it the claim; it closes it at once, so that the claim ends with
   the process that took it.
4. The system tells whether there is a claim only to who claims: who looks has the file for an instant. So whoever is
   refused tries again for longer than that.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, cast

from attrs import frozen

from seedance_async.filelock import Claim, claim
from seedance_async.files import remove

# Each try ends with a file that somebody else has removed meanwhile.
_TRIES: Final = 100
# Seconds between the tries of who is refused (rule 4).
_WAITS: Final = (0.001, 0.01, 0.04)
_FLAGS: Final = (
    os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)


@frozen
class Holder:
    """Who has a journal, as far as the lock file says."""

    host: str | None = None
    pid: int | None = None
    since: str | None = None

    def __str__(self) -> str:
        process = "another process" if self.pid is None else f"process {self.pid}"
        host = "" if self.host is None else f" on {self.host}"
        since = "" if self.since is None else f" since {self.since}"
        return process + host + since


class TakenError(Exception):
    """Somebody else has the lock."""

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        super().__init__(holder)


class NoLocksError(Exception):
    """The file system knows no locks."""


def holder_of(path: Path) -> Holder | None:
    """Say who has a lock; None if nobody has it. Blocks for a moment, and leaves everything as it is.

    Raises:
        OSError: The file cannot be looked at.
    """
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return None
    with file:
        theirs = _claimed(partial(claim, shared=True), file.fileno()) == "theirs"
        return _holder(file.read(4096)) if theirs else None


def _claimed(claim: Callable[[int], Claim], descriptor: int) -> Claim:
    for wait in _WAITS:
        claimed = claim(descriptor)
        if claimed != "theirs":
            return claimed
        time.sleep(wait)
    return claim(descriptor)


class LockFile:
    """Says to all processes that somebody writes. Every method blocks."""

    def __init__(self, path: Path, *, claim: Callable[[int], Claim] = claim) -> None:
        self._path = path
        self._claim = claim
        self._file: IO[bytes] | None = None

    def take(self, host: str, now: datetime) -> None:
        """Take the lock, without waiting.

        Raises:
            TakenError: Another one has it, in this process or elsewhere.
            NoLocksError: The file system knows no locks.
            OSError: The file cannot be made.
        """
        assert self._file is None
        for _ in range(_TRIES):
            file = os.fdopen(os.open(self._path, _FLAGS, 0o600), "r+b", buffering=0)
            try:
                claimed = _claimed(self._claim, file.fileno())
                if claimed == "theirs":
                    raise TakenError(_holder(file.read(4096)))
                if claimed == "impossible":
                    remove(self._path)
                    raise NoLocksError
                if self._has_name(file):
                    self._write(file, {"host": host, "pid": os.getpid(), "since": f"{now:%Y-%m-%d %H:%M:%S} UTC"})
                    self._file = file
                    return
            finally:
                if self._file is not file:
                    file.close()
        raise TakenError(Holder())

    @property
    def held(self) -> bool:
        """Whether the lock is still ours, and its file where others look for it."""
        return self._file is not None and self._has_name(self._file)

    def give_back(self) -> None:
        """Give the lock back, and remove its file. May be called twice."""
        file, self._file = self._file, None
        if file is None:
            return
        if sys.platform == "win32":
            file.close()
            remove(self._path)
            return
        if self._has_name(file):
            remove(self._path)
        file.close()

    def let_go(self) -> None:
        """Close the file of a parent process in its forked child; the parent keeps the lock."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _has_name(self, file: IO[bytes]) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), os.stat(self._path))  # noqa: PTH116 (beside fstat)
        except FileNotFoundError:
            return False

    @staticmethod
    def _write(file: IO[bytes], fields: dict[str, object]) -> None:
        # It only makes a message better; a full disk is found out by those who need the room.
        with contextlib.suppress(OSError):
            file.truncate(0)
            file.seek(0)
            file.write(json.dumps(fields).encode() + b"\n")


def _holder(text: bytes) -> Holder:
    """Read who has the lock; nobody knows in the moment before it is written."""
    try:
        fields: Any = json.loads(text)
    except ValueError:
        return Holder()
    if not isinstance(fields, dict):
        return Holder()
    given = cast("dict[str, Any]", fields)
    host, pid, since = given.get("host"), given.get("pid"), given.get("since")
    return Holder(
        host if isinstance(host, str) else None,
        pid if isinstance(pid, int) else None,
        since if isinstance(since, str) else None,
    )
