"""What must hold for any inputs whatever, searched with hypothesis."""

import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedance_async.core.build import draft_call
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
    media_of,
)
from seedance_async.core.names import OTHER_WIRE_NAMES, WIRE_NAMES
from seedance_async.core.pricing import credits_text, quote
from seedance_async.core.request import Request, prepare, prepare_call, prepare_row
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


#: The machine that runs this may be busy with other things.
unhurried = settings(deadline=None)


@st.composite
def inputs_of(draw: st.DrawFn, values: dict[str, st.SearchStrategy[Any]]) -> Inputs:
    """Inputs of any class, with values that need not fit together."""
    cls = draw(st.sampled_from(INPUT_CLASSES))
    required = {name: values[name] for name in REQUIRED_FIELDS[cls]}
    optional = {name: values[name] for name in FIELDS_OF[cls] if name not in required}
    fields: dict[str, Any] = draw(st.fixed_dictionaries(required, optional=optional))
    return cls(**fields)


@st.composite
def fitting_requests(draw: st.DrawFn) -> tuple[Inputs, Catalogue]:
    """A catalogue, and inputs within what it publishes for one of its models."""
    catalogue = draw(CATALOGUES)
    spec = draw(st.sampled_from(catalogue.models))
    kind = draw(st.sampled_from(spec.kinds))
    cls = next(known for known in INPUT_CLASSES if known.kind == kind)
    values = VALID_FIELDS | {
        "prompt": st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"], exclude_characters="@"), min_size=1),
        "model": st.sampled_from([spec.id, *spec.aliases]),
        "mode": st.just({"text": None, "image": "keyframe"}.get(kind, "reference")),
        "duration": st.integers(*(spec.limits.durations or (0, 0))),
        "images": st.lists(st.sampled_from(URLS["images"]), min_size=1, max_size=spec.limits.images.most),
        "videos": st.lists(st.sampled_from(URLS["videos"]), min_size=1, max_size=spec.limits.videos.most),
        "audios": st.lists(st.sampled_from(URLS["audios"]), max_size=spec.limits.audios.most),
    }
    for name in FIELDS_OF[cls]:
        choices = spec.values_of(name)
        if choices is not None:
            values[name] = st.sampled_from([None, *choices])
        elif not spec.knows(name):
            values[name] = st.none()
    if kind == "image" and spec.limits.ratio_follows_frames:
        values["aspect_ratio"] = st.none()
    names = REQUIRED_FIELDS[cls] + (("images",) if kind == "reference" else ()) + ("model",)
    required = {name: values[name] for name in names}
    optional = {name: values[name] for name in FIELDS_OF[cls] if name not in required}
    fields: dict[str, Any] = draw(st.fixed_dictionaries(required, optional=optional))
    return cls(**fields), catalogue


def refusal_of(call: Callable[[], object]) -> InputError | None:
    """Run the call; return its refusal, if it has one. Any other exception fails the test."""
    try:
        call()
    except InputError as error:
        return error
    return None


VALID = inputs_of(VALID_FIELDS)
ODD = inputs_of({name: values | ANYTHING for name, values in VALID_FIELDS.items()})


@unhurried
@given(VALID | ODD, CATALOGUES)
@example(TextToVideo("a lake", generate_audio=Decimal("sNaN")), Catalogue.LATEST)  # type: ignore[arg-type]
def test_prepare_raises_nothing_but_input_errors(inputs: Inputs, catalogue: Catalogue) -> None:
    """Whatever the values, `prepare` raises InputError with short problems, or returns what can be written as JSON."""
    refusal = refusal_of(lambda: json.dumps(create_body(prepare(inputs, catalogue)), allow_nan=False).encode())
    if refusal is not None:
        assert refusal.problems
        assert "planted" not in str(refusal)
        assert all(len(str(problem)) < 600 for problem in refusal.problems)


@unhurried
@given(fitting_requests())
def test_a_request_can_be_written(fitting: tuple[Inputs, Catalogue]) -> None:
    """What is within the published limits is accepted, and its body has no name and no value beyond them."""
    inputs, catalogue = fitting
    request = prepare(inputs, catalogue)
    body = create_body(request)
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert set(body) <= {"model", "inputs", "callBackUrl"}
    assert set(body["inputs"]) <= {*WIRE_NAMES.values(), *OTHER_WIRE_NAMES, *inputs.extra}
    assert body["model"] in {spec.id for spec in catalogue.models}
    assert body["inputs"]["outputResolution"] in request.spec.limits.resolutions
    assert not isinstance(body["inputs"].get("duration"), float)
    assert None not in [value for name, value in body["inputs"].items() if name not in inputs.extra]


@unhurried
@given(fitting_requests())
def test_every_field_given_is_sent(fitting: tuple[Inputs, Catalogue]) -> None:
    """Nothing that passed the checks is dropped on the way out."""
    inputs, catalogue = fitting
    body = create_body(prepare(inputs, catalogue))
    for name in FIELDS_OF[class_of(inputs)]:
        value = getattr(inputs, name)
        if name in WIRE_NAMES and value is not None:
            assert str(body["inputs"][WIRE_NAMES[name]]) == str(value)
    media = media_of(inputs)
    assert body["inputs"].get("imageUrls", []) == list(media.images)
    assert body["inputs"].get("videoUrls", []) == list(media.videos)
    assert body["inputs"].get("audioUrls", []) == list(media.audios)
    assert body.get("callBackUrl") == inputs.callback_url


@unhurried
@given(fitting_requests())
def test_credits_are_exact(fitting: tuple[Inputs, Catalogue]) -> None:
    """Published models have a price for all they accept: positive, with at most two decimals."""
    total = quote(*fitting)
    assert not total.unpriced
    assert total.credits > 0
    assert total.credits == total.credits.quantize(Decimal("0.01"))
    assert "E" not in credits_text(total.credits)
    assert Decimal(credits_text(total.credits)) == total.credits
    assert total.fitting(total.credits) == 1
    assert total.fitting(total.credits - 1) == 0


@unhurried
@given(VALID)
def test_digest_ignores_catalogue_and_callback(inputs: Inputs) -> None:
    """The digest is the same under every catalogue and with any callback."""
    digest = inputs_digest(inputs)
    assert inputs_digest(draft_call(inputs, {"callback_url": "https://hooks.example/other"}).inputs) == digest
    for catalogue in BUILT_IN.values():
        try:
            request = prepare(inputs, catalogue)
        except InputError:
            continue
        assert request.digest == digest


@unhurried
@given(fitting_requests(), fitting_requests())
def test_digests_of_different_bodies_differ(one: tuple[Inputs, Catalogue], two: tuple[Inputs, Catalogue]) -> None:
    """Under one catalogue, different bodies never share a digest."""
    requests = [prepare(*fitting) for fitting in (one, two) if fitting[1] is one[1]]
    bodies = {json.dumps(create_body(request)["inputs"], sort_keys=True) for request in requests}
    assert len({request.digest for request in requests}) >= len(bodies)


@unhurried
@given(st.dictionaries(st.sampled_from(sorted(INPUT_FIELDS)) | st.text(max_size=20), ANYTHING, max_size=5))
@example({"prompt": "a", "model": "seedance2-5-edit", "duration": 5})
def test_rows_raise_nothing_but_input_errors(fields: dict[str, object]) -> None:
    """Whatever the fields, a row becomes a request or an InputError, and so do fields beside a prompt or an object."""
    builds: list[Callable[[], Request]] = [
        lambda: prepare_row(fields, Catalogue.LATEST),
        lambda: prepare_call("a lake", fields, Catalogue.LATEST),
        lambda: prepare_call(OmniReference("a lake"), fields, Catalogue.LATEST),
    ]
    for build in builds:
        refusal = refusal_of(lambda build=build: repr(build()))  # type: ignore[misc]
        assert refusal is None or str(refusal)


@unhurried
@given(st.sampled_from(sorted(INPUT_FIELDS)), st.text())
@example("duration", "9" * 5000)
@example("extra", "[" * 100_000)
def test_text_raises_nothing_but_input_errors(name: str, text: str) -> None:
    """Whatever the text, it becomes a value or an InputError."""
    refusal = refusal_of(lambda: coerce_text(name, text))
    assert refusal is None or len(str(refusal)) < 300
