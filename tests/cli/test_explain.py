"""Each error has a sentence and an exit code, and no sentence holds a secret."""

from decimal import Decimal

import pytest

from seedance_async.batch.exit_codes import ExitCode
from seedance_async.cli.explain import CommandError, explain, without_secrets, words_of
from seedance_async.errors import (
    ApiError,
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    ConnectionFailedError,
    DownloadError,
    InputError,
    InsufficientCreditsError,
    KeyConflictError,
    OutcomeUnknownError,
    PermissionDeniedError,
    Problem,
    SeedanceError,
    ServerError,
    SessionClosedError,
    TaskFailedError,
    TaskTimeoutError,
)

FOREIGN = PermissionDeniedError(403, "Access denied")
FOREIGN.task_id = "task_x"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandError("no"), ExitCode.USAGE),
        (InputError([Problem("duration", "is too long")]), ExitCode.USAGE),
        (ConfigurationError("no URL"), ExitCode.USAGE),
        (KeyConflictError("k"), ExitCode.USAGE),
        (AuthenticationError(401, "Invalid API Key"), ExitCode.ACCOUNT),
        (InsufficientCreditsError(402, "Insufficient credits"), ExitCode.ACCOUNT),
        (BudgetExceededError(Decimal(5), Decimal(1)), ExitCode.ACCOUNT),
        (PermissionDeniedError(403, "API access not enabled"), ExitCode.ACCOUNT),
        (FOREIGN, ExitCode.FAILED),
        (OutcomeUnknownError("cut off"), ExitCode.UNKNOWN),
        (TaskFailedError("task_x", "2038", "no", "moderation"), ExitCode.FAILED),
        (TaskTimeoutError("task_x"), ExitCode.FAILED),
        (ConnectionFailedError("refused"), ExitCode.FAILED),
        (DownloadError("disk full"), ExitCode.FAILED),
        (ServerError(502, "Bad Gateway"), ExitCode.FAILED),
        (ApiError(418, "teapot"), ExitCode.FAILED),
        (PermissionError(13, "Permission denied", "videos"), ExitCode.FAILED),
        (RuntimeError("what?"), ExitCode.FAILED),
    ],
    ids=str,
)
def test_exit_codes(error: Exception, code: ExitCode) -> None:
    """As documented in `--help`."""
    assert explain(error)[1] is code


def test_a_defect_says_where_and_what_to_do() -> None:
    """Without a traceback, but with enough to be reported and with what was noted on the way."""
    try:
        without_secrets(5)  # type: ignore[arg-type]
    except Exception as error:  # noqa: BLE001
        error.add_note("fetch it with: seedance download task_x --wait")
        text, _ = explain(error)
    assert "Error in explain.py, line " in text or "Error in redact.py, line " in text
    assert "report" in text
    assert text.endswith("fetch it with: seedance download task_x --wait")
    assert "Traceback" not in text


def test_secrets_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key by value, signed URLs by shape, also from texts of other libraries."""
    monkeypatch.setenv("KINOVI_API_KEY", "sk-planted")
    text, _ = explain(RuntimeError("sk-planted https://files.example/a.mp4?sig=planted"))
    assert "planted" not in text
    assert "https://files.example/a.mp4" in text


def test_many_problems_are_cut() -> None:
    """A file of two thousand wrong rows does not fill the screen."""
    text, _ = explain(InputError([Problem(f"line {number}", "is wrong") for number in range(2000)]))
    assert "2,000 problems" in text
    assert "and 1,980 more" in text or "and 1980 more" in text
    assert len(text.splitlines()) < 30


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OutcomeUnknownError("cut off", Decimal(415), "job-1"), "(cut off). It may run and may have cost 415 credits"),
        (OutcomeUnknownError("cut off"), "an unknown number of credits"),
        (TaskTimeoutError("task_x"), "task task_x was not seen to end: its deadline passed"),
        (SessionClosedError(["task_x", "task_y"]), "still running on the service, paid for: task_x, task_y"),
        (SessionClosedError((), "the loop has ended"), "the loop has ended"),
        (KeyConflictError("shot-7"), "the id 'shot-7'"),
        (DownloadError("it exists; choose another name, or overwrite=True", "a.mp4", "task_x"), "or --overwrite"),
    ],
)
def test_commands_speak_of_commands(error: SeedanceError, says: str) -> None:
    """Nobody at a terminal knows what an argument of a Python method or a made-up key is."""
    text = words_of(error)
    assert says in text
    for word in ("=True", "key ", "attach", "job-1"):
        assert word not in text
