"""Files that are too short for the video that was saved under their name. Its functions block.

Such a file is what a crash of the disk has left of our own, or it is somebody's, who put another one in its place. So
it is moved aside before the video is fetched again, and removed only if it is the beginning of that video.
"""

from pathlib import Path

from seedance_async.files import sync_folder

_COMPARE_BYTES = 1024 * 1024


def set_aside(path: Path) -> Path | None:
    """Give a file another name beside it; None if there is no file.

    Raises:
        OSError: It cannot be renamed.
    """
    if not path.is_file():
        return None
    number = 1
    while (aside := path.with_stem(f"{path.stem}.short{'' if number == 1 else f'-{number}'}")).exists():
        number += 1
    path.rename(aside)
    return aside


def settle(aside: Path, path: Path) -> bool:
    """End the setting aside: after a failure the file gets its name back, after a success it is removed if it may be.

    Returns:
        Whether it was kept aside, because it is no part of the video.

    Raises:
        OSError: Files cannot be read or renamed.
    """
    if not path.exists():
        aside.rename(path)
        return False
    if not _begins_with(path, aside):
        return True
    aside.unlink()
    sync_folder(path.parent)
    return False


def _begins_with(path: Path, beginning: Path) -> bool:
    with path.open("rb") as whole, beginning.open("rb") as part:
        while piece := part.read(_COMPARE_BYTES):
            if whole.read(len(piece)) != piece:
                return False
    return True
