"""Names on the command line: what the list of jobs shows is taken back."""

from pathlib import PurePosixPath

import pytest
from attrs import evolve

from seedance_async.cli.jobs import short_key
from seedance_async.core.plan import PlannedRow
from seedance_async.core.selecting import matching_keys
from tests.batch.plans import plan_of


def rows() -> list[PlannedRow]:
    """Two equal rows and one more video of each, and another row."""
    first, equal, other = plan_of({"prompt": "x"}, {"prompt": "x"}, {"prompt": "y"}).rows
    again = [
        evolve(row, key=f"{row.key}#2", base=row.key, variant=2, file=PurePosixPath(f"{row.variant}-2.mp4"))
        for row in (first, equal)
    ]
    return [first, equal, *again, other]


def test_a_shortened_key_is_taken_back_as_it_is_shown() -> None:
    """With the marks for equal rows and for further videos of a row; without the last one it means all of them."""
    first, equal, first_again, equal_again, other = (row.key for row in rows())
    meant = {
        first: (first, first_again),
        equal: (equal, equal_again),
        first_again: (first_again,),
        equal_again: (equal_again,),
        other: (other,),
    }
    for key, keys in meant.items():
        found, problems = matching_keys("--only", [short_key(key)], rows(), patterns=True)
        assert (found, problems) == ({short_key(key): keys}, [])


@pytest.mark.parametrize("marks", ["~3", "#3", "~2#3", "~", "#"])
def test_marks_that_no_key_has(marks: str) -> None:
    """Mean nothing."""
    found, problems = matching_keys("--only", [short_key(rows()[0].key) + marks], rows(), patterns=False)
    assert (found, len(problems)) == ({}, 1)


def test_marks_that_two_keys_have() -> None:
    """Digests that begin alike are told apart by more digits, not by chance."""
    first, _, again, *_ = rows()
    alike = evolve(again, key=f"{again.key[:20]}f#2", base=f"{again.key[:20]}f")
    found, problems = matching_keys("--only", [short_key(again.key)], [first, again, alike], patterns=True)
    assert (found, len(problems)) == ({}, 1)
