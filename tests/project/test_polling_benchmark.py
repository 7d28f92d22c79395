"""The simulation of an account, and what the default polling comes to in it (P1: slots full)."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.polling import curves
from benchmarks.polling.account import Figures, Loop, Session, ideal, simulate
from benchmarks.polling.drawing import draw
from benchmarks.polling.laws import LAWS, ONE, Task
from seedance_async.core.poll_rate import PollRate
from seedance_async.core.polling import FixedPolling, PollingPolicy


def default(law: str, **options: int) -> Figures:
    """The default policy on an account whose tasks follow a law."""
    return simulate(LAWS[law], Session(PollingPolicy()), **options)


def fixed(law: str, **options: int) -> Figures:
    """A loop that asks every three seconds."""
    return simulate(LAWS[law], Loop(3.0), **options)


@pytest.mark.parametrize(("law", "requests"), [("lognormal 0.3", 1.1), ("two lengths", 0.75)])
def test_slots_are_idle_for_half_of_the_time(law: str, requests: float) -> None:
    """With about as many requests as every three seconds, or fewer, and a makespan within 0.9 percent of the ideal."""
    ours, theirs = default(law), fixed(law)
    assert ours.idle <= 0.55 * theirs.idle
    assert ours.polls <= requests * theirs.polls
    assert ours.makespan <= 1.009


@pytest.mark.parametrize(("law", "most"), [("lognormal 0.3", 0.60), ("two lengths", 0.45), ("memoryless", 1.15)])
def test_fewer_requests_for_the_same_delay(law: str, most: float) -> None:
    """Half of the requests where ages tell something, and hardly more of them where they tell nothing."""
    ours = simulate(LAWS[law], Session(PollingPolicy(target_delay=1.5)))
    theirs = fixed(law)
    assert ours.polls * ours.delay <= most * theirs.polls * theirs.delay


def test_a_bound_on_the_rate_is_kept_and_costs_no_more_than_it_must() -> None:
    """Half of the requests, shared by all tasks, double the delay; the product of both stays what it was."""
    free, bound = (
        default("lognormal 0.3"),
        simulate(LAWS["lognormal 0.3"], Session(PollingPolicy(), rate=PollRate(8.0))),
    )
    running = 50 / 104.6  # tasks that end per second
    assert bound.polls * running <= 8.4
    assert bound.polls * (bound.delay - 0.05) == pytest.approx(free.polls * (free.delay - 0.05), rel=0.05)


def test_a_fixed_loop_comes_to_what_arithmetic_says() -> None:
    """The simulation itself: tasks that all take a hundred seconds, asked for every ten."""
    seen = simulate(lambda *_: Task(ONE, 100.0), Session(FixedPolling(10.0)), slots=1, tasks=20)
    assert seen.polls == pytest.approx(10.5, abs=0.6)
    assert seen.idle == pytest.approx((seen.delay + 0.05) / (100.0 + seen.delay), rel=0.1)
    assert ideal([Task(ONE, 30.0), Task(ONE, 10.0), Task(ONE, 10.0), Task(ONE, 10.0)], 2) == 30.0


def test_curves_and_their_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two short rounds make curves for a law, and a picture that is well-formed; a round by itself is half of both."""
    monkeypatch.setattr(curves, "_MANY", 500)
    law = LAWS["lognormal 0.3"]
    found = {"lognormal 0.3": curves.curves(law, tasks=60, seeds=[1, 2])}
    assert found["lognormal 0.3"].least == pytest.approx(26.7, rel=0.15)
    rounds = [curves.curves(law, tasks=60, seeds=[seed]) for seed in (1, 2)]
    assert curves.merged(rounds) == found["lognormal 0.3"]
    draw(found, {"rounds": 2}, tmp_path)
    assert json.loads((tmp_path / "curves.json").read_text(encoding="utf-8"))["rounds"] == 2
    root = ET.fromstring((tmp_path / "curves.svg").read_text(encoding="utf-8"))
    assert root.tag.endswith("svg")
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) > 10


def test_curves_are_read_on_logarithmic_axes() -> None:
    """Between two points straight, beyond the ends the last one."""
    assert [curves.between([(1.0, 4.0), (4.0, 1.0)], x) for x in (0.5, 1.0, 2.0, 8.0)] == pytest.approx([4, 4, 2, 1])
