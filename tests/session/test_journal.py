"""Keys that outlive the session: what a journal knows of a job, the next session knows, too."""

from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from seedance_async import (
    BudgetExceededError,
    ConfigurationError,
    FixedPolling,
    InputError,
    JobState,
    JournalError,
    KeyConflictError,
    OutcomeUnknownError,
    TaskFailedError,
    TextToVideo,
    WithdrawnError,
)
from seedance_async.hooks import Accepted
from seedance_async.journal.sqlite import SqliteJournal
from seedance_async.testing import Fault
from tests.session.service import PRICE_480P, Start, end, lakes, slots, until

ZERO = Decimal(0)
LAKE = TextToVideo("a lake", output_resolution="480p")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the journal of a test is."""
    return tmp_path / "videos.db"


async def test_a_finished_key_is_asked_for_once(start: Start, file: Path) -> None:
    """A key whose video is made gives it in a later session; its signed link was not kept, which costs one poll."""
    service = await start()
    first = await service.open(journal=file)
    made = await first.generate(LAKE, key="order-17")
    await first.aclose()
    before = service.emulator.statistics()
    second = await service.open(journal=file)
    handle = second.enqueue(LAKE, key="order-17")
    assert (handle.task_id, slots(second)) == (made.task_id, (0, 0))
    result = await handle
    assert (result.task_id, result.credits_used, result.completed_at) == (
        made.task_id,
        made.credits_used,
        made.completed_at,
    )
    assert second.attach(key="order-17") is handle
    assert second.pending == ()
    after = service.emulator.statistics()
    assert (after.creates, after.polls) == (1, before.polls + 1)
    now = second.statistics()
    assert (now.credits_used, now.credits_reserved) == (PRICE_480P, ZERO)


async def test_a_finished_key_with_plain_links_is_answered_without_a_request(start: Start, file: Path) -> None:
    """Links that are not signed are kept, so a finished job is done at once."""
    service = await start()
    first = await service.open(journal=file)
    made = await first.generate(LAKE, key="order-17")
    record = first.journal.get("order-17")
    assert record is not None
    assert record.result is not None
    assert [output.url for output in record.result.outputs] == [None]
    await first.aclose()
    output = evolve(record.result.outputs[0], url="https://static.example.com/lake.mp4")
    journal = SqliteJournal(file)
    await journal.open()
    await journal.write([evolve(record, result=evolve(record.result, outputs=(output,)))])
    await journal.aclose()
    before = service.emulator.statistics()
    second = await service.open(journal=file)
    handle = second.enqueue(LAKE, key="order-17")
    assert handle.done()
    assert (handle.status, handle.inputs) == ("success", LAKE)
    result = handle.result()
    assert (result.url, result.task_id) == ("https://static.example.com/lake.mp4", made.task_id)
    assert (result.created_at, result.credits_used) == (made.created_at, made.credits_used)
    assert second.attach(key="order-17") is handle
    assert service.emulator.statistics() == before


async def test_a_running_key_is_attached(start: Start, file: Path) -> None:
    """A key whose task ran when the session closed is watched by the next one, in a slot, and not sent again."""
    service = await start()
    first = await service.open(journal=file)
    task_id = (await first.submit(LAKE, key="order-17")).task_id
    await first.aclose()
    second = await service.open(journal=str(file))
    handle = second.enqueue(LAKE, key="order-17")
    assert (handle.task_id, slots(second)) == (task_id, (1, 0))
    assert second.pending == (handle,)
    assert (await handle).task_id == task_id
    assert service.emulator.statistics().creates == 1
    record = second.journal.get("order-17")
    assert record is not None
    assert record.state is JobState.SUCCEEDED


async def test_resume_attaches_what_runs_and_queues_what_waits(start: Start, file: Path) -> None:
    """After `resume` every task that ran holds a slot before anything leaves, and what waited leaves in its order."""
    service = await start(limit=2)
    first = await service.open(journal=file, concurrency=2)
    before = [first.enqueue(inputs, key=f"order-{number}") for number, inputs in enumerate(lakes(6))]
    await until(lambda: first.statistics().accepted == 2)
    await first.aclose()
    assert {type(await end(handle)).__name__ for handle in before} == {"SessionClosedError"}
    second = await service.open(journal=file, concurrency=2)
    assert second.pending == ()
    handles = await second.resume()
    assert [handle.key for handle in handles] == [f"order-{number}" for number in range(6)]
    assert slots(second) == (2, 4)
    assert [handle.status for handle in handles] == ["waiting"] * 2 + ["queued"] * 4
    results = [await handle for handle in handles]
    assert len({result.task_id for result in results}) == 6
    statistics = service.emulator.statistics()
    assert (statistics.creates, statistics.accepted) == (6, 6)
    later = [event.key for event in service.ear.all(Accepted)][2:]
    assert later == ["order-2", "order-3", "order-4", "order-5"]


async def test_resume_twice_is_resume_once(start: Start, file: Path) -> None:
    """A second `resume` returns the same handles and sends nothing."""
    service = await start(limit=1)
    first = await service.open(journal=file, concurrency=1)
    for number, inputs in enumerate(lakes(3)):
        first.enqueue(inputs, key=f"order-{number}")
    await until(lambda: first.statistics().accepted == 1)
    await first.aclose()
    second = await service.open(journal=file, concurrency=1)
    handles = await second.resume()
    assert await second.resume() == handles
    await second.drain()
    assert service.emulator.statistics().accepted == 3


async def test_jobs_without_a_key_are_durable_too(start: Start, file: Path) -> None:
    """A job whose key was made up is resumed like any other."""
    service = await start(limit=1)
    first = await service.open(journal=file, concurrency=1)
    names = {first.enqueue(inputs).key for inputs in lakes(2)}
    await until(lambda: first.statistics().accepted == 1)
    await first.aclose()
    second = await service.open(journal=file, concurrency=1)
    assert {handle.key for handle in await second.resume()} == names
    await second.drain()
    assert service.emulator.statistics().accepted == 2


async def test_an_unknown_key_is_never_sent_again_by_itself(start: Start, file: Path) -> None:
    """A lost answer stays unknown in later sessions, counts as spent, and is resubmitted on request alone."""
    service = await start(faults=[Fault("drop-after-accept", on="create", count=1)])
    first = await service.open(journal=file)
    assert isinstance(await end(first.enqueue(LAKE, key="order-17")), OutcomeUnknownError)
    await first.aclose()
    second = await service.open(journal=file)
    assert await second.resume() == ()
    handle = second.enqueue(LAKE, key="order-17")
    error = handle.exception()
    assert isinstance(error, OutcomeUnknownError)
    assert (error.key, error.charged, error.credits) == ("order-17", "maybe", PRICE_480P)
    assert second.journal.credits.maybe == PRICE_480P
    assert second.statistics().credits_maybe == PRICE_480P
    again = second.enqueue(LAKE, key="order-17", resubmit_unknown=True)
    assert (await again).task_id != service.tasks()[0]
    assert service.emulator.statistics().accepted == 2
    assert (second.journal.credits.used, second.journal.credits.maybe) == (PRICE_480P, PRICE_480P)


async def test_a_hint_makes_an_unknown_job_an_ordinary_one(start: Start, file: Path) -> None:
    """Told the task id of a lost create, the session watches it, settles its credits and never sends another."""
    service = await start(faults=[Fault("drop-after-accept", on="create", count=1)])
    first = await service.open(journal=file)
    lost = first.enqueue(LAKE, key="order-17")
    assert isinstance(await end(lost), OutcomeUnknownError)
    (task_id,) = service.tasks()
    with pytest.raises(InputError, match="stands for no job"):
        first.attach(task_id, key="order-18")
    handle = first.attach(task_id, key="order-17")
    assert handle is lost
    assert slots(first) == (1, 0)
    assert (await handle).task_id == task_id
    statistics = first.statistics()
    assert (statistics.unknown, statistics.credits_maybe, statistics.credits_used) == (0, ZERO, PRICE_480P)
    assert slots(first) == (0, 0)
    with pytest.raises(InputError, match="is succeeded; only one whose outcome is unknown"):
        first.attach("task_other", key="order-17")
    await first.aclose()
    second = await service.open(journal=file)
    assert (await second.enqueue(LAKE, key="order-17")).task_id == task_id
    assert second.journal.credits.maybe == 0


async def test_a_hint_in_a_later_session(start: Start, file: Path) -> None:
    """The hint may come after a restart."""
    service = await start(faults=[Fault("drop-after-accept", on="create", count=1)])
    first = await service.open(journal=file)
    await end(first.enqueue(LAKE, key="order-17"))
    await first.aclose()
    second = await service.open(journal=file)
    (task_id,) = service.tasks()
    assert (await second.attach(task_id, key="order-17")).task_id == task_id
    assert second.statistics().credits_maybe == 0
    assert second.statistics().credits_used == PRICE_480P


async def test_a_failed_key_keeps_its_error(start: Start, file: Path) -> None:
    """A failed task's error comes back with its words; `retry_failed` makes another attempt."""
    service = await start()
    first = await service.open(journal=file)
    doomed = TextToVideo("a lake [fail:moderation]", output_resolution="480p")
    error = await end(first.enqueue(doomed, key="order-17"))
    assert isinstance(error, TaskFailedError)
    await first.aclose()
    second = await service.open(journal=file)
    again = second.enqueue(doomed, key="order-17").exception()
    assert isinstance(again, TaskFailedError)
    assert (again.kind, again.code, again.message, again.task_id) == (
        error.kind,
        error.code,
        error.message,
        error.task_id,
    )
    assert (again.charged, str(again)) == ("no", str(error))
    retried = second.enqueue(doomed, key="order-17", retry_failed=True)
    assert not retried.done()
    await end(retried)
    assert service.emulator.statistics().accepted == 2
    assert second.journal.credits.used == 0


async def test_other_inputs_are_a_conflict_after_a_restart(start: Start, file: Path) -> None:
    """A key that runs or has finished stands for its inputs; one that was never accepted takes new ones."""
    service = await start(limit=1)
    first = await service.open(journal=file, concurrency=1)
    await first.submit(LAKE, key="runs")
    first.enqueue(LAKE, key="waits")
    withdrawn = first.enqueue(LAKE, key="withdrawn")
    assert withdrawn.cancel()
    await first.aclose()
    second = await service.open(journal=file, concurrency=1)
    with pytest.raises(KeyConflictError):
        second.enqueue(LAKE, key="runs", duration=9)
    assert second.enqueue(LAKE, key="waits", duration=9).status == "queued"
    assert second.enqueue(LAKE, key="withdrawn", duration=9).status == "queued"
    record = second.journal.get("waits")
    assert record is not None
    assert record.inputs["duration"] == 9


async def test_a_withdrawn_job_is_not_resumed(start: Start, file: Path) -> None:
    """What its caller took back stays so: `resume` does not spend on it, and its key is free."""
    service = await start(limit=1)
    first = await service.open(journal=file, concurrency=1)
    await first.submit(LAKE, key="runs")
    assert first.enqueue(LAKE, key="order-17").cancel()
    await first.aclose()
    second = await service.open(journal=file, concurrency=1)
    assert [handle.key for handle in await second.resume()] == ["runs"]
    assert isinstance(second.attach(key="order-17").exception(), WithdrawnError)


async def test_variants(start: Start, file: Path) -> None:
    """A variant is a job of its own, under a key that says so."""
    service = await start()
    session = await service.open(journal=file)
    one, two = session.enqueue(LAKE, key="order-17"), session.enqueue(LAKE, key="order-17", variant=2)
    assert (one.key, two.key) == ("order-17", "order-17#2")
    assert session.enqueue(LAKE, key="order-17", variant=2) is two
    assert session.attach(key="order-17#2") is two
    assert (await one).task_id != (await two).task_id
    for variant, text in ((0, "whole number from 1"), (True, "whole number from 1"), ("2", "whole number from 1")):
        with pytest.raises(InputError, match=text):
            session.enqueue(LAKE, key="order-17", variant=variant)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="give the key, too"):
        session.enqueue(LAKE, variant=2)


async def test_the_budget_is_of_the_journal(start: Start, file: Path) -> None:
    """What sessions before have spent, and what may be gone, counts against the budget of this one."""
    service = await start(faults=[Fault("drop-after-accept", on="create", count=1)])
    first = await service.open(journal=file, budget=1000)
    await end(first.enqueue(LAKE, key="lost"))
    await first.generate(LAKE, key="made")
    await first.submit(LAKE, key="runs")
    await first.aclose()
    second = await service.open(journal=file, budget=4 * PRICE_480P)
    assert second.statistics().credits_reserved == PRICE_480P
    last = second.enqueue(LAKE, key="fits")
    await last
    with pytest.raises(BudgetExceededError, match="75 credits are needed and 0 are left in the budget"):
        second.enqueue(LAKE, key="more")
    await second.resume()
    await second.drain()
    now = second.statistics()
    assert (now.credits_used, now.credits_reserved, now.credits_maybe) == (3 * PRICE_480P, ZERO, PRICE_480P)
    assert second.journal.credits.used == Decimal(3) * PRICE_480P


async def test_a_queued_job_over_the_budget_stays_queued(start: Start, file: Path) -> None:
    """`resume` under a smaller budget says which jobs do not fit, and leaves them to a session with more."""
    service = await start(limit=1)
    first = await service.open(journal=file, concurrency=1)
    for number, inputs in enumerate(lakes(3)):
        first.enqueue(inputs, key=f"order-{number}")
    await until(lambda: first.statistics().accepted == 1)
    await first.aclose()
    second = await service.open(journal=file, concurrency=1, budget=2 * PRICE_480P)
    handles = await second.resume()
    assert [type(await end(handle)).__name__ for handle in handles] == ["NoneType", "NoneType", "BudgetExceededError"]
    await second.aclose()
    third = await service.open(journal=file, concurrency=1)
    (left,) = await third.resume()
    assert left.key == "order-2"
    await left
    assert service.emulator.statistics().accepted == 3


async def test_the_book(start: Start, file: Path) -> None:
    """`session.journal` tells of every job, in any state, with notes that are durable."""
    service = await start(limit=1)
    session = await service.open(journal=file, concurrency=1)
    await session.generate(LAKE, key="made")
    await session.submit(LAKE, key="runs")
    session.enqueue(LAKE, key="waits")
    book = session.journal
    assert [record.key for record in book.jobs()] == ["made", "runs", "waits"]
    assert [record.key for record in book.jobs(JobState.RUNNING, JobState.QUEUED)] == ["runs", "waits"]
    assert book.get("nothing") is None
    assert (book.credits.used, book.credits.reserved, book.credits.maybe) == (PRICE_480P, PRICE_480P, ZERO)
    await book.note("made", file="lake.mp4", bytes=1234)
    await book.note("made", bytes=None)
    with pytest.raises(InputError, match="stands for no job of the journal"):
        await book.note("nothing", file="x")
    await session.aclose()
    second = await service.open(journal=file)
    record = second.journal.get("made")
    assert record is not None
    assert dict(record.notes) == {"file": "lake.mp4"}


async def test_what_is_not_there(start: Start, file: Path) -> None:
    """Without a journal there is no book and nothing to resume; a wrong one is refused where it is given."""
    service = await start()
    session = await service.open()
    with pytest.raises(ConfigurationError, match="has no journal"):
        _ = session.journal
    assert await session.resume() == ()
    with pytest.raises(InputError, match="stands for no job of this session or its journal"):
        session.attach(key="order-17")
    with pytest.raises(InputError, match="or a key is needed"):
        session.attach()
    with pytest.raises(ConfigurationError, match="journal must be a path or an object with the methods of Journal"):
        service.session(journal=5)
    unopened = service.session(journal=file)
    with pytest.raises(ConfigurationError, match="not open"):
        _ = unopened.journal


async def test_a_second_session_is_refused_at_once(start: Start, file: Path) -> None:
    """One journal has one writer; the second one is told so, and the first goes on."""
    service = await start()
    first = await service.open(journal=file)
    with pytest.raises(JournalError, match="in use"):
        await service.open(journal=file)
    await first.generate(LAKE, key="order-17")
    await first.aclose()
    second = await service.open(journal=file)
    assert second.journal.get("order-17") is not None


async def test_no_secret_is_in_the_file(start: Start, file: Path) -> None:
    """Neither the key nor a link that may be signed is in the journal once the create has left."""
    service = await start()
    session = await service.open(journal=file, polling=FixedPolling(5.0))
    await session.generate(
        "a lake", key="order-17", output_resolution="480p", callback_url="https://example.com/hook?token=s3cr3t-token"
    )
    await session.aclose()
    data = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert b"order-17" in data
    assert service.emulator.api_key.encode() not in data
    assert b"s3cr3t-token" not in data


async def test_another_service_is_not_asked_for_the_tasks_of_this_one(start: Start, file: Path) -> None:
    """Before any request, and nothing is lost: where they were sent to they are found again."""
    service, other = await start(), await start()
    first = await service.open(journal=file)
    made = await first.submit(LAKE, key="order-17")
    await first.aclose()
    with pytest.raises(JournalError, match="move_service=True"):
        await other.open(journal=file)
    statistics = other.emulator.statistics()
    assert (statistics.creates, statistics.polls) == (0, 0)
    third = await service.open(journal=file)
    assert [handle.task_id for handle in await third.resume()] == [made.task_id]
    assert await end(third.attach(key="order-17")) is None
