"""The folder of a demo: replaced if nobody touched it, left alone in every other case.

A finished demo leaves a note of the files it made. A later demo removes exactly those, and only those that have not
changed since; if anything else lies there it takes a new folder beside it. Real videos are paid for, and a demo must
never be the reason that one is gone.
"""

import json
from pathlib import Path, PurePath
from typing import Final

from seedance_async.cli.explain import CommandError

#: Where a demo notes what it made.
NOTE: Final = ".seedance-demo.json"
_MOST_FOLDERS: Final = 1000


def choose_folder(wanted: Path) -> Path:
    """Find a folder for a new demo: empty, new, or emptied of an untouched earlier demo.

    Raises:
        CommandError: `wanted` is a file, or a thousand folders beside it are taken.
    """
    if wanted.exists() and not wanted.is_dir():
        raise CommandError(f"{wanted} is a file; name a folder")
    for number in range(1, _MOST_FOLDERS):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        if not folder.exists():
            return folder
        if folder.is_dir():
            _remove_old_demo(folder)
            if not any(folder.iterdir()):
                return folder
    raise CommandError(f"{wanted} and every folder beside it hold files; name another with -o")


def leave_note(folder: Path) -> None:
    """Note every file of the folder, so that the next demo may remove them."""
    files = {
        path.relative_to(folder).as_posix(): _print_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    (folder / NOTE).write_text(json.dumps(files, indent=1), encoding="utf-8")


def _remove_old_demo(folder: Path) -> None:
    """Remove an earlier demo if the folder holds that and nothing else."""
    note = folder / NOTE
    try:
        files: dict[str, list[int]] = json.loads(note.read_text(encoding="utf-8"))
        present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        del present[NOTE]
        untouched = present.keys() <= files.keys() and all(
            _print_of(path) == files[name] for name, path in present.items()
        )
    except (OSError, ValueError, AttributeError, KeyError):
        return  # no note, or one that somebody changed: not ours to remove
    if not untouched:
        return
    for path in [*present.values(), note]:
        path.unlink()
    for parent in sorted({parent for name in present for parent in PurePath(name).parents}, reverse=True):
        if parent != PurePath():
            (folder / parent).rmdir()


def _print_of(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]
