"""The videos of the emulated service: one packaged clip, or rendered ones of the right size and length."""

import struct
import zlib
from collections.abc import Callable
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import Literal

from attrs import frozen

#: `packaged`: the same small real clip for every task. `rendered`: the size, length and sound that were asked for,
#: with PyAV (the extra `emulator`). `auto`: rendered where PyAV is installed.
ClipMode = Literal["auto", "rendered", "packaged"]


@frozen
class Clip:
    """What a video is to look like.

    Attributes:
        width: Pixels.
        height: Pixels.
        seconds: Length.
        audio: Whether it has a sound track.
        container: `"mp4"` or `"mov"`.
    """

    width: int
    height: int
    seconds: int
    audio: bool = True
    container: str = "mp4"


#: Makes the bytes of a clip; may take long, and is called in a worker thread.
Renderer = Callable[[Clip], bytes]


def can_render() -> bool:
    """Whether PyAV is installed."""
    return find_spec("av") is not None


def renderer(mode: ClipMode) -> Renderer | None:
    """Return what renders clips in this mode; None for the packaged clip.

    Raises:
        ImportError: Rendering was asked for and PyAV is not installed.
    """
    if mode == "packaged" or (mode == "auto" and not can_render()):
        return None
    if not can_render():
        raise ImportError("rendering clips needs PyAV: pip install 'seedance-async[emulator]'")
    # Here and not above: PyAV is an extra, and loading it takes a while.
    from seedance_async.testing.rendering import render  # noqa: PLC0415

    return render


@cache
def packaged_clip() -> bytes:
    """Return the clip that comes with the package: H.264 and AAC, 320x180, one second."""
    return resources.files("seedance_async.testing").joinpath("data", "clip.mp4").read_bytes()


def with_note(content: bytes, note: str) -> bytes:
    """Return an MP4 with a note in a box that players skip, so that two files never have the same bytes."""
    text = note.encode()
    return content + struct.pack(">I4s", 8 + len(text), b"free") + text


def picture(width: int, height: int, shade: int) -> bytes:
    """Return a PNG of one shade, with a gradient from left to right.

    Args:
        width: Pixels.
        height: Pixels.
        shade: 0 to 255, which tells pictures apart.
    """
    row = bytes((shade + x * 128 // width) % 256 for x in range(width))
    # Filter 2 (up) after the first row: every other row is zeros, so a picture of any size is a few hundred bytes.
    rows = b"\x00" + row + (b"\x02" + bytes(width)) * (height - 1)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
