"""The plan of what breaks: its text form, and which requests it chooses."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.testing import KINDS, Fault, Faults


def hits(fault: Fault | str, count: int = 6, **options: Any) -> list[int]:
    """Return which of so many creates a fault hits, counted from 1."""
    faults, rng = Faults(fault), Random(0)
    options.setdefault("now", 0.0)
    return [number for number in range(1, count + 1) if faults.strike("create", rng=rng, **options).find(*ALL_KINDS)]


ALL_KINDS = (*KINDS, "http-502")


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("drop-after-accept", [1, 2, 3, 4, 5, 6]),
        ("drop-after-accept:nth=2", [2]),
        ("drop-after-accept:every=3", [3, 6]),
        ("drop-after-accept:count=2", [1, 2]),
        ("drop-after-accept:every=2,count=2", [2, 4]),
        ("drop-after-accept:rate=0", []),
        ("drop-after-accept:rate=1", [1, 2, 3, 4, 5, 6]),
        ("drop-after-accept:on=poll", []),
        ("drop-after-accept:since=10", []),
        ("drop-after-accept:until=10", [1, 2, 3, 4, 5, 6]),
        ("drop-after-accept:prompt=lake", []),
        ("outage", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_conditions_choose_requests(text: str, chosen: list[int]) -> None:
    """Requests are counted among those at the place, in the span, of the prompt."""
    assert hits(text) == chosen


def test_a_span_and_a_prompt_choose_too() -> None:
    """From `since` on, until before `until`; a prompt that contains the text."""
    fault = Fault("http-502", since=10, until=20)
    assert [now for now in (9.9, 10.0, 19.9, 20.0) if hits(fault, 1, now=now)] == [10.0, 19.9]
    assert hits(Fault("http-502", prompt="lake", nth=2), prompt="a lake") == [2]


def test_a_rate_is_met_by_the_seeded_generator() -> None:
    """One in ten, and the same ones for the same seed."""
    chosen = hits("http-502:rate=0.1", 2000)
    assert 150 < len(chosen) < 250
    assert chosen == hits("http-502:rate=0.1", 2000)


def test_the_plan_may_change_while_it_runs() -> None:
    """Added faults count from then on; the record says how often each has happened."""
    faults, rng = Faults("http-500:nth=1"), Random(0)
    faults.strike("create", now=0, rng=rng)
    later = faults.add("http-502:nth=1")
    assert faults.strike("create", now=0, rng=rng).find("http-502") == later
    assert faults.done == {"http-500:nth=1": 1, "http-502:nth=1": 1}
    faults.remove(later)
    assert [str(fault) for fault in faults.plan] == ["http-500:nth=1"]
    faults.clear()
    assert len(faults) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("drop-after-acept", "there is no fault 'drop-after-acept'. Did you mean 'drop-after-accept'?"),
        ("http-099", "there is no fault 'http-099'"),
        ("", "there is no fault ''. There are drop-before-accept"),
        ("drop-after-accept:nht=2", "there is no 'nht'. Did you mean 'nth'?"),
        ("drop-after-accept:nth", "'nth' is not name=value"),
        ("drop-after-accept:nth=two", "nth is a whole number (given: 'two')"),
        ("drop-after-accept:nth=0", "nth counts from 1 (given: 0)"),
        ("drop-after-accept:rate=2", "rate is from 0 to 1 (given: 2.0)"),
        ("drop-after-accept:rate=nan", "rate is from 0 to 1 (given: nan)"),
        ("drop-after-accept:seconds=-1", "seconds is not below 0 (given: -1.0)"),
        ("drop-after-accept:since=soon", "since is a number (given: 'soon')"),
        ("http-502:on=pol", "there is no place 'pol'. Did you mean 'poll'?"),
        ("no-task-id:on=poll", "fault 'no-task-id' happens on create, not on 'poll'"),
        ("limit:value=many", "fault 'limit': value='many' must match"),
        ("size-drift:value=0x7", "fault 'size-drift': value='0x7' must match"),
    ],
)
def test_what_cannot_be_read_says_what_is_possible(text: str, message: str) -> None:
    """With a suggestion where one is near."""
    with pytest.raises(ValueError, match=r".") as raised:
        Fault.parse(text)
    assert message in str(raised.value)


@given(
    kind=st.sampled_from([*KINDS, "http-502"]),
    nth=st.none() | st.integers(1, 99),
    rate=st.none() | st.floats(0, 1),
    seconds=st.none() | st.floats(0, 1e6),
    prompt=st.none() | st.from_regex(r"[a-z\[\]]{1,8}", fullmatch=True),
)
def test_the_text_of_a_fault_is_read_back(
    kind: str, nth: int | None, rate: float | None, seconds: float | None, prompt: str | None
) -> None:
    """`str` and `parse` are each other's inverse."""
    fault = Fault(kind, nth=nth, rate=rate, seconds=seconds, prompt=prompt)
    assert Fault.parse(str(fault)) == fault


def test_every_kind_says_what_it_does() -> None:
    """For people who choose one on the command line."""
    for name, kind in KINDS.items():
        assert kind.text.endswith("."), name
        assert kind.places, name
        kind.check_value(name, kind.value or None)
