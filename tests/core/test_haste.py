"""How often deliveries make a session look: at once at first, rarely after looks in vain."""

from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.early import KEPT, MOST, Early
from seedance_async.core.haste import GAPS, MOST_AGAIN, Haste

moments = st.lists(st.tuples(st.floats(0.0, 5.0), st.booleans()), max_size=300)


def test_the_first_delivery_is_looked_into_at_once() -> None:
    """Also right after a poll of the ordinary kind."""
    assert Haste().heard(100.0, 99.9, ended=True) == 100.0


def test_a_success_that_is_not_there_yet_is_looked_for_again() -> None:
    """A few times, further and further apart, and then no more."""
    haste, looks = Haste(), [haste_at := 10.0]
    haste.heard(haste_at, 0.0, ended=True)
    while (following := haste.in_vain(looks[-1], looks[-1])) is not None:
        looks.append(following)
    assert looks == [10.0, 11.0, 13.0, 17.0]
    assert len(looks) == 1 + MOST_AGAIN


def test_what_does_not_say_the_end_is_looked_into_once() -> None:
    """A delivery with another status makes one look."""
    haste = Haste()
    haste.heard(10.0, 0.0, ended=False)
    assert haste.in_vain(10.0, 10.0) is None
    assert haste.in_vain(20.0, 20.0) is None
    assert haste.vain == 1


def test_looks_that_fail_come_further_and_further_apart() -> None:
    """Whatever else counts them: a task whose wait is over is asked no more often than the last gap for long."""
    haste = Haste()
    assert haste.missed(0.0) is None
    haste.heard(0.0, 0.0, ended=True)
    waits = [haste.missed(0.0) or 0.0 for _ in range(2000)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1.5, GAPS[-1])
    haste.in_vain(0.0, 0.0)
    assert haste.missed(0.0) == 1.5


@given(moments)
def test_looks_are_bounded_whatever_comes(steps: list[tuple[float, bool]]) -> None:
    """However many deliveries come: looks are `GAPS` apart, and each delivery is looked into within the last gap."""
    haste, now, asked, due = Haste(), 0.0, 0.0, None
    looks = 0
    for step, ended in steps:
        now += step
        while due is not None and due <= now:
            asked, looks = due, looks + 1
            due = haste.in_vain(asked, asked)
            assert due is None or due >= asked + GAPS[min(looks, len(GAPS) - 1)]
        wanted = haste.heard(now, asked, ended=ended)
        assert now <= wanted <= now + GAPS[-1]
        due = wanted if due is None else min(due, wanted)
    whole = now + GAPS[-1]
    assert looks <= len(GAPS) + whole / GAPS[-1] * 2 + 1


def test_early_deliveries_are_few_and_forgotten() -> None:
    """The oldest goes first, and none lasts for long."""
    early = Early()
    for number in range(100_000):
        early.remember(f"task_{number}", None, 0.0)
    assert len(early) == MOST
    assert early.take("task_0", 1.0) is None
    assert early.take("task_99999", 1.0) == (None,)
    assert early.take("task_99999", 1.0) is None
    assert early.take("task_99998", KEPT + 1.0) is None
    early.remember("task_1", "token", 5.0)
    assert early.take("task_1", 6.0) == ("token",)
