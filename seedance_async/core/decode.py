"""Turn what the service says of a task into a `TaskSnapshot`, tolerantly.

Rules (contract, sections 5 and 9):

1. An unknown status is kept as it is and means "still running".
2. Unknown fields stay in `raw`.
3. `error` is an object today and was a plain string once.
4. Outputs are objects today; plain strings were seen by one client.
5. Anything that is not an object with a status is not an answer about a task: the caller counts a missed poll.
6. A success without a file is not an answer either: the file is what was paid for.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from seedance_async.core.results import FAIL, SUCCESS, Output, TaskFault, TaskSnapshot

#: Credits are amounts such as 99.80000000000001 (contract, section 5): beyond this they are float noise.
_CREDITS_STEP = Decimal("0.000001")


def decode_record(body: object, task_id: str) -> TaskSnapshot | None:
    """Decode the answer of `recordInfo` for `task_id`.

    Returns:
        The snapshot, or None where the body does not tell of this task (rules 5 and 6).
    """
    if not isinstance(body, Mapping):
        return None
    record = cast("Mapping[str, Any]", body)
    status = record.get("status", record.get("state"))
    if not isinstance(status, str) or not status:
        return None
    if record.get("taskId", task_id) != task_id:
        return None
    outputs = _outputs(record.get("output"))
    if status == SUCCESS and not outputs:
        return None
    model = record.get("model")
    return TaskSnapshot(
        task_id=task_id,
        status=status,
        model=model if isinstance(model, str) else None,
        credits_used=decode_credits(record.get("creditsUsed")),
        outputs=outputs,
        error=_fault(record.get("error")) if status == FAIL else None,
        created_at=_moment(record.get("createTime")),
        completed_at=_moment(record.get("completeTime")),
        raw=record,
    )


def decode_task_id(body: object) -> str | None:
    """Return the task id of a create's answer, or None where there is none.

    Ids are opaque (contract, section 4), but an id is one printable word: anything else is not one.
    """
    if not isinstance(body, Mapping):
        return None
    task_id = cast("Mapping[str, Any]", body).get("taskId")
    if isinstance(task_id, str) and 0 < len(task_id) <= 255 and task_id.isprintable() and " " not in task_id:
        return task_id
    return None


def decode_credits(value: object) -> Decimal | None:
    """Read an amount of credits exactly, without float noise; None where it is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value)).quantize(_CREDITS_STEP)
    except InvalidOperation:
        return None
    if not amount.is_finite():
        return None
    # `normalize` alone writes 200 as 2E+2.
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()


def _fault(value: object) -> TaskFault:
    if isinstance(value, str):
        return TaskFault(None, value)
    if isinstance(value, Mapping):
        error = cast("Mapping[str, Any]", value)
        code, message = error.get("code"), error.get("message")
        return TaskFault(
            None if code is None else str(code),
            message if isinstance(message, str) and message else "the service gave no reason",
        )
    return TaskFault(None, "the service gave no reason")


def _outputs(value: object) -> tuple[Output, ...]:
    if not isinstance(value, list):
        return ()
    items = cast("list[object]", value)
    return tuple(output for item in items if (output := _output(item)) is not None)


def _output(item: object) -> Output | None:
    if isinstance(item, str):
        return Output(item) if item else None
    if not isinstance(item, Mapping):
        return None
    fields = cast("Mapping[str, Any]", item)
    url = fields.get("url")
    if not isinstance(url, str) or not url:
        return None
    return Output(
        url=url,
        width=_integer(fields.get("width")),
        height=_integer(fields.get("height")),
        media_type=_text(fields.get("mediaType")),
        seed=_integer(fields.get("seed")),
        last_frame_url=_text(fields.get("lastFrameImage")),
    )


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: object) -> datetime | None:
    """Read Unix milliseconds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
