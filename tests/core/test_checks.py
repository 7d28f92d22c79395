"""Everything wrong with inputs is found before sending, all at once, with path, value and what is allowed."""

from typing import Any

import pytest

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.checks import utf16_units
from seedance_async.core.inputs import (
    ImageToVideo,
    Inputs,
    OmniReference,
    TextToVideo,
    VideoEdit,
    VideoExtend,
)
from seedance_async.core.request import prepare
from seedance_async.errors import InputError, Problem

CLASSIC, LATEST = Catalogue.CLASSIC, Catalogue.LATEST
URL = "https://cdn.example/cat.png"
CLIP = "https://cdn.example/cat.mp4"
SONG = "https://cdn.example/cat.mp3"


def text(prompt: Any = "a lake", **fields: Any) -> TextToVideo:
    return TextToVideo(prompt, **fields)


def problems_of(inputs: Inputs, catalogue: Catalogue = CLASSIC) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        prepare(inputs, catalogue)
    return list(caught.value.problems)


def problem_of(inputs: Inputs, catalogue: Catalogue = CLASSIC) -> Problem:
    (problem,) = problems_of(inputs, catalogue)
    return problem


def test_all_problems_at_once() -> None:
    """One error carries every problem, each with its path."""
    inputs = text(
        " ",
        duration="5s",
        aspect_ratio="16x9",
        output_resolution=1080,
        generate_audio="yes",
        upscale_resolution="4k",
        seed=-2,
        model="seedance2-fast",
        callback_url="hooks.example",
        extra={"aspectRatio": "16:9"},
    )
    assert [problem.path for problem in problems_of(inputs, LATEST)] == [
        "prompt",
        "duration",
        "generate_audio",
        "seed",
        "output_resolution",
        "upscale_resolution",
        "aspect_ratio",
        "callback_url",
        "extra['aspectRatio']",
    ]


@pytest.mark.parametrize("prompt", ["", " ", "\n\t ", "\u3000", None, 5, b"a lake", "half \ud83d a pair"])
def test_prompts_that_cannot_be_sent(prompt: Any) -> None:
    """A prompt is a string with something in it that can be encoded."""
    assert problem_of(text(prompt)).path == "prompt"


@pytest.mark.parametrize(
    ("model", "catalogue", "most"),
    [
        ("seedance-20", CLASSIC, 4000),
        ("seedance-20", LATEST, 10_000),
        ("seedance2-5", LATEST, 30_000),
    ],
)
def test_prompt_length_in_utf16_units(model: str, catalogue: Catalogue, most: int) -> None:
    """The limit counts UTF-16 units: an emoji is two, a Chinese character one."""
    for longest in ("x" * most, "湖" * most, "🌊" * (most // 2)):
        prepare(text(longest, model=model), catalogue)
        problem = problem_of(text(longest + "!", model=model), catalogue)
        assert problem.path == "prompt"
        assert f"{most} UTF-16 units" in problem.message
        assert problem.given == f"{most + 1} units"


def test_a_long_prompt_names_the_models_that_take_it() -> None:
    """A prompt that is too long for CLASSIC is answered with what takes it."""
    assert "Catalogue.LATEST" in problem_of(text("x" * 5000)).message
    assert "; seedance2-5 takes it" in problem_of(text("x" * 20_000), LATEST).message


def test_utf16_units() -> None:
    """Characters beyond the basic plane count twice."""
    assert [utf16_units(word) for word in ("", "abc", "äöü", "湖", "🌊a")] == [0, 3, 3, 1, 3]


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


@pytest.mark.parametrize("model", ["seedance2.0-pro", "seedance2.0-fast"])
def test_aliases_are_accepted(model: str) -> None:
    """The bracketed names of the seed page are accepted."""
    prepare(text(model=model), CLASSIC)


@pytest.mark.parametrize(
    ("model", "suggestion"),
    [
        ("seedance-2.0", "seedance-20"),
        ("Seedance-20", "seedance-20"),
        ("seedance2fast", "seedance2-fast"),
        ("sora", None),
        (20, None),
        (None, None),
    ],
)
def test_unknown_models(model: Any, suggestion: str | None) -> None:
    """An unknown model is answered with the models there are."""
    problem = problem_of(text(model=model))
    assert problem.path == "model"
    assert problem.suggestion == suggestion


def test_a_model_that_does_not_take_the_class() -> None:
    """A model of the wrong kind is answered with those of the right kind."""
    problem = problem_of(VideoEdit("a lake", videos=[CLIP], model="seedance-20"), LATEST)
    assert problem.message == "seedance-20 does not take VideoEdit; seedance2-5-edit takes it"
    problem = problem_of(VideoExtend("a lake", videos=[CLIP], duration=5, model="seedance-20"), CLASSIC)
    assert "under Catalogue.LATEST seedance2-5-extend takes it" in problem.message
    problem = problem_of(text(model="seedance2-5-edit"), LATEST)
    assert "seedance-20, seedance2-fast, seedance2.0-mini and seedance2-5 take it" in problem.message


def test_problems_beside_an_unknown_model() -> None:
    """What does not depend on the model is found even if the model is unknown."""
    paths = [problem.path for problem in problems_of(text("", model="sora", duration="5s"))]
    assert paths == ["model", "prompt", "duration"]


def test_keyframe_with_more_than_two_images() -> None:
    """Keyframe would ignore the third image silently."""
    inputs = OmniReference("a lake", images=[URL] * 3, mode="keyframe")
    assert "ignores other images, and 3 are given" in problem_of(inputs).message
    prepare(OmniReference("a lake", images=[URL] * 2, mode="keyframe"), CLASSIC)


@pytest.mark.parametrize("media", [{"videos": [CLIP]}, {"audios": [SONG]}])
def test_keyframe_with_video_or_audio(media: Any) -> None:
    """Keyframe takes images only."""
    assert problem_of(OmniReference("a lake", images=[URL], mode="keyframe", **media)).path == "mode"


def test_frames_are_no_references() -> None:
    """ImageToVideo in reference mode is another class."""
    problem = problem_of(ImageToVideo("a lake", first_frame=URL, mode="reference"))
    assert "OmniReference" in problem.message
    prepare(ImageToVideo("a lake", first_frame=URL, mode="keyframe"), CLASSIC)


def test_ratio_that_25_ignores() -> None:
    """The 2.5 family ignores the ratio where frames are given; the 2.0 family does not."""
    frames = ImageToVideo("a lake", first_frame=URL, aspect_ratio="1:1", model="seedance2-5")
    assert "keeps the image's ratio" in problem_of(frames, LATEST).message
    keyframe = OmniReference("a lake", images=[URL], mode="keyframe", aspect_ratio="1:1", model="seedance2-5")
    assert problem_of(keyframe, LATEST).path == "aspect_ratio"
    prepare(ImageToVideo("a lake", first_frame=URL, aspect_ratio="1:1"), LATEST)
    prepare(OmniReference("a lake", images=[URL], aspect_ratio="1:1", model="seedance2-5"), LATEST)
    prepare(text(aspect_ratio="1:1", model="seedance2-5", mode="keyframe"), LATEST)


@pytest.mark.parametrize(
    "url",
    [
        "hooks.example/planted",
        "ftp://hooks.example/planted",
        "/planted",
        "",
        5,
        "https:///planted",
        "https://hooks.example:x/planted",
        "https://user:planted@hooks example",
    ],
)
def test_callback_urls(url: Any) -> None:
    """A callback is an http(s) URL; its path, often a secret, is not repeated."""
    problem = problem_of(text(callback_url=url))
    assert problem.path == "callback_url"
    assert "planted" not in str(problem)


@pytest.mark.parametrize("url", ["https://hooks.example/x?y=1", "http://127.0.0.1:8000/hook"])
def test_good_callback_urls(url: str) -> None:
    """http and https are both allowed, with any host."""
    prepare(text(callback_url=url), CLASSIC)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("aspect_ratio", "aspect_ratio"),
        ("aspectRatio", "aspect_ratio"),
        ("AspectRatio", "aspect_ratio"),
        ("outputResolution", "output_resolution"),
        ("imageUrls", "images"),
        ("urls", "images"),
        ("callBackUrl", "callback_url"),
        ("prompt", "prompt"),
        ("first_frame", "first_frame"),
        ("model", "model"),
        ("extra", "extra"),
        ("inputs", None),
    ],
)
def test_extra_may_not_shadow(name: str, known: str | None) -> None:
    """A known field, in Python's spelling or the service's, may not come in by the back door."""
    problem = problem_of(text(extra={name: 1}))
    assert problem.path == f"extra['{name}']"
    assert problem.suggestion == known


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        {1: 2},
        {"a": {None: 1}},
        object(),
        b"x",
        {1, 2},
        "\ud83d",
        [10**5000],
        [[float("nan")]],
    ],
)
def test_extra_that_is_no_json(value: Any) -> None:
    """What JSON cannot hold exactly is refused."""
    assert problem_of(text(extra={"x": value})).message == "cannot be written as JSON"


@pytest.mark.parametrize("extra", [5, "x", ["x"], {1: 2}, {"": 1}, {"\ud83d": 1}])
def test_extra_that_is_no_mapping_of_names(extra: Any) -> None:
    """Extra is a mapping whose names are strings."""
    assert problem_of(text(extra=extra)).path == "extra"


def test_extra_nested_too_deep() -> None:
    """A value that is nested without end, or holds itself, is refused and not followed."""
    deep: Any = 1
    for _ in range(1000):
        deep = [deep]
    loop: list[Any] = []
    loop += [loop, loop]
    for value in (deep, loop):
        assert problem_of(text(extra={"x": value})).message == "cannot be written as JSON"


def test_extra_that_is_fine() -> None:
    """JSON of any shape passes under an unknown name."""
    prepare(text(extra={"real_person": True, "x": {"y": [1, 2.5, None, "湖"]}}), CLASSIC)


def test_messages_show_no_signatures() -> None:
    """A message never repeats what may be signed."""
    signed = "https://cdn.example/cat.gif?X-Signature=planted"
    inputs = OmniReference("a @image9", images=[signed, "s3://bucket/x?sig=planted"], videos=signed, audios=[signed])  # type: ignore[arg-type, unused-ignore]
    message = str(InputError(problems_of(inputs)))
    assert "planted" not in message
    assert "cdn.example/cat.gif" in message
