"""The output folder, looked at before anything is sent."""

import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Final

from seedance_async.batch.manifest import MANIFEST
from seedance_async.core.rows import where
from seedance_async.core.standing import FolderStanding
from seedance_async.errors import ConfigurationError, InputError, Problem

#: Below this a download that failed is taken for a full disk: no video is much smaller.
LEAST_FREE_BYTES: Final = 16 * 1024 * 1024


def check_folder(standing: FolderStanding, folder: Path, *, overwrite: bool = False) -> None:
    """Make the folder and see that every video that is to be sent for, watched or fetched can be written.

    Blocks briefly. Videos of tasks that run or have finished may be there already: a run may have ended between saving
    and writing that down.

    Raises:
        ConfigurationError: The folder is a file, cannot be made or takes no files.
        InputError: Something stands where a video or its folder has to go, each with its row.
    """
    _make_writable(folder)
    inside = _Inside(folder)
    coming = [(job, overwrite) for job in standing.submits]
    coming += [(job, True) for job in (*standing.follows, *standing.fetches)]
    left = {job.row.key for job in standing.left}
    name = standing.plan.source.name
    problems = [
        Problem(
            # A job that no row stands for has no line in this file.
            f"{job.row.id or job.row.key}: output" if job.row.key in left else where(name, job.row.line, "output"),
            message,
            given=str(job.row.file),
        )
        for job, may_be_there in coming
        if (message := _obstacle(inside, job.row.file, overwrite=may_be_there)) is not None
    ]
    if problems:
        raise InputError(problems)


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ConfigurationError(f"the output folder {folder} is a file; choose another folder") from None
    except NotADirectoryError:
        raise ConfigurationError(f"a part of the output folder's path {folder} is a file") from None
    except OSError as error:
        raise ConfigurationError(f"the output folder {folder} cannot be made: {error.strerror or error}") from None
    try:
        _probe(folder)
        if (folder / MANIFEST).exists():
            (folder / MANIFEST).open("ab").close()
    except OSError as error:
        raise ConfigurationError(f"the output folder {folder} is not writable: {error.strerror or error}") from None


class _Inside:
    """Finds out which sub-folders of the output folder lie inside it, looking at each of them once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._resolved = folder.resolve()
        self._known: dict[PurePosixPath, bool] = {}

    def holds(self, parent: PurePosixPath) -> bool:
        """Whether a sub-folder stays inside once links are followed."""
        if parent not in self._known:
            self._known[parent] = (self.folder / parent).resolve().is_relative_to(self._resolved)
        return self._known[parent]


def _obstacle(inside: _Inside, file: PurePosixPath, *, overwrite: bool) -> str | None:
    for parent in list(file.parents)[:-1]:
        path = inside.folder / parent
        # A link that points nowhere is there as well, although it does not "exist".
        if os.path.lexists(path) and not path.is_dir():
            return f"{path} has to be a folder and is a file"
        if not inside.holds(parent):
            return f"{path} leads out of the output folder"
    path = inside.folder / file
    if path.is_dir():
        return f"{path} is a folder"
    if os.path.lexists(path) and not overwrite:
        return f"{path} exists already; use another folder, or --overwrite to replace it"
    return None


def why_no_room(folder: Path) -> str | None:
    """Say why the folder takes no further video, or None if it does. Blocks briefly."""
    try:
        free = shutil.disk_usage(folder).free
        _probe(folder)
    except OSError as error:
        return f"the output folder {folder} is not writable any more: {error.strerror or error}"
    if free < LEAST_FREE_BYTES:
        return f"the disk of the output folder {folder} is full"
    return None


def _probe(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"x")
