"""Inputs that a journal keeps are what the user meant, and hold no link that may be signed longer than needed (P7)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given

from seedance_async.core.frozen import freeze, thaw
from seedance_async.core.inputs import ImageToVideo, Inputs, OmniReference, TextToVideo, VideoEdit, VideoExtend
from seedance_async.core.record_inputs import (
    inputs_from_json,
    inputs_to_json,
    is_signed,
    shown_inputs,
    without_signatures,
)
from seedance_async.errors import InputError
from tests.core.test_input_properties import fitting_requests, unhurried

CHECKED = fitting_requests().map(lambda fitting: fitting[0])
SIGNED = "https://cdn.example/1.png?sig=planted"
PLAIN = "https://cdn.example/1.png"


def through_json(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a journal gives back."""
    read: Mapping[str, Any] = freeze(json.loads(json.dumps(thaw(written), allow_nan=False)))
    return read


@unhurried
@given(CHECKED)
def test_inputs_come_back(inputs: Inputs) -> None:
    """Whatever was given, it is the same inputs again after it was JSON."""
    written = inputs_to_json(inputs)
    assert inputs_from_json(through_json(written)) == inputs
    assert shown_inputs(through_json(written)) == inputs


@unhurried
@given(CHECKED)
def test_nothing_signed_is_left(inputs: Inputs) -> None:
    """After the cut no link shows a signature, the rest is as it was, and a second cut changes nothing."""
    written = inputs_to_json(inputs)
    cut = without_signatures(written)
    links = {name: value for name, value in cut.items() if name not in {"extra", "prompt"}}
    assert "planted" not in str(links)
    assert without_signatures(cut) == cut
    assert shown_inputs(cut) is not None
    if cut is not written:
        with pytest.raises(InputError, match="give the inputs again"):
            inputs_from_json(cut)


def test_none_in_place_of_a_default_comes_back() -> None:
    """None means that a field is not sent, also where the class has another default."""
    inputs = TextToVideo("a lake", aspect_ratio=None)
    assert inputs_from_json(through_json(inputs_to_json(inputs))) == inputs


def test_defaults_are_written_out() -> None:
    """A later release with other defaults sends what was meant."""
    assert inputs_to_json(TextToVideo("a lake")) == {
        "kind": "text", "prompt": "a lake", "model": "seedance-20", "duration": 5, "aspect_ratio": "16:9",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "fields"),
    [
        (ImageToVideo("a", first_frame=SIGNED), ["first_frame"]),
        (ImageToVideo("a", first_frame=PLAIN, last_frame=SIGNED), ["last_frame"]),
        (OmniReference("a @image1", images=[PLAIN, SIGNED]), ["images"]),
        (OmniReference("a @video1", videos=[SIGNED], audios=[SIGNED]), ["audios", "videos"]),
        (VideoEdit("a", videos=[SIGNED]), ["videos"]),
        (VideoExtend("a", videos=[SIGNED], duration=5), ["videos"]),
        (TextToVideo("a", callback_url="https://hooks.example/1?token=planted"), ["callback_url"]),
        (TextToVideo("a", callback_url="https://ann:planted@hooks.example/1"), ["callback_url"]),
    ],
)
def test_what_was_cut_is_named(inputs: Inputs, fields: list[str]) -> None:
    """Each field whose links were cut is an error of its own when the inputs are to be sent again."""
    cut = without_signatures(inputs_to_json(inputs))
    assert list(cut["cut"]) == fields
    with pytest.raises(InputError) as caught:
        inputs_from_json(through_json(cut))
    assert [problem.path for problem in caught.value.problems] == fields
    assert "planted" not in str(caught.value)


def test_links_that_are_not_signed_stay() -> None:
    """Inputs without such links are the same object, and can be sent again."""
    written = inputs_to_json(ImageToVideo("a", first_frame=PLAIN, callback_url="https://hooks.example/1"))
    assert without_signatures(written) is written


@pytest.mark.parametrize("url", [SIGNED, "https://a:b@cdn.example/1.png", f"{PLAIN}#planted"])
def test_what_may_be_signed(url: str) -> None:
    """A query, a user name or a fragment may carry a signature."""
    assert is_signed(url)
    assert not is_signed(PLAIN)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"kind": "hologram", "prompt": "a"}, "written by a later release"),
        ({"prompt": "a"}, "written by a later release"),
        ({"kind": "text", "prompt": "a", "scent": "rose"}, "scent: is a field that this release does not know"),
    ],
)
def test_inputs_of_a_later_release(written: dict[str, Any], message: str) -> None:
    """What this release does not know is not sent without it."""
    with pytest.raises(InputError, match=message):
        inputs_from_json(freeze(written))


def test_inputs_of_a_later_release_can_be_shown() -> None:
    """As far as this release knows them."""
    assert shown_inputs(freeze({"kind": "text", "prompt": "a", "scent": "rose"})) == TextToVideo("a")
    assert shown_inputs(freeze({"kind": "hologram", "prompt": "a"})) is None
    assert shown_inputs(freeze({"kind": "text"})) is None
