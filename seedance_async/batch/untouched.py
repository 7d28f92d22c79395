"""Which reports are still as this program wrote them, and may be replaced. Its functions block.

People edit the rows that they pass in again. So the digests of what was written are kept beside the reports, in
`.reports.json`; a file that is another one, or of which nothing is known, is somebody's work. A digest is there before
its file is, beside that of the file before: the process may be killed in between.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from seedance_async.batch.whole import remove_part, write_whole
from seedance_async.core.frozen import is_mapping
from seedance_async.files import remove

NOTE: Final = ".reports.json"
_Digests = dict[str, list[str]]


def note_digest(path: Path, data: bytes) -> None:
    """Note what is about to be written to a file."""
    digests = _read(path.parent)
    before = [_digest(path.read_bytes())] if is_untouched(path) else []
    _write(path.parent, {**digests, path.name: [*before, _digest(data)]})


def is_untouched(path: Path) -> bool:
    """Whether a file is there and still as it was written.

    Raises:
        OSError: It cannot be read.
    """
    return path.is_file() and _digest(path.read_bytes()) in _read(path.parent).get(path.name, [])


def forget_missing(folder: Path) -> None:
    """Forget the files that are not there any more; without any the note goes too."""
    remove_part(folder / NOTE)
    digests = _read(folder)
    there = {name: known for name, known in digests.items() if (folder / name).exists()}
    if not there:
        remove(folder / NOTE)
    elif there != digests:
        _write(folder, there)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(folder: Path) -> _Digests:
    """Read the note; one that is spoilt is none."""
    try:
        note: object = json.loads((folder / NOTE).read_bytes())
    except (OSError, ValueError):
        return {}
    if not is_mapping(note):
        return {}
    lists = {name: cast("list[object]", known) for name, known in note.items() if isinstance(known, list)}
    return {name: [str(digest) for digest in known] for name, known in lists.items()}


def _write(folder: Path, digests: _Digests) -> None:
    # Without the note files are set aside that nobody has touched, which does no harm.
    with suppress(OSError):
        write_whole(folder / NOTE, json.dumps(digests).encode())
