"""What must hold for any inputs whatever, searched with hypothesis."""

import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from seedance_async.core.build import build_inputs, inputs_from_fields
from seedance_async.core.catalogue import BUILT_IN, Catalogue
from seedance_async.core.digest import inputs_digest
from seedance_async.core.inputs import (
    FIELDS_OF,
    INPUT_CLASSES,
    INPUT_FIELDS,
    REQUIRED_FIELDS,
    Inputs,
    OmniReference,
    TextToVideo,
    class_of,
)
from seedance_async.core.names import OTHER_WIRE_NAMES, WIRE_NAMES
from seedance_async.core.pricing import credits_text, quote
from seedance_async.core.request import prepare
from seedance_async.core.text import coerce_text
from seedance_async.core.wire import create_body
from seedance_async.errors import InputError

CATALOGUES = st.sampled_from(list(BUILT_IN.values()))
MODELS = sorted({spec.id for catalogue in BUILT_IN.values() for spec in catalogue.models} | {"seedance2.0-pro"})
URLS = {
    "images": ["https://cdn.example/1.png", "http://127.0.0.1:1/2?sig=planted"],
    "videos": ["https://cdn.example/1.mp4", "http://127.0.0.1:1/2?sig=planted"],
    "audios": ["https://cdn.example/1.mp3", "http://127.0.0.1:1/2?sig=planted"],
}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ANYTHING = (
    JSON
    | st.floats()
    | st.integers()
    | st.binary()
    | st.decimals()
    | st.sets(st.integers())
    | st.dictionaries(st.integers(), st.integers())
    | st.text(alphabet="@image0123456789 :/.pk\ud83d")
    | st.lists(st.text(), max_size=2)
    | st.just(object())
    | st.sampled_from(
        [TextToVideo, math.nan, ..., 10**5000, "https://[", "https://a.example:b/", "@image" + "9" * 5000]
    )
)

VALID_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "prompt": st.text(min_size=1, max_size=50) | st.sampled_from(["a lake", "like @image1", "to @video1", "湖🌊"]),
    "model": st.sampled_from(MODELS),
    "duration": st.integers(4, 30) | st.sampled_from(["4", "15", 5.0]),
    "aspect_ratio": st.sampled_from([None, "16:9", "9:16", "1:1", "4:3", "3:4", "21:9"]),
    "output_resolution": st.sampled_from([None, "480p", "720p", "1080p", "4k"]),
    "upscale_resolution": st.sampled_from([None, "4k"]),
    "mode": st.sampled_from([None, "keyframe", "reference"]),
    "generate_audio": st.sampled_from([None, True, False]),
    "bitrate_mode": st.sampled_from([None, "high"]),
    "seed": st.none() | st.integers(-1, 2**32 - 1),
    "output_format": st.sampled_from([None, "mp4", "mov"]),
    "callback_url": st.sampled_from([None, "https://hooks.example/1", "http://hooks.example/2?x=1"]),
    "extra": st.dictionaries(st.sampled_from(["real_person", "x y", "湖"]), JSON, max_size=2),
    "first_frame": st.sampled_from(URLS["images"]),
    "last_frame": st.none() | st.sampled_from(URLS["images"]),
    "images": st.lists(st.sampled_from(URLS["images"]), max_size=10),
    "videos": st.lists(st.sampled_from(URLS["videos"]), max_size=4),
    "audios": st.lists(st.sampled_from(URLS["audios"]), max_size=4),
}


@st.composite
def inputs_of(draw: st.DrawFn, values: dict[str, st.SearchStrategy[Any]]) -> Inputs:
    cls = draw(st.sampled_from(INPUT_CLASSES))
    required = {name: values[name] for name in REQUIRED_FIELDS[cls]}
    optional = {name: values[name] for name in FIELDS_OF[cls] if name not in required}
    fields: dict[str, Any] = draw(st.fixed_dictionaries(required, optional=optional))
    return cls(**fields)


def refusal_of(call: Callable[[], object]) -> InputError | None:
    """Run the call; return its refusal, if it has one. Any other exception fails the test."""
    try:
        call()
    except InputError as error:
        return error
    return None


VALID = inputs_of(VALID_FIELDS)
ODD = inputs_of({name: values | ANYTHING for name, values in VALID_FIELDS.items()})


@given(ODD, CATALOGUES)
def test_prepare_raises_nothing_but_input_errors(inputs: Inputs, catalogue: Catalogue) -> None:
    """Whatever the values, `prepare` returns a request or raises InputError with short, printable problems."""
    refusal = refusal_of(lambda: prepare(inputs, catalogue))
    if refusal is not None:
        assert refusal.problems
        assert "planted" not in str(refusal)
        assert all(len(str(problem)) < 600 for problem in refusal.problems)


@given(VALID | ODD, CATALOGUES)
def test_a_checked_request_can_be_written(inputs: Inputs, catalogue: Catalogue) -> None:
    """A body holds only names that the contracts know and the extra ones, and says the resolution and the duration."""
    try:
        request = prepare(inputs, catalogue)
    except InputError:
        return
    body = create_body(request)
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    known = {*WIRE_NAMES.values(), *OTHER_WIRE_NAMES, *inputs.extra}
    assert set(body) <= {"model", "inputs", "callBackUrl"}
    assert set(body["inputs"]) <= known
    assert body["model"] in {spec.id for spec in catalogue.models}
    assert body["inputs"]["outputResolution"] in request.spec.limits.resolutions
    assert not isinstance(body["inputs"].get("duration"), float)
    assert None not in [value for name, value in body["inputs"].items() if name not in inputs.extra]


@given(VALID, CATALOGUES)
def test_every_field_given_is_sent(inputs: Inputs, catalogue: Catalogue) -> None:
    """Nothing that passed the checks is dropped on the way out."""
    try:
        body = create_body(prepare(inputs, catalogue))
    except InputError:
        return
    sent = json.dumps(body)
    for name in FIELDS_OF[class_of(inputs)]:
        value = getattr(inputs, name)
        if name in WIRE_NAMES and value is not None:
            assert str(body["inputs"][WIRE_NAMES[name]]) == str(value)
        if name in ("images", "videos", "audios"):
            assert all(url in sent for url in value)


@given(VALID, CATALOGUES)
def test_credits_are_exact(inputs: Inputs, catalogue: Catalogue) -> None:
    """Published models have a price for all they accept: positive, finite, with at most two decimals."""
    try:
        total = quote(inputs, catalogue)
    except InputError:
        return
    assert not total.unpriced
    assert total.credits > 0
    assert total.credits == total.credits.quantize(Decimal("0.01"))
    assert "E" not in credits_text(total.credits)
    assert Decimal(credits_text(total.credits)) == total.credits
    assert total.fitting(total.credits) == 1
    assert total.fitting(total.credits - 1) == 0


@given(VALID)
def test_digest_ignores_catalogue_and_callback(inputs: Inputs) -> None:
    """The digest is the same under every catalogue and with any callback."""
    digest = inputs_digest(inputs)
    assert inputs_digest(build_inputs(inputs, {"callback_url": "https://hooks.example/other"})) == digest
    for catalogue in BUILT_IN.values():
        try:
            request = prepare(inputs, catalogue)
        except InputError:
            continue
        assert request.digest == digest


@given(VALID, VALID)
def test_digests_of_different_inputs_differ(one: Inputs, two: Inputs) -> None:
    """Different bodies never share a digest."""
    try:
        bodies = [create_body(prepare(inputs, Catalogue.LATEST))["inputs"] for inputs in (one, two)]
    except InputError:
        return
    if json.dumps(bodies[0], sort_keys=True) != json.dumps(bodies[1], sort_keys=True):
        assert inputs_digest(one) != inputs_digest(two)


@given(st.dictionaries(st.sampled_from(sorted(INPUT_FIELDS)) | st.text(max_size=20), ANYTHING, max_size=5))
@example({"prompt": "a", "model": "seedance2-5-edit", "duration": 5})
def test_rows_raise_nothing_but_input_errors(fields: dict[str, object]) -> None:
    """Whatever the fields, a row becomes inputs or an InputError, and so do fields beside a prompt or an object."""
    builds: list[Callable[[], Inputs]] = [
        lambda: inputs_from_fields(fields),
        lambda: build_inputs("a lake", fields),
        lambda: build_inputs(OmniReference("a lake"), fields),
    ]
    for build in builds:
        refusal = refusal_of(lambda build=build: repr(build()))  # type: ignore[misc]
        assert refusal is None or str(refusal)


@given(st.sampled_from(sorted(INPUT_FIELDS)), st.text())
@example("duration", "9" * 5000)
@example("extra", "[" * 100_000)
def test_text_raises_nothing_but_input_errors(name: str, text: str) -> None:
    """Whatever the text, it becomes a value or an InputError."""
    refusal = refusal_of(lambda: coerce_text(name, text))
    assert refusal is None or len(str(refusal)) < 300
