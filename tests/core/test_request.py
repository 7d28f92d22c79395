"""A request knows size, duration of the work and deadline before it is sent; without one, everything wrong is said."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.digest import inputs_digest
from seedance_async.core.inputs import ImageToVideo, Inputs, OmniReference, TextToVideo, VideoEdit
from seedance_async.core.request import Request, prepare, prepare_call, prepare_row
from seedance_async.errors import InputError

CLASSIC, LATEST = Catalogue.CLASSIC, Catalogue.LATEST
URL = "https://cdn.example/cat.png"
CLIP = "https://cdn.example/cat.mp4"


@pytest.mark.parametrize(
    ("catalogue", "inputs", "size"),
    [
        (CLASSIC, TextToVideo("a lake"), (1920, 1080)),
        (LATEST, TextToVideo("a lake"), (1280, 720)),
        (LATEST, TextToVideo("a lake", aspect_ratio=None), (1280, 720)),
        (LATEST, TextToVideo("a lake", aspect_ratio="21:9", output_resolution="480p"), (992, 432)),
        (LATEST, TextToVideo("a lake", aspect_ratio="3:4", output_resolution="1080p"), (1248, 1664)),
        (LATEST, TextToVideo("a lake", output_resolution="4k"), (3840, 2160)),
        (LATEST, TextToVideo("a lake", output_resolution="4k", aspect_ratio="1:1"), None),
        (CLASSIC, TextToVideo("a lake", upscale_resolution="4k"), None),
        (LATEST, TextToVideo("a lake", model="seedance2-5", output_resolution="480p"), (854, 480)),
        (LATEST, TextToVideo("a lake", model="seedance2-5", output_resolution="480p", aspect_ratio="1:1"), None),
        (LATEST, ImageToVideo("a lake", first_frame=URL), None),
        (LATEST, OmniReference("a lake", images=[URL], aspect_ratio="1:1"), (960, 960)),
        (LATEST, VideoEdit("a lake", videos=[CLIP]), None),
    ],
)
def test_expected_size(catalogue: Catalogue, inputs: Inputs, size: tuple[int, int] | None) -> None:
    """The size is that of the published table, and None where it follows the media or is not published."""
    assert prepare(inputs, catalogue).expected_size == size


@pytest.mark.parametrize(
    ("catalogue", "inputs", "typical", "deadline"),
    [
        (CLASSIC, TextToVideo("a lake"), 240, 1800),
        (CLASSIC, TextToVideo("a lake", upscale_resolution="4k"), 480, 3600),
        (CLASSIC, TextToVideo("a lake", model="seedance2-fast", output_resolution="480p"), 180, 1800),
        (LATEST, TextToVideo("a lake", output_resolution="4k"), 480, 3600),
        (LATEST, OmniReference("a lake", videos=[CLIP]), 420, 3150),
        (LATEST, OmniReference("a lake", videos=[CLIP], output_resolution="4k"), 480, 3600),
        (LATEST, TextToVideo("a lake", model="seedance2-5"), 360, 2700),
        (LATEST, TextToVideo("a lake", model="seedance2-5", output_resolution="1080p"), 660, 4950),
        (LATEST, VideoEdit("a lake", videos=[CLIP]), 360, 2700),
    ],
)
def test_time(catalogue: Catalogue, inputs: Inputs, typical: float, deadline: float) -> None:
    """The usual time is the longer end of what is published; the deadline grows with it from half an hour."""
    request = prepare(inputs, catalogue)
    assert (request.typical_seconds, request.deadline_seconds) == (typical, deadline)


def test_a_model_without_timing_still_has_a_deadline() -> None:
    """A user's own model needs no published times."""
    spec = LATEST.model("seedance-20")
    mine = LATEST.with_model(evolve(spec, timing=evolve(spec.timing, typical={})))
    assert prepare(TextToVideo("a lake"), mine).deadline_seconds >= 1800


def test_facts_of_a_request() -> None:
    """A request carries what it was made from, and a short repr."""
    inputs = TextToVideo("a lake", model="seedance2.0-fast")
    request = prepare(inputs, CLASSIC)
    assert request.inputs is inputs
    assert request.spec.id == "seedance2-fast"
    assert request.resolution == "720p"
    assert request.digest == inputs_digest(inputs)
    assert request.unpriced is None
    assert not request.settles_later
    assert len(repr(request)) < 1000


def refused(make: Callable[[], Request]) -> list[str]:
    """The paths of everything that is wrong."""
    with pytest.raises(InputError) as caught:
        make()
    return [problem.path for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("source", "fields", "paths"),
    [
        ("a lake", {"duration": 99, "aspect_ration": "16:9"}, ["aspect_ration", "duration"]),
        ("", {"duration": "5s", "images": [URL], "x": 1}, ["images", "x", "prompt", "duration"]),
        (TextToVideo("a lake", duration=99), {"x": 1}, ["x", "duration"]),
        (ImageToVideo("a lake", first_frame="cat.png"), {"images": [URL]}, ["images", "first_frame"]),
        (OmniReference("a lake", images=[URL, "cat.png"]), {"first_frame": URL}, ["first_frame", "images[1]"]),
        ("a lake", {"extra": {"seed": 1}, "callback_url": "x", "x": 1}, ["x", "callback_url", "extra['seed']"]),
        (None, {"duration": 99, "x": 1}, ["inputs", "x", "duration"]),
        # A name that is given rightly as well says nothing about the wrong one.
        ("a lake", {"duration": 99, "durations": 5}, ["durations", "duration"]),
    ],
)
def test_names_and_values_of_a_call_at_once(source: Any, fields: dict[str, object], paths: list[str]) -> None:
    """P5: a wrong name does not hide a wrong value."""
    assert refused(lambda: prepare_call(source, fields, CLASSIC)) == paths


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({"duration": 99, "x": 1}, ["x", "prompt", "duration"]),
        ({"prompt": "", "last_frame": "cat.png"}, ["first_frame", "prompt", "last_frame"]),
        (
            {"model": "seedance2-5-edit", "duration": 5, "images": ["cat.png"]},
            ["duration", "prompt", "videos", "images[0]"],
        ),
        ({"model": "seedance2-5-extend", "prompt": "a", "seed": -7}, ["videos", "duration", "seed"]),
    ],
)
def test_names_and_values_of_a_row_at_once(fields: dict[str, object], paths: list[str]) -> None:
    """P5: neither an unknown field nor a missing one hides a wrong value."""
    assert refused(lambda: prepare_row(fields, LATEST)) == paths


@pytest.mark.parametrize(
    ("source", "fields", "path"),
    [
        ("@image1 walks", {"images": [URL]}, "images"),
        ("@image1 walks", {"imageUrls": [URL]}, "imageUrls"),
        (OmniReference("@video1 walks", images=[URL]), {"video": [CLIP]}, "video"),
        (OmniReference("@image2 walks", images=[URL]), {"image_urls": [URL, URL]}, "image_urls"),
        (OmniReference("a lake"), {"image_urls": [URL, URL]}, "image_urls"),
        ("a lake", {"Model": "seedance2-5", "duration": 30}, "Model"),
        ("a lake", {"models": "seedance2-5-edit"}, "models"),
        ("a lake", {"Model": None, "duration": 15}, "Model"),
        ("", {"prompt": "a lake", "duration": 5}, "prompt"),
        (TextToVideo("a lake", duration=99), {"durations": 5}, "durations"),
        (TextToVideo(""), {"Prompt": "a lake"}, "Prompt"),
    ],
)
def test_what_only_follows_from_a_wrong_name_is_not_said(source: Any, fields: dict[str, object], path: str) -> None:
    """A medium that was given is not missing, a model that was meant has its own limits, what is replaced is gone."""
    assert refused(lambda: prepare_call(source, fields, LATEST)) == [path]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"Prompt": "a lake"}, "Prompt"),
        ({"prompt": "a", "firstframe": URL, "last_frame": URL}, "firstframe"),
        ({"prompt": "a", "model": "seedance2-5-edit", "video_urls": [CLIP]}, "video_urls"),
        ({"prompt": "edit @video1", "model": "seedance2-5-edit"}, "videos"),
        ({"prompt": "@image2 walks", "first_frame": URL, "images": [URL, URL]}, "images"),
    ],
)
def test_what_only_follows_from_a_name_in_a_row_is_not_said(fields: dict[str, object], path: str) -> None:
    """A misspelt field is not missing as well, and what names a medium waits until the media are known."""
    assert refused(lambda: prepare_row(fields, LATEST)) == [path]


def test_right_fields_make_a_request() -> None:
    """Both ways give the request that the inputs themselves give."""
    inputs = ImageToVideo("a lake", first_frame=URL, duration=8)
    assert prepare_row({"prompt": "a lake", "first_frame": URL, "duration": "8", "seed": None}, LATEST).inputs == inputs
    assert prepare_call(evolve(inputs, duration=99), {"duration": 8}, LATEST) == prepare(inputs, LATEST)
    assert prepare_call("a lake", {"duration": 8}, LATEST).inputs == TextToVideo("a lake", duration=8)
