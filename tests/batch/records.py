"""Records of a folder's journal, made by the same steps as a session makes them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from seedance_async.core.job_notes import MadeBy, notes_for
from seedance_async.core.lifecycle import Event
from seedance_async.core.plan import Plan, PlannedRow
from seedance_async.core.record import JobRecord, RecordedOutput, RecordedResult
from seedance_async.core.record_errors import RecordedError
from seedance_async.core.record_inputs import inputs_to_json
from seedance_async.core.record_steps import closed, ended, intended, noted, queued, superseded
from seedance_async.errors import FailureKind
from tests.batch.plans import NOW

START = NOW - timedelta(hours=1)


def written(row: PlannedRow, *, made_by: MadeBy | None = None, run: int = 1, **notes: Any) -> JobRecord:
    """A job that was written down and not sent."""
    record = queued(
        row.key,
        inputs=inputs_to_json(row.inputs),
        digest=row.digest,
        catalogue=row.request.catalogue.name,
        credits=row.request.credits,
        at=START,
    )
    return noted(record, {**notes_for(row, made_by=made_by, run=run, budget=None), **notes}, START)


def running(record: JobRecord, task_id: str = "task_1") -> JobRecord:
    """The same, accepted."""
    return closed(intended(record, START), Event.ACCEPTED, START, task_id=task_id)


def failed(record: JobRecord, kind: FailureKind) -> JobRecord:
    """The same, failed."""
    error = RecordedError("TaskFailedError", "no", kind=kind)
    return ended(running(record), Event.FAILED, START, error=error)


def refused(record: JobRecord, error: str, status: int | None = None) -> JobRecord:
    """The same, refused."""
    return closed(intended(record, START), Event.REFUSED, START, error=RecordedError(error, "no", status=status))


def lost(record: JobRecord) -> JobRecord:
    """The same, of unknown outcome."""
    error = RecordedError("OutcomeUnknownError", "dropped", "maybe")
    return closed(intended(record, START), Event.LOST, START, error=error)


def repeated(record: JobRecord) -> JobRecord:
    """The same, back in the queue after a 500 that may have been charged."""
    again = intended(superseded(intended(record, START), "unknown", START, "500"), START)
    return closed(again, Event.NOT_SENT, START)


def gone(record: JobRecord) -> JobRecord:
    """The same, accepted and not known to the service any more."""
    return ended(running(record), Event.GONE, START, error=RecordedError("TaskNotFoundError", "no", "yes", status=404))


def succeeded(record: JobRecord, at: datetime = START) -> JobRecord:
    """The same, finished and not saved."""
    result = RecordedResult("seedance-20", START, at, (RecordedOutput(None, 1920, 1080, "video/mp4", 7),))
    return ended(running(record), Event.SUCCEEDED, at, credits_used=Decimal(415), result=result)


def saved(record: JobRecord, at: datetime = START, size: int = 1000) -> JobRecord:
    """The same, finished and saved."""
    return noted(succeeded(record, at), {"saved": record.notes["file"], "bytes": size}, START)


def sizes(*records: JobRecord) -> dict[str, int]:
    """The files of saved jobs, in full length."""
    return {record.notes["saved"]: record.notes["bytes"] for record in records if "saved" in record.notes}


def records_of(plan: Plan) -> list[JobRecord]:
    """Every row of a plan, saved."""
    return [saved(written(row)) for row in plan.rows]
