"""A request knows size, duration of the work and deadline before it is sent."""

import pytest
from attrs import evolve

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.digest import inputs_digest
from seedance_async.core.inputs import ImageToVideo, Inputs, OmniReference, TextToVideo, VideoEdit
from seedance_async.core.request import prepare

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
