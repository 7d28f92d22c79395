"""What the emulator draws: it repeats by seed, and ids only where no client remembers them."""

from random import Random
from typing import Any

import attrs
import pytest

from seedance_async.testing import TypicalDurations, WorldTask
from tests.testing.conftest import Start
from tests.testing.test_world import accept, world


def test_typical_durations_are_seeded_and_near_the_documented_ones() -> None:
    """Log-normal around the typical time: half below it, nearly all within a factor of two."""
    model, rng = TypicalDurations(), Random(3)
    drawn = sorted(
        span.waiting + span.generating
        for span in (model.draw(model="seedance-20", resolution="720p", with_video=False, rng=rng) for _ in range(999))
    )
    assert 160 < drawn[499] < 200
    assert drawn[10] > 90
    assert drawn[-10] < 360
    with_video = model.draw(model="seedance-20", resolution="720p", with_video=True, rng=Random(3))
    without = model.draw(model="seedance-20", resolution="720p", with_video=False, rng=Random(3))
    assert with_video.generating == pytest.approx(2 * without.generating)


def test_a_part_of_the_tasks_fails_by_chance() -> None:
    """The rate is met over many tasks, and the same seed gives the same fates."""

    def fates(seed: int) -> list[bool]:
        here = world(limit=1000, credits=10**9, rng=Random(seed), failure_rate=0.2)
        return [accept(here).failure is not None for _ in range(1000)]

    assert 150 < sum(fates(1)) < 250
    assert fates(1) == fates(1) != fates(2)


def test_ids_are_drawn_apart_from_everything_else() -> None:
    """Other ids change neither how long tasks take, nor their fate, nor their seeds."""

    def run(ids: int) -> list[WorldTask]:
        here = world(limit=20, durations=TypicalDurations(), failure_rate=0.5, ids=Random(ids))
        return [accept(here) for _ in range(20)]

    ones, others = run(1), run(2)
    assert not {task.task_id for task in ones} & {task.task_id for task in others}
    assert [attrs.evolve(task, task_id="") for task in ones] == [attrs.evolve(task, task_id="") for task in others]


@pytest.mark.parametrize("seed", [0, 1])
async def test_the_same_seed_gives_the_same_world(start: Start, seed: int) -> None:
    """Ids, durations and fates repeat."""

    async def run() -> list[Any]:
        api = await start(limit=20, seed=seed, durations=None, failure_rate=0.5)
        return [
            (task.task_id, task.ends_at - task.created_at, task.failure)
            for task in [api.emulator.world.tasks[await api.task()] for _ in range(20)]
        ]

    assert await run() == await run()


@pytest.mark.parametrize(("fresh", "known"), [(False, True), (True, False)])
async def test_ids_of_an_emulator_started_again_are_new_if_asked_for(start: Start, *, fresh: bool, known: bool) -> None:
    """A client that remembers an id gets a 404 and not somebody else's video; durations repeat all the same."""
    first = await start(seed=5, durations=None, fresh_ids=fresh)
    old = await first.task("the first")
    again = await start(seed=5, durations=None, fresh_ids=fresh)
    new = await again.task("the second")
    assert (old == new) is known
    assert (await again.record(old))[0] == (200 if known else 404)
    ends = [api.emulator.world.tasks[name].ends_at for api, name in ((first, old), (again, new))]
    assert ends[0] == pytest.approx(ends[1], abs=0.1)
