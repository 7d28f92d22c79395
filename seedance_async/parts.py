"""The file work of a download: plain blocking calls, made in worker threads, one at a time per file.

While it is unfinished, a video `lake.mp4` is two hidden files in its own folder:

    .lake.mp4.<digest>.<number>.part        the bytes
    .lake.mp4.<digest>.<number>.part.json   the record: whose, from where, which version, how much is safe

The record is claimed for one writer (`filelock`) before anything else is touched and removed after everything else,
so that neither another task of this process nor another process writes into the same part; whoever finds it claimed
takes the next number. Where the file system knows no locks, the number is random and nothing is taken over.

Bytes count as saved once they are synced *and* recorded, in this order: after a crash a part may have its length
and not its bytes. The final name appears in one step, after all bytes are synced.
"""

import contextlib
import errno
import os
import secrets
import sys
import threading
from pathlib import Path
from typing import IO, Final

from attrs import evolve

from seedance_async.core.filenames import part_stem
from seedance_async.core.ranges import PartRecord, Resume, read_record, record_text, resume_point
from seedance_async.filelock import claim
from seedance_async.files import (
    TargetError,
    locate,
    put_in_place,
    refuse_odd,
    remove,
    same_contents,
    sync_folder,
)

#: Bytes between two syncs: what a crash of the machine costs at most.
SYNC_EVERY: Final = 8 * 1024 * 1024
# Writers of one file of one task at a time, before the claims are looked for under a random number.
_NUMBERS: Final = 16
_OPEN_FLAGS: Final = (
    os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)


class Part:
    """One unfinished file and its record, claimed by one writer.

    Every method but `size` blocks. They exclude each other: a thread whose waiter was torn away may still be at work.

    Attributes:
        final: The path of the finished file; before `open`, the target as it was given.
        size: Bytes that are written.
        record: What they belong to; None before the first of them.
        worth_keeping: Whether `close` may leave the part for a later download.
        closed: Whether nothing is open and claimed (any more).
    """

    def __init__(self, target: str, name: str, *, task_id: str, overwrite: bool) -> None:
        """Note what is to be written. Nothing is touched before `open`.

        Args:
            target: The file or folder, as the user named it.
            name: The name of the file in a folder.
            task_id: Whose video it is.
            overwrite: Whether a different file of this name may be replaced.
        """
        self.final = Path(target)
        self.size = 0
        self.record: PartRecord | None = None
        self.worth_keeping = True
        self.closed = True
        self._target = target
        self._name = name
        self._task_id = task_id
        self._overwrite = overwrite
        self._path = Path()
        self._bytes: IO[bytes] | None = None
        self._claim: IO[bytes] | None = None
        self._claim_path = Path()
        self._writing = False
        self._unsynced = 0
        self._lock = threading.Lock()

    def open(self, url: str) -> Resume | None:
        """Find the folder, claim a part in it, and say whether an earlier one can be continued.

        Args:
            url: Where the file will be fetched from, here and below without what may be signed.
        """
        with self._lock:
            self.final = locate(self._target, self._name)
            self.closed = False
            self._take_claim()
            assert self._claim is not None
            self._path = self._claim_path.with_suffix("")
            self._bytes = _open_plain(self._path)
            self.record = read_record(self._claim.read().decode(errors="replace"))
            size = os.fstat(self._bytes.fileno()).st_size
            return resume_point(self.record, size=size, task_id=self._task_id, url=url)

    def start(self, url: str, etag: str | None, total: int | None) -> None:
        """Begin with an empty part, of a version with this strong ETag and length.

        Raises:
            TargetError: A file of another length has the final name already.
        """
        with self._lock:
            self._refuse_other_length(total)
            had_bytes = self.record is not None and self.record.saved > 0
            self.record = PartRecord(self._task_id, url, etag, total)
            # The old record must be gone for good before the first byte of another version is written.
            self._write_record(sync=had_bytes)
            self._cut(0)

    def resume(self, resume: Resume) -> None:
        """Go on behind the first `resume.offset` bytes.

        Raises:
            TargetError: A file of another length has the final name already.
        """
        with self._lock:
            self._refuse_other_length(resume.total)
            self._cut(resume.offset)

    def write(self, data: bytes | bytearray) -> None:
        """Append bytes."""
        with self._lock:
            assert self._bytes is not None
            view = memoryview(data)
            while view:
                view = view[self._bytes.write(view) :]
            self.size += len(data)
            self._unsynced += len(data)
            if self._unsynced >= SYNC_EVERY:
                self._save()

    def pause(self, url: str) -> Resume | None:
        """Sync and record what is written, and say whether it can be continued from `url`."""
        with self._lock:
            if self.record is None or self.record.etag is None or self.record.total is None:
                return None
            self._save()
            return resume_point(self.record, size=self.size, task_id=self._task_id, url=url)

    def finish(self) -> Path:
        """Sync, give the file its final name, remove the part and the record.

        Returns:
            The final path. A file with the same contents that is there already is kept as it is.

        Raises:
            TargetError: A different file has the name, and `overwrite` is false.
        """
        with self._lock:
            assert self._bytes is not None
            os.fsync(self._bytes.fileno())
            self._writing = False
            # Windows moves no open file; the claim on the record still keeps others away.
            self._bytes.close()
            refuse_odd(self.final)
            if not put_in_place(self._path, self.final, overwrite=self._overwrite) and not same_contents(
                self._path, self.final
            ):
                raise TargetError("a different file of this name exists; choose another name, or overwrite=True")
            sync_folder(self.final.parent)
            self._close(keep=False)
            return self.final

    def close(self) -> None:
        """Close the files and give the claim back. Leaves a part that can be continued and removes any other."""
        with self._lock:
            if self._writing and self.worth_keeping:
                # Whatever hinders this hinders nothing else: the part then counts as far as it was last saved.
                with contextlib.suppress(OSError):
                    self._save()
            self._close(keep=self.worth_keeping and self.record is not None and self.record.can_continue)

    def _take_claim(self) -> None:
        stem = part_stem(self.final.name, self._task_id)
        for number in range(_NUMBERS):
            self._claim_path = self.final.with_name(f"{stem}.{number}.part.json")
            while True:
                try:
                    file = os.fdopen(os.open(self._claim_path, _OPEN_FLAGS, 0o666), "r+b", buffering=0)
                except OSError as error:
                    # Somebody else's file or link of this name.
                    if os.path.lexists(self._claim_path) and error.errno in {
                        errno.EACCES,
                        errno.ELOOP,
                        errno.EISDIR,
                    }:
                        break
                    raise
                state = claim(file.fileno())
                if state == "ours" and _is_named(file, self._claim_path):
                    self._claim = file
                    return
                file.close()
                if state == "impossible":
                    remove(self._claim_path)
                    self._take_random_claim(stem)
                    return
                if state == "theirs":
                    break
                # Its last writer removed it between our opening and our claim: make it anew.
        self._take_random_claim(stem)

    def _take_random_claim(self, stem: str) -> None:
        self._claim_path = self.final.with_name(f"{stem}.{secrets.token_hex(6)}.part.json")
        self._claim = os.fdopen(os.open(self._claim_path, _OPEN_FLAGS | os.O_EXCL, 0o666), "r+b", buffering=0)

    def _refuse_other_length(self, total: int | None) -> None:
        refuse_odd(self.final)
        if self._overwrite or total is None or not os.path.lexists(self.final):
            return
        if not self.final.exists() or self.final.stat().st_size != total:
            raise TargetError("a different file of this name exists; choose another name, or overwrite=True")

    def _cut(self, size: int) -> None:
        assert self._bytes is not None
        self._bytes.truncate(size)
        self._bytes.seek(size)
        self.size = size
        self._unsynced = 0
        self._writing = True

    def _save(self) -> None:
        assert self._bytes is not None
        os.fsync(self._bytes.fileno())
        self._unsynced = 0
        if self.record is not None:
            self.record = evolve(self.record, saved=self.size)
            self._write_record(sync=False)

    def _write_record(self, *, sync: bool) -> None:
        assert self._claim is not None
        assert self.record is not None
        data = record_text(self.record).encode()
        self._claim.seek(0)
        self._claim.truncate()
        self._claim.write(data)
        if sync:
            os.fsync(self._claim.fileno())

    def _close(self, *, keep: bool) -> None:
        self._writing = False
        self.closed = True
        if self._bytes is not None:
            with contextlib.suppress(OSError):
                self._bytes.close()
            self._bytes = None
            if not keep:
                remove(self._path)
        if self._claim is not None:
            # Removed while it is still claimed, so that nobody takes it over in between. Windows removes no open
            # file; there the next writer may find a record without a part, which says nothing.
            if not keep and sys.platform != "win32":
                remove(self._claim_path)
            with contextlib.suppress(OSError):
                self._claim.close()
            self._claim = None
            if not keep and sys.platform == "win32":
                remove(self._claim_path)


def _open_plain(path: Path) -> IO[bytes]:
    """Open a part that has no other name; a second name means that it became a finished file before a crash."""
    while True:
        if path.is_symlink():
            path.unlink()
        file = os.fdopen(os.open(path, _OPEN_FLAGS, 0o666), "r+b", buffering=0)
        if os.fstat(file.fileno()).st_nlink <= 1:
            return file
        file.close()
        path.unlink()


def _is_named(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False
