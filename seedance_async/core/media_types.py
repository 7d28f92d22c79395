"""What a media file is, by its name and by how it begins."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, Literal, cast

from attrs import evolve, field, frozen

MediaKind = Literal["images", "videos", "audios"]

_FORMATS: Final[Mapping[MediaKind, Mapping[str, str]]] = {
    "images": {
        ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
        ".gif": "image/gif", ".bmp": "image/bmp", ".tif": "image/tiff", ".tiff": "image/tiff",
        ".heic": "image/heic", ".heif": "image/heif", ".avif": "image/avif", ".svg": "image/svg+xml",
    },
    "videos": {
        ".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm", ".m4v": "video/mp4",
        ".avi": "video/x-msvideo", ".mkv": "video/x-matroska", ".wmv": "video/x-ms-wmv", ".flv": "video/x-flv",
        ".mpg": "video/mpeg", ".mpeg": "video/mpeg",
    },
    "audios": {
        ".mp3": "audio/mpeg", ".wav": "audio/wav", ".m4a": "audio/mp4", ".aac": "audio/aac", ".ogg": "audio/ogg",
        ".oga": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac", ".wma": "audio/x-ms-wma",
        ".aiff": "audio/aiff",
    },
}  # fmt: skip
#: Extensions that say beyond doubt what a file is. Anything else at the end of a name is no extension to us.
KIND_OF_EXTENSION: Final[Mapping[str, MediaKind]] = MappingProxyType(
    {extension: kind for kind, extensions in _FORMATS.items() for extension in extensions}
)
CONTENT_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {extension: media_type for formats in _FORMATS.values() for extension, media_type in formats.items()}
)

#: Bytes from the beginning of a file that `sniffed` wants to see.
HEAD: Final = 64

#: How files begin, and the extensions that such a file may have, the usual one first.
_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", (".png",)),
    (b"\xff\xd8\xff", (".jpg", ".jpeg")),
    (b"GIF87a", (".gif",)),
    (b"GIF89a", (".gif",)),
    (b"II*\x00", (".tif", ".tiff")),
    (b"MM\x00*", (".tif", ".tiff")),
    (b"\x1aE\xdf\xa3", (".webm", ".mkv")),
    (b"FLV\x01", (".flv",)),
    (b"\x00\x00\x01\xba", (".mpg", ".mpeg")),
    (b"ID3", (".mp3", ".aac")),
    (b"OggS", (".ogg", ".oga", ".opus")),
    (b"fLaC", (".flac",)),
)
_RIFF: Final = {b"WEBP": (".webp",), b"WAVE": (".wav",), b"AVI ": (".avi",)}
_BRANDS: Final = {
    b"qt  ": (".mov",),
    b"M4A ": (".m4a",),
    b"M4B ": (".m4a",),
    b"heic": (".heic", ".heif"),
    b"heix": (".heic", ".heif"),
    b"mif1": (".heif", ".heic", ".avif"),
    b"avif": (".avif",),
    b"avis": (".avif",),
}
#: A brand that says no more than "of this family".
_ANY_BRAND: Final = (".mp4", ".mov", ".m4v", ".m4a")
#: What people take for media and the service cannot read; the usual first bytes of what is not media at all.
_OTHERS: Final = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"version https://git-lfs", "a pointer of Git LFS and not the file itself"),
)


@frozen
class FileFacts:
    """What is known of a local file, gathered outside of the core.

    Attributes:
        size: In bytes.
        changed_ns: When it was last written, as the file system says, in nanoseconds.
        head: Its first bytes, at most `HEAD`.
        path: Where it is, absolute; empty for bytes.
        sha256: Digest of its content in hex; None while it was not read.
        extension: What it was recognised as before, where its first bytes are not at hand.
        expected: The digest that the content must have, where an earlier session wrote it down.
        seen: Whether somebody looked at it at all; otherwise it is judged by its name alone.
    """

    size: int
    changed_ns: int
    head: bytes
    path: str = ""
    sha256: str | None = None
    extension: str = ""
    expected: str | None = None
    seen: bool = True


Look = Callable[[PurePath], FileFacts | str]
"""Looks at a local file: what is known of it, or what is wrong with it in the words of a `Problem`."""


def no_look(path: PurePath) -> FileFacts | str:
    """Judge a file by its name alone: for inputs that are priced or looked at, and not sent."""
    return FileFacts(0, 0, b"", str(path), seen=False)


@frozen
class Format:
    """What a file is.

    Attributes:
        kind: What it can stand for.
        extension: Lower case, with the dot.
    """

    kind: MediaKind
    extension: str

    @property
    def content_type(self) -> str:
        """The media type, as HTTP names it."""
        return CONTENT_TYPES[self.extension]


def extension_of(name: str) -> str:
    """Return the extension of a file name, lower case with the dot; empty where it has none."""
    stem, dot, extension = name.rpartition(".")
    return f".{extension.casefold()}" if dot and stem else ""


def sniffed(head: bytes) -> tuple[str, ...]:
    """Return the extensions that a file which begins so may have, the usual one first; none where it says nothing."""
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], ())
    if head[4:8] == b"ftyp" and len(head) >= 12:
        return _BRANDS.get(head[8:12], _ANY_BRAND)
    for start, extensions in _STARTS:
        if head.startswith(start):
            return extensions
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return (".bmp",)
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return (".aiff",)
    if len(head) > 1 and head[0] == 0xFF and head[1] in {0xFB, 0xF3, 0xF2, 0xFA}:
        return (".mp3",)
    if len(head) > 1 and head[0] == 0xFF and head[1] in {0xF1, 0xF9}:
        return (".aac",)
    return ()


def recognise(name: str | None, size: int, head: bytes) -> Format | str:
    """Say what a file is, by its content as far as that tells, else by its name.

    Args:
        name: Its name, or None for bytes without one.
        size: In bytes.
        head: How it begins.

    Returns:
        Its format, or what is wrong with it.
    """
    if size == 0:
        return "is empty"
    named = "" if name is None else extension_of(name)
    found = sniffed(head)
    if not found:
        other = next((what for start, what in _OTHERS if head.startswith(start)), None)
        if other is not None:
            return f"must be an image, a video or an audio file, and is {other}"
        if named not in KIND_OF_EXTENSION:
            told = "its first bytes do not tell" if name is None else "neither its name nor its first bytes tell"
            return f"is no image, video or audio that is known here: {told}; a name such as cat.png would"
        return Format(KIND_OF_EXTENSION[named], named)
    actual = named if named in found else found[0]
    kind = KIND_OF_EXTENSION[actual]
    claimed = KIND_OF_EXTENSION.get(named)
    if claimed is not None and claimed != kind:
        return f"is called {named} and begins like {' or '.join(found)}; a file must be what its name says"
    return Format(kind, actual)


def shown_content(content: PurePath | bytes) -> str:
    """Show a path, or how many bytes there are."""
    return f"<{len(content)} bytes>" if isinstance(content, bytes) else repr(str(content))


@frozen
class Material:
    """A local file or bytes that the service is to use.

    Attributes:
        content: The path as it was given, or the bytes.
        facts: What is known of it.
        format: What it is.
    """

    content: PurePath | bytes = field(repr=shown_content)
    facts: FileFacts = field(repr=False)
    format: Format

    @property
    def path(self) -> str | None:
        """Where it is; None for bytes."""
        return None if isinstance(self.content, bytes) else self.facts.path

    @property
    def sha256(self) -> str | None:
        """Digest of its content in hex; None while it was not read."""
        return self.facts.sha256


def facts_of_bytes(content: bytes) -> FileFacts:
    """Return what is known of bytes without reading all of them."""
    return FileFacts(len(content), 0, content[:HEAD])


def examine(content: PurePath | bytes, look: Look) -> Material | str | None:
    """Say what a file or bytes are.

    Returns:
        What they are, what is wrong with them, or None for a file that nobody looked at and whose name says nothing.
    """
    if isinstance(content, bytes):
        facts: FileFacts | str = facts_of_bytes(content)
        name = None
    else:
        facts, name = look(content), content.name
    if isinstance(facts, str):
        return facts
    if not facts.seen or facts.extension:
        extension = facts.extension or extension_of(name or "")
        kind = KIND_OF_EXTENSION.get(extension)
        return None if kind is None else Material(content, facts, Format(kind, extension))
    found = recognise(name, facts.size, facts.head)
    return found if isinstance(found, str) else Material(content, facts, found)


def look_of(materials: Iterable[Material]) -> Look:
    """Return what says again what is known of files, without touching them."""
    known = {material.content: material for material in materials}

    def look(path: PurePath) -> FileFacts | str:
        material = known.get(path)
        return no_look(path) if material is None else evolve(material.facts, extension=material.format.extension)

    return look


def as_bytes(value: object) -> bytes | None:
    """Return the bytes of a value that is some; None for anything else."""
    if isinstance(value, bytes):
        return value
    return bytes(cast("bytearray | memoryview", value)) if isinstance(value, bytearray | memoryview) else None
