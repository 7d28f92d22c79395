"""Fields that a model may have, have other values of, or lack: each is refused with who has what was asked for."""

from typing import Any

import pytest

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import (
    ImageToVideo,
    Inputs,
    OmniReference,
    TextToVideo,
)
from seedance_async.core.request import prepare
from seedance_async.errors import InputError, Problem

CLASSIC, LATEST = Catalogue.CLASSIC, Catalogue.LATEST
URL = "https://cdn.example/cat.png"


def text(prompt: Any = "a lake", **fields: Any) -> TextToVideo:
    return TextToVideo(prompt, **fields)


def problems_of(inputs: Inputs, catalogue: Catalogue = CLASSIC) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        prepare(inputs, catalogue)
    return list(caught.value.problems)


def problem_of(inputs: Inputs, catalogue: Catalogue = CLASSIC) -> Problem:
    (problem,) = problems_of(inputs, catalogue)
    return problem


@pytest.mark.parametrize(
    ("duration", "suggestion"),
    [
        ("5s", "5"),
        ("5 seconds", "5"),
        ("10sec", "10"),
        ("4.5", None),
        (5.5, None),
        (True, None),
        (None, None),
        ("", None),
        ("five", None),
        (float("nan"), None),
        (float("inf"), None),
        ([5], None),
    ],
)
def test_durations_of_no_whole_seconds(duration: Any, suggestion: str | None) -> None:
    """What is no whole number of seconds is refused, with the number that was probably meant."""
    problem = problem_of(text(duration=duration))
    assert problem.path == "duration"
    assert problem.message == "must be a whole number of seconds, 4 to 15 for seedance-20"
    assert problem.suggestion == suggestion


@pytest.mark.parametrize("duration", [3, 16, 0, -5, 10**400])
def test_durations_out_of_range(duration: int) -> None:
    """The range is the model's."""
    assert problem_of(text(duration=duration)).path == "duration"


def test_ends_of_the_duration_range() -> None:
    """Both ends of the range are allowed, and 2.5 goes up to 30 seconds."""
    for duration in (4, 15, "4", "15", 5.0):
        prepare(text(duration=duration), CLASSIC)
    prepare(text(duration=30, model="seedance2-5"), LATEST)
    assert "; seedance2-5 has it" in problem_of(text(duration=30), LATEST).message


@pytest.mark.parametrize(
    ("field", "given", "suggestion"),
    [
        ("aspect_ratio", "16x9", "16:9"),
        ("aspect_ratio", "16/9", "16:9"),
        ("aspect_ratio", "9-16", "9:16"),
        ("aspect_ratio", "portrait", "9:16"),
        ("aspect_ratio", "Square", "1:1"),
        ("aspect_ratio", "", None),
        ("aspect_ratio", 1.7777, None),
        ("output_resolution", "1080", "1080p"),
        ("output_resolution", 720, "720p"),
        ("output_resolution", "1080P", "1080p"),
        ("output_resolution", "Full HD", "1080p"),
        ("output_resolution", "1920x1080", "1080p"),
        ("output_resolution", True, None),
        ("output_resolution", ["720p"], None),
        ("output_resolution", "z" * 1000, None),
        ("upscale_resolution", "4K", "4k"),
        ("mode", "keyframes", "keyframe"),
        ("mode", "omni", None),
        ("mode", 5, None),
    ],
)
def test_values_outside_a_closed_list(field: str, given: Any, suggestion: str | None) -> None:
    """The message has the allowed values, and the suggestion the one that was probably meant."""
    problem = problem_of(text(**{field: given}))
    assert problem.path == field
    assert problem.message.startswith("must be ")
    assert problem.suggestion == suggestion
    assert len(str(problem)) < 300


def test_fast_has_no_1080p() -> None:
    """A resolution that the model lacks is answered with the model that has it, however it is written."""
    for given in ("1080p", "1080", 1080):
        message = problem_of(text(model="seedance2-fast", output_resolution=given)).message
        assert message == "must be 480p or 720p for seedance2-fast; seedance-20 has 1080p"


def test_native_4k_is_only_in_latest() -> None:
    """4k is a resolution of seedance-20 in LATEST alone."""
    prepare(text(output_resolution="4k"), LATEST)
    assert "under Catalogue.LATEST seedance-20 has 4k" in problem_of(text(output_resolution="4k")).message
    problem = problem_of(text(output_resolution="4k", model="seedance2-5"), LATEST)
    assert "; seedance-20 has 4k" in problem.message


def test_upscaling_is_only_in_classic() -> None:
    """LATEST would ignore `upscale_resolution`, so it is refused there with the catalogue that has it."""
    prepare(text(upscale_resolution="4k"), CLASSIC)
    problem = problem_of(text(upscale_resolution="4k"), LATEST)
    assert problem.path == "upscale_resolution"
    assert "under Catalogue.CLASSIC seedance-20 and seedance2-fast have it" in problem.message


@pytest.mark.parametrize(
    ("field", "value"), [("generate_audio", True), ("bitrate_mode", "high"), ("seed", 7), ("generate_audio", False)]
)
def test_options_of_latest(field: str, value: Any) -> None:
    """Options that only LATEST has are refused under CLASSIC and say where they exist."""
    prepare(text(**{field: value}), LATEST)
    problem = problem_of(text(**{field: value}), CLASSIC)
    assert problem.path == field
    assert "under Catalogue.LATEST" in problem.message


def test_output_format_is_of_the_25_family() -> None:
    """A field that another model of the same catalogue has is answered with that model."""
    prepare(text(output_format="mov", model="seedance2-5"), LATEST)
    assert "; seedance2-5 has it" in problem_of(text(output_format="mov"), LATEST).message
    assert problem_of(text(output_format="avi", model="seedance2-5"), LATEST).path == "output_format"


@pytest.mark.parametrize(
    ("given", "suggestion"),
    [("yes", "True"), ("FALSE", "False"), (1, "True"), (0, "False"), ("maybe", None), ([], None), (1.0, None)],
)
def test_audio_is_a_real_boolean(given: Any, suggestion: str | None) -> None:
    """The service refuses anything but true and false."""
    problem = problem_of(text(generate_audio=given), LATEST)
    assert problem.path == "generate_audio"
    assert problem.suggestion == suggestion


def test_a_number_that_python_does_not_write_out() -> None:
    """An absurd number in place of a boolean is a problem like any other."""
    assert problem_of(text(generate_audio=10**5000), LATEST).path == "generate_audio"


def test_bitrate_is_high_or_absent() -> None:
    """`high` is the only bitrate mode."""
    problem = problem_of(text(bitrate_mode="hi"), LATEST)
    assert problem.message == "must be high for seedance-20"
    assert problem.suggestion == "high"


@pytest.mark.parametrize("seed", [-2, 2**32, 1.5, True, "x"])
def test_seeds_out_of_range(seed: Any) -> None:
    """A seed is -1 or an unsigned 32-bit number."""
    assert "-1 for a random one or 0 to 4294967295" in problem_of(text(seed=seed), LATEST).message


@pytest.mark.parametrize("seed", [-1, 0, 2**32 - 1, "7"])
def test_seeds_in_range(seed: Any) -> None:
    """The ends of the range and digits are allowed."""
    prepare(text(seed=seed), LATEST)


def test_ratio_that_25_ignores() -> None:
    """The 2.5 family ignores the ratio where frames are given; the 2.0 family does not."""
    frames = ImageToVideo("a lake", first_frame=URL, aspect_ratio="1:1", model="seedance2-5")
    assert "keeps the image's ratio" in problem_of(frames, LATEST).message
    keyframe = OmniReference("a lake", images=[URL], mode="keyframe", aspect_ratio="1:1", model="seedance2-5")
    assert problem_of(keyframe, LATEST).path == "aspect_ratio"
    prepare(ImageToVideo("a lake", first_frame=URL, aspect_ratio="1:1"), LATEST)
    prepare(OmniReference("a lake", images=[URL], aspect_ratio="1:1", model="seedance2-5"), LATEST)
    prepare(text(aspect_ratio="1:1", model="seedance2-5", mode="keyframe"), LATEST)
