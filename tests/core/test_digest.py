"""A digest names what the user wrote, the same in every release."""

from typing import Any

import pytest
from attrs import evolve

from seedance_async.core.digest import inputs_digest
from seedance_async.core.inputs import (
    ImageToVideo,
    Inputs,
    OmniReference,
    TextToVideo,
    VideoEdit,
    VideoExtend,
)

URL = "https://cdn.example/cat.png"
CLIP = "https://cdn.example/cat.mp4"

# Journals hold these values. A test that fails here asks for a new digest version, not for new values.
GOLDEN = [
    (TextToVideo("a lake at dawn"), "v1:b55e404911e5c7c9fafca428cb38522e92bdd765dafcd4a8e196504c18ec90d4"),
    (
        TextToVideo(
            "ein See 🌊",
            model="seedance2-5",
            duration=8,
            aspect_ratio="9:16",
            output_resolution="480p",
            generate_audio=False,
            bitrate_mode="high",
            seed=7,
            output_format="mov",
            extra={"real_person": True, "nested": {"b": [1, 2.5], "a": None}},
        ),
        "v1:83f22e53e735b641d31c879cc60f3da68ce9ecf642762f5117713c2b6ed3c7df",
    ),
    (
        TextToVideo("a lake", upscale_resolution="4k", mode="keyframe"),
        "v1:40c6cb6c4c4f36ae8062a167ac6c6d8943e3148f99da94f15a9e95f675fa2efe",
    ),
    (
        ImageToVideo("a lake", first_frame=URL, last_frame="https://cdn.example/end.png"),
        "v1:2867e47e4beb9417e9739f641ccb15992f667c4342d7cfdc8c0ba1ceddcfedaf",
    ),
    (
        OmniReference("a lake", images=[URL, URL], videos=[CLIP], audios=["https://cdn.example/cat.mp3"]),
        "v1:c09042ff90cd67f2a4d375b22c77bc85f1b13caa8312955d95bf1da68368247d",
    ),
    (
        VideoEdit("a lake", videos=[CLIP], images=[URL]),
        "v1:8d246d898a4c882cacc4c9570b26207af47fa1933c2cb9a8faebfd5b7bc85742",
    ),
    (
        VideoExtend("a lake", videos=[CLIP], duration=10),
        "v1:a3e94f4bb959e79c3b0488682ef10fa892daf6d7680f935940e61a0f5ef0d823",
    ),
]


@pytest.mark.parametrize(("inputs", "digest"), GOLDEN, ids=range(len(GOLDEN)))
def test_golden(inputs: Inputs, digest: str) -> None:
    """The digest of given inputs never changes."""
    assert inputs_digest(inputs) == digest


@pytest.mark.parametrize(
    "same",
    [
        TextToVideo("a lake", duration=5),
        TextToVideo("a lake", duration="5"),  # type: ignore[arg-type, unused-ignore]
        TextToVideo("a lake", duration=5.0),  # type: ignore[arg-type, unused-ignore]
        TextToVideo("a lake", aspect_ratio="16:9", seed=None, extra={}),
        TextToVideo("a lake", model="seedance-20"),
        TextToVideo("a lake", model="seedance2.0-pro"),
        TextToVideo("a lake", callback_url="https://hooks.example/"),
    ],
    ids=range(7),
)
def test_what_does_not_count(same: Inputs) -> None:
    """Defaults that are written out, other forms of the same value, aliases and the callback make no difference."""
    assert inputs_digest(same) == inputs_digest(TextToVideo("a lake"))


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "a lake "},
        {"model": "seedance2-fast"},
        {"duration": 6},
        {"aspect_ratio": "1:1"},
        {"aspect_ratio": None},
        {"output_resolution": "1080p"},
        {"upscale_resolution": "4k"},
        {"mode": "keyframe"},
        {"generate_audio": True},
        {"generate_audio": False},
        {"bitrate_mode": "high"},
        {"seed": 0},
        {"output_format": "mp4"},
        {"extra": {"x": 1}},
        {"extra": {"x": True}},
    ],
    ids=str,
)
def test_what_counts(fields: dict[str, Any]) -> None:
    """Every other field that is given makes another video."""
    assert inputs_digest(evolve(TextToVideo("a lake"), **fields)) != inputs_digest(TextToVideo("a lake"))


def test_order_of_extra_does_not_count() -> None:
    """Extra fields are a mapping, whatever their order; lists are in order."""
    one = TextToVideo("a lake", extra={"a": 1, "b": {"c": 1, "d": 2}})
    two = TextToVideo("a lake", extra={"b": {"d": 2, "c": 1}, "a": 1})
    assert inputs_digest(one) == inputs_digest(two)
    frames = OmniReference("a lake", images=[URL, CLIP])
    assert inputs_digest(frames) != inputs_digest(evolve(frames, images=[CLIP, URL]))


def test_the_class_counts() -> None:
    """The same media in another class are another video."""
    edit = VideoEdit("a lake", videos=[CLIP], model="m")
    assert inputs_digest(edit) != inputs_digest(OmniReference("a lake", videos=[CLIP], model="m"))


def test_unchecked_inputs() -> None:
    """Inputs that JSON cannot hold have no digest."""
    with pytest.raises(TypeError):
        inputs_digest(TextToVideo("a lake", extra={"x": object()}))
