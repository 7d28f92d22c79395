"""The emulated service reads requests by its own rules, in the words of its validator."""

from decimal import Decimal
from typing import Any

import pytest

from seedance_async.core.catalogue import Catalogue
from seedance_async.testing import Order, OrderReader
from seedance_async.testing.answers import Answer

CLASSIC = OrderReader(catalogue=Catalogue.CLASSIC)
LATEST = OrderReader(catalogue=Catalogue.LATEST)


def read(reader: OrderReader, model: str = "seedance-20", **inputs: Any) -> Order | Answer:
    return reader({"model": model, "inputs": {"prompt": "a lake", **inputs}})


def order(reader: OrderReader, model: str = "seedance-20", **inputs: Any) -> Order:
    found = read(reader, model, **inputs)
    assert isinstance(found, Order), found
    return found


def issue(reader: OrderReader, model: str = "seedance-20", **inputs: Any) -> Any:
    found = read(reader, model, **inputs)
    assert isinstance(found, Answer)
    assert found.status == 400
    assert found.body["message"] == "Invalid inputs for model"
    (only,) = found.body["errors"]
    return only


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "Invalid request parameters"),
        ([], "Invalid request parameters"),
        ({}, "Invalid request parameters"),
        ({"model": 1, "inputs": {}}, "Invalid request parameters"),
        ({"model": "seedance-20", "inputs": []}, "Invalid request parameters"),
        ({"model": "seedance-20", "inputs": {}, "callBackUrl": "nowhere"}, "Invalid request parameters"),
        ({"model": "seedance-20", "inputs": {}, "callBackUrl": 5}, "Invalid request parameters"),
        ({"model": "kinovi-1", "inputs": {}}, "Unknown model"),
        ({"model": "seedance2.0-pro", "inputs": {"prompt": "x"}}, "Unknown model"),
    ],
)
def test_a_bad_envelope_is_refused_in_the_documented_words(body: object, message: str) -> None:
    """Envelope before model, model before inputs; names for people are unknown models."""
    assert CLASSIC(body) == Answer(400, {"message": message})


@pytest.mark.parametrize("reader", [CLASSIC, LATEST])
@pytest.mark.parametrize("given", [8, "8"], ids=repr)
def test_duration_is_taken_in_both_forms_by_default(reader: OrderReader, given: object) -> None:
    """No source proves that a form is refused, so neither is, unless asked for."""
    assert order(reader, duration=given).seconds == 8


@pytest.mark.parametrize(
    ("rule", "given", "message"),
    [("integer", "8", "Expected number, received string"), ("string", 8, "Expected string, received number")],
)
def test_an_insisting_service_complains_about_the_type(rule: Any, given: object, message: str) -> None:
    """The complaint names the type and the path, so a client can tell it from one about the range."""
    found = issue(OrderReader(duration=rule), duration=given)
    assert (found["code"], found["path"], found["message"]) == ("invalid_type", ["duration"], message)


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"duration": 3}, ["duration"], "custom"),
        ({"duration": "16"}, ["duration"], "custom"),
        ({"duration": "5s"}, ["duration"], "custom"),
        ({"duration": "9" * 5000}, ["duration"], "custom"),
        ({"duration": 5.5}, ["duration"], "invalid_type"),
        ({"duration": True}, ["duration"], "invalid_type"),
        ({"duration": []}, ["duration"], "invalid_type"),
        ({"prompt": None}, ["prompt"], "invalid_type"),
        ({"prompt": 7}, ["prompt"], "invalid_type"),
        ({"prompt": ""}, ["prompt"], "too_small"),
        ({"prompt": "x" * 10_001}, ["prompt"], "too_big"),
        ({"prompt": "🎬" * 5_001}, ["prompt"], "too_big"),
        ({"mode": "omni"}, ["mode"], "invalid_enum_value"),
        ({"outputResolution": "8k"}, ["outputResolution"], "invalid_enum_value"),
        ({"aspectRatio": "2:1"}, ["aspectRatio"], "invalid_enum_value"),
        ({"bitrate_mode": "low"}, ["bitrate_mode"], "invalid_enum_value"),
        ({"generate_audio": "yes"}, ["generate_audio"], "invalid_type"),
        ({"seed": -2}, ["seed"], "too_small"),
        ({"seed": 2**32}, ["seed"], "too_big"),
        ({"seed": "7"}, ["seed"], "invalid_type"),
        ({"imageUrls": "https://a/b.png"}, ["imageUrls"], "invalid_type"),
        ({"imageUrls": ["https://a/b.png"] * 10}, ["imageUrls"], "too_big"),
        ({"imageUrls": ["https://a/b.png", "b.png"]}, ["imageUrls", 1], "invalid_string"),
        ({"videoUrls": [5]}, ["videoUrls", 0], "invalid_type"),
    ],
)
def test_each_wrong_value_has_its_issue(fields: dict[str, Any], path: list[Any], code: str) -> None:
    """The path is relative to `inputs`, and the code is the validator's."""
    found = issue(LATEST, **fields)
    assert (found["path"], found["code"]) == (path, code)


@pytest.mark.parametrize("prompt", ["x" * 10_000, "🎬" * 5_000], ids=["letters", "pictures"])
def test_the_longest_prompt_passes(prompt: str) -> None:
    """Counted as JavaScript counts."""
    assert order(LATEST, prompt=prompt).prompt == prompt


def test_the_literal_issues_of_the_contract() -> None:
    """Where the documentation shows an issue, ours is the same."""
    assert issue(CLASSIC, duration=3) == {
        "code": "custom",
        "message": "Duration must be between 4 and 15 seconds",
        "path": ["duration"],
    }
    assert issue(CLASSIC, "seedance2-fast", outputResolution="1080p") == {
        "code": "invalid_enum_value",
        "message": "Invalid enum value. Expected '480p' | '720p'",
        "path": ["outputResolution"],
        "received": "1080p",
        "options": ["480p", "720p"],
    }
    assert issue(LATEST, "seedance2-5-edit") == {
        "code": "custom",
        "message": "At least one reference video (videoUrls) is required.",
        "path": ["videoUrls"],
    }
    extended = issue(LATEST, "seedance2-5-extend", videoUrls=["https://a/b.mp4"], duration=31)
    assert extended["message"] == "Duration must be between 4 and 30 seconds"


def test_unknown_names_are_ignored_without_a_word() -> None:
    """As the service does: a typo costs the full price and has no effect."""
    plain = order(LATEST, outputResolution="720p")
    assert order(LATEST, outputResolution="720p", aspect_ratio="1:1", upscaleResolution="4k", urls=["x"]) == plain


@pytest.mark.parametrize(
    ("reader", "model", "fields", "price"),
    [
        (CLASSIC, "seedance-20", {}, 83 * 5),
        (CLASSIC, "seedance-20", {"outputResolution": "720p", "duration": "8"}, 40 * 8),
        (CLASSIC, "seedance-20", {"outputResolution": "720p", "upscaleResolution": "4k"}, 68 * 5),
        (CLASSIC, "seedance-20", {"outputResolution": "720p", "urls": ["https://a/b.mp4"]}, 240),
        (CLASSIC, "seedance2-fast", {"outputResolution": "480p"}, 10 * 5),
        (LATEST, "seedance-20", {}, 40 * 5),
        (LATEST, "seedance-20", {"outputResolution": "4k"}, 1000),
        (LATEST, "seedance2.0-mini", {"outputResolution": "480p"}, "37.5"),
        (LATEST, "seedance2-5-edit", {"videoUrls": ["https://a/b.mp4"]}, 15 * 35),
        (LATEST, "seedance2-5", {"videoUrls": ["https://a/b.mp4"], "duration": 10}, 350),
    ],
)
def test_what_is_reserved_is_the_list_price(
    reader: OrderReader, model: str, fields: dict[str, Any], price: int | str
) -> None:
    """Rate times seconds, from the catalogue; the edit model reserves fifteen seconds."""
    assert order(reader, model, **fields).credits == Decimal(price)


def test_the_25_family_settles_on_the_length_of_the_source() -> None:
    """Source and output are billed after the task; an edit bills its source twice."""
    reader = OrderReader(catalogue=Catalogue.LATEST, source_seconds=20)
    edited = order(reader, "seedance2-5-edit", videoUrls=["https://a/b.mp4"])
    assert (edited.seconds, edited.settled) == (20, Decimal(2 * 20 * 35))
    extended = order(reader, "seedance2-5-extend", videoUrls=["https://a/b.mp4"], duration=10)
    assert (extended.seconds, extended.settled) == (10, Decimal((20 + 10) * 35))
    assert order(reader, "seedance2-5", duration=10).settled is None


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"outputResolution": "720p"}, (1280, 720)),
        ({"outputResolution": "720p", "aspectRatio": "3:4"}, (834, 1112)),
        ({"outputResolution": "1080p", "aspectRatio": "21:9"}, (2206, 946)),
        ({"outputResolution": "4k"}, (3840, 2160)),
        ({"outputResolution": "4k", "aspectRatio": "1:1"}, (2880, 2880)),
    ],
)
def test_sizes_are_the_published_ones(fields: dict[str, Any], size: tuple[int, int]) -> None:
    """From the table; 4k of other ratios has the same number of pixels, and every side is even."""
    found = order(LATEST, **fields)
    assert (found.width, found.height) == size


def test_references_are_understood_by_the_names_of_the_contract() -> None:
    """The older contract sorts one list by file type, the newer has a list per kind; neither knows the other's."""
    urls = ["https://a/1.png", "https://a/2.MP4?x=1", "https://a/3.mp3", "https://a/4"]
    found = order(CLASSIC, urls=urls, imageUrls=["https://a/9.png"])
    assert (len(found.images), len(found.videos), len(found.audios)) == (2, 1, 1)
    assert found.mode == "reference"
    newer = order(LATEST, urls=urls, imageUrls=["https://a/9.png"])
    assert newer.images == ("https://a/9.png",)
    assert newer.mode == "keyframe"
    assert "x=1" not in repr(found)


def test_sound_alone_and_an_empty_prompt_pass_the_create_and_fail_as_a_task() -> None:
    """As documented: the create is accepted, and the task ends in `fail`."""
    assert order(LATEST, audioUrls=["https://a/b.mp3"]).doomed == "audio-alone"
    assert order(LATEST, "seedance2-5", prompt="").doomed == "empty-prompt"
    assert order(LATEST, audioUrls=["https://a/b.mp3"], imageUrls=["https://a/b.png"]).doomed is None


def test_options_of_a_model_reach_the_order() -> None:
    """Sound off, container and seed are what was asked for."""
    found = order(LATEST, "seedance2-5", generate_audio=False, output_format="mov", seed=7)
    assert (found.audio, found.container, found.seed) == (False, "mov", 7)
    assert order(CLASSIC, generate_audio=False).audio
