"""The record of a job as one row of a table, and back.

1. A row has a column for everything a person may ask for; what is nested is JSON: inputs, attempts, error, result and
   notes. Moments are ISO 8601 in UTC with microseconds, so that they sort as text; credits are decimal text. `task_id`
   follows from the attempts and is written for people only.
2. Reading a row gives a record equal to the one that was written.
3. A later release may add columns, and fields inside attempts, error and result. A row that this release writes again
   keeps them: columns because no statement names them, fields because reading hands them out as `Kept`. Where leaving
   one alone would be wrong, the later release forbids this one to open the journal at all (`journal.schema`).
4. Text with a lone surrogate, which UTF-8 cannot hold, becomes escaped JSON, or bytes in a column of its own.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar, cast

import attrs
from attrs import field, frozen

from seedance_async.core.frozen import EMPTY, FrozenMapping, is_list, thaw
from seedance_async.core.lifecycle import State
from seedance_async.core.record import Attempt, JobRecord, RecordedOutput, RecordedResult
from seedance_async.core.record_errors import RecordedError

Column = str | bytes | int | None
Fields = Mapping[str, Any]

#: The columns of a row, in order.
COLUMNS: Final = (
    "key", "state", "task_id", "digest", "catalogue", "credits", "queued_at", "changed_at", "earlier",
    "inputs", "attempts", "error", "result", "notes", "job_group",
)  # fmt: skip

_T = TypeVar("_T")
_MOMENTS: Final = frozenset({"intent_at", "closed_at", "ended_at", "created_at", "completed_at"})
_CREDITS: Final = frozenset({"credits", "credits_used"})
_OUTCOMES: Final = frozenset({None, "accepted", "not sent", "refused", "unknown"})
_ENDS: Final = frozenset({None, "succeeded", "failed", "gone"})
_readable = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_ascii = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


@frozen
class Kept:
    """What a later release wrote into the JSON of a row, and this one does not know (rule 3).

    Attributes:
        attempts: By the number of an attempt and the moment of its intent: the number of one that was forgotten is
            given again.
        error: For this error; another one has its own.
        result: For this result.
    """

    attempts: Mapping[tuple[int, datetime], Fields] = field(factory=dict[tuple[int, datetime], Fields])
    error: tuple[RecordedError | None, Fields] = (None, EMPTY)
    result: tuple[RecordedResult | None, Fields] = (None, EMPTY)


_NOTHING: Final = Kept()


class _Shape:
    """The fields of a class, by what their values are."""

    def __init__(self, cls: type[attrs.AttrsInstance]) -> None:
        self.names = tuple(attribute.name for attribute in attrs.fields(cls))
        self.known = frozenset(self.names)
        self.moments = tuple(name for name in self.names if name in _MOMENTS)
        self.credits = tuple(name for name in self.names if name in _CREDITS)

    def written(self, thing: attrs.AttrsInstance) -> dict[str, Any]:
        """Return the fields that are not None, as JSON."""
        fields = {name: value for name in self.names if (value := getattr(thing, name)) is not None}
        for name in self.moments:
            if name in fields:
                fields[name] = _moment(fields[name])
        for name in self.credits:
            if name in fields:
                fields[name] = str(fields[name])
        return fields

    def read(self, written: object) -> tuple[dict[str, Any], Fields]:
        """Return the fields that this release knows, and the others."""
        if not isinstance(written, dict):
            raise TypeError("no object")
        fields = cast("dict[str, Any]", written)
        others: Fields = EMPTY
        if not fields.keys() <= self.known:
            others = {name: value for name, value in fields.items() if name not in self.known}
            fields = {name: value for name, value in fields.items() if name in self.known}
        for name in self.moments:
            if name in fields:
                fields[name] = _read_moment(fields[name])
        for name in self.credits:
            if name in fields:
                fields[name] = Decimal(fields[name])
        return fields, others


_ATTEMPT: Final = _Shape(Attempt)
_ERROR: Final = _Shape(RecordedError)
_OUTPUT: Final = _Shape(RecordedOutput)
_RESULT: Final = _Shape(RecordedResult)


def row_of(record: JobRecord, kept: Kept | None = None) -> tuple[Column, ...]:
    """Return the row of a record, in the order of `COLUMNS`.

    Args:
        record: The record.
        kept: What reading the row gave beside the record that this one replaces.

    Raises:
        ValueError: Inputs or notes are no JSON, or a moment has no time zone.
        TypeError: The same.
        OverflowError: A moment lies outside of the calendar in UTC.
    """
    kept = kept or _NOTHING
    return (
        _text(record.key),
        record.state.value,
        _text(record.task_id),
        _text(record.digest),
        _text(record.catalogue),
        None if record.credits is None else str(record.credits),
        _moment(record.queued_at),
        _moment(record.changed_at),
        record.earlier,
        _json(thaw(record.inputs)),
        _json([_attempt_written(attempt, kept) for attempt in record.attempts]),
        None if record.error is None else _json({**_ERROR.written(record.error), **_still(kept.error, record.error)}),
        None if record.result is None else _json(_result_written(record.result, kept)),
        _json(thaw(record.notes)),
        _text(record.group),
    )


def record_of(row: Sequence[Any]) -> tuple[JobRecord, Kept | None]:
    """Return the record of a row, and what a later release has added to it.

    Raises:
        ValueError: The row is damaged, or a later release wrote what this one cannot read.
    """
    if bytes in map(type, row):
        row = [_read_text(value) for value in row]
    try:
        (
            key, state, _task_id, digest, catalogue, price, queued_at, changed_at, earlier,
            inputs, attempts_text, error_text, result_text, notes, group,
        ) = row  # fmt: skip
        attempts, of_attempts = _attempts_read(json.loads(attempts_text))
        error, of_error = (None, EMPTY) if error_text is None else _error_read(json.loads(error_text))
        result, of_result = (None, EMPTY) if result_text is None else _result_read(json.loads(result_text))
        record = JobRecord(
            key=_is_text(key),
            state=State(state),
            digest=_is_text(digest),
            inputs=_object(inputs),
            catalogue=_is_text(catalogue),
            credits=None if price is None else Decimal(price),
            queued_at=_read_moment(queued_at),
            changed_at=_read_moment(changed_at),
            attempts=attempts,
            earlier=int(earlier),
            error=error,
            result=result,
            notes=_object(notes),
            group=None if group is None else _is_text(group),
        )
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError) as problem:
        # What it says may show a part of the row, and a row may hold a signed link.
        raise ValueError(f"the row of the job {row[0]!r} cannot be read ({type(problem).__name__})") from None
    if not (of_attempts or of_error or of_result):
        return record, None
    return record, Kept(of_attempts, (error, of_error), (result, of_result))


def _attempt_written(attempt: Attempt, kept: Kept) -> dict[str, Any]:
    written = _ATTEMPT.written(attempt)
    if kept.attempts:
        written |= kept.attempts.get((attempt.number, attempt.intent_at), EMPTY)
    return written


def _attempts_read(written: object) -> tuple[tuple[Attempt, ...], dict[tuple[int, datetime], Fields]]:
    attempts: list[Attempt] = []
    kept: dict[tuple[int, datetime], Fields] = {}
    for each in _sequence(written):
        fields, others = _ATTEMPT.read(each)
        attempt = Attempt(**fields)
        if attempt.outcome not in _OUTCOMES or attempt.end not in _ENDS:
            raise ValueError("an attempt that ended in no way that is known")
        attempts.append(attempt)
        if others:
            kept[attempt.number, attempt.intent_at] = others
    return tuple(attempts), kept


def _error_read(written: object) -> tuple[RecordedError, Fields]:
    fields, others = _ERROR.read(written)
    return RecordedError(**fields), others


def _result_written(result: RecordedResult, kept: Kept) -> dict[str, Any]:
    outputs = [_OUTPUT.written(output) for output in result.outputs]
    return {**_RESULT.written(result), "outputs": outputs, **_still(kept.result, result)}


def _result_read(written: object) -> tuple[RecordedResult, Fields]:
    fields, others = _RESULT.read(written)
    read = [_OUTPUT.read(each) for each in _sequence(fields["outputs"])]
    if any(more for _, more in read):
        others = {**others, "outputs": fields["outputs"]}
    outputs = tuple(RecordedOutput(**{"url": None, **known}) for known, _ in read)
    whole: dict[str, Any] = {"model": None, "created_at": None, "completed_at": None, **fields, "outputs": outputs}
    return RecordedResult(**whole), others


def _still(kept: tuple[_T | None, Fields], now: _T) -> Fields:
    return kept[1] if kept[1] and kept[0] == now else EMPTY


def _json(value: object) -> str:
    text = _readable(value)
    return text if _fits_utf8(text) else _ascii(value)


def _text(value: str | None) -> Column:
    return value if value is None or _fits_utf8(value) else value.encode("utf-8", "surrogatepass")


def _read_text(value: object) -> object:
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


def _fits_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _moment(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError(f"a moment without time zone: {at}")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _read_moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a moment without time zone")
    return at


def _object(text: str) -> Mapping[str, Any]:
    value: object = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError("no object")
    return cast("Mapping[str, Any]", _frozen(cast("dict[str, Any]", value)))


def _frozen(value: Any) -> Any:
    """Return what `freeze` returns; this one knows that it has what was read from JSON, and ten thousand of them."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return FrozenMapping({name: _frozen(inner) for name, inner in fields.items()}) if fields else EMPTY
    if is_list(value):
        return tuple([_frozen(inner) for inner in value])
    return value


def _is_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _sequence(value: object) -> Sequence[object]:
    if not is_list(value):
        raise TypeError("no list")
    return value
