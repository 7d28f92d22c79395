"""What a session keeps to where a hint, a plan, a slow disk or another caller comes between (P2, P3)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from seedance_async import (
    InputError,
    JobState,
    OutcomeUnknownError,
    TextToVideo,
    WithdrawnError,
)
from seedance_async.journal.book import PlannedJob
from seedance_async.testing import Fault, MemoryJournal, MemoryStore
from tests.session.brittle import BrittleJournal
from tests.session.service import PRICE_480P, Start, end, lakes, slots, until

LAKE = TextToVideo("a lake", output_resolution="480p")
SEA = TextToVideo("a sea", output_resolution="480p")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the journal of a test is."""
    return tmp_path / "videos.db"


async def test_resume_beside_jobs_without_a_key(start: Start, file: Path) -> None:
    """`resume` in a session that has jobs without a key in its queue does not queue them a second time."""
    service = await start(limit=1)
    session = await service.open(journal=file, concurrency=1)
    handles = [session.enqueue(inputs) for inputs in lakes(2)]
    await session.resume()
    await session.drain()
    assert [await end(handle) for handle in handles] == [None, None]
    assert service.emulator.statistics().accepted == 2


async def test_attach_by_the_made_up_key(start: Start, file: Path) -> None:
    """`attach(key=handle.key)` of a job without a key of the user's gives that job."""
    service = await start(limit=1)
    session = await service.open(journal=file, concurrency=1)
    handle = session.enqueue(LAKE)
    assert session.attach(key=handle.key) is handle
    await session.drain()
    assert service.emulator.statistics().accepted == 1


async def test_attach_with_a_wrong_hint_queues_nothing(start: Start, file: Path) -> None:
    """A hint for a key that is queued is refused, and does not send it."""
    service = await start()
    session = await service.open(journal=file)
    await session.journal.plan([PlannedJob("order-17", LAKE)])
    with pytest.raises(InputError, match="only one whose outcome is unknown"):
        session.attach("task_other", key="order-17")
    await asyncio.sleep(5)
    assert service.emulator.statistics().creates == 0


async def test_attach_by_an_old_id_spends_nothing(start: Start, file: Path) -> None:
    """`attach(task_id)` costs nothing, also where the key of that task was planned anew."""
    service = await start()
    first = await service.open(journal=file)
    doomed = TextToVideo("a lake [fail:moderation]", output_resolution="480p")
    handle = first.enqueue(doomed, key="order-17")
    await end(handle)
    await first.aclose()
    second = await service.open(journal=file)
    await second.journal.plan([PlannedJob("order-17", LAKE)])
    assert handle.task_id is not None
    assert second.attach(handle.task_id).task_id == handle.task_id
    await asyncio.sleep(5)
    assert service.emulator.statistics().creates == 1


async def test_attach_by_an_old_id_is_that_task(start: Start, file: Path) -> None:
    """`attach(task_id)` watches that task, not the newer one of its key."""
    service = await start()
    first = await service.open(journal=file)
    doomed = TextToVideo("a lake [fail:moderation]", output_resolution="480p")
    handle = first.enqueue(doomed, key="order-17")
    await end(handle)
    await first.aclose()
    second = await service.open(journal=file)
    await second.generate(LAKE, key="order-17")
    assert handle.task_id is not None
    assert second.attach(handle.task_id).task_id == handle.task_id


async def test_plan_of_a_job_that_waits(start: Start, file: Path) -> None:
    """What is sent for a key is what its record says."""
    service = await start(limit=1)
    session = await service.open(journal=file, concurrency=1)
    await session.submit("first", output_resolution="480p")
    session.enqueue(LAKE, key="order-17")
    await session.journal.plan([PlannedJob("order-17", SEA)])
    await session.drain()
    record = session.journal.get("order-17")
    assert record is not None
    assert record.task_id is not None
    assert service.emulator.world.tasks[record.task_id].order.prompt == record.inputs["prompt"]


async def test_plan_of_a_failed_job(start: Start, file: Path) -> None:
    """A key that failed and was planned anew is queued by `enqueue`, in the same session as well."""
    service = await start()
    session = await service.open(journal=file)
    doomed = TextToVideo("a lake [fail:moderation,times=1]", output_resolution="480p")
    await end(session.enqueue(doomed, key="order-17"))
    await session.journal.plan([PlannedJob("order-17", doomed)])
    assert await end(session.enqueue(doomed, key="order-17")) is None


async def test_plan_of_a_failed_job_with_other_inputs(start: Start, file: Path) -> None:
    """The same with other inputs."""
    service = await start()
    session = await service.open(journal=file)
    doomed = TextToVideo("a lake [fail:moderation]", output_resolution="480p")
    await end(session.enqueue(doomed, key="order-17"))
    await session.journal.plan([PlannedJob("order-17", SEA)])
    assert await end(session.enqueue(SEA, key="order-17")) is None


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"x", object()], ids=["nan", "set", "bytes", "object"])
async def test_a_note_that_is_no_json(start: Start, file: Path, value: object) -> None:
    """A wrong note is refused, and the session's journal works on."""
    service = await start()
    session = await service.open(journal=file)
    await session.generate(LAKE, key="order-17")
    with pytest.raises(InputError, match="JSON"):
        await session.journal.note("order-17", x=value)
    with pytest.raises(InputError, match="JSON"):
        await session.journal.plan([PlannedJob("order-17", LAKE, {"x": value})])
    await session.generate(SEA, key="order-18")


async def test_extra_that_is_no_json(start: Start, file: Path) -> None:
    """Inputs that are no JSON are refused as well, before they are in the journal."""
    service = await start()
    session = await service.open(journal=file)
    for value in (float("nan"), {1, 2}, b"x"):
        with pytest.raises(InputError):
            await session.generate("a lake", key=f"order-{value!r}", output_resolution="480p", extra={"x": value})
    await session.generate(SEA, key="order-18")


async def test_unknown_is_never_negative(start: Start, file: Path) -> None:
    """A hint in a later session takes nothing from what that session has counted."""
    service = await start(faults=[Fault("drop-after-accept", on="create", count=1)])
    first = await service.open(journal=file)
    await end(first.enqueue(LAKE, key="order-17"))
    await first.aclose()
    second = await service.open(journal=file)
    (task_id,) = service.tasks()
    await second.attach(task_id, key="order-17")
    assert second.statistics().unknown == 0


async def test_two_500s_and_a_refusal_are_two_that_may_be_paid(start: Start, file: Path) -> None:
    """The budget and the journal agree about what may be paid."""
    service = await start(faults=[Fault("http-500", on="create", count=2), Fault("http-400", on="create", nth=3)])
    session = await service.open(journal=file)
    assert isinstance(await end(session.enqueue(LAKE, key="order-17")), OutcomeUnknownError)
    assert session.journal.credits.maybe == 2 * PRICE_480P
    assert session.statistics().credits_maybe == 2 * PRICE_480P


async def test_a_finished_job_is_asked_for_without_a_slot(start: Start, file: Path) -> None:
    """A finished job whose link was not kept holds no slot, whatever way it was found."""
    service = await start()
    first = await service.open(journal=file)
    await first.generate(LAKE, key="order-17")
    await first.aclose()
    second = await service.open(journal=file)
    second.attach(key="order-17")
    second.attach(key="order-17")
    assert slots(second) == (0, 0)


async def test_a_late_failure_to_write_an_id_takes_no_result_away(start: Start, tmp_path: Path) -> None:
    """A task that was seen to end while its id was being written keeps its result, however the write ends."""
    service = await start()
    journal = BrittleJournal(tmp_path / "videos.db")
    session = await service.open(journal=journal)
    journal.holds_on = {JobState.RUNNING}
    journal.fails_on = {JobState.RUNNING}
    handle = session.enqueue("a lake [takes:5]", key="order-17", output_resolution="480p")
    await until(service.tasks)
    await asyncio.sleep(10)
    assert session.attach(key="order-17") is handle
    assert (await handle).task_id == handle.task_id
    journal.held.set()
    await asyncio.sleep(5)
    assert (handle.status, handle.exception()) == ("success", None)


async def test_who_attached_has_an_interest(start: Start, file: Path) -> None:
    """A caller that goes does not take a queued job from one who found it by its key."""
    service = await start(limit=1)
    session = await service.open(journal=file, concurrency=1)
    await session.submit("first", output_resolution="480p")
    caller = asyncio.create_task(session.generate(LAKE, key="order-17"))
    await asyncio.sleep(1)
    other = session.attach(key="order-17")
    caller.cancel()
    await asyncio.wait([caller])
    assert not isinstance(await end(other), WithdrawnError)


async def test_no_network_loses_no_queue(start: Start, file: Path) -> None:
    """Jobs that a session could not send because it reached nobody are queued again by the next `resume`."""
    service = await start(limit=1)
    first = await service.open(journal=file, concurrency=1)
    await first.journal.plan([PlannedJob("order-17", LAKE)])
    await first.aclose()
    second = await service.open(journal=file, base_url="http://127.0.0.1:9")
    for handle in await second.resume():
        await end(handle)
    await second.aclose()
    third = await service.open(journal=file)
    assert [handle.key for handle in await third.resume()] == ["order-17"]


async def test_a_wrong_api_key_loses_no_queue(start: Start, file: Path) -> None:
    """The same after a 401."""
    service = await start(limit=1)
    first = await service.open(journal=file, concurrency=1)
    await first.journal.plan([PlannedJob(f"order-{number}", inputs) for number, inputs in enumerate(lakes(5))])
    await first.aclose()
    second = await service.open(journal=file, api_key="wrong-key", concurrency=1)
    for handle in await second.resume():
        await end(handle)
    await second.aclose()
    third = await service.open(journal=file)
    assert len(await third.resume()) == 5


async def test_numbers_of_attempts_grow(start: Start, file: Path) -> None:
    """A hint does not turn the order of attempts round."""
    service = await start(
        faults=[Fault("error-after-accept", on="create", count=1), Fault("http-400", on="create", nth=2)]
    )
    session = await service.open(journal=file)
    await end(session.enqueue(LAKE, key="order-17"))
    (task_id,) = service.tasks()
    session.attach(task_id, key="order-17")
    record: Any = session.journal.get("order-17")
    numbers = [attempt.number for attempt in record.attempts]
    assert numbers == sorted(numbers)


async def test_one_task_one_slot(start: Start, file: Path) -> None:
    """A hint for a task that is watched by its id already makes one watch of both."""
    service = await start(faults=[Fault("drop-after-accept", on="create", count=1)])
    session = await service.open(journal=file)
    await end(session.enqueue(LAKE, key="order-17"))
    (task_id,) = service.tasks()
    session.attach(task_id)
    session.attach(task_id, key="order-17")
    assert slots(session) == (1, 0)
    await session.drain()
    assert slots(session) == (0, 0)


async def test_a_hint_with_the_task_of_another_key(start: Start, file: Path) -> None:
    """One task is of one key: a hint that names another key's task is refused."""
    service = await start(faults=[Fault("drop-after-accept", on="create", nth=2)])
    session = await service.open(journal=file)
    handle = await session.submit(LAKE, key="order-17")
    await end(session.enqueue(SEA, key="order-18"))
    with pytest.raises(InputError):
        session.attach(handle.task_id, key="order-18")


async def test_a_resumed_job_that_is_lost_here_is_counted_here(start: Start, file: Path) -> None:
    """`statistics().unknown` counts back what it counted, also for a job that a session before queued."""
    service = await start(faults=[Fault("drop-after-accept", on="create", count=1)])
    first = await service.open(journal=file)
    await first.journal.plan([PlannedJob("order-17", LAKE)])
    await first.aclose()
    second = await service.open(journal=file)
    (handle,) = await second.resume()
    await end(handle)
    assert second.statistics().unknown == 1
    (task_id,) = service.tasks()
    await second.attach(task_id, key="order-17")
    assert second.statistics().unknown == 0


async def test_a_record_tells_of_what_is_sent(start: Start, file: Path) -> None:
    """A queued job that another catalogue sends has that catalogue's price in the journal, as it has in the budget."""
    service = await start()
    first = await service.open(journal=file)
    await first.journal.plan([PlannedJob("order-17", TextToVideo("a lake"))])
    await first.aclose()
    second = await service.open(journal=file, catalogue="latest")
    (handle,) = await second.resume()
    await handle.accepted()
    assert second.journal.credits.reserved == second.statistics().credits_reserved
    record = second.journal.get("order-17")
    assert record is not None
    assert record.catalogue == "latest"


async def test_a_record_has_the_callback_url_that_is_sent(start: Start, file: Path) -> None:
    """A job that was queued once more with another callback_url is resumed with that one."""
    service = await start()
    first = await service.open(journal=file)
    await first.journal.plan([PlannedJob("order-17", LAKE)])
    first.enqueue(LAKE, key="order-17", callback_url="https://example.com/hook")
    record = first.journal.get("order-17")
    assert record is not None
    assert record.inputs.get("callback_url") == "https://example.com/hook"


async def test_a_close_beside_resume(start: Start) -> None:
    """Every handle of a `resume` that a close overtakes comes to an end."""
    service = await start(limit=1)
    store = MemoryStore()
    first = await service.open(journal=MemoryJournal(store))
    await first.journal.plan([PlannedJob(f"order-{number}", inputs) for number, inputs in enumerate(lakes(2000))])
    await first.aclose()
    second = await service.open(journal=MemoryJournal(store))
    resuming = asyncio.create_task(second.resume())
    await asyncio.sleep(0)
    await second.aclose(timeout=0)
    await asyncio.wait([resuming])
    if resuming.exception() is None:
        assert [handle for handle in resuming.result() if not handle.done()] == []
