"""What a video of the emulator is."""

import io
from typing import Any

import pytest

from seedance_async.testing import Clip
from seedance_async.testing.clips import can_render, packaged_clip, renderer, with_note

needs_av = pytest.mark.skipif(not can_render(), reason="PyAV is not installed")


def probe(content: bytes) -> Any:
    import av

    with av.open(io.BytesIO(content), "r") as container:
        video = container.streams.video[0]
        frames = len(list(container.decode(video=0)))
        assert container.duration is not None
        return (
            (video.width, video.height),
            frames,
            container.duration / 1e6,
            video.codec_context.name,
            [stream.codec_context.name for stream in container.streams.audio],
        )


@needs_av
@pytest.mark.parametrize(
    ("clip", "sound"),
    [
        (Clip(320, 180, 4), ["aac"]),
        (Clip(834, 1112, 4, audio=False), []),
        (Clip(2206, 946, 4), ["aac"]),
        (Clip(320, 180, 5, container="mov"), ["pcm_s16le"]),
    ],
)
def test_a_rendered_clip_is_what_was_asked_for(clip: Clip, sound: list[str]) -> None:
    """H.264 at 24 frames a second, of the exact size and length, with or without sound."""
    render = renderer("rendered")
    assert render is not None
    content = render(clip)
    size, frames, seconds, codec, sounds = probe(content)
    assert size == (clip.width, clip.height)
    assert frames == 24 * clip.seconds
    assert seconds == pytest.approx(clip.seconds, abs=0.1)
    assert codec in {"h264", "libx264"}
    assert sounds == sound
    assert render(clip) is content


@needs_av
def test_a_note_leaves_a_clip_playable() -> None:
    """Players skip the box at the end."""
    assert probe(with_note(packaged_clip(), "task_x")) == probe(packaged_clip())


def test_the_packaged_clip_is_small_and_needs_nothing() -> None:
    """It comes with the package, and is the choice where PyAV is not installed."""
    content = packaged_clip()
    assert content[4:8] == b"ftyp"
    assert len(content) < 60_000
    assert renderer("packaged") is None
    assert (renderer("auto") is None) == (not can_render())
