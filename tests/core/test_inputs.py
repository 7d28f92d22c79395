"""Inputs keep what was written, take harmless variants, and show no secrets."""

import copy
import pickle
from typing import Any

import attrs
import pytest

from seedance_async.core.frozen import FrozenMapping
from seedance_async.core.inputs import (
    INPUT_CLASSES,
    INPUT_FIELDS,
    ImageToVideo,
    Inputs,
    OmniReference,
    TextToVideo,
    VideoEdit,
    VideoExtend,
    class_of,
    media_of,
    mode_of,
)

URL = "https://cdn.example/cat.png"
CLIP = "https://cdn.example/cat.mp4"


class Whole:
    """A whole number of another package."""

    def __index__(self) -> int:
        return 7


class Refusing:
    """Says that it is a number and an iterable, and is neither."""

    def __index__(self) -> int:
        raise TypeError("no number after all")

    def __iter__(self) -> Any:
        raise TypeError("no iterable after all")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (5, 5),
        ("6", 6),
        (" 12 ", 12),
        (5.0, 5),
        (Whole(), 7),
        ("5s", "5s"),
        (5.5, 5.5),
        (None, None),
        ("\u0665", "\u0665"),
    ],
)
def test_duration_conversion(given: Any, kept: Any) -> None:
    """Digits, 5.0 and whole numbers of other packages become an int; what is no whole number is kept for the checks."""
    duration: Any = TextToVideo("a lake", duration=given).duration
    assert duration == kept
    assert type(duration) is type(kept)


def test_true_is_no_number() -> None:
    """True is not taken as 1."""
    assert TextToVideo("a lake", duration=True).duration is True


def test_odd_values_are_kept() -> None:
    """Nothing is refused at construction, not even objects that fail when they are looked at."""
    odd: Any = Refusing()
    inputs = OmniReference("a lake", images=odd, duration=odd, seed=odd)
    assert inputs.images is odd
    assert inputs.duration is odd
    assert inputs.seed is odd


def test_seed_conversion() -> None:
    """A seed is converted like a duration."""
    assert TextToVideo("a lake", seed="-1").seed == -1  # type: ignore[arg-type, unused-ignore]


def test_lists_become_tuples() -> None:
    """Lists and iterators become tuples and None becomes an empty one; a bare string stays what it is."""
    inputs = OmniReference("a lake", images=[URL], videos=iter([CLIP]), audios=None)  # type: ignore[arg-type, unused-ignore]
    assert inputs.images == (URL,)
    assert inputs.videos == (CLIP,)
    assert inputs.audios == ()
    assert OmniReference("a lake", images=URL).images == URL  # type: ignore[comparison-overlap]


def test_extra_is_a_copy() -> None:
    """Extra fields are copied at construction, so that what was checked is what is sent."""
    inner = [1]
    given = {"real_person": inner}
    inputs = TextToVideo("a lake", extra=given)
    inner.append(2)
    given["other"] = []
    assert inputs.extra == {"real_person": (1,)}
    with pytest.raises(TypeError):
        inputs.extra["x"] = 1  # type: ignore[index]


def test_extra_that_holds_itself() -> None:
    """An extra value that holds itself is no endless loop."""
    value: list[Any] = []
    value += [value, value]
    assert len(repr(TextToVideo("a lake", extra={"x": value}))) < 1000


@pytest.mark.parametrize("cls", INPUT_CLASSES, ids=lambda cls: cls.__name__)
def test_only_the_prompt_is_positional(cls: type[Inputs]) -> None:
    """Every other field is given by name."""
    assert [attribute.name for attribute in attrs.fields(cls) if not attribute.kw_only] == ["prompt"]


def test_field_names_are_not_option_names() -> None:
    """No input field has the name of an option of `enqueue`, `submit`, `generate` or `map`."""
    options = {
        "inputs",
        "key",
        "polling",
        "retry_failed",
        "resubmit_unknown",
        "timeout",
        "ordered",
        "window",
        "attempts",
        "variant",
    }
    assert not options & INPUT_FIELDS


def every_class() -> list[Inputs]:
    signed = f"{URL}?X-Signature=planted"
    options: dict[str, Any] = {
        "callback_url": "https://hooks.example/planted?token=planted",
        "extra": {"note": "https://a.example/x?sig=planted", "deep": {"u": "https://a.example/x?sig=planted"}},
    }
    return [
        TextToVideo("a lake", **options),
        ImageToVideo("a lake", first_frame=signed, last_frame=signed, **options),
        OmniReference("a lake", images=[signed], videos=[signed], audios=[signed], **options),
        VideoEdit("a lake", videos=[signed], **options),
        VideoExtend("a lake", videos=[signed], duration=5, **options),
    ]


@pytest.mark.parametrize("inputs", every_class(), ids=lambda inputs: type(inputs).__name__)
def test_repr_hides_signatures(inputs: Inputs) -> None:
    """No signed URL and no path of a callback is shown, while hosts and names of extra fields are."""
    text = repr(inputs)
    assert "planted" not in text
    assert "https://hooks.example/..." in text
    assert "'note'" in text


@pytest.mark.parametrize("inputs", every_class(), ids=lambda inputs: type(inputs).__name__)
def test_copies_are_equal(inputs: Inputs) -> None:
    """Inputs can be pickled, copied and deep-copied."""
    assert pickle.loads(pickle.dumps(inputs)) == inputs
    assert copy.copy(inputs) == inputs
    assert copy.deepcopy(inputs) == inputs


def test_long_prompts_are_cut_in_repr() -> None:
    """A repr does not hold a whole long prompt."""
    assert len(repr(TextToVideo("x" * 5000))) < 500


def test_media_and_mode_follow_from_the_class() -> None:
    """Frames count as images in order; the mode is the class's unless it is given."""
    frames = ImageToVideo("a lake", first_frame=URL, last_frame="https://cdn.example/end.png")
    assert media_of(frames).images == (URL, "https://cdn.example/end.png")
    assert mode_of(frames) == "keyframe"
    assert not media_of(TextToVideo("a lake"))
    assert mode_of(TextToVideo("a lake")) is None
    assert mode_of(OmniReference("a lake", images=[URL])) == "reference"
    assert mode_of(OmniReference("a lake", images=[URL], mode="keyframe")) == "keyframe"
    assert mode_of(VideoEdit("a lake", videos=[CLIP])) is None


def test_a_subclass_counts_as_its_base() -> None:
    """A user's subclass is treated as the class that it extends."""

    class Mine(TextToVideo):
        pass

    assert class_of(Mine("a lake")) is TextToVideo


def test_frozen_mapping_reads_like_a_dict() -> None:
    """The read-only mapping has length, keys, equality and repr of the mapping it copied."""
    mapping = FrozenMapping({"a": 1})
    assert (len(mapping), list(mapping), mapping == {"a": 1}, repr(mapping)) == (1, ["a"], True, "{'a': 1}")
