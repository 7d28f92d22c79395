"""Messages show values shortened and without secrets."""

import pytest

from seedance_async.core.inputs import INPUT_FIELDS
from seedance_async.core.names import WIRE_NAMES, listed, shown, suggest_field, suggest_value


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a lake", "'a lake'"),
        ("x" * 100, "'" + "x" * 57 + "...'"),
        (5, "5"),
        (None, "None"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16..."),
        ("https://cdn.example/cat.png?sig=1", "'https://cdn.example/cat.png?[redacted]'"),
        (["https://cdn.example/cat.png?sig=1"], "a list with URLs"),
        ("see https://cdn.example/?sig=1", "'see https...'"),
        ("data:image/png;base64,AAAABBBBCCCC", "'data:image/png;base6...'"),
        (Unprintable(), "a Unprintable"),
        ([10**5000], "a list"),
    ],
)
def test_shown(value: object, text: str) -> None:
    """Values are shortened, and whatever holds a URL is cut where it may be signed."""
    assert shown(value) == text


def test_listed() -> None:
    """Words are joined as in a sentence."""
    assert [listed(""), listed("a"), listed("ab"), listed("abc", "and")] == ["", "a", "a or b", "a, b and c"]


def test_every_wire_name_leads_to_its_field() -> None:
    """Whoever knows the service's spelling finds ours."""
    for name, wire in WIRE_NAMES.items():
        assert suggest_field(wire, INPUT_FIELDS) == name


def test_suggestions_stay_within_what_is_allowed() -> None:
    """Another word for a value is suggested only if the value is allowed."""
    assert suggest_value("landscape", ["16:9"]) == "16:9"
    assert suggest_value("landscape", ["1:1"]) is None
    assert suggest_field("ratio", ["prompt"]) is None
