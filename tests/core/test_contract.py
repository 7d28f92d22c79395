"""Every documented body of the service, decoded."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from seedance_async.core.answers import Answer, api_error
from seedance_async.core.decode import decode_record, decode_task_id
from seedance_async.core.failures import task_failed
from seedance_async.core.outcome import Accepted, Outcome, Rejected, Unknown, classify
from seedance_async.core.results import Output, TaskFault, TaskSnapshot, result_of
from seedance_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    InsufficientCreditsError,
    PermissionDeniedError,
    Problem,
    ServerError,
    TaskNotFoundError,
    concerns_everything,
)

FOLDER = Path(__file__).parent.parent / "contract"
FILES = {path.name: path for path in FOLDER.iterdir() if path.suffix in {".json", ".html"}}

TASK = "task_d5ibgnwdlw8fe3zpptx9mp0f"
STARTED = datetime(2026, 9, 21, 10, 16, 18, 346000, UTC)
ENDED = datetime(2026, 9, 21, 10, 19, 35, 235000, UTC)
FILE = "https://static.kinovi.ai/videos/seedance_video_1789985969759_29632007.mp4"
FRAME = "https://static.kinovi.ai/videos/seedance_video_1789985969759_29632007_lastframe.png"
OLD_STARTED = datetime(2024, 12, 30, 23, 0, 34, tzinfo=UTC)
RULES = TaskFault("2038", "Your input text violates platform rules. Please modify and try again.")

RECORDS = {
    "record_waiting.json": TaskSnapshot(TASK, "waiting", "seedance-20", Decimal(200), created_at=STARTED),
    "record_generating.json": TaskSnapshot(TASK, "generating", "seedance-20", Decimal(200), created_at=STARTED),
    "record_unknown_status.json": TaskSnapshot(TASK, "queued", "seedance-20", Decimal(200), created_at=STARTED),
    "record_success.json": TaskSnapshot(
        TASK,
        "success",
        "seedance-20",
        Decimal(200),
        (Output(FILE, 1280, 720, "video/mp4", 10792, FRAME),),
        None,
        STARTED,
        ENDED,
    ),
    "record_success_fractional_credits.json": TaskSnapshot(
        TASK, "success", "seedance2-fast", Decimal("99.8"), (Output(FILE),), None, STARTED, ENDED
    ),
    "record_success_older.json": TaskSnapshot(
        "task_clxxxxxx",
        "success",
        "seedance-20",
        Decimal(200),
        (Output("https://static.kinovi.ai/generated/video.mp4", 1280, 720),),
        None,
        datetime(2024, 3, 8, 12, 13, 20, tzinfo=UTC),
        datetime(2024, 3, 8, 12, 15, 20, tzinfo=UTC),
    ),
    "record_fail.json": TaskSnapshot(TASK, "fail", "seedance-20", Decimal(200), (), RULES, STARTED, ENDED),
    "record_fail_older_string_error.json": TaskSnapshot(TASK, "fail", error=TaskFault(None, "Task execution failed")),
}

#: The `data` of a webhook is a record; an older one says `state` where the others say `status`.
WEBHOOKS = {
    "webhook_success_status.json": RECORDS["record_success.json"],
    "webhook_success_state.json": TaskSnapshot(
        "task_clxxxxxx",
        "success",
        "seedance-20",
        Decimal(200),
        (Output("https://static.kinovi.ai/generated/video.mp4", 1280, 720),),
        None,
        OLD_STARTED,
        datetime(2024, 12, 30, 23, 2, 34, tzinfo=UTC),
    ),
    "webhook_fail_state.json": TaskSnapshot("task_clxxxxxx", "fail", "seedance-20", Decimal(0), (), RULES, OLD_STARTED),
}

ENUM = Problem("outputResolution", "Invalid enum value. Expected '720p' | '1080p'", "480p")
RANGE = Problem("duration", "Duration must be between 4 and 15 seconds")


def has(**fields: object) -> Callable[[ApiError], bool]:
    """Whether an error has these fields."""
    return lambda error: {name: getattr(error, name) for name in fields} == fields


#: File -> the class of its error, what the message says, and what its fields are.
ERRORS: dict[str, tuple[type[ApiError], str, Callable[[ApiError], bool]]] = {
    "400_invalid_enum.json": (BadRequestError, "Invalid inputs for model", has(problems=(ENUM,))),
    "400_invalid_inputs.json": (BadRequestError, "Invalid inputs for model", has(problems=(RANGE,))),
    "400_invalid_request.json": (BadRequestError, "Invalid request parameters", has(problems=())),
    "400_invalid_task_id.json": (BadRequestError, "Invalid taskId", has(problems=())),
    "400_missing_task_id.json": (BadRequestError, "Missing taskId parameter", has(problems=())),
    "400_unknown_model.json": (BadRequestError, "Unknown model", has(problems=())),
    "401_expired.json": (AuthenticationError, "API Key has expired", has(source="KEY_OF_A_TEST")),
    "401_inactive.json": (AuthenticationError, "API Key is inactive", has(source="KEY_OF_A_TEST")),
    "401_invalid_key.json": (AuthenticationError, "Invalid API Key", has(source="KEY_OF_A_TEST")),
    "401_missing_header.json": (AuthenticationError, "Missing Authorization header", has(source="KEY_OF_A_TEST")),
    "402_insufficient_credits.json": (
        InsufficientCreditsError,
        "Insufficient credits",
        has(required=Decimal(200), available=Decimal(10)),
    ),
    "403_access_denied.json": (PermissionDeniedError, "Access denied", lambda error: not concerns_everything(error)),
    "403_not_enabled.json": (
        PermissionDeniedError,
        "API access not enabled for this account",
        concerns_everything,
    ),
    "404_task_not_found.json": (TaskNotFoundError, "Task not found", has(charged="no")),
    "429_concurrency.json": (ConcurrencyLimitError, "Concurrency limit reached (3).", has(limit=3, current=3)),
    "500_internal.json": (ServerError, "Internal server error", has(status=500)),
    "502_cloudflare.html": (ServerError, "an HTML page instead of JSON", has(status=502, body=None)),
}


def body_of(name: str) -> Any:
    """The decoded JSON of a file."""
    return json.loads(FILES[name].read_text(encoding="utf-8"))


def answer_of(name: str) -> Answer:
    """The answer of which a file is the body, as the transport reads it."""
    text = FILES[name].read_text(encoding="utf-8")
    status = int(name[:3]) if name[:3].isdigit() else 200
    return Answer(status, json.loads(text) if name.endswith(".json") else None, text)


def test_every_file_is_tested() -> None:
    """No body lies here without a test, and no test is about a body that is gone."""
    assert set(FILES) == {"create_200.json", *RECORDS, *WEBHOOKS, *ERRORS}


@pytest.mark.parametrize("name", RECORDS)
def test_records(name: str) -> None:
    """Each record is the snapshot that it tells of, and is kept whole."""
    body = body_of(name)
    snapshot = decode_record(body, body["taskId"])
    assert snapshot is not None
    assert snapshot.raw == body
    assert _without_raw(snapshot) == RECORDS[name]
    assert snapshot.terminal == ("success" in name or "fail" in name)


@pytest.mark.parametrize("name", WEBHOOKS)
def test_webhook_data(name: str) -> None:
    """What a webhook carries is a record, also where it says `state`."""
    data = body_of(name)["data"]
    snapshot = decode_record(data, data["taskId"])
    assert snapshot is not None
    assert _without_raw(snapshot) == WEBHOOKS[name]


@pytest.mark.parametrize("name", WEBHOOKS)
def test_webhook_envelope_is_no_record(name: str) -> None:
    """The envelope of a webhook says `success` of itself, and nothing of the task."""
    body = body_of(name)
    assert decode_record(body, body["data"]["taskId"]) is None


@pytest.mark.parametrize("name", [name for name in RECORDS if "success" in name])
def test_results(name: str) -> None:
    """A successful record makes the result."""
    expected, body = RECORDS[name], body_of(name)
    snapshot = decode_record(body, body["taskId"])
    assert snapshot is not None
    result = result_of(snapshot)
    assert result.task_id == expected.task_id
    assert result.model == expected.model
    assert result.outputs == expected.outputs
    assert result.url == expected.outputs[0].url
    assert result.credits_used == expected.credits_used
    assert (result.created_at, result.completed_at) == (expected.created_at, expected.completed_at)
    assert result.raw == body


@pytest.mark.parametrize(
    ("name", "kind"), [("record_fail.json", "moderation"), ("record_fail_older_string_error.json", "unknown")]
)
def test_failed_tasks(name: str, kind: str) -> None:
    """A failed record makes the error, with the kind of what its message says."""
    fault = cast("TaskFault", RECORDS[name].error)
    error = task_failed(TASK, fault)
    assert (error.task_id, error.code, error.message, error.kind) == (TASK, fault.code, fault.message, kind)
    assert error.charged == "no"


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    """Each error body is the error of its status, with its fields."""
    answer = answer_of(name)
    kind, message, fits = ERRORS[name]
    error = api_error(answer, "KEY_OF_A_TEST")
    assert type(error) is kind
    assert message in error.message
    assert message in str(error)
    assert error.status == answer.status
    assert error.body == answer.body
    assert fits(error)


def _kind_of_outcome(name: str) -> type[Outcome]:
    return Unknown if name.startswith("5") else Rejected


@pytest.mark.parametrize("name", ERRORS)
def test_outcome_of_a_create(name: str) -> None:
    """A create that gets an error body is rejected, or unknown where the service failed."""
    outcome = classify(answer_of(name), "KEY_OF_A_TEST")
    assert type(outcome) is _kind_of_outcome(name)
    if isinstance(outcome, Rejected):
        assert type(outcome.error) is ERRORS[name][0]
        assert outcome.error.charged == "no"
    if isinstance(outcome, Unknown):
        assert (outcome.internal_error is not None) == (name == "500_internal.json")


def test_accepted_create() -> None:
    """The answer of a create is a task id."""
    assert decode_task_id(body_of("create_200.json")) == TASK
    assert classify(answer_of("create_200.json")) == Accepted(TASK)


def _without_raw(snapshot: TaskSnapshot) -> TaskSnapshot:
    return TaskSnapshot(
        snapshot.task_id,
        snapshot.status,
        snapshot.model,
        snapshot.credits_used,
        snapshot.outputs,
        snapshot.error,
        snapshot.created_at,
        snapshot.completed_at,
    )
