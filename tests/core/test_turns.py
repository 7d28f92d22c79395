"""Places in time: never more of them than the rate allows, and none lost to one that was taken for later."""

from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.turns import Turns

wishes = st.lists(st.tuples(st.floats(0.0, 0.2), st.floats(0.0, 30.0)), max_size=300)


def test_a_place_that_is_taken_for_later_holds_nobody_up() -> None:
    """However many are taken half a minute ahead, the present has room."""
    turns = Turns(50.0)
    for _ in range(1000):
        turns.take(turns.free_at(30.0), 0.0)
    assert turns.free_at(0.1) == 0.1
    assert turns.free_at(30.0) == 50.0


@given(wishes)
def test_no_span_has_more_than_its_share(steps: list[tuple[float, float]]) -> None:
    """Whatever is wished for: each place is at or after the wish, and half a second has half of the rate."""
    turns, now = Turns(10.0), 0.0
    taken: list[float] = []
    for step, ahead in steps:
        now += step
        moment = turns.free_at(now + ahead)
        assert moment >= now + ahead
        turns.take(moment, now)
        taken.append(moment)
    spans = [int(moment / 0.5) for moment in taken]
    assert all(spans.count(span) <= 5 for span in set(spans))


def test_the_past_is_forgotten() -> None:
    """A hundred thousand places over hours leave few behind."""
    turns = Turns(2.0)
    for number in range(100_000):
        turns.take(turns.free_at(number * 0.5), number * 0.5)
    assert len(turns) < 1000
