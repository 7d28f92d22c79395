"""What a task delivered, as a journal keeps it: without links that may be signed, and without the raw answer."""

from seedance_async.core.record import JobRecord, RecordedOutput, RecordedResult
from seedance_async.core.record_inputs import is_signed
from seedance_async.core.results import Output, VideoResult


def record_result(result: VideoResult) -> RecordedResult:
    """Return what a journal keeps of a result."""
    return RecordedResult(
        model=result.model,
        created_at=result.created_at,
        completed_at=result.completed_at,
        outputs=tuple(_record_output(output) for output in result.outputs),
    )


def result_of_record(record: JobRecord) -> VideoResult | None:
    """Return the result of a job that has succeeded, with nothing in `raw`.

    Returns:
        None where a link was not kept, so that the service has to be asked.
    """
    kept, last, task_id = record.result, record.last, record.task_id
    if kept is None or last is None or task_id is None:
        return None
    outputs = tuple(_output(output, output.url) for output in kept.outputs if output.url is not None)
    if len(outputs) != len(kept.outputs) or not outputs:
        return None
    return VideoResult(
        task_id=task_id,
        model=kept.model,
        outputs=outputs,
        credits_used=last.credits_used,
        created_at=kept.created_at,
        completed_at=kept.completed_at,
    )


def _record_output(output: Output) -> RecordedOutput:
    return RecordedOutput(
        url=None if is_signed(output.url) else output.url,
        width=output.width,
        height=output.height,
        media_type=output.media_type,
        seed=output.seed,
        last_frame_url=_unsigned(output.last_frame_url),
    )


def _output(output: RecordedOutput, url: str) -> Output:
    return Output(url, output.width, output.height, output.media_type, output.seed, output.last_frame_url)


def _unsigned(url: str | None) -> str | None:
    return None if url is None or is_signed(url) else url
