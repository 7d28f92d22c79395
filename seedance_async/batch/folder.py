"""The output folder, looked at before anything is sent."""

import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Final

from seedance_async.batch.manifest import MANIFEST
from seedance_async.core.plan import Plan
from seedance_async.core.rows import where
from seedance_async.errors import ConfigurationError, InputError, Problem

#: Below this a download that failed is taken for a full disk: no video is much smaller.
LEAST_FREE_BYTES: Final = 16 * 1024 * 1024


def check_folder(plan: Plan, folder: Path, *, overwrite: bool = False) -> None:
    """Make the folder and see that every video of the plan can be written. Blocks briefly.

    Raises:
        ConfigurationError: The folder is a file, cannot be made or takes no files.
        InputError: Something stands where a video or its folder has to go, each with its row.
    """
    _make_writable(folder)
    problems = [
        problem
        for row in plan.rows
        if (problem := _obstacle(plan.source.name, row.line, folder, row.file, overwrite=overwrite)) is not None
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


def _obstacle(source: str, line: int, folder: Path, file: PurePosixPath, *, overwrite: bool) -> Problem | None:
    place = where(source, line, "output")
    for parent in list(file.parents)[:-1]:
        path = folder / parent
        if path.exists() and not path.is_dir():
            return Problem(place, f"{path} has to be a folder and is a file", given=str(file))
    path = folder / file
    if path.is_dir():
        return Problem(place, f"{path} is a folder", given=str(file))
    if path.exists() and not overwrite:
        return Problem(
            place, f"{path} exists already; use another folder, or --overwrite to replace it", given=str(file)
        )
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
