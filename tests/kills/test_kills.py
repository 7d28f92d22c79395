"""Batches whose processes are killed, really, and in the end are done: paid once, and with every file.

Not part of `make test`, because of the time that they take: `make kills` runs them, `make soak` does so for as long as
one likes.
"""

import sys
from itertools import count
from random import Random
from typing import Final

import pytest

from tests.kills.conftest import NewBatch
from tests.kills.orders import NOWHERE, Trap
from tests.kills.traps import drawn, each_write

pytestmark = [
    pytest.mark.kills,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGKILL nor fork"),
]

#: Deaths of each application at random moments.
_DEATHS: Final = 16
#: A batch of sixty writes to its journal about a hundred times; this is far below, and far above none.
_WRITES: Final = 60


def test_a_death_after_each_write(new_batch: NewBatch) -> None:
    """Processes are killed after their first write, their second and so on, until a whole batch needs fewer."""
    deaths = 0
    while True:
        batch = new_batch("calm", application="batch")
        batch.suffer(each_write(deaths + 1))
        assert batch.problems == [], batch.told()
        if batch.kills == 0:
            break
        deaths += batch.kills
    assert deaths > _WRITES


def test_a_death_before_each_step_in_the_folder(new_batch: NewBatch) -> None:
    """Processes are killed before they open, link, rename or remove a file, of a journal, a video or a report."""
    for number in count(1):
        batch = new_batch("calm", application="batch", jobs=2)
        is_over = batch.live(Trap(kind="step", number=number))
        batch.suffer()
        assert batch.problems == [], batch.told()
        if is_over:
            break
    assert number > 20


@pytest.mark.parametrize("service", ["calm", "troubled"])
@pytest.mark.parametrize("application", ["list", "journal", "batch", "resume"])
def test_deaths_at_random_moments(new_batch: NewBatch, application: str, service: str) -> None:
    """Processes of all kinds are killed whenever, whatever they are doing, and whatever the service does."""
    rng, deaths = Random(f"{application} {service}"), 0
    while deaths < _DEATHS:
        batch = new_batch(service, application=application)
        batch.suffer(drawn(rng, rng.uniform(0.1, 0.4)), answers_get_lost=service == "troubled")
        assert batch.problems == [], batch.told()
        deaths += batch.kills


@pytest.mark.parametrize(
    ("sabotage", "trap", "problem"),
    [
        ("intents are not written", Trap(kind="write", of="closing", point="before"), "lake-1 was paid 2 times"),
        ("closings are not written", Trap(kind="write", of="closing"), "lake-1 is read as"),
        ("a key is not written", Trap(kind="write"), "lake-1 was durable and is lost"),
        ("files are short", NOWHERE, "lake-1.mp4 is not complete"),
    ],
)
def test_what_is_wrong_is_found(new_batch: NewBatch, sabotage: str, trap: Trap, problem: str) -> None:
    """Nothing of the above is true of applications that do wrong on purpose."""
    batch = new_batch("calm", application="list", jobs=2, sabotage=sabotage)
    batch.live(trap)
    batch.live()
    batch.judge()
    assert any(found.startswith(problem) for found in batch.problems), batch.told()
