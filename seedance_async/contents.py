"""The content of local files: looking, reading and digesting, in plain blocking calls.

`look` takes one `stat` and the first bytes, so that it may be called where inputs are checked; the rest reads whole
files and belongs into worker threads.
"""

import errno
import hashlib
import os
import stat
import threading
from pathlib import Path, PurePath
from typing import IO, Final

from seedance_async.core.media_types import HEAD, FileFacts

#: Bytes that are read at a time: little beside a connection's buffers, much beside a trip to a worker thread.
PIECE: Final = 256 * 1024
_DIGEST_PIECE: Final = 1024 * 1024
#: Bytes that are digested in one go: some ten milliseconds.
_STEP: Final = 16 * _DIGEST_PIECE


class ContentError(Exception):
    """A file cannot be read as it should be. The text says why, without its path."""


def look(path: PurePath) -> FileFacts | str:
    """Say what is known of a file without reading it, or what is wrong with it in the words of a `Problem`."""
    try:
        found = Path(path).stat()
        if stat.S_ISDIR(found.st_mode):
            return "is a folder, not a file"
        if not stat.S_ISREG(found.st_mode):
            return "is no regular file"
        with _opened(path) as file:
            head = file.read(HEAD) or b""
    except (OSError, ValueError) as error:
        return explain(error)
    return FileFacts(found.st_size, found.st_mtime_ns, head, str(Path(path).absolute()))


def explain(error: OSError | ValueError) -> str:
    """Say why a file cannot be read."""
    if not isinstance(error, OSError):
        return "is no possible path"
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return "there is no such file"
        case errno.EACCES | errno.EPERM:
            return "may not be read (permission denied)"
        case errno.EMFILE | errno.ENFILE:
            return "cannot be opened: too many files are open"
        case _:
            return f"cannot be read: {error.strerror or type(error).__name__}"


def digest(path: PurePath, facts: FileFacts) -> str:
    """Return the SHA-256 of a file that is still the one that `facts` tell of, in hex.

    Raises:
        ContentError: It is another one, or cannot be read.
    """
    reading = Digesting(path, facts)
    while (sha256 := reading.step()) is None:
        pass
    return sha256


class Digesting:
    """The digest of a file, in steps that block for a moment each: a file may have any size.

    Who leaves before the end closes it.
    """

    def __init__(self, path: PurePath, facts: FileFacts) -> None:
        """Note what is to be read; the first step opens it."""
        self.is_open = False
        self._content = FileContent(path, facts)
        self._total = hashlib.sha256()

    def step(self) -> str | None:
        """Read on; return the digest in hex at the end, when the file is closed again.

        Raises:
            ContentError: It is not the file that was looked at, or cannot be read.
        """
        try:
            if not self.is_open:
                self._content.open()
                self.is_open = True
            for _ in range(_STEP // _DIGEST_PIECE):
                piece = self._content.read(_DIGEST_PIECE)
                if not piece:
                    self._content.check()
                    self.close()
                    return self._total.hexdigest()
                self._total.update(piece)
        except ContentError:
            self.close()
            raise
        return None

    def close(self) -> None:
        """Close the file; harmless when repeated."""
        self._content.close()
        self.is_open = False


class FileContent:
    """The bytes of a file, read in pieces.

    Every method blocks. They exclude each other: a thread whose waiter was torn away may still be at work.
    """

    def __init__(self, path: PurePath, facts: FileFacts) -> None:
        """Note what is to be read; `open` opens it."""
        self._path = path
        self._facts = facts
        self._file: IO[bytes] | None = None
        self._left = facts.size
        self._lock = threading.Lock()

    def open(self) -> None:
        """Open the file at its beginning.

        Raises:
            ContentError: It cannot be opened, or is not the one that was looked at.
        """
        with self._lock:
            try:
                self._file = _opened(self._path)
            except (OSError, ValueError) as error:
                raise ContentError(explain(error)) from None
            self._left = self._facts.size
            self._check()

    def read(self, size: int = PIECE) -> bytes:
        """Return the next bytes, none at the end.

        Raises:
            ContentError: It cannot be read, or has become shorter.
        """
        with self._lock:
            if self._left == 0 or self._file is None:
                return b""
            try:
                piece = self._file.read(min(size, self._left))
            except OSError as error:
                raise ContentError(explain(error)) from None
            if not piece:
                raise ContentError(_CHANGED)
            self._left -= len(piece)
            return piece

    def check(self) -> None:
        """Make sure that the file is still as it was.

        Raises:
            ContentError: It is not.
        """
        with self._lock:
            self._check()

    def close(self) -> None:
        """Close the file; harmless when repeated."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                file.close()

    def _check(self) -> None:
        assert self._file is not None
        now = os.fstat(self._file.fileno())
        if (now.st_size, now.st_mtime_ns) != (self._facts.size, self._facts.changed_ns):
            raise ContentError(_CHANGED)


def _opened(path: PurePath) -> IO[bytes]:
    # The caller closes it; and a `Path` has no opener.
    return open(path, "rb", buffering=0, opener=_open_at_once)


def _open_at_once(path: str, flags: int) -> int:
    # A pipe that has taken a file's place since it was looked at would keep a thread until somebody writes to it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


_CHANGED: Final = "was changed after it was looked at; give it again when nothing writes to it any more"
