"""Files that appear whole or not at all, and replace the one before. Its functions block.

One process at a time writes the reports of a folder, because it has the journal; and one thread of it, see
`BatchRunner`. So each has one name aside, and what a killed process leaves there is gone with the next writing.
"""

import os
from pathlib import Path

from seedance_async.files import remove


def write_whole(path: Path, data: bytes) -> Path:
    """Write a file, durably.

    Raises:
        OSError: It could not be written; the one before is untouched.
    """
    part = _part(path)
    remove(part)
    try:
        # Never through a link that somebody has put there.
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        remove(part)
        raise
    return path


def remove_part(path: Path) -> None:
    """Remove what a process has left that was killed while it wrote a file, for one that is not written now."""
    remove(_part(path))


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
