"""Keys and variants: what may be one, and that two of them never meet."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seedance_async.core.keys import LONGEST, variant_key, word_problem
from seedance_async.errors import InputError

KEYS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=LONGEST)


@pytest.mark.parametrize("key", ["a", "order-17", "Ordnung 17", "海", "#", "a#2", "x" * LONGEST, " a "])
def test_a_key(key: str) -> None:
    """Printable text of up to 255 characters is a key, inner blanks included."""
    assert word_problem("key", key) is None
    assert variant_key(key, 1) == key


@pytest.mark.parametrize("key", ["", " ", "\n", "a\n", "a\0", "\u2028", "x" * (LONGEST + 1), 5, b"a", ["a"], True])
def test_no_key(key: Any) -> None:
    """Anything else is refused, with the place and what was given, shortened."""
    problem = word_problem("task_id", key)
    assert problem is not None
    assert (problem.path, problem.message) == ("task_id", "must be printable text of 1 to 255 characters")
    assert len(str(problem)) < 200
    with pytest.raises(InputError, match="printable text"):
        variant_key(key, 2)


@given(KEYS)
def test_every_printable_text_is_a_key(key: str) -> None:
    """Whatever script it is written in."""
    assume(key.isprintable())
    assert word_problem("key", key) is None


def test_the_first_variant_is_the_key() -> None:
    """Variant 1 changes nothing, also where there is no key; the others are named by their number."""
    assert [variant_key("a", number) for number in (1, 2, 10)] == ["a", "a#2", "a#10"]
    assert variant_key(None, 1) is None


@given(st.integers(2, 10**6), st.integers(2, 10**6))
def test_variants_of_a_key_differ(one: int, two: int) -> None:
    """Each variant has a key of its own."""
    assert (variant_key("a", one) == variant_key("a", two)) == (one == two)


@pytest.mark.parametrize("variant", [0, -1, 1.0, True, False, "2", None])
def test_no_variant(variant: Any) -> None:
    """A number below 1, and what only looks like a number, is refused."""
    with pytest.raises(InputError, match="whole number from 1 on") as caught:
        variant_key("a", variant)
    assert [problem.path for problem in caught.value.problems] == ["variant"]


def test_a_variant_of_nothing() -> None:
    """A second clip needs a key to be the second of."""
    with pytest.raises(InputError, match="give the key, too"):
        variant_key(None, 2)


def test_everything_is_said_at_once() -> None:
    """A wrong key and a wrong number are two problems of one error."""
    with pytest.raises(InputError) as caught:
        variant_key("", 0)
    assert [problem.path for problem in caught.value.problems] == ["key", "variant"]


def test_a_variant_is_a_key_itself() -> None:
    """What `enqueue` makes of a key and a variant, `attach(key=...)` takes; a key that is too long is refused."""
    assert variant_key("x" * (LONGEST - 2), 2) == "x" * (LONGEST - 2) + "#2"
    with pytest.raises(InputError, match="1 to 255 characters"):
        variant_key("x" * (LONGEST - 1), 2)
