"""What the parts of a session say to its journal: the record goes where the job goes, and nowhere without one."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedance_async import Catalogue, JobRecord, JobState, JournalError, PollingPolicy, TextToVideo, VideoResult
from seedance_async.core.answers import Cause
from seedance_async.core.lifecycle import Event, step
from seedance_async.core.outcome import Rejected, Unknown
from seedance_async.core.request import Request, prepare
from seedance_async.core.results import Output
from seedance_async.errors import (
    BadRequestError,
    OutcomeUnknownError,
    SeedanceError,
    TaskFailedError,
    TaskNotFoundError,
    WithdrawnError,
)
from seedance_async.job import Job
from seedance_async.journal.entries import Entries
from seedance_async.journal.keeper import Keeper
from seedance_async.testing import MemoryJournal, MemoryStore, VirtualClockLoop
from tests.session.journal_checks import check_record, check_successor

AT = datetime(2026, 11, 23, tzinfo=UTC)
PRICE = Decimal(75)


def lake(prompt: str = "a lake", **fields: Any) -> Request:
    """What to send."""
    return prepare(TextToVideo(prompt, output_resolution="480p", **fields), Catalogue.CLASSIC)


def job_of(request: Request | None = None, key: str = "order-17") -> Job:
    """A job that is queued."""
    return Job(key, lake() if request is None else request, PollingPolicy(), 60.0, patient=False, enqueued_at=0.0)


def result_of(task_id: str) -> VideoResult:
    """What a task has made."""
    output = Output("https://files.example/1.mp4?signature=s3cr3t", 1, 1, "video/mp4", 7, None)
    return VideoResult(task_id, "seedance-20", (output,), PRICE, AT, AT)


REFUSED = Rejected(BadRequestError(400, "no"))
LOST = Unknown(Cause("HTTP 500", "sorry"))


class Book:
    """Entries, and the last record of each key that they have put."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = MemoryStore() if store is None else store
        self.keeper = Keeper(MemoryJournal(self.store), lambda: AT)
        self.entries = Entries(self.keeper)

    async def open(self) -> "Book":
        await self.keeper.open()
        return self

    def record(self, key: str = "order-17") -> JobRecord:
        """Return what is known of a key, which holds to the rules of a record."""
        record = self.keeper.records[key]
        check_record(record)
        return record


async def test_without_a_journal_nothing_is_noted() -> None:
    """Every call does nothing; a job is not said to be journalled, and its digest is that of its request."""
    entries, job = Entries(), job_of()
    entries.queued(job)
    await entries.intend(job)
    entries.superseded(job, LOST)
    job.task_id = "task_1"
    entries.accepted(job)
    entries.resolved(job)
    entries.back(job, Event.NOT_SENT)
    entries.lost(job, OutcomeUnknownError("lost"))
    entries.unsent(job, Event.REFUSED, REFUSED.error)
    entries.left(job)
    entries.succeeded(job, result_of("task_1"))
    entries.ended(job, Event.GONE, TaskNotFoundError(404, "no"))
    await entries.durable()
    assert not job.journalled
    assert job.request is not None
    assert entries.digest(job) == job.request.digest


async def test_a_task_that_was_attached_by_its_id_is_not_noted() -> None:
    """It has no key of ours, and the journal keeps no record of it."""
    book = await Book().open()
    job = Job("task_1", None, PollingPolicy(), 60.0, patient=True, enqueued_at=0.0, task_id="task_1")
    book.entries.succeeded(job, result_of("task_1"))
    book.entries.ended(job, Event.GONE, TaskNotFoundError(404, "no"))
    book.entries.left(job)
    await book.entries.durable()
    assert book.keeper.records == {}
    assert book.store.writes == 0
    assert book.entries.digest(job) is None


async def test_an_ordinary_job() -> None:
    """Queued, sent, accepted, done: each is in the record, with price, digest and moments."""
    book, job = await Book().open(), job_of()
    book.entries.queued(job)
    record = book.record()
    assert job.request is not None
    assert (record.state, record.digest, record.credits) == (JobState.QUEUED, job.request.digest, PRICE)
    assert (record.catalogue, record.queued_at) == ("classic", AT)
    assert job.journalled
    await book.entries.intend(job)
    assert book.store.records == {"order-17": book.record()}
    assert book.record().state is JobState.SENDING
    job.task_id = "task_1"
    book.entries.accepted(job)
    assert (book.record().state, book.record().task_id) == (JobState.RUNNING, "task_1")
    book.entries.succeeded(job, result_of("task_1"))
    record = book.record()
    assert record.state is JobState.SUCCEEDED
    assert record.result is not None
    assert record.result.outputs[0].url is None, "a link that may be signed is not kept"
    assert record.last is not None
    assert record.last.credits_used == PRICE
    await book.entries.durable()
    assert book.store.records == {"order-17": record}


async def test_an_intent_that_is_not_written_is_raised() -> None:
    """The create must not leave, and the job is queued again once `left` has noted that it did not."""
    book, job = await Book(MemoryStore(fail_before={1})).open(), job_of()
    book.entries.queued(job)
    with pytest.raises(JournalError):
        await book.entries.intend(job)
    book.entries.left(job)
    record = book.record()
    assert (record.state, record.last and record.last.outcome) == (JobState.QUEUED, "not sent")
    book.entries.left(job)
    assert book.record() is record
    await book.entries.durable()
    await book.entries.intend(job)
    assert [attempt.outcome for attempt in book.record().attempts] == [None]


async def test_queued_again_by_the_next_session() -> None:
    """The same inputs leave a queued record as it is; others replace them. Its place and its notes stay."""
    book = await Book().open()
    book.entries.queued(job_of())
    await book.entries.durable()
    before, writes = book.record(), book.store.writes
    book.entries.queued(job_of())
    await book.entries.durable()
    assert (book.record(), book.store.writes) == (before, writes)
    book.entries.queued(job_of(lake("a sea")))
    assert book.record().inputs["prompt"] == "a sea"
    assert book.record().queued_at == before.queued_at


async def test_a_create_once_more_after_a_500() -> None:
    """Each create has an attempt of its own; one that may be paid is kept whatever the next one comes to."""
    book, job = await Book().open(), job_of()
    book.entries.queued(job)
    await book.entries.intend(job)
    book.entries.superseded(job, LOST)
    await book.entries.intend(job)
    assert [attempt.outcome for attempt in book.record().attempts] == ["unknown", None]
    book.entries.unsent(job, Event.LOST, OutcomeUnknownError("a later one was refused"))
    record = book.record()
    assert record.state is JobState.UNKNOWN
    assert [attempt.outcome for attempt in record.attempts] == ["unknown", "refused"]
    job.task_id = "task_1"
    book.entries.resolved(job)
    assert (book.record().state, book.record().task_id) == (JobState.RUNNING, "task_1")


async def test_a_create_once_more_with_its_duration_in_the_other_form() -> None:
    """The refused one cost nothing, so it is forgotten with the next intent."""
    book, job = await Book().open(), job_of()
    book.entries.queued(job)
    await book.entries.intend(job)
    book.entries.superseded(job, REFUSED)
    await book.entries.intend(job)
    assert [(attempt.number, attempt.outcome) for attempt in book.record().attempts] == [(2, None)]


@pytest.mark.parametrize(
    ("event", "error", "state"),
    [
        (Event.REFUSED, BadRequestError(400, "no"), JobState.REFUSED),
        (Event.WITHDRAWN, WithdrawnError("order-17"), JobState.WITHDRAWN),
    ],
)
async def test_a_job_that_ends_without_a_task(event: Event, error: SeedanceError, state: JobState) -> None:
    """Queued or on the wire, it says why it ended, and that it cost nothing."""
    for sent in (False, True):
        book, job = await Book().open(), job_of()
        book.entries.queued(job)
        if sent:
            await book.entries.intend(job)
            if event is Event.WITHDRAWN:
                book.entries.back(job, Event.OVER_LIMIT)
        book.entries.unsent(job, event, error)
        record = book.record()
        assert record.state is state
        assert record.error is not None
        assert (record.error.type, record.error.charged) == (type(error).__name__, "no")
        assert not any(attempt.costs for attempt in record.attempts)


@pytest.mark.parametrize(
    ("event", "error", "state"),
    [
        (Event.FAILED, TaskFailedError("task_1", "2038", "see https://x.example/?token=s3cr3t", "server"), "failed"),
        (Event.GONE, TaskNotFoundError(404, "not found"), "gone"),
    ],
)
async def test_a_task_that_ends_badly(event: Event, error: SeedanceError, state: str) -> None:
    """Its words are kept without what may be signed; what its job has ended once it does not end again."""
    book, job = await Book().open(), job_of()
    book.entries.queued(job)
    await book.entries.intend(job)
    job.task_id = "task_1"
    book.entries.accepted(job)
    book.entries.ended(job, event, error)
    record = book.record()
    assert (record.state.value, record.last and record.last.end) == (state, state)
    assert "s3cr3t" not in repr(record)
    book.entries.ended(job, event, error)
    book.entries.succeeded(job, result_of("task_1"))
    assert book.record() is record


async def test_the_digest_is_that_of_the_record() -> None:
    """A job that the journal knows is named by what was written down, whatever this release would make of it."""
    book, job = await Book().open(), job_of()
    book.entries.queued(job)
    assert job.request is not None
    assert book.entries.digest(job) == job.request.digest == book.record().digest


#: What the dispatcher, the register and the watch say after each move of a job.
_SAY: dict[Event, Callable[[Entries, Job], None]] = {
    Event.NOT_SENT: lambda entries, job: entries.back(job, Event.NOT_SENT),
    Event.OVER_LIMIT: lambda entries, job: entries.back(job, Event.OVER_LIMIT),
    Event.ACCEPTED: lambda entries, job: entries.accepted(job),
    Event.REFUSED: lambda entries, job: entries.unsent(job, Event.REFUSED, BadRequestError(400, "no")),
    Event.WITHDRAWN: lambda entries, job: entries.unsent(job, Event.WITHDRAWN, WithdrawnError(job.key)),
    Event.SUCCEEDED: lambda entries, job: entries.succeeded(job, result_of(str(job.task_id))),
    Event.FAILED: lambda entries, job: entries.ended(job, Event.FAILED, TaskFailedError("t", None, "no", "server")),
    Event.GONE: lambda entries, job: entries.ended(job, Event.GONE, TaskNotFoundError(404, "no")),
    Event.RESOLVED: lambda entries, job: entries.resolved(job),
}


@settings(max_examples=200)
@given(st.data())
def test_the_record_goes_where_the_job_goes(data: st.DataObject) -> None:
    """Whatever happens to a job, its record is in the same state, holds to the rules, and forgets nothing paid."""

    async def run() -> None:
        book, job = await Book().open(), job_of()
        book.entries.queued(job)
        before = book.record()
        for number in range(data.draw(st.integers(1, 14))):
            job = await _happen(data, book.entries, job, number)
            record = book.record()
            check_successor(before, record)
            assert record.state is job.state
            assert record.task_id == job.task_id
            before = record
        await book.entries.durable()
        assert book.store.records == book.keeper.records

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.run(run())


async def _happen(data: st.DataObject, entries: Entries, job: Job, number: int) -> Job:
    """Let one thing happen to a job that may happen to it; return it, or the one that has its key from now on."""
    event = data.draw(st.sampled_from([event for event in Event if _may(job, event)]))
    if event is Event.REQUEUED:
        again = job_of(lake(data.draw(st.sampled_from(["a lake", "a sea"]))))
        entries.queued(again)
        return again
    if event is Event.INTENT:
        if job.state is JobState.SENDING:
            job.repeats += 1
            entries.superseded(job, LOST)
        job.move(event)
        await entries.intend(job)
        return job
    unsent = job.state in {JobState.QUEUED, JobState.SENDING}
    job.move(event)
    if event in {Event.ACCEPTED, Event.RESOLVED}:
        job.task_id = f"task_{number}"
    if event is Event.LOST:
        error = OutcomeUnknownError("lost")
        entries.unsent(job, event, error) if unsent and job.repeats else entries.lost(job, error)
    else:
        _SAY[event](entries, job)
    return job


def _may(job: Job, event: Event) -> bool:
    """Whether the session lets it happen: what may be paid is neither refused nor withdrawn, but unknown."""
    try:
        step(job.state, event)
    except ValueError:
        return False
    if job.repeats and event in {Event.REFUSED, Event.WITHDRAWN}:
        return False
    if job.state is JobState.QUEUED and event in {Event.LOST, Event.REQUEUED}:
        return event is Event.LOST and job.repeats > 0
    return True
