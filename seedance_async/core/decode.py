"""Turn what the service says of a task into a `TaskSnapshot`, tolerantly.

Rules (contract, sections 5 and 9):

1. An unknown status is kept as it is and means "still running".
2. Unknown fields stay in `raw`.
3. `error` is an object today and was a plain string once.
4. Outputs are objects today; plain strings were seen by one client.
5. Anything that is not an object with a status is not an answer about a task: the caller counts a missed poll.
6. A success without a file is not an answer either: the file is what was paid for.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from seedance_async.core.redact import redact_links
from seedance_async.core.results import FAIL, SUCCESS, Output, TaskFault, TaskSnapshot

#: Credits are amounts such as 99.80000000000001 (contract, section 5): beyond this they are float noise.
_CREDITS_STEP: Final = Decimal("0.000001")
#: Whole amounts below it have no noise; beyond it stands what is no amount at all.
_SMALL: Final = 10**12

#: The record itself, among its own fields; no name of the service has a space.
_WHOLE: Final = "whole record"

_NOTHING: Final[Mapping[str, Any]] = {}


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
    fields = {**record, "taskId": task_id, "status": status, _WHOLE: record}
    if status != FAIL:
        fields.pop("error", None)
    elif "error" not in fields:
        fields["error"] = None
    snapshot = _structure_snapshot(fields, TaskSnapshot)
    return None if status == SUCCESS and not snapshot.outputs else snapshot


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
    """Read an amount of credits exactly, without float noise; None where it is no amount.

    A negative number is none: nothing costs less than nothing, and counted as used it would free budget.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, int) and 0 <= value < _SMALL:
        return Decimal(value)
    try:
        amount = Decimal(str(value)).quantize(_CREDITS_STEP)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount < 0:
        return None
    # `normalize` alone writes 200 as 2E+2.
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()


def _integer(value: object, _type: object = None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object, _type: object = None) -> str | None:
    return value if isinstance(value, str) and value else None


def _credits(value: object, _type: object = None) -> Decimal | None:
    return decode_credits(value)


def _moment(value: object, _type: object = None) -> datetime | None:
    """Read Unix milliseconds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _fault(value: object, _type: object = None) -> TaskFault:
    if isinstance(value, str) and value:
        return TaskFault(None, redact_links(value))
    fields: Mapping[str, Any] = cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else _NOTHING
    code = fields.get("code")
    message = _text(fields.get("message")) or "the service gave no reason"
    return TaskFault(None if code is None else str(code), redact_links(message))


def _outputs(value: object, _type: object = None) -> tuple[Output, ...]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    found: list[Output] = []
    for item in items:
        fields = {"url": item} if isinstance(item, str) else item
        if isinstance(fields, Mapping) and _text(cast("Mapping[str, Any]", fields).get("url")) is not None:
            found.append(_structure_output(cast("Mapping[str, Any]", fields), Output))
    return tuple(found)


# The service's names and ours, and how each field is read. A value of the wrong kind is None and no error.
_converter = Converter(detailed_validation=False)

_structure_output: Callable[[Mapping[str, Any], Any], Output] = make_dict_structure_fn(
    Output,
    _converter,
    width=override(struct_hook=_integer),
    height=override(struct_hook=_integer),
    media_type=override(rename="mediaType", struct_hook=_text),
    seed=override(struct_hook=_integer),
    last_frame_url=override(rename="lastFrameImage", struct_hook=_text),
)

_structure_snapshot: Callable[[Mapping[str, Any], Any], TaskSnapshot] = make_dict_structure_fn(
    TaskSnapshot,
    _converter,
    task_id=override(rename="taskId", struct_hook=_text),
    model=override(struct_hook=_text),
    credits_used=override(rename="creditsUsed", struct_hook=_credits),
    outputs=override(rename="output", struct_hook=_outputs),
    error=override(struct_hook=_fault),
    created_at=override(rename="createTime", struct_hook=_moment),
    completed_at=override(rename="completeTime", struct_hook=_moment),
    raw=override(rename=_WHOLE, struct_hook=lambda value, _type: value),
)
