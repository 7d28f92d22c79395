"""Render clips with PyAV: real H.264 and AAC of the exact size and length, as cheaply as an encoder can be used.

The 2.5 family's HEVC at 1080p is not imitated: encoding it takes minutes, and no client of ours looks inside.
"""

import tempfile
import threading
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

import av

from seedance_async.testing.clips import Clip

_RATE: Final = 24
_SAMPLES_PER_SECOND: Final = 44_100
#: A picture that moves every fourth frame costs a quarter: the frames between are skipped blocks.
_HOLD: Final = 4
_ENCODER: Final = {"preset": "ultrafast", "crf": "38", "g": "96", "threads": "2"}
_LOCK: Final = threading.Lock()


def render(clip: Clip) -> bytes:
    """Return the file of a clip. Called from worker threads; clips of one shape are rendered once."""
    with _LOCK:
        return _render(clip)


@lru_cache(maxsize=64)
def _render(clip: Clip) -> bytes:
    # A real file: the index goes to the front of it, which needs a second look at what was written.
    with tempfile.TemporaryDirectory(prefix="seedance-clip-") as folder:
        path = Path(folder) / f"clip.{clip.container}"
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            _write(cast("Any", container), clip)
        return path.read_bytes()


def _write(container: Any, clip: Clip) -> None:
    video = container.add_stream("libx264", rate=_RATE, options=_ENCODER)
    video.width, video.height, video.pix_fmt = clip.width, clip.height, "yuv420p"
    audio = None
    if clip.audio:
        codec = "pcm_s16le" if clip.container == "mov" else "aac"
        audio = container.add_stream(codec, rate=_SAMPLES_PER_SECOND, layout="mono")
    for number in range(clip.seconds * _RATE):
        frame = _frame(clip, number // _HOLD * _HOLD)
        frame.pts, frame.time_base = number, Fraction(1, _RATE)
        container.mux(video.encode(frame))
    container.mux(video.encode(None))
    if audio is not None:
        _write_silence(container, audio, clip)


def _frame(clip: Clip, number: int) -> Any:
    frame = av.VideoFrame(clip.width, clip.height, "yuv420p")
    # A vertical gradient that drifts, in colours that change slowly: plain enough to encode at once.
    for index, plane in enumerate(frame.planes):
        width, height = plane.line_size, plane.height
        if index == 0:
            shades = (40 + (row * 160 // height + number) % 176 for row in range(height))
            plane.update(b"".join(bytes((shade,)) * width for shade in shades))
        else:
            plane.update(bytes((96 + (number // 2 + index * 40) % 64,)) * (width * height))
    return frame


def _write_silence(container: Any, audio: Any, clip: Clip) -> None:
    left, done = clip.seconds * _SAMPLES_PER_SECOND, 0
    while left > 0:
        count = min(1024, left)
        frame = av.AudioFrame(format="s16", layout="mono", samples=count)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts, frame.time_base = (
            _SAMPLES_PER_SECOND,
            done,
            Fraction(1, _SAMPLES_PER_SECOND),
        )
        container.mux(audio.encode(frame))
        left, done = left - count, done + count
    container.mux(audio.encode(None))
