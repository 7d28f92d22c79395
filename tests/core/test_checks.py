"""P5, bad input costs nothing: all that is wrong is found before sending, with path, value and what is allowed."""

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
