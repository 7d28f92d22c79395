"""P1, slots full, and P4, over the limit is normal: 429s resize the slots, nobody stampedes, all get through."""

import asyncio

import pytest

from seedance_async import FixedPolling, Polling, PollingPolicy
from seedance_async.core.growth import TRIAL_EVERY, TRUSTED
from seedance_async.hooks import LimitChanged, Refusal
from seedance_async.testing import Fault
from tests.session.service import Service, Start, clock, lakes, slots, until


def prompts(service: Service) -> list[str]:
    """Return the prompts in the order in which the service accepted them."""
    return [task.order.prompt for task in service.emulator.world.tasks.values()]


async def test_a_limit_below_the_number_of_tasks_is_no_error(start: Start) -> None:
    """Ten jobs on three slots all succeed, in order, and the service refuses hardly any create."""
    service = await start(limit=3)
    session = await service.open(concurrency=10)
    results = await asyncio.gather(*(session.generate(inputs) for inputs in lakes(10)))
    assert len({result.task_id for result in results}) == 10
    seen = service.emulator.statistics()
    assert prompts(service) == [f"lake {n}" for n in range(10)]
    assert seen.peak_in_progress == 3
    assert session.statistics().limit == 3
    assert seen.refusals <= 4
    # Four rounds of a minute, with two seconds until each end is seen.
    assert clock() < 4 * 66


async def test_five_hundred_waiters_do_not_stampede(start: Start) -> None:
    """With five hundred jobs and fifty slots, believed to be five hundred, the account refuses a handful."""
    service = await start(limit=50)
    session = await service.open(concurrency=500, polling=FixedPolling(5.0))
    handles = [session.enqueue(inputs) for inputs in lakes(500)]
    await session.drain()
    assert all(handle.status == "success" for handle in handles)
    seen = service.emulator.statistics()
    assert (seen.accepted, seen.peak_in_progress) == (500, 50)
    # As many as were on the wire together where the limit was met, then a growth probe now and then.
    assert seen.refusals <= 20
    assert prompts(service) == [f"lake {n}" for n in range(500)]
    assert clock() < 10 * 60 * 1.3


@pytest.mark.parametrize("polling", [FixedPolling(4.0), PollingPolicy()], ids=["close", "by age"])
async def test_a_limit_that_falls_and_rises_again(start: Start, polling: Polling) -> None:
    """50, then 4, then 50 under five hundred waiters: two refusals at most for each change; order kept; all done."""
    service = await start(limit=50)
    session = await service.open(concurrency=50, polling=polling)
    handles = [session.enqueue(inputs) for inputs in lakes(500)]
    await until(lambda: service.emulator.world.in_progress == 50)
    assert service.emulator.statistics().refusals == 0
    service.emulator.world.limit = 4
    await asyncio.sleep(300)
    assert service.emulator.statistics().refusals <= 2
    assert slots(session)[0] == 4
    service.emulator.world.limit = 50
    await until(lambda: service.emulator.world.in_progress == 20)
    await session.drain()
    assert all(handle.status == "success" for handle in handles)
    assert service.emulator.statistics().refusals <= 4
    assert prompts(service) == [f"lake {n}" for n in range(500)]


async def test_the_whole_limit_is_used_again_some_time_after_it_rose(start: Start) -> None:
    """A limit that the service named is tried again ten or twenty minutes later, and then doubles until it is found."""
    service = await start(limit=4)
    session = await service.open(concurrency=16, polling=FixedPolling(10.0))
    for inputs in lakes(80, " [takes:300]"):
        session.enqueue(inputs)
    await asyncio.sleep(310)
    refusals = service.emulator.statistics().refusals
    service.emulator.world.limit = 16
    began = clock()
    await until(lambda: service.emulator.world.in_progress > 4, timeout=2 * TRUSTED)
    found = clock()
    assert found - began >= TRUSTED - 310
    await until(lambda: service.emulator.world.in_progress == 16, timeout=3 * TRIAL_EVERY)
    assert service.emulator.statistics().refusals == refusals


async def test_foreign_tasks_in_the_account_are_left_their_slots(start: Start) -> None:
    """Slots that others use are counted after the first refusal: the account is probed, not hammered."""
    service = await start(limit=5, foreign=3)
    session = await service.open(concurrency=5)
    handles = [session.enqueue(inputs) for inputs in lakes(10)]
    await session.drain()
    assert all(handle.status == "success" for handle in handles)
    seen = service.emulator.statistics()
    assert seen.peak_in_progress == 2
    # Five rounds of a minute; all the time a timer probes, at intervals that grow to half a minute and stay there.
    assert seen.refusals <= 20
    assert prompts(service) == [f"lake {n}" for n in range(10)]


async def test_the_slots_of_foreign_tasks_are_used_once_they_have_gone(start: Start) -> None:
    """A full account is probed by a timer; when its other users stop, all slots are ours within a minute or so."""
    service = await start(limit=5, foreign=5)
    session = await service.open(concurrency=5)
    for inputs in lakes(50):
        session.enqueue(inputs)
    await asyncio.sleep(300)
    refusals = service.emulator.statistics().refusals
    assert 8 <= refusals <= 30
    assert service.emulator.statistics().accepted == 0
    service.emulator.world.foreign = 0
    await until(lambda: service.emulator.world.in_progress == 5, timeout=90)
    await session.drain()


async def test_a_429_without_numbers_changes_no_limit(start: Start) -> None:
    """The session pauses, and then goes on with the limit that it had."""
    service = await start(limit=5, faults=["429-without-numbers:nth=2"])
    session = await service.open(concurrency=5)
    handles = [session.enqueue(inputs) for inputs in lakes(5)]
    await until(lambda: service.emulator.world.in_progress == 5, timeout=60)
    assert service.ear.all(LimitChanged) == []
    assert [(refusal.limit, refusal.current) for refusal in service.ear.all(Refusal)] == [(None, None)]
    assert session.statistics().limit == 5
    await asyncio.gather(*handles)
    assert prompts(service) == [f"lake {n}" for n in range(5)]


async def test_a_429_without_numbers_is_met_with_growing_pauses(start: Start) -> None:
    """A service that refuses everything without saying why is asked twice a minute at most, by one job."""
    service = await start(limit=5, faults=["429-without-numbers:until=600"])
    session = await service.open(concurrency=5)
    handles = [session.enqueue(inputs) for inputs in lakes(20)]
    await asyncio.sleep(600)
    assert 15 <= service.emulator.statistics().creates <= 50
    assert service.emulator.statistics().creates_by_prompt.keys() == {"lake 0", "lake 1"}
    await asyncio.gather(*handles)


@pytest.mark.parametrize("value", ["45", "date"])
async def test_retry_after_is_obeyed(start: Start, value: str) -> None:
    """Nothing leaves before the time that the service names, as seconds or as a date."""
    from datetime import UTC, datetime, timedelta
    from email.utils import format_datetime

    # A date is compared with the wall clock, which stands still here.
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=45), usegmt=True) if value == "date" else value
    service = await start(limit=5)
    service.emulator.faults.add(_refusal(header))
    session = await service.open(concurrency=5)
    for inputs in lakes(5):
        session.enqueue(inputs)
    await asyncio.sleep(43)
    first = service.emulator.statistics().creates
    assert first <= 2
    assert service.emulator.statistics().accepted == first - 1
    await asyncio.sleep(4)
    assert service.emulator.world.in_progress == 5


async def test_slots_that_the_service_frees_late_are_learned(start: Start) -> None:
    """Two tasks whose slots linger after their ends teach how long; then creates leave when the slot is free."""
    service = await start(limit=3, faults=["slots-freed-late:seconds=20"])
    session = await service.open(concurrency=3)
    handles = [session.enqueue(inputs) for inputs in lakes(40)]
    await session.drain()
    assert all(handle.status == "success" for handle in handles)
    seen = service.emulator.statistics()
    assert seen.accepted == 40
    # Without that there were two or three for each task.
    assert seen.refusals <= 26
    assert prompts(service) == [f"lake {n}" for n in range(40)]


async def test_auto_finds_the_limit_and_obeys_the_numbers(start: Start) -> None:
    """`concurrency="auto"` begins with five slots, finds twenty for one refusal, and follows it down."""
    service = await start(limit=20)
    session = await service.open(concurrency="auto")
    for inputs in lakes(160, " [takes:90]"):
        session.enqueue(inputs)
    await asyncio.sleep(1)
    assert slots(session) == (5, 155)
    await until(lambda: session.statistics().limit == 20, timeout=15)
    await until(lambda: service.emulator.world.in_progress == 20, timeout=20)
    await asyncio.sleep(300)
    assert service.emulator.statistics().refusals == 1
    service.emulator.world.limit = 2
    await asyncio.sleep(200)
    assert session.statistics().limit == 2
    assert service.emulator.world.in_progress == 2
    assert service.emulator.statistics().refusals <= 3


async def test_auto_learns_a_larger_limit_from_a_refusal(start: Start) -> None:
    """A 429 that names a larger limit, because others use the account, is believed."""
    service = await start(limit=20, foreign=18)
    session = await service.open(concurrency="auto")
    for inputs in lakes(60):
        session.enqueue(inputs)
    await until(lambda: session.statistics().limit == 20, timeout=30)
    service.emulator.world.foreign = 0
    await until(lambda: service.emulator.world.in_progress == 20, timeout=600)


async def test_an_int_is_a_ceiling(start: Start) -> None:
    """However many tasks the service would take, no more than `concurrency` are in progress."""
    service = await start(limit=100)
    session = await service.open(concurrency=4)
    await asyncio.gather(*(session.generate(inputs) for inputs in lakes(20)))
    assert service.emulator.statistics().peak_in_progress == 4
    assert service.emulator.statistics().refusals == 0


async def test_a_slot_is_filled_again_as_soon_as_its_task_is_seen_to_end(start: Start) -> None:
    """Between the look that sees an end and the next create no timer stands."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    first, second = session.enqueue("first"), session.enqueue("second")
    await first
    ended = clock()
    await second.accepted()
    assert clock() - ended < 0.1


def _refusal(header: str) -> Fault:
    return Fault("429-without-numbers", nth=2, value=header)
