"""Text of tables and flags becomes values."""

import pytest

from seedance_async.core.inputs import INPUT_FIELDS
from seedance_async.core.text import coerce_text
from seedance_async.errors import InputError


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("prompt", "  a lake ", "  a lake "),
        ("duration", "5", 5),
        ("duration", " 5.0 ", 5),
        ("seed", "-1", -1),
        ("generate_audio", "TRUE", True),
        ("generate_audio", "yes", True),
        ("generate_audio", "0", False),
        ("generate_audio", "No", False),
        (
            "images",
            " https://a.example/1.png\nhttps://a.example/2.png  ",
            ("https://a.example/1.png", "https://a.example/2.png"),
        ),
        ("videos", "", ()),
        ("aspect_ratio", " 16:9 ", "16:9"),
        ("first_frame", "https://a.example/1.png ", "https://a.example/1.png"),
        ("extra", '{"a": [1]}', {"a": [1]}),
    ],
)
def test_values(name: str, text: str, value: object) -> None:
    """Numbers, truth, lists and objects are read; other fields are the text."""
    read = coerce_text(name, text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "suggestion"),
    [
        ("duration", "5s", "5"),
        ("duration", "5 seconds", "5"),
        ("duration", "5.5", None),
        ("duration", "five", None),
        ("duration", "1_0", None),
        ("duration", "\u0665", None),
        ("duration", "9" * 5000, None),
        ("seed", "", None),
        ("generate_audio", "maybe", None),
        ("extra", "[1]", None),
        ("extra", "{", None),
        ("extra", "[" * 100_000, None),
        ("aspect_ration", "16:9", "aspect_ratio"),
    ],
)
def test_what_is_refused(name: str, text: str, suggestion: str | None) -> None:
    """Text that stands for no value is refused by field, with a suggestion where one is near."""
    with pytest.raises(InputError) as caught:
        coerce_text(name, text)
    (problem,) = caught.value.problems
    assert problem.path == name
    assert problem.suggestion == suggestion
    assert len(str(problem)) < 300


@pytest.mark.parametrize("name", sorted(INPUT_FIELDS))
def test_every_field_can_be_written_as_text(name: str) -> None:
    """Each input field has a text form."""
    text = {"duration": "5", "seed": "5", "generate_audio": "yes", "extra": "{}"}.get(name, "text")
    assert coerce_text(name, text) is not None
