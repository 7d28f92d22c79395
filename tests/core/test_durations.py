"""How long tasks take, learned while they run."""

import random
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.ages import BINS, EDGES, NEVER, bin_of
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.durations import MOST_KINDS, Durations
from seedance_async.core.inputs import ImageToVideo, OmniReference, TextToVideo
from seedance_async.core.kinds import Kind, kind_of, seconds_taken
from seedance_async.core.prior import Prior
from seedance_async.core.request import prepare
from seedance_async.core.tallies import FORGET_SECONDS, FORGET_TASKS
from seedance_async.errors import ConfigurationError
from tests.core.laws import KIND, lasting, law_from, learned, lognormal, median

durations = st.lists(st.floats(0.0, 1e5), max_size=40)


@given(st.floats(0.0, 1e9))
def test_bins_hold_their_ages(age: float) -> None:
    """Every age is in one bin, between its edges; the last is open."""
    j = bin_of(age)
    assert EDGES[j] * (1 - 1e-9) <= age
    assert j == BINS - 1 or age <= EDGES[j + 1] * (1 + 1e-9)
    assert bin_of(NEVER) == -1


@given(durations, st.lists(st.floats(0.0, 1e6), min_size=2))
def test_depth_grows_with_the_age_and_leads_back_to_it(seconds: list[float], ages: list[float]) -> None:
    """Whatever was seen, an older task is deeper, and each depth has its age."""
    law = law_from(seconds)
    depths = [law.depth(age) for age in sorted(ages)]
    assert all(sooner <= later for sooner, later in pairwise(depths))
    for age in ages:
        assert law.age_at(law.depth(age)) == pytest.approx(age, rel=1e-3, abs=1e-3)
    assert law.area > 0.0


@pytest.mark.parametrize("sigma", [0.1, 0.3, 0.6])
def test_the_law_is_learned(sigma: float) -> None:
    """After some hundred tasks, what is believed to be left at each age is what is left."""
    seconds = lognormal(100.0, sigma, 400)
    law, ordered = law_from(seconds), sorted(seconds)
    for age in (40.0, 80.0, 100.0, 120.0, 200.0):
        assert lasting(law, age) == pytest.approx(1.0 - bisect_left(ordered, age) / 400, abs=0.1)


@pytest.mark.parametrize("number", [10, 30])
def test_a_few_tasks_are_enough(number: int) -> None:
    """Ten tasks outweigh a prior that is wrong by a factor of two."""
    assert median(law_from([])) == pytest.approx(168.0, rel=0.1)
    assert median(law_from(lognormal(80.0, 0.3, number))) == pytest.approx(80.0, rel=0.15)


def test_outliers_change_little() -> None:
    """Two tasks in a hundred that take twenty times as long move neither the median nor the early part."""
    seconds = lognormal(100.0, 0.2, 98)
    with_outliers = [*seconds[:50], 2000.0, 3000.0, *seconds[50:]]
    assert median(law_from(with_outliers)) == pytest.approx(median(law_from(seconds)), rel=0.05)
    assert lasting(law_from(with_outliers), 70.0) == pytest.approx(lasting(law_from(seconds), 70.0), abs=0.03)


def test_early_failures_change_only_the_early_part() -> None:
    """Those that outlast the first seconds are expected to end when they did without failures."""
    good = lognormal(100.0, 0.2, 120)
    law, failing = law_from(good), law_from([each for one in good for each in ([one, 4.0] if one > 100 else [one])])
    assert lasting(failing, 10.0) < 0.75
    for age in (80.0, 100.0, 120.0):
        assert lasting(failing, age) / lasting(failing, 10.0) == pytest.approx(lasting(law, age), abs=0.05)


def test_tasks_that_still_run_count() -> None:
    """A burst of slow ones moves the law before the first of them ends."""
    known = learned([100.0] * 40)
    assert lasting(known.law(KIND, 1e3), 150.0) < 0.1
    for age in range(1, 300):
        for _ in range(50):
            known.alive(KIND, age - 1.0, float(age), 1e3 + age)
    assert lasting(known.law(KIND, 2e3), 150.0) > 0.4


def test_the_first_of_a_batch_to_end_are_not_taken_for_all() -> None:
    """Where five of fifty have ended after a minute, the median is not taken to be below a minute."""
    known = Durations()
    for number in range(50):
        known.alive(KIND, NEVER, 60.0, 60.0)
        if number < 5:
            known.ended(KIND, 60.0, 58.0 + number / 2, 61.0)
    assert median(known.law(KIND, 62.0)) > 90.0


def test_a_service_that_drifts_is_followed() -> None:
    """A hundred tasks after it became twice as slow, the old speed is half forgotten; after four hundred, all of it."""
    old, new = lognormal(100.0, 0.1, 300), lognormal(200.0, 0.1, 400)
    assert lasting(law_from([*old, *new[: int(FORGET_TASKS)]]), 140.0) == pytest.approx(0.5, abs=0.15)
    assert median(law_from([*old, *new])) == pytest.approx(200.0, rel=0.05)


def test_time_forgets_as_well() -> None:
    """After a pause of hours a few new tasks count more than many old ones."""
    known = learned([100.0] * 40)
    much_later = 400.0 + 5 * FORGET_SECONDS
    for number in range(8):
        known.ended(KIND, NEVER, 200.0, much_later + number)
    assert median(known.law(KIND, much_later + 10.0)) > 180.0


def test_a_laptop_may_sleep_for_months() -> None:
    """Whatever the clock does, a law comes out."""
    known = learned([100.0] * 40)
    known.ended(KIND, NEVER, 50.0, 1e9)
    known.ended(KIND, NEVER, 50.0, 1e12)
    assert median(known.law(KIND, 2e12)) < 150.0


def test_a_new_kind_begins_like_its_neighbours() -> None:
    """Another length of a model is taken to be like what was seen, until ten tasks of its own show the difference."""
    known, other = learned(lognormal(60.0, 0.2, 100)), KIND._replace(length=10)
    assert median(known.law(other, 1e4)) == pytest.approx(60.0, rel=0.1)
    assert median(known.law(KIND._replace(model="seedance2-fast"), 1e4)) > 120.0
    for number in range(12):
        known.ended(other, NEVER, 118.0 + number / 3, 1e4 + number)
    assert median(known.law(other, 1e4 + 100.0)) == pytest.approx(120.0, rel=0.1)
    assert median(known.law(KIND, 1e4 + 100.0)) == pytest.approx(60.0, rel=0.1)


def test_a_law_is_used_for_many_polls() -> None:
    """It is the same object until there is something new; then it is made anew, and not twice in half a second."""
    known = learned(lognormal(100.0, 0.2, 200))
    law = known.law(KIND, 1e4)
    known.ended(KIND, NEVER, 100.0, 1e4)
    assert known.law(KIND, 1e4 + 1) is law
    for _ in range(30):
        known.ended(KIND, NEVER, 100.0, 1e4)
    assert known.law(KIND, 1e4 + 0.1) is law
    newer = known.law(KIND, 1e4 + 1)
    assert newer is not law
    assert known.law(KIND, 1e4 + 2) is newer


def test_memory_is_bounded() -> None:
    """Of very many kinds the oldest are forgotten, groups without kinds as well; a forgotten one is learned again."""
    known = Durations()
    for number in range(3 * MOST_KINDS):
        known.ended(Kind(f"model-{number}", "720p", 240.0), NEVER, 100.0, float(number))
    assert (len(known.kinds), len(known.groups)) == (MOST_KINDS, MOST_KINDS)
    assert median(known.law(Kind("model-0", "720p", 240.0), 1e4)) > 120.0


def test_kinds_of_requests() -> None:
    """Model, resolution, length and what goes with the prompt make a kind; the words of the prompt do not."""

    def kind(inputs: Any) -> Kind:
        return kind_of(prepare(inputs, Catalogue.CLASSIC))

    lake = kind(TextToVideo("a lake"))
    assert lake == ("seedance-20", "1080p", 240.0, 5, "TextToVideo")
    assert kind(TextToVideo("a sea", aspect_ratio="1:1")) == lake
    link = "https://example.com/a."
    others = [
        TextToVideo("a lake", duration=8),
        TextToVideo("a lake", output_resolution="720p"),
        TextToVideo("a lake", model="seedance2-fast", output_resolution="720p"),
        ImageToVideo("a lake", first_frame=link + "png"),
        OmniReference("a lake", images=[link + "png"]),
        OmniReference("a lake", videos=[link + "mp4"]),
    ]
    assert len({lake, *map(kind, others)}) == len(others) + 1
    assert kind(TextToVideo("a lake", duration=8)).group == lake.group


BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("taken", "alive_at", "age", "expected"),
    [
        (100.0, 99.0, 102.0, 100.0),
        (98.0, 99.0, 102.0, 98.0),
        (None, 99.0, 102.0, 100.5),
        (None, NEVER, 3.0, 1.5),
        (10.0, 99.0, 102.0, 100.5),
        (500.0, 99.0, 102.0, 100.5),
        (-1.0, NEVER, 2.0, 0.0),
        (None, 99.0, 98.0, 99.0),
    ],
)
def test_how_long_a_task_took(taken: float | None, alive_at: float, age: float, expected: float) -> None:
    """The service's times count where they agree with what polls saw, and else the middle between the last two."""
    completed = None if taken is None else BEGAN + timedelta(seconds=taken)
    assert seconds_taken(BEGAN, completed, alive_at, age) == pytest.approx(expected)
    assert seconds_taken(None, completed, alive_at, age) == pytest.approx((max(0.0, alive_at) + max(age, alive_at)) / 2)


def test_a_prior_of_the_users() -> None:
    """Who knows better than the catalogue says so, and is believed as much as was asked for."""
    sure = Prior(seconds=60.0, spread=0.1, surprise=0.01, weight=50.0)
    assert median(Durations(sure).law(KIND, 0.0)) == pytest.approx(60.0, rel=0.05)
    assert median(learned([100.0] * 5, prior=sure).law(KIND, 1e3)) < 70.0


@pytest.mark.parametrize("value", [0, -1, float("nan"), True, "5"], ids=str)
@pytest.mark.parametrize("name", ["seconds", "share", "spread", "surprise", "weight"])
def test_priors_are_checked(name: str, value: Any) -> None:
    """No number of a prior is 0, negative or none at all; the error names it."""
    with pytest.raises(ConfigurationError, match=rf"^Prior\.{name} must be a number above 0, and is "):
        Prior(**{name: value})


@given(st.lists(st.tuples(st.floats(0.0, 1e4), st.floats(0.0, 1e4), st.floats(0.0, 1e4)), max_size=30))
def test_any_order_of_events(events: list[tuple[float, float, float]]) -> None:
    """Ages that jump, clocks that stand still, tasks that end before they were seen alive: a law comes out."""
    known = Durations()
    for before, age, now in events:
        known.alive(KIND, before, age, now)
        known.ended(KIND, age, before, now)
        law = known.law(KIND, now)
        assert all(0.0 < risk <= 1.0 for risk in law.risks)
        assert 0.0 < law.area < 1e4


def test_events_cost_the_same_however_many_there_were() -> None:
    """What is kept does not grow with the tasks."""
    known, chance = Durations(), random.Random(1)
    for number in range(3000):
        known.ended(KIND, NEVER, chance.uniform(50.0, 150.0), float(number))
    tally = known.kinds[KIND]
    assert (len(tally.reached), len(tally.ended), len(known.kinds)) == (BINS, BINS, 1)
    assert tally.effective < 2 * FORGET_TASKS
    assert max(tally.reached) < 1e12


@pytest.mark.parametrize("share", [0.1, 0.5, 0.75, 0.9])
def test_the_age_by_which_a_share_has_ended(share: float) -> None:
    """It is where as many of the tasks that were seen had ended, and it is never before that of a smaller share."""
    seconds = lognormal(100.0, 0.3, 400)
    law = law_from(seconds)
    assert law.age_when_ended(share) == pytest.approx(sorted(seconds)[int(share * 400)], rel=0.1)
    assert law.age_when_ended(share) <= law.age_when_ended(min(1.0, share + 0.1))
    assert law.age_when_ended(1.0) <= EDGES[-1]
