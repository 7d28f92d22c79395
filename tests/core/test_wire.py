"""The body of a create is exactly what the contracts describe."""

import json
from pathlib import Path
from typing import Any

import pytest

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import (
    ImageToVideo,
    Inputs,
    OmniReference,
    TextToVideo,
    VideoEdit,
    VideoExtend,
)
from seedance_async.core.request import prepare
from seedance_async.core.wire import create_body, is_duration_type_complaint

CLASSIC, LATEST = Catalogue.CLASSIC, Catalogue.LATEST
URL = "https://cdn.example/cat.png?sig=1"
CLIP = "https://cdn.example/cat.mp4"
SONG = "https://cdn.example/cat.mp3"
HOOK = "https://hooks.example/done"
GOLDEN = Path(__file__).parent / "golden"

REQUESTS: dict[str, tuple[Catalogue, Inputs]] = {
    "classic_text": (CLASSIC, TextToVideo("a lake at dawn")),
    "classic_text_everything": (
        CLASSIC,
        TextToVideo(
            "ein See 🌊",
            model="seedance2.0-fast",
            duration=15,
            aspect_ratio="9:16",
            output_resolution="480p",
            upscale_resolution="4k",
            mode="keyframe",
            callback_url=HOOK,
            extra={"real_person": {"strength": [1, 2.5]}},
        ),
    ),
    "classic_image": (CLASSIC, ImageToVideo("a lake", first_frame=URL, last_frame="https://cdn.example/end.png")),
    "classic_reference": (
        CLASSIC,
        OmniReference("@image1 at @video1", images=[URL, "https://cdn.example/2"], videos=[CLIP], audios=[SONG]),
    ),
    "latest_text": (LATEST, TextToVideo("a lake at dawn")),
    "latest_text_everything": (
        LATEST,
        TextToVideo(
            "ein See 🌊",
            model="seedance2-5",
            duration="30",  # type: ignore[arg-type, unused-ignore]
            aspect_ratio="21:9",
            output_resolution="1080p",
            mode="reference",
            generate_audio=False,
            bitrate_mode="high",
            seed=-1,
            output_format="mov",
            callback_url=HOOK,
        ),
    ),
    "latest_text_4k": (LATEST, TextToVideo("a lake", output_resolution="4k", aspect_ratio=None)),
    "latest_image": (LATEST, ImageToVideo("a lake", first_frame=URL, aspect_ratio="1:1", model="seedance2.0-mini")),
    "latest_reference": (
        LATEST,
        OmniReference("@image1 at @video1", images=[URL, "https://cdn.example/2"], videos=[CLIP], audios=[SONG]),
    ),
    "latest_edit": (LATEST, VideoEdit("make it rain", videos=[CLIP], images=[URL])),
    "latest_extend": (LATEST, VideoExtend("and then it rains", videos=[CLIP], duration=10, audios=[SONG])),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_golden(name: str) -> None:
    """The body of each class under each catalogue is the recorded one, names, types and values."""
    catalogue, inputs = REQUESTS[name]
    body = create_body(prepare(inputs, catalogue))
    expected = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    # As text, because True == 1 and 5 == 5.0 in Python, and not to the service.
    assert json.dumps(body, sort_keys=True) == json.dumps(expected, sort_keys=True)


def test_golden_files_are_all_used() -> None:
    """No recorded body is left over."""
    assert {path.stem for path in GOLDEN.iterdir()} == set(REQUESTS)


def test_duration_form_can_be_chosen() -> None:
    """The other form of the duration is sent if the service asked for it, under either catalogue."""
    for catalogue in (CLASSIC, LATEST):
        request = prepare(TextToVideo("a lake", duration=8), catalogue)
        assert create_body(request, "string")["inputs"]["duration"] == "8"
        assert create_body(request, "integer")["inputs"]["duration"] == 8


def test_a_body_is_fresh() -> None:
    """Changing one body changes no other."""
    request = prepare(OmniReference("a lake", images=[URL], extra={"x": [1]}), LATEST)
    body = create_body(request)
    body["inputs"]["imageUrls"].append("x")
    body["inputs"]["x"].append(2)
    assert create_body(request)["inputs"]["imageUrls"] == [URL]
    assert create_body(request)["inputs"]["x"] == [1]


def complaint(code: str = "custom", message: str = "", path: Any = ("duration",)) -> dict[str, Any]:
    problem = {"code": code, "message": message, "path": list(path) if isinstance(path, tuple) else path}
    return {"message": "Invalid inputs for model", "errors": [problem]}


@pytest.mark.parametrize(
    "body",
    [
        complaint("invalid_type", "Expected number, received string"),
        complaint("invalid_type", "Expected string, received number"),
        complaint("invalid_type", "Invalid input: expected string, received number"),
        complaint("invalid_type", "Expected '4' | '5', received number"),
        complaint("invalid_union", "Invalid input"),
        complaint("custom", "Duration must be an integer"),
        complaint("custom", "Duration must be a string"),
        complaint("invalid_value", 'Invalid option: expected one of "4"|"5"|"6"'),
        complaint("invalid_type", "Expected number, received string", "duration"),
        complaint("invalid_type", "Expected number, received string", ("inputs", "duration")),
    ],
    ids=lambda body: body["errors"][0]["message"][:40] + str(body["errors"][0]["path"]),
)
def test_complaints_about_the_type(body: object) -> None:
    """Words and codes of a wrong type, in either direction, are recognised."""
    assert is_duration_type_complaint(body)


@pytest.mark.parametrize(
    "body",
    [
        complaint("custom", "Duration must be between 4 and 15 seconds"),
        complaint("custom", "Duration must be between 4 and 30 seconds"),
        complaint("too_big", "Number must be less than or equal to 15"),
        complaint("too_small", "Too small: expected number to be >=4"),
        complaint("invalid_enum_value", "Invalid enum value. Expected '4' | '5', received '3'"),
        complaint("invalid_enum_value", "Invalid enum value. Expected '720p' | '1080p'", ("outputResolution",)),
        complaint("invalid_type", "Expected boolean, received string", ("generate_audio",)),
        complaint("invalid_type", "Expected number, received string", ()),
        complaint("invalid_type", "Expected number, received string", None),
        {"message": "Invalid request parameters"},
        {"errors": "duration"},
        {"errors": ["duration", None, {"path": ["duration"], "message": None}]},
        {},
        [],
        None,
        "Expected number, received string",
    ],
    ids=range(16),
)
def test_complaints_about_something_else(body: object) -> None:
    """A range, another field and a body of another shape are no complaint about the type."""
    assert not is_duration_type_complaint(body)
