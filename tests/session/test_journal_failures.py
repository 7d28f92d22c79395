"""A journal that cannot be written: what was not written down is not sent, and what was accepted is not lost."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from seedance_async import (
    AsyncSeedance,
    Item,
    JobState,
    JournalError,
    OutcomeUnknownError,
    SessionClosedError,
    TextToVideo,
)
from seedance_async.testing import Fault
from tests.session.brittle import BrittleJournal
from tests.session.service import PRICE_480P, Service, Start, clock, end, lakes, slots, until

LAKE = TextToVideo("a lake", output_resolution="480p")


@pytest.fixture
def journal(tmp_path: Path) -> BrittleJournal:
    """A journal that can be told to fail."""
    return BrittleJournal(tmp_path / "videos.db")


async def crash(session: AsyncSeedance, journal: BrittleJournal, tmp_path: Path) -> Path:
    """Copy what is on the disk, as a process that is killed now would leave it."""
    copy = tmp_path / "after-the-crash.db"
    for suffix in ("", "-wal", "-shm"):
        source = journal.path.with_name(journal.path.name + suffix)
        if source.exists():
            copy.with_name(copy.name + suffix).write_bytes(source.read_bytes())
    return copy


async def after(service: Service, path: Path, **options: Any) -> AsyncSeedance:
    """Open a session with what a crash left."""
    return await service.open(journal=path, **options)


async def test_no_intent_no_create(start: Start, journal: BrittleJournal) -> None:
    """A create whose intent is not written down is not sent; its job ends with the reason and costs nothing."""
    service = await start()
    session = await service.open(journal=journal, budget=1000)
    journal.failing = {-1}
    handle = session.enqueue(LAKE, key="order-17")
    error = await end(handle)
    assert isinstance(error, JournalError)
    assert (error.charged, error.key, error.task_id) == ("no", "order-17", None)
    assert "the disk is full" in str(error)
    assert service.emulator.statistics().creates == 0
    assert slots(session) == (0, 0)
    assert session.statistics().credits_reserved == 0


async def test_everything_that_waits_ends_with_it(start: Start, journal: BrittleJournal) -> None:
    """A journal that fails concerns every job in the queue; tasks that run are watched to their end."""
    service = await start(limit=1)
    session = await service.open(journal=journal, concurrency=1)
    running = await session.submit(LAKE, key="runs")
    waiting = [session.enqueue(inputs, key=f"order-{number}") for number, inputs in enumerate(lakes(5))]
    await asyncio.sleep(1)
    journal.failing = {-1}
    assert (await running).task_id in service.tasks()
    assert {type(await end(handle)) for handle in waiting} == {JournalError}
    assert service.emulator.statistics().creates == 1


async def test_a_disk_with_room_again(start: Start, journal: BrittleJournal) -> None:
    """Once writing works again so does the session; the jobs that had ended are still queued in the journal."""
    service = await start()
    session = await service.open(journal=journal)
    journal.failing = {1, 2}
    assert isinstance(await end(session.enqueue(LAKE, key="order-17")), JournalError)
    (handle,) = await session.resume()
    assert handle.key == "order-17"
    result = await handle
    assert service.tasks() == [result.task_id]


async def test_map_ends_with_the_journal(start: Start, journal: BrittleJournal) -> None:
    """`map` stops pulling, yields what runs, and raises the journal's error."""
    service = await start(limit=2)
    session = await service.open(journal=journal, concurrency=2)
    seen: list[Item] = []

    async def collect() -> None:
        pairs = ((f"order-{number}", inputs) for number, inputs in enumerate(lakes(300)))
        async with session.map(pairs) as items:
            async for item in items:
                journal.failing = {-1}
                seen.append(item)

    with pytest.raises(JournalError, match="disk is full"):
        await collect()
    assert sum(item.result is not None for item in seen) == 2
    assert service.emulator.statistics().accepted == 2


async def test_an_id_that_cannot_be_written(
    start: Start, journal: BrittleJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    """An accepted task whose id the journal does not take is printed, raised, pending, and watched to its end."""
    service = await start()
    session = await service.open(journal=journal)
    journal.fails_on = {JobState.RUNNING}
    handle = session.enqueue(LAKE, key="order-17")
    with pytest.raises(JournalError) as caught:
        await handle.accepted()
    (task_id,) = service.tasks()
    assert (caught.value.task_id, caught.value.key, caught.value.charged) == (task_id, "order-17", "yes")
    assert task_id in str(caught.value)
    assert task_id in capsys.readouterr().err
    assert session.pending == (handle,)
    await until(lambda: session.pending == ())
    assert (await handle).task_id == task_id
    record = session.journal.get("order-17")
    assert record is not None
    assert record.state is JobState.SUCCEEDED


async def test_an_id_that_is_lacking_at_the_end_is_printed(
    start: Start, journal: BrittleJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session that closes while a task's id is on its way into a journal that fails prints it."""
    service = await start()
    session = await service.open(journal=journal)
    journal.holds_on = {JobState.RUNNING}
    handle = session.enqueue(LAKE, key="order-17")
    await until(service.tasks)
    await asyncio.sleep(1)
    closing = asyncio.create_task(session.aclose(timeout=1))
    await asyncio.sleep(5)
    journal.failing = {-1}
    journal.held.set()
    await closing
    (task_id,) = service.tasks()
    assert task_id in capsys.readouterr().err
    assert session.pending == (handle,)


async def test_submit_returns_when_the_id_is_durable(start: Start, journal: BrittleJournal) -> None:
    """`submit` and `accepted` wait for the id to be on the disk; a slow disk holds up nothing else."""
    service = await start()
    session = await service.open(journal=journal)
    journal.holds_on = {JobState.RUNNING}
    submitting = asyncio.create_task(session.submit(LAKE, key="order-17"))
    await until(service.tasks)
    await asyncio.sleep(5)
    assert not submitting.done()
    late = asyncio.create_task(session.enqueue(LAKE, key="order-17").accepted())
    await asyncio.sleep(1)
    assert not late.done()
    journal.held.set()
    handle = await submitting
    assert [await late] == service.tasks()
    await handle


async def test_a_crash_with_a_create_on_the_wire(start: Start, journal: BrittleJournal, tmp_path: Path) -> None:
    """Killed between intent and answer, the job is unknown in the next session and is not sent again."""
    service = await start(faults=[Fault("hang-after-accept", on="create", count=1)])
    session = await service.open(journal=journal)
    session.enqueue(LAKE, key="order-17")
    await until(lambda: session.statistics().creates == 1)
    await asyncio.sleep(1)
    second = await after(service, await crash(session, journal, tmp_path))
    assert await second.resume() == ()
    error = await end(second.enqueue(LAKE, key="order-17"))
    assert isinstance(error, OutcomeUnknownError)
    assert "the process ended before the answer was written down" in str(error)
    record = second.journal.get("order-17")
    assert record is not None
    assert (record.state, second.journal.credits.maybe) == (JobState.UNKNOWN, PRICE_480P)


async def test_a_crash_before_the_intent_is_durable(start: Start, journal: BrittleJournal, tmp_path: Path) -> None:
    """Killed while the intent was being written, the job is queued: nothing had left."""
    service = await start()
    session = await service.open(journal=journal)
    session.enqueue(LAKE, key="first")
    await until(lambda: session.statistics().accepted == 1)
    journal.holds_on = {JobState.SENDING}
    session.enqueue(LAKE, key="order-17")
    await asyncio.sleep(5)
    assert session.statistics().creates == 1
    second = await after(service, await crash(session, journal, tmp_path))
    assert [handle.key for handle in await second.resume()] == ["first", "order-17"]
    journal.held.set()
    await session.drain()


async def test_a_crash_after_a_500(start: Start, journal: BrittleJournal, tmp_path: Path) -> None:
    """A create that was answered 500 and waits for its repeat is unknown after a crash: only its session repeats it."""
    service = await start(faults=[Fault("http-500", on="create")])
    session = await service.open(journal=journal)
    session.enqueue(LAKE, key="order-17")
    await until(lambda: session.statistics().creates == 2)
    second = await after(service, await crash(session, journal, tmp_path))
    assert await second.resume() == ()
    assert isinstance(await end(second.enqueue(LAKE, key="order-17")), OutcomeUnknownError)


async def test_each_create_has_an_intent_of_its_own(start: Start, journal: BrittleJournal) -> None:
    """A create that is repeated after a 500 is an attempt of its own, and so is what it may have cost."""
    service = await start(faults=[Fault("http-500", on="create", count=1)])
    session = await service.open(journal=journal)
    await session.generate(LAKE, key="order-17")
    record = session.journal.get("order-17")
    assert record is not None
    assert [(attempt.number, attempt.outcome, attempt.end) for attempt in record.attempts] == [
        (1, "unknown", None),
        (2, "accepted", "succeeded"),
    ]
    now = session.statistics()
    assert (now.credits_used, now.credits_maybe) == (PRICE_480P, PRICE_480P)
    assert (session.journal.credits.used, session.journal.credits.maybe) == (PRICE_480P, PRICE_480P)


async def test_closing_leaves_the_queue_in_the_journal(start: Start, journal: BrittleJournal) -> None:
    """Queued jobs end with the session; in the journal they wait for the next one."""
    service = await start(limit=1)
    session = await service.open(journal=journal, concurrency=1)
    handles = [session.enqueue(inputs, key=f"order-{number}") for number, inputs in enumerate(lakes(3))]
    await until(lambda: session.statistics().accepted == 1)
    await session.aclose()
    assert {type(await end(handle)) for handle in handles} == {SessionClosedError}
    assert [record.state.value for record in session.journal.jobs()] == ["running", "queued", "queued"]


async def test_a_failing_close_is_said(start: Start, journal: BrittleJournal, caplog: pytest.LogCaptureFixture) -> None:
    """What could not be written at the end is logged, and closing still ends; the journal is free again."""
    service = await start()
    session = await service.open(journal=journal)
    await session.generate(LAKE, key="order-17")
    journal.failing = {-1}
    session.enqueue(LAKE, key="order-18").cancel()
    await session.aclose()
    assert "the disk is full" in caplog.text
    again = await service.open(journal=journal.path)
    assert again.journal.get("order-17") is not None


@pytest.mark.parametrize(("timeout", "most"), [(0.5, 10.5), (20.0, 20.0)])
async def test_a_journal_that_hangs_does_not_hold_up_the_closing(
    start: Start, journal: BrittleJournal, capsys: pytest.CaptureFixture[str], timeout: float, most: float
) -> None:
    """It has ten seconds, or the time that creates have; then the id of what was paid is told and closing ends."""
    service = await start()
    session = await service.open(journal=journal)
    journal.holds_on = {JobState.RUNNING}
    handle = session.enqueue(LAKE, key="order-17")
    await until(lambda: session.statistics().accepted == 1)
    began = clock()
    await session.aclose(timeout)
    assert timeout <= clock() - began <= most + timeout + 0.5
    assert clock() - began >= 10.0
    (task_id,) = service.tasks()
    assert task_id in capsys.readouterr().err
    assert [pending.task_id for pending in session.pending] == [task_id]
    error = await end(handle)
    assert isinstance(error, SessionClosedError)
    assert error.charged == "yes"
    # It was left to itself: what it was writing is written, and the journal is free, once the disk works again.
    journal.held.set()
    await until(lambda: not journal.path.with_name("videos.db-wal").exists())
    again = await service.open(journal=journal.path)
    assert [found.task_id for found in await again.resume()] == [task_id]
