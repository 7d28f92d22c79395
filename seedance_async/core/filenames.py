"""Names of files that are safe on every system, whatever the text they come from.

Task ids and URLs come from a server. A name made of them is one path component: it cannot leave its folder, is
no device on Windows, hides nothing, and fits every common file system.
"""

import hashlib
import unicodedata
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

#: Bytes of UTF-8 in one name. Common file systems take 255; what is put around a name must fit as well.
LONGEST_NAME: Final = 200

# Separators, drive letters, streams, wildcards and redirections of one system or another.
_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
# Device names of Windows, in every folder and with any extension.
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"}
)
_EXTENSIONS: Final = {"video/mp4": ".mp4", "video/quicktime": ".mov", "video/webm": ".webm"}
_PART_STEM_BYTES: Final = 60


def safe_name(text: str, *, fallback: str = "video") -> str:
    """Turn any text into a file name that is legal and harmless on Linux, macOS and Windows.

    A text that is such a name already comes back as it is (in Unicode's composed form). Two texts may become the
    same name.

    Args:
        text: What the name should say. An extension survives, also where the name is cut.
        fallback: The name for a text of which nothing is left.
    """
    name = "".join(_harmless(character) for character in unicodedata.normalize("NFC", text))
    # A leading dot hides the file, a leading dash looks like an option, and Windows drops dots and spaces at the end.
    name = name.lstrip(". ").rstrip(". ")
    if name.startswith("-"):
        name = f"_{name[1:]}"
    name = _cut(name)
    if not name:
        return fallback
    if name.split(".", maxsplit=1)[0].rstrip(" ").lower() in _DEVICES:
        return f"_{name}"
    return name


def video_name(task_id: str, media_type: str | None, url: str) -> str:
    """Return the name of a task's video in a folder: the task id and an extension.

    The extension follows the media type, then the path of the URL, and is `.mp4` where neither is known.
    """
    return safe_name(task_id) + _extension(media_type, url)


def part_stem(name: str, task_id: str) -> str:
    """Return the start of the hidden names under which the unfinished file `name` of one task is kept.

    It begins with as much of the name as fits, for the reader, and goes on with a digest of all of it: the same
    file of the same task finds its parts again, and no other does.
    """
    digest = hashlib.sha256(f"{name}\0{task_id}".encode(errors="surrogatepass")).hexdigest()[:12]
    shown = name.encode(errors="ignore")[:_PART_STEM_BYTES].decode(errors="ignore")
    return f".{shown}.{digest}"


def _harmless(character: str) -> str:
    # Not printable: control characters, blanks of other kinds, direction marks that disguise an extension, surrogates.
    return "_" if character in _FORBIDDEN or not character.isprintable() else character


def _cut(name: str) -> str:
    if len(name.encode()) <= LONGEST_NAME:
        return name
    suffix = PurePosixPath(name).suffix
    if len(suffix.encode()) > 10:
        suffix = ""
    kept = name.encode()[: LONGEST_NAME - len(suffix.encode())].decode(errors="ignore")
    return kept.rstrip(". ") + suffix


def _extension(media_type: str | None, url: str) -> str:
    kind = "" if media_type is None else media_type.partition(";")[0].strip().lower()
    if kind in _EXTENSIONS:
        return _EXTENSIONS[kind]
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return ".mp4"
    suffix = PurePosixPath(path).suffix.lower()
    return suffix if suffix in _EXTENSIONS.values() else ".mp4"
