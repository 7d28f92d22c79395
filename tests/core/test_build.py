"""Loose fields become inputs, and wrong names are reported with what was probably meant."""

from typing import Any

import pytest

from seedance_async.core.build import Draft, draft_call, draft_row
from seedance_async.core.inputs import (
    ImageToVideo,
    Inputs,
    OmniReference,
    TextToVideo,
    VideoEdit,
    VideoExtend,
)
from seedance_async.errors import Problem

URL = "https://cdn.example/cat.png"
CLIP = "https://cdn.example/cat.mp4"


def problems_of(source: Any, fields: dict[Any, object]) -> dict[str, Problem]:
    """The problems of a call whose names are wrong."""
    problems = draft_call(source, fields).problems
    assert problems
    return {problem.path: problem for problem in problems}


def whole(draft: Draft) -> Inputs:
    """The inputs of a draft without problems."""
    assert draft.problems == ()
    assert draft.unsettled == frozenset()
    return draft.inputs


def test_a_string_is_a_prompt() -> None:
    """A string is text-to-video, completed by fields."""
    assert whole(draft_call("a lake", {})) == TextToVideo("a lake")
    assert whole(draft_call("a lake", {"duration": "8", "seed": 3})) == TextToVideo("a lake", duration=8, seed=3)


def test_fields_replace_those_of_an_object() -> None:
    """Beside an inputs object, fields replace its own; without fields it is the same object."""
    inputs = ImageToVideo("a lake", first_frame=URL)
    assert whole(draft_call(inputs, {})) is inputs
    assert whole(draft_call(inputs, {"prompt": "a sea"})) == ImageToVideo("a sea", first_frame=URL)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("aspect_ration", "aspect_ratio"),
        ("aspectRatio", "aspect_ratio"),
        ("ratio", "aspect_ratio"),
        ("resolution", "output_resolution"),
        ("outputResolution", "output_resolution"),
        ("upscaleResolution", "upscale_resolution"),
        ("seconds", "duration"),
        ("durations", "duration"),
        ("callBackUrl", "callback_url"),
        ("webhook", "callback_url"),
        ("generate-audio", "generate_audio"),
        ("Prompt", "prompt"),
        ("imageUrls", "images"),
        ("image_urls", "images"),
        ("image_url", "images"),
        ("urls", "images"),
        ("firstframe", "first_frame"),
        ("sede", "seed"),
    ],
)
def test_suggested_names(name: str, meant: str) -> None:
    """Slips, the service's spelling and other words for a field lead to the field's name."""
    assert problems_of("a lake", {name: 1})[name].suggestion == meant


def test_far_names_have_no_suggestion() -> None:
    """A name that resembles nothing gets no suggestion; it is refused all the same."""
    assert problems_of("a lake", {"negative": 1, "x" * 500: 1, 3: 1})["negative"].suggestion is None


def test_all_names_at_once() -> None:
    """Every wrong name is reported, and a prompt given twice."""
    assert set(problems_of("a lake", {"prompt": "b", "images": [URL], "aspect_ration": "1:1"})) == {
        "prompt",
        "images",
        "aspect_ration",
    }


def test_a_field_of_another_class() -> None:
    """A field that only other classes have is answered with those classes."""
    problem = problems_of("a lake", {"images": [URL]})["images"]
    assert "OmniReference" in problem.message
    problem = problems_of(OmniReference("a lake", images=[URL]), {"first_frame": URL})["first_frame"]
    assert "ImageToVideo" in problem.message


@pytest.mark.parametrize("source", [None, 3, {"prompt": "a lake"}, b"a lake", TextToVideo])
def test_neither_string_nor_inputs(source: Any) -> None:
    """Anything else is refused as such."""
    assert "TextToVideo" in problems_of(source, {})["inputs"].message


@pytest.mark.parametrize(
    ("fields", "inputs"),
    [
        ({"prompt": "a"}, TextToVideo("a")),
        ({"prompt": "a", "duration": None, "images": None}, TextToVideo("a")),
        ({"prompt": "a", "first_frame": URL}, ImageToVideo("a", first_frame=URL)),
        ({"prompt": "a", "images": [URL]}, OmniReference("a", images=[URL])),
        (
            {"prompt": "a", "model": "seedance2-5", "videos": [CLIP]},
            OmniReference("a", model="seedance2-5", videos=[CLIP]),
        ),
        ({"prompt": "a", "model": "seedance2-5-edit", "videos": [CLIP]}, VideoEdit("a", videos=[CLIP])),
        (
            {"prompt": "a", "model": "seedance2-5-extend", "videos": [CLIP], "duration": 5},
            VideoExtend("a", videos=[CLIP], duration=5),
        ),
        ({"prompt": "a", "model": ["odd"]}, TextToVideo("a", model=["odd"])),  # type: ignore[arg-type]
    ],
)
def test_the_class_follows_from_the_fields(fields: dict[str, object], inputs: Inputs) -> None:
    """A row's class follows from the model and from the media that it has; null counts as not given."""
    assert whole(draft_row(fields)) == inputs


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({}, {"prompt"}),
        ({"prompt": "a", "last_frame": URL}, {"first_frame"}),
        ({"prompt": "a", "first_frame": URL, "images": [URL]}, {"images"}),
        ({"model": "seedance2-5-extend"}, {"prompt", "videos", "duration"}),
        ({"prompt": "a", "model": "seedance2-5-edit", "videos": [CLIP], "duration": 5}, {"duration"}),
        ({"prompt": "a", "resolution": "720p"}, {"resolution"}),
    ],
)
def test_rows_that_make_no_class(fields: dict[str, object], paths: set[str]) -> None:
    """Missing fields, fields of two classes and unknown fields are all reported by name."""
    assert {problem.path for problem in draft_row(fields).problems} == paths


def test_a_draft_holds_what_was_probably_meant() -> None:
    """A wrong name stands for the one that is near, and nothing is settled about it; what has its own name stays."""
    draft = draft_call("a lake", {"aspect_ration": "1:1", "duration": 8, "durations": 9})
    assert draft.inputs == TextToVideo("a lake", aspect_ratio="1:1", duration=8)
    assert draft.unsettled == {"aspect_ratio", "durations"}
    assert [problem.path for problem in draft.problems] == ["aspect_ration", "durations"]
    draft = draft_row({"Prompt": "a lake", "firstFrame": URL})
    assert draft.inputs == ImageToVideo("a lake", first_frame=URL)
    assert draft.unsettled == {"prompt", "first_frame"}


def test_a_long_name_is_shown_shortened() -> None:
    """Where in a message the name stands in front, it does not fill the screen."""
    assert [len(path) for path in problems_of("a lake", {"x" * 500: 1})] == [60]
