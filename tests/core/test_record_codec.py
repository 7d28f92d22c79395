"""A record comes back from its row as it was, and what a later release added to the row stays in it."""

import json
import sqlite3
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from attrs import evolve
from hypothesis import given

from seedance_async.core import record_steps as steps
from seedance_async.core.frozen import freeze
from seedance_async.core.lifecycle import Event, State
from seedance_async.core.record import JobRecord
from seedance_async.core.record_codec import COLUMNS, Column, Kept, record_of, row_of
from seedance_async.core.record_errors import RecordedError
from tests.core.record_histories import AT, LATER, few, finished, histories, lost, queued, running, sending


def changed(row: tuple[Column, ...], **columns: Any) -> list[Any]:
    """A row with other values in some columns; values that are no text are written as JSON."""
    values = dict(zip(COLUMNS, row, strict=True))
    return [
        values[name] if name not in columns
        else columns[name] if columns[name] is None or isinstance(columns[name], str)
        else json.dumps(columns[name])
        for name in COLUMNS
    ]  # fmt: skip


def json_of(row: tuple[Column, ...], column: str) -> Any:
    """What a column holds as JSON."""
    text = row[COLUMNS.index(column)]
    assert isinstance(text, str)
    return json.loads(text)


@few
@given(histories())
def test_every_record_comes_back(history: list[JobRecord]) -> None:
    """Whatever the steps, the row of a record is the record, and its values are ones that SQLite takes."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE jobs (" + ", ".join(COLUMNS) + ")")
        for record in history:
            connection.execute("DELETE FROM jobs")
            connection.execute(f"INSERT INTO jobs VALUES ({', '.join('?' * len(COLUMNS))})", row_of(record))
            (row,) = connection.execute("SELECT * FROM jobs").fetchall()
            assert record_of(row) == (record, None)
    connection.close()


def test_every_field_has_a_column() -> None:
    """Nothing of a record is left out of its row; the task id stands there once more, for people.

    The group's column has another name: its own is a word of SQL.
    """
    fields = [field.name for field in attrs.fields(JobRecord) if field.name != "group"]
    assert sorted(COLUMNS) == sorted([*fields, "job_group", "task_id"])


def test_a_row_is_readable() -> None:
    """Columns hold what a person looks for, in forms that sort and that SQLite's own functions understand."""
    row = dict(zip(COLUMNS, row_of(finished("row 7", notes=freeze({"file": "töne/7.mp4"}))), strict=True))
    assert row["key"] == "row 7"
    assert row["state"] == "succeeded"
    assert row["task_id"] == "task_1"
    assert row["credits"] == "415"
    assert row["queued_at"] == "2026-11-23T09:30:00.123456+00:00"
    assert row["inputs"] == '{"kind":"text","prompt":"a lake at dawn","duration":5}'
    assert row["notes"] == '{"file":"töne/7.mp4"}'
    assert row["error"] is None


def test_moments_sort_as_text() -> None:
    """Whole seconds have their microseconds too, and other time zones are turned to UTC."""
    whole = AT.replace(microsecond=0, tzinfo=timezone(timedelta(hours=2)))
    row = row_of(queued(queued_at=whole))
    assert row[COLUMNS.index("queued_at")] == "2026-11-23T07:30:00.000000+00:00"
    assert record_of(row)[0].queued_at == whole


@pytest.mark.parametrize(
    "broken",
    [
        queued(notes=freeze({"x": object()})),
        queued(notes=freeze({"x": float("nan")})),
        queued(inputs=freeze({"x": b"bytes"})),
        queued(queued_at=datetime(2026, 1, 1)),  # noqa: DTZ001 (no zone is the point)
    ],
)
def test_what_is_no_json_is_not_written(broken: JobRecord) -> None:
    """What could not be read again is refused before anything is written."""
    with pytest.raises((ValueError, TypeError)):
        row_of(broken)


FAILED = steps.ended(
    running(), Event.FAILED, LATER, error=RecordedError("TaskFailedError", "no", code="7", kind="moderation")
)


@pytest.mark.parametrize(
    ("record", "columns"),
    [
        (queued(), {"state": "paused"}),
        (queued(), {"state": None}),
        (queued(), {"key": None}),
        (queued(), {"credits": "many"}),
        (queued(), {"queued_at": "yesterday"}),
        (queued(), {"queued_at": "2026-11-23T09:30:00"}),
        (queued(), {"changed_at": None}),
        (queued(), {"earlier": "x"}),
        (queued(), {"inputs": "{"}),
        (queued(), {"inputs": []}),
        (queued(), {"notes": None}),
        (queued(), {"notes": "[" * 100_000}),
        (queued(), {"attempts": {}}),
        (queued(), {"attempts": [7]}),
        (queued(), {"attempts": [{}]}),
        (running(), {"attempts": [{"number": 1, "intent_at": AT.isoformat(), "outcome": "perhaps"}]}),
        (running(), {"attempts": [{"number": 1, "intent_at": AT.isoformat(), "end": "perhaps"}]}),
        (FAILED, {"error": {"message": "no class"}}),
        (finished(), {"result": {"model": None}}),
        (finished(), {"result": {"outputs": [7]}}),
    ],
)
def test_a_damaged_row_is_refused(record: JobRecord, columns: dict[str, Any]) -> None:
    """What cannot be read is an error that names the job and shows nothing of what the row holds."""
    planted = evolve(record, inputs=freeze({"first_frame": "https://cdn.example/1.png?sig=planted"}))
    with pytest.raises(ValueError, match="the row of the job") as caught:
        record_of(changed(row_of(planted), **columns))
    assert "planted" not in str(caught.value)


def later_row() -> tuple[Column, ...]:
    """The row of a failed job, as a later release writes it: with more in it."""
    row = row_of(FAILED)
    attempts, error = json_of(row, "attempts"), json_of(row, "error")
    attempts[0]["region"] = {"near": "湖"}
    error["advice"] = "other words"
    return tuple(changed(row, attempts=attempts, error=error))


def test_what_a_later_release_added_is_kept() -> None:
    """Fields that this release does not know are there after it has read the row, changed the record and written it."""
    record, kept = record_of(later_row())
    assert record == FAILED
    written = row_of(steps.noted(record, {"seen": True}, LATER), kept)
    assert json_of(written, "attempts")[0]["region"] == {"near": "湖"}
    assert json_of(written, "error")["advice"] == "other words"
    assert json_of(written, "notes") == {"seen": True}
    assert record_of(written)[1] == kept


def test_what_a_later_release_added_goes_with_what_it_belongs_to() -> None:
    """An attempt that is forgotten and an error that is another one take such fields along."""
    record, kept = record_of(later_row())
    again = steps.requeued(record, inputs=record.inputs, digest="v1:1", catalogue="classic", credits=None, at=LATER)
    refused = steps.closed(again, Event.REFUSED, LATER, error=RecordedError("BadRequestError", "no", status=400))
    written = row_of(refused, kept)
    assert "advice" not in json_of(written, "error")
    assert json_of(written, "attempts")[0]["region"] == {"near": "湖"}
    assert json_of(row_of(sending(), kept), "attempts")[0]["region"] == {"near": "湖"}
    assert "region" not in json_of(row_of(steps.intended(again, LATER), kept), "attempts")[1]


def test_what_a_later_release_added_to_a_result_is_kept() -> None:
    """The same for results, in whose files a later release may write more as well."""
    row = row_of(finished())
    result = json_of(row, "result")
    result["loudness"] = -14
    result["outputs"][0]["codec"] = "av1"
    record, kept = record_of(changed(row, result=result))
    assert record == finished()
    assert isinstance(kept, Kept)
    written = row_of(steps.noted(record, {"seen": True}, LATER), kept)
    assert json_of(written, "result") == result


@pytest.mark.parametrize("record", [queued(), sending(), running(), lost(), finished()], ids=lambda each: each.state)
def test_nothing_is_kept_of_rows_of_this_release(record: JobRecord) -> None:
    """What this release writes it knows."""
    assert record_of(row_of(record)) == (record, None)
    assert record.state in State
