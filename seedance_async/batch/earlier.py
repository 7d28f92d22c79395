"""How jobs ended, by the journal: in earlier runs, or in this one after nobody waited for them any more."""

from pathlib import Path

from seedance_async.batch.events import RowStatus
from seedance_async.batch.report import EndedRow
from seedance_async.core.lifecycle import State
from seedance_async.core.plan import PlannedRow
from seedance_async.core.record import JobRecord
from seedance_async.core.record_errors import error_of
from seedance_async.core.results import Output, VideoResult
from seedance_async.core.standing import Duty, JobStanding, Standing, is_sent_unasked
from seedance_async.errors import SeedanceError

CHANGED = "the row has other inputs now; the video of the former ones is kept"
_HELD = "left for another time by --limit or --only"
_TAKEN_AWAY = "its video was saved and taken away, and no row asks for it any more"
_NOT_SENT = "never sent, and no row asks for it any more"


def ended_before(job: JobStanding, folder: Path) -> EndedRow | None:
    """Return how a job ended in an earlier run; None if this one has something to do for it."""
    if job.duty is not Duty.NOTHING:
        return None
    record, row = job.record, job.row
    task_id = None if record is None else record.task_id
    match job.standing:
        case Standing.DONE | Standing.CHANGED:
            assert record is not None
            status: RowStatus = "done" if job.standing is Standing.DONE else "changed"
            note = None if status == "done" else CHANGED
            return EndedRow(row, status, task_id, path=folder / row.file, result=shown_result(record), note=note)
        case Standing.FAILED:
            return EndedRow(row, "failed", task_id, error=_error(record))
        case Standing.UNKNOWN:
            return EndedRow(row, "unknown", task_id, error=_error(record))
        case Standing.MISSING | Standing.EXPIRED:
            return EndedRow(row, "held", task_id, note=_TAKEN_AWAY)
        case _:
            return EndedRow(row, "held", note=_HELD if job.standing is Standing.HELD else _NOT_SENT)


def ended_unseen(row: PlannedRow, record: JobRecord) -> EndedRow | None:
    """Return how a row ended that failed, or whose task is lost, after the run had ceased to wait for it.

    Args:
        row: The row.
        record: What the journal has of it at the end of the run.

    Returns:
        None if it did neither, or failed with other inputs: the run knows better then how it stands.
    """
    match record.state:
        case State.FAILED | State.REFUSED if not is_sent_unasked(record) and record.digest == row.digest:
            return EndedRow(row, "failed", record.task_id, error=_error(record))
        case State.UNKNOWN | State.GONE:
            return EndedRow(row, "unknown", record.task_id, error=_error(record))
        case _:
            return None


def shown_result(record: JobRecord) -> VideoResult | None:
    """Return what a finished job delivered, for reports; links that were not kept are empty."""
    kept, last = record.result, record.last
    if kept is None or last is None or record.task_id is None:
        return None
    outputs = tuple(
        Output(output.url or "", output.width, output.height, output.media_type, output.seed, output.last_frame_url)
        for output in kept.outputs
    )
    used = last.credits if last.credits_used is None else last.credits_used
    return VideoResult(record.task_id, kept.model, outputs, used, kept.created_at, kept.completed_at)


def _error(record: JobRecord | None) -> SeedanceError | None:
    if record is None or record.error is None:
        return None
    return error_of(record.error, record.key, record.task_id, record.credits)
