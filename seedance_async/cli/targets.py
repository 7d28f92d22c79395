"""Where a video goes, found out before anything is spent."""

import os
import tempfile
from pathlib import Path

from seedance_async.cli.explain import CommandError


def is_folder_name(text: str) -> bool:
    """Whether `-o` names a folder: one that is there, or a name with a separator at its end."""
    return text.endswith(("/", os.sep)) or Path(text).is_dir()


def ready_folder(folder: Path) -> None:
    """Make the folder where it is missing and see that it takes a file.

    Raises:
        CommandError: It cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CommandError(f"cannot write to {folder}: {error.strerror or error}") from None


def ready_target(text: str, *, overwrite: bool) -> Path:
    """Check the place for one video: a file name, or a folder that then gets `<task_id>.mp4`.

    Returns:
        The path as given; a folder exists by now, and so does the folder of a file.

    Raises:
        CommandError: The file is there already, or nothing can be written there.
    """
    path = Path(text)
    if is_folder_name(text):
        ready_folder(path)
        return path
    if path.exists() and not overwrite:
        raise CommandError(f"{path} exists already; name another file or add --overwrite")
    ready_folder(path.parent)
    return path
