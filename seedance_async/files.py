"""Where a downloaded file goes and how it gets its name: plain blocking calls, made in worker threads."""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from seedance_async.core.filenames import safe_name

_COMPARE_BYTES: Final = 1024 * 1024
# Hard links do not exist on FAT, on some network file systems and in some sandboxes.
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK})


#: No room for more bytes: the disk, the user's share of it, the longest file of the system or the process.
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class TargetError(Exception):
    """The target cannot be written, for a reason that is no failure of the system. The text says which."""


def locate(target: str, name: str) -> Path:
    """Return the file that `target` means, and make its folder.

    Args:
        target: A file; or a folder, if it ends with a separator or is one.
        name: The name of the file in a folder.

    Raises:
        TargetError: Nothing can be written there, whatever the contents.
        OSError: The folder cannot be made.
    """
    if not target:
        raise TargetError("the target is empty; give the name of a file or of a folder")
    if "\0" in target:
        raise TargetError("the target contains a null character")
    path = Path(target)
    if target.endswith(("/", os.sep)):
        path.mkdir(parents=True, exist_ok=True)
        path /= name
    elif path.is_dir():
        path /= name
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32" and safe_name(path.name) != path.name:
        raise TargetError(f"Windows cannot keep a file of this name; {safe_name(path.name)!r} would do")
    refuse_odd(path)
    return path


def put_in_place(part: Path, final: Path, *, overwrite: bool, link: Callable[[Path, Path], None] = os.link) -> bool:
    """Give a finished part its final name, in one step that never replaces another file unless told.

    Args:
        part: The finished part; afterwards it is gone, or (where the file exists) still there.
        final: The final name, in the same folder.
        overwrite: Replace what is there.
        link: Makes a second name for a file, and fails where the new name exists.

    Returns:
        False if there is a file already.
    """
    if overwrite:
        part.replace(final)
        return True
    if sys.platform == "win32":
        try:
            part.rename(final)
        except FileExistsError:
            return False
        return True
    try:
        link(part, final)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Without links no single step both keeps what is there and shows only whole files. To reserve the name with
        # an empty file would show that file after a crash; this order risks only that another program makes a file
        # of this name between the two lines.
        if os.path.lexists(final):
            return False
        part.rename(final)
        return True
    part.unlink()
    return True


def same_contents(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes."""
    # A link to nowhere has a name and no contents.
    if not other.exists() or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as left, other.open("rb") as right:
        while True:
            piece = left.read(_COMPARE_BYTES)
            if piece != right.read(_COMPARE_BYTES):
                return False
            if not piece:
                return True


def explain(error: OSError, folder: Path) -> str:
    """Say what a failure of the file system means and what can be done about it.

    Args:
        error: The failure.
        folder: The folder that was written to.
    """
    match error.errno:
        case errno.ENOSPC:
            return f"the disk of {folder} is full; make room and download it again"
        case errno.EDQUOT:
            return f"your disk quota in {folder} is used up; make room and download it again"
        case errno.EFBIG:
            return f"the file is larger than {folder} or a limit of this process allows; save it elsewhere"
        case errno.EACCES | errno.EPERM:
            return f"no permission to write in {folder}, or another program has the file open"
        case errno.EROFS:
            return f"{folder} is read-only; save it elsewhere"
        case errno.ENAMETOOLONG:
            return "the name is too long for the file system; choose a shorter one"
        case errno.EEXIST | errno.ENOTDIR:
            return f"{error.filename or folder} cannot be a folder, because it or a part of its path is a file"
        case errno.EMFILE | errno.ENFILE:
            return "too many files are open; save fewer at a time, or raise the limit (ulimit -n)"
        case _:
            return f"writing in {folder} failed: {error.strerror or type(error).__name__}"


def refuse_odd(path: Path) -> None:
    """Refuse a folder, a device, a pipe: what may be there and is no file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise TargetError("there is a folder of this name; end the target with a separator to save into it")
    if not stat.S_ISREG(mode):
        raise TargetError("this is a device or a pipe, not a file")


def remove(path: Path) -> None:
    """Remove a file if it is there and can be removed."""
    with contextlib.suppress(OSError):
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Make the new name survive a crash. Windows cannot, and some file systems refuse."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
