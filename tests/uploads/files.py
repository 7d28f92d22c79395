"""Small files that are what their names say, as far as anybody looks."""

from pathlib import Path
from typing import Final

PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8\xff\xe0"
MP4: Final = b"\x00\x00\x00\x20ftypisom"
MP3: Final = b"ID3\x04"


def png(note: str = "", size: int = 100) -> bytes:
    """Return bytes that begin like a PNG; others for another note."""
    return (PNG + note.encode()).ljust(size, b".")


def write(path: Path, content: bytes | None = None) -> Path:
    """Write a file, a PNG with the file's own name in it unless told otherwise."""
    path.write_bytes(png(path.name) if content is None else content)
    return path
