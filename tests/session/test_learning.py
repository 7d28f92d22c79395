"""A session learns how long its tasks take, and looks at them where they end (P1)."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from attrs import define, field

from seedance_async import (
    AsyncSeedance,
    FixedPolling,
    Look,
    Polling,
    PollingPolicy,
    TaskFailedError,
    TaskTimeoutError,
    Timeouts,
)
from seedance_async.testing.durations import TypicalDurations
from tests.session.service import Service, Start, clock, end, lakes

#: Tasks of about a hundred seconds, where the catalogue says 240.
HUNDRED = TypicalDurations(sigma=0.2, typical={"*": {"*": 100.0}})


@define
class Spy:
    """A policy that keeps what it was asked, and answers as another."""

    inner: PollingPolicy = field(factory=PollingPolicy)
    looks: list[Look] = field(factory=list[Look])

    def delay(self, look: Look) -> float:
        self.looks.append(look)
        return self.inner.delay(look)


class Stubborn:
    """A policy of the user's that does not look at the pressure."""

    def delay(self, look: Look) -> float:
        return 2.0


async def generate(session: AsyncSeedance, count: int) -> None:
    """Make so many videos, in one batch."""
    async with session.map(lakes(count)) as items:
        assert [item.error async for item in items] == [None] * count


def polls(service: Service) -> int:
    """How many requests for tasks have come."""
    return service.emulator.statistics().polls


async def test_fewer_polls_for_less_idleness(start: Start) -> None:
    """Beside asking every three seconds, slots are idle for less time, with no more requests."""
    spent: dict[str, tuple[float, float]] = {}
    for name, polling in {"fixed": FixedPolling(3.0), "learned": PollingPolicy()}.items():
        service = await start(limit=5, durations=HUNDRED, seed=3)
        began, session = clock(), await service.open(concurrency=5, polling=polling)
        await generate(session, 40)
        spent[name] = (clock() - began, polls(service))
        await service.close()
    assert spent["learned"][0] < spent["fixed"][0]
    assert spent["learned"][1] < spent["fixed"][1]


async def test_the_law_is_that_of_the_service(start: Start) -> None:
    """What a session has learned after a batch is how long tasks took, as the service says it."""
    service = await start(limit=5, durations=HUNDRED)
    session = await service.open(concurrency=5, polling=PollingPolicy())
    await generate(session, 40)
    assert session._opened is not None
    planner = session._opened.poller.planner
    ((kind, tally),) = planner.durations.kinds.items()
    assert kind.length == 5
    assert 30.0 < tally.effective <= 40.0
    law = planner.durations.law(kind, clock())
    assert law.depth(60.0) < 0.2 * law.depth(120.0)
    # Nothing runs any more, and nothing is wished for.
    assert planner.rate.wished < 1e-6


async def test_failures_count_and_what_others_created_does_not(start: Start) -> None:
    """A failed task frees a slot like any other. Of a task that was attached nobody knows the kind."""
    service = await start(limit=5, durations=20.0)
    session = await service.open(concurrency=2, polling=PollingPolicy())
    failed = await session.submit("a lake [fail:moderation]")
    other = await service.open(concurrency=2)
    created = await other.submit("a lake")
    assert isinstance(await end(failed), TaskFailedError)
    assert created.task_id is not None
    await session.attach(created.task_id)
    assert session._opened is not None
    durations = session._opened.poller.planner.durations
    assert [tally.effective > 0.9 for tally in durations.kinds.values() if tally.tasks] == [True]


async def test_a_policy_is_told_who_waits(start: Start) -> None:
    """Jobs that wait for a slot are told of, and those that do not wait any more are not."""
    service, spy = await start(limit=2, durations=30.0), Spy()
    session = await service.open(concurrency=2, polling=spy)
    await generate(session, 4)
    waiters = [look.waiters for look in spy.looks]
    assert set(waiters[:4]) == {True, False}
    assert not any(waiters[-4:])
    assert {look.typical for look in spy.looks} == {240.0}


async def test_the_age_is_that_of_the_last_poll(start: Start) -> None:
    """Ages of one task grow from 0, and gaps do not grow by the time an answer takes."""
    service, spy = await start(limit=1, durations=50.0), Spy()
    session = await service.open(concurrency=1, polling=spy)
    await session.generate("a lake", polling=FixedPolling(5.0))
    asked = polls(service)
    assert asked in {10, 11}
    await session.generate("a lake")
    ages = [look.age for look in spy.looks]
    assert ages[0] < 0.5
    assert all(sooner < later for sooner, later in pairwise(ages))


async def test_the_rate_of_a_session_is_bounded(start: Start) -> None:
    """However many tasks run, no second has more requests than the policy allows, but for the burst of half of one."""
    service = await start(limit=200, durations=60.0)
    session = await service.open(concurrency=200, polling=PollingPolicy(max_rate=5.0, min_interval=0.1))
    began = clock()
    await generate(session, 200)
    assert polls(service) <= 5.0 * (clock() - began) + 5.0
    assert session.statistics().succeeded == 200


@pytest.mark.parametrize("fixed", [FixedPolling(2.0), Stubborn()], ids=["fixed", "own"])
async def test_handles_that_do_not_yield_to_the_bound_starve_nobody(start: Start, fixed: Polling) -> None:
    """Beside many handles with an interval of their own, one with the session's policy is seen to end in time."""
    service = await start(limit=41, durations=200.0)
    session = await service.open(concurrency=41, polling=PollingPolicy(max_rate=5.0))
    others = [session.enqueue(each, polling=fixed) for each in lakes(40)]
    began, handle = clock(), session.enqueue("a lake")
    await handle
    assert clock() - began < 230.0
    await asyncio.gather(*others)


async def test_a_service_that_refuses_polls_is_not_hammered(start: Start) -> None:
    """While it answers 429 to each, few go; afterwards tasks are looked at as before, and none was given up."""
    service = await start(limit=20, durations=150.0, faults=["http-429:on=poll,since=10,until=110"])
    session = await service.open(concurrency=20, polling=FixedPolling(2.0))
    handles = [session.enqueue(each) for each in lakes(20)]
    await asyncio.sleep(20.0)
    before = polls(service)
    await asyncio.sleep(85.0)
    assert polls(service) - before <= 30
    assert [await end(handle) for handle in handles] == [None] * 20
    assert clock() < 175.0


async def test_tasks_that_nobody_waits_for_starve_nobody(start: Start) -> None:
    """Tasks whose wait is over are watched once a minute, and count as that for as long as they run."""
    service = await start(limit=41, durations=5000.0)
    session = await service.open(
        concurrency=41, polling=PollingPolicy(max_rate=0.5), timeouts=Timeouts(task=10.0, give_up_slot=1e6)
    )
    old = [session.enqueue(each) for each in lakes(40)]
    assert {type(await end(each)) for each in old} == {TaskTimeoutError}
    await asyncio.sleep(1500.0)
    assert session._opened is not None
    assert session._opened.poller.planner.rate.pressure < 2.0


async def test_an_attached_task_has_the_age_that_the_service_says(start: Start) -> None:
    """One that is attached near its end is not taken for a young one."""
    service, spy = await start(limit=2, durations=100.0), Spy()
    handle = await (await service.open(concurrency=2)).submit("a lake")
    await asyncio.sleep(80.0)
    # The wall clock stands still while virtual time passes, so the service's is put back.
    service.emulator.world.epoch -= 80.0
    session = await service.open(concurrency=2, polling=spy)
    assert handle.task_id is not None
    attached = session.attach(handle.task_id)
    await attached
    assert spy.looks[0].age == pytest.approx(80.0, abs=2.0)
    assert attached.elapsed == pytest.approx(100.0, abs=5.0)
    await handle


async def test_a_journal_carries_the_law_over(start: Start, tmp_path: Path) -> None:
    """A session that opens a journal looks at its first task where those of the session before ended."""
    service, spy = await start(limit=5, durations=100.0), Spy()
    first = await service.open(concurrency=5, journal=tmp_path / "videos.db", polling=PollingPolicy())
    await generate(first, 20)
    await first.aclose()
    second = await service.open(concurrency=1, journal=tmp_path / "videos.db", polling=spy)
    await second.generate(lakes(1)[0], key="one more")
    assert len([look.age for look in spy.looks if look.age < 60.0]) <= 2
    assert len(spy.looks) < 12
    # Without it, the first task of a kind is looked at all along.
    naive = Spy()
    third = await service.open(concurrency=1, polling=naive)
    await third.generate(lakes(1)[0])
    assert len([look.age for look in naive.looks if look.age < 60.0]) > 5
