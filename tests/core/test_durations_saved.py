"""What was learned of durations, as JSON and back."""

import json
from typing import Any

import pytest

from seedance_async.core.durations import Durations
from seedance_async.core.durations_codec import CARRIED_TASKS, restored, saved
from seedance_async.core.prior import Prior
from tests.core.laws import KIND, lasting, learned, lognormal

SLOW = KIND._replace(length=10)


def known() -> Durations:
    """Durations of two kinds."""
    durations = learned(lognormal(60.0, 0.2, 20))
    for number, each in enumerate(lognormal(120.0, 0.2, 200)):
        durations.ended(SLOW, -1.0, each, 300.0 + number)
    return durations


def through_json(durations: Durations) -> Any:
    """What a file would give back."""
    return json.loads(json.dumps(saved(durations)))


def test_a_law_comes_back() -> None:
    """The next session begins with what this one knew, for kinds with few tasks nearly as it was."""
    before = known()
    after = restored(through_json(before), Prior(), 5.0)
    assert list(after.kinds) == [KIND, SLOW]
    for kind in (KIND, SLOW):
        old, new = before.law(kind, 1e4), after.law(kind, 6.0)
        assert new.area == pytest.approx(old.area, rel=0.1)
        for age in (40.0, 60.0, 120.0, 160.0):
            assert lasting(new, age) == pytest.approx(lasting(old, age), abs=0.05)


def test_old_tasks_count_as_a_few() -> None:
    """However many were seen, a service that is another one today outweighs them after as many tasks as are carried."""
    after = restored(through_json(known()), Prior(), 0.0)
    assert after.kinds[SLOW].effective == pytest.approx(CARRIED_TASKS)
    assert after.groups[KIND.group].effective == pytest.approx(sum(each.effective for each in after.kinds.values()))


def test_it_is_small() -> None:
    """A kind takes a few kilobytes."""
    assert len(json.dumps(saved(known()))) < 2 * 4000


def test_nothing_is_kept_of_what_is_not_known() -> None:
    """A kind of which no task has ended is not written down."""
    durations = Durations()
    durations.alive(KIND, -1.0, 50.0, 1.0)
    assert saved(durations)["kinds"] == []


BROKEN: list[Any] = [
    None,
    [],
    "text",
    {},
    {"grid": "10 of 1", "kinds": []},
    {"kinds": [{}]},
]


@pytest.mark.parametrize("content", BROKEN, ids=str)
def test_what_cannot_be_read_is_left_out(content: Any) -> None:
    """Anything else than what was saved gives durations that know nothing."""
    assert restored(content, Prior(), 0.0).kinds == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", None),
        ("resolution", 720),
        ("typical", "240"),
        ("typical", float("inf")),
        ("length", True),
        ("length", 5.5),
        ("references", 1),
        ("ended", None),
        ("ended", {"from": 0, "counts": [0.0]}),
        ("ended", {"from": 300, "counts": [1.0]}),
        ("ended", {"from": -1, "counts": [1.0]}),
        ("ended", {"from": True, "counts": [1.0]}),
        ("reached", {"from": 0, "counts": [-1.0]}),
        ("reached", {"from": 0, "counts": [float("nan")]}),
        ("reached", {"from": 0, "counts": "many"}),
        ("reached", {"from": 0, "counts": [1.0] * 1000}),
    ],
)
def test_one_bad_kind_spoils_no_other(name: str, value: Any) -> None:
    """A kind with a field that makes no sense is left out, and the others are read."""
    content = through_json(known())
    content["kinds"][0][name] = value
    after = restored(content, Prior(), 0.0)
    assert list(after.kinds) == [SLOW]
    assert after.law(SLOW, 1.0).area > 0.0
