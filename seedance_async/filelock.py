"""Claim an open file for one writer among all processes; the system gives the claim back when a process dies."""

import errno
import os
import sys
from typing import Literal

Claim = Literal["ours", "theirs", "impossible"]

# "impossible": network and user-space file systems that know no locks.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP})

if sys.platform == "win32":
    import msvcrt

    # Windows locks bytes, and refuses others to read them: one far behind any byte that is used.
    _FAR = 2**31 - 2

    def claim(descriptor: int, *, shared: bool = False) -> Claim:  # noqa: ARG001 (Windows' C library shares none)
        """Claim the file, without waiting, until the descriptor is closed."""
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return "impossible" if error.errno in _NO_LOCKS else "theirs"
        finally:
            os.lseek(descriptor, place, os.SEEK_SET)
        return "ours"

else:
    import fcntl

    def claim(descriptor: int, *, shared: bool = False) -> Claim:
        """Claim the file, without waiting, until the descriptor is closed.

        The claim belongs to this opening of the file: a second opening in the same process does not share it.

        Args:
            descriptor: The opened file.
            shared: Whether other shared claims may stand beside this one; one that is not shared may not.
        """
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return "theirs"
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return "impossible"
            raise
        return "ours"
