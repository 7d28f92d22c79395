"""The files that a batch leaves behind, and its exit code."""

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from seedance_async.batch.books import Books
from seedance_async.batch.closing import write_reports
from seedance_async.batch.events import BatchEvent, RowStatus, StopReason, Warned
from seedance_async.batch.exit_codes import ExitCode
from seedance_async.batch.manifest import Manifest, Record, record_of
from seedance_async.batch.outcomes import row_that_failed
from seedance_async.batch.recorder import Recorder
from seedance_async.batch.report import BatchReport, EndedRow
from seedance_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    DownloadError,
    InsufficientCreditsError,
    JournalError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SeedanceError,
    ServerError,
    SessionClosedError,
    TaskFailedError,
    TaskNotFoundError,
    TaskTimeoutError,
    WithdrawnError,
)
from seedance_async.hooks import SlotGivenUp
from tests.batch.plans import SIGNED, lines, plan_of, plan_of_csv, standing_of, table, video

PICTURE = SIGNED.replace(".mp4", ".png")


def test_a_record_holds_what_a_script_wants_and_no_signed_url(tmp_path: Path) -> None:
    """Fields of a finished row, with carried columns untouched."""
    (row,) = plan_of({"prompt": "a lake", "id": "one", "output": "x/a.mp4", "#scene": {"n": 1}}).rows
    ended = EndedRow(row, "done", "task_1", path=tmp_path / "x" / "a.mp4", result=video("task_1"))
    record = record_of(ended, tmp_path)
    assert record == {
        "index": 1,
        "line": 1,
        "id": "one",
        "key": "one",
        "status": "done",
        "task_id": "task_1",
        "file": "x/a.mp4",
        "planned": "x/a.mp4",
        "credits": 415,
        "error": None,
        "model": "seedance-20",
        "resolution": "1080p",
        "duration": 5,
        "size": "1920x1080",
        "seed": 7,
        "created": "2026-11-01T12:00:00Z",
        "completed": "2026-11-01T12:02:30.500000Z",
        "prompt": "a lake",
        "#scene": {"n": 1},
    }


def test_a_record_of_a_failure_says_whose_fault_it_was_without_signatures(tmp_path: Path) -> None:
    """The service's message may repeat a signed reference URL."""
    (row,) = plan_of({"prompt": "a lake"}).rows
    error = TaskFailedError("task_1", "1001", f"cannot fetch {SIGNED}, sorry", "reference")
    record = record_of(row_that_failed(row, error, None), tmp_path)
    assert record["error"] == {
        "type": "TaskFailedError",
        "message": (
            "task task_1 failed (reference) [1001]: cannot fetch https://files.example/clip.mp4?[redacted] sorry"
        ),
        "charged": "no",
        "kind": "reference",
        "code": "1001",
    }
    assert record["credits"] is None
    assert "abc123" not in json.dumps(record)


@pytest.mark.parametrize(("used", "shown"), [("415", "415"), ("99.80", "99.8"), ("0.10", "0.1")])
def test_credits_are_numbers_with_the_same_digits(tmp_path: Path, used: str, shown: str) -> None:
    """A reader that parses numbers exactly gets exactly what was charged."""
    (row,) = plan_of({"prompt": "a lake"}).rows
    record = record_of(EndedRow(row, "done", "t", result=video("t", used)), tmp_path)
    assert json.dumps(record["credits"]) == shown
    assert json.loads(json.dumps(record["credits"]), parse_float=Decimal) == Decimal(used)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TaskFailedError("t", None, "no", "moderation"), "failed"),
        (BadRequestError(400, "no"), "failed"),
        (OutcomeUnknownError("lost"), "unknown"),
        (TaskTimeoutError("t"), "running"),
        (SessionClosedError(["t"]), "running"),
        (SessionClosedError(), "not_submitted"),
        (AuthenticationError(401, "no"), "not_submitted"),
        (InsufficientCreditsError(402, "no"), "not_submitted"),
        (ConnectionFailedError("no network"), "not_submitted"),
        (JournalError("the disk is full"), "not_submitted"),
        (WithdrawnError("k"), "not_submitted"),
        (ServerError(500, "no"), "failed"),
    ],
)
def test_errors_are_sorted_by_what_they_mean_for_the_money(error: SeedanceError, status: RowStatus) -> None:
    """A row is only called failed if it cost nothing and was its own fault."""
    (row,) = plan_of({"prompt": "a lake"}).rows
    assert row_that_failed(row, error, "t" if error.charged == "yes" else None).status == status


def test_any_error_that_may_have_cost_credits_is_unknown() -> None:
    """Whatever its class, `charged` decides; and a 401 while a task runs leaves the task running."""
    (row,) = plan_of({"prompt": "a lake"}).rows
    error: SeedanceError = ServerError(500, "no")
    error.charged = "maybe"
    assert row_that_failed(row, error, None).status == "unknown"
    error = AuthenticationError(401, "no")
    error.charged = "yes"
    ended = row_that_failed(row, error, "task_9")
    assert (ended.status, ended.task_id) == ("running", "task_9")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TaskNotFoundError(404, "Task not found"), "unknown"),
        (PermissionDeniedError(403, "Access denied"), "unknown"),
        (PermissionDeniedError(403, "API access is not enabled"), "running"),
    ],
    ids=["404", "403 task", "403 account"],
)
def test_a_task_that_is_gone_does_not_run(error: SeedanceError, status: RowStatus) -> None:
    """There is nothing to wait for: what became of it, and of its credits, nobody can tell."""
    (row,) = plan_of({"prompt": "a lake"}).rows
    error.charged = "yes"
    ended = row_that_failed(row, error, "task_9")
    assert (ended.status, ended.task_id) == (status, "task_9")


def _report(*statuses: RowStatus, stopped: StopReason | None = None) -> BatchReport:
    rows = plan_of(*({"prompt": str(number)} for number in range(len(statuses)))).rows
    ended = tuple(EndedRow(row, status, f"task_{row.index}") for row, status in zip(rows, statuses, strict=True))
    return BatchReport(Path("x"), ended, stopped)


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (_report("done", "done"), ExitCode.DONE),
        (_report("done", "failed"), ExitCode.FAILED),
        (_report("done", "not_saved"), ExitCode.FAILED),
        (_report("done", "running"), ExitCode.FAILED),
        (_report("done", "not_submitted", stopped="drift"), ExitCode.FAILED),
        (_report("failed", "unknown"), ExitCode.UNKNOWN),
        (_report("failed", "not_submitted", stopped="account"), ExitCode.ACCOUNT),
        (_report("unknown", "not_submitted", stopped="account"), ExitCode.UNKNOWN),
        (_report("done", "unknown", "running", stopped="interrupt"), ExitCode.INTERRUPTED),
        (_report("done", stopped="terminate"), ExitCode.TERMINATED),
        (_report("done", stopped="hangup"), ExitCode.HANGUP),
    ],
)
def test_the_exit_code_is_the_most_urgent_thing(report: BatchReport, code: ExitCode) -> None:
    """Interrupted, then unknown, then key or credits, then failed."""
    assert report.exit_code is code


def test_a_report_sums_up_what_was_paid() -> None:
    """Finished videos and tasks that run are counted apart; failures cost nothing."""
    report = _report("done", "not_saved", "running", "failed", "unknown")
    assert (report.credits_used, report.credits_running) == (Decimal(830), Decimal(415))
    assert report.running == ("task_3",)
    assert report.not_saved == ("task_2",)
    assert report.counts == {"done": 1, "not_saved": 1, "running": 1, "failed": 1, "unknown": 1}


def _record(key: str, status: str) -> Record:
    return {"key": key, "status": status, "#note": "ä"}


def test_a_manifest_grows_and_the_last_line_of_a_key_counts(tmp_path: Path) -> None:
    """A later run finds what an earlier one wrote, and adds to it."""
    manifest = Manifest(tmp_path)
    manifest.append([_record("a", "failed"), _record("b", "done")])
    manifest.close()
    again = Manifest(tmp_path)
    again.append([_record("a", "done")])
    again.close()
    again.append([_record("c", "done")])  # after close: nothing
    assert [line["status"] for line in lines(tmp_path / "manifest.jsonl")] == ["failed", "done", "done"]
    assert {key: record["status"] for key, record in again.latest.items()} == {"a": "done", "b": "done"}


def test_what_is_said_already_gets_no_further_line(tmp_path: Path) -> None:
    """Two signals in a row write the tasks that run down twice."""
    manifest = Manifest(tmp_path)
    manifest.append([_record("a", "running"), _record("a", "running"), _record("b", "running")])
    manifest.append([_record("b", "running"), _record("a", "done"), _record("a", "running")])
    manifest.close()
    found = [(line["key"], line["status"]) for line in lines(tmp_path / "manifest.jsonl")]
    assert found == [("a", "running"), ("b", "running"), ("a", "done"), ("a", "running")]


def test_a_torn_line_costs_no_other_line(tmp_path: Path) -> None:
    """A crash in the middle of a write is closed by the next one."""
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(b'{"key": "a", "status": "done"}\n{"key": "b", "sta')
    manifest = Manifest(tmp_path)
    manifest.append([_record("c", "done")])
    manifest.close()
    assert set(manifest.latest) == {"a", "c"}
    again = Manifest(tmp_path)
    again.close()
    assert set(again.latest) == {"a", "c"}
    assert path.read_bytes().count(b"\n") == 3


class _HalfFull:
    """A file that takes half of one write, as a disk does while it fills up."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self.closed = False

    def write(self, data: bytes) -> int:
        return self._file.write(data[: len(data) // 2])


def test_a_write_that_stops_half_way_is_closed_by_the_next_one(tmp_path: Path) -> None:
    """The lines that could not be written whole are written again, on lines of their own."""
    manifest = Manifest(tmp_path)
    whole = manifest._file
    manifest._file = _HalfFull(whole)  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space left"):
        manifest.append([_record("a", "done")])
    assert manifest.latest == {}
    manifest._file = whole
    manifest.append([_record("a", "done")])
    manifest.close()
    lines = (tmp_path / "manifest.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1])["key"] == "a"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_an_error_of_the_manifest(tmp_path: Path) -> None:
    """Nobody is told that a line is durable when it is not."""
    manifest = Manifest(tmp_path)
    manifest._file.close()
    manifest._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115
    with pytest.raises(OSError, match="No space left"):
        manifest.append([_record("a", "done")])
    assert manifest.latest == {}
    manifest.close()


def test_reports_keep_what_earlier_runs_left(tmp_path: Path) -> None:
    """`results.csv` tells of the whole folder; rows of the run before are set aside if they were edited, not lost."""
    plan = plan_of_csv(["id,prompt", "one,a lake", "two,a hill", "three,a sea"])
    manifest = Manifest(tmp_path)

    def run(*ended: EndedRow) -> BatchReport:
        manifest.append(record_of(row, tmp_path) for row in ended if row.status != "not_submitted")
        report, troubles = write_reports(BatchReport(tmp_path, ended), plan.source, manifest)
        assert troubles == ()
        return report

    one, two, three = plan.rows
    first = run(
        EndedRow(one, "done", "t1", path=tmp_path / "one.mp4", result=video("t1")),
        row_that_failed(two, BadRequestError(400, "no"), None),
        EndedRow(three, "not_submitted", note="interrupted"),
    )
    assert first.failed_file == tmp_path / "failed.csv"
    assert first.remaining_file == tmp_path / "remaining.csv"
    assert [row["id"] for row in table(tmp_path / "remaining.csv")] == ["three"]
    assert [(row["id"], row["status"], row["credits"], row["error"]) for row in table(tmp_path / "results.csv")] == [
        ("one", "done", "415", ""),
        ("two", "failed", "", "HTTP 400: no"),
        ("three", "not_submitted", "", "interrupted"),
    ]
    with (tmp_path / "failed.csv").open("a") as file:
        file.write("four,a pond\n")
    second = run(EndedRow(two, "done", "t2", path=tmp_path / "two.mp4", result=video("t2")))
    assert (second.failed_file, second.remaining_file) == (None, None)
    assert [(row["id"], row["status"]) for row in table(tmp_path / "results.csv")] == [
        ("one", "done"),
        ("two", "done"),
    ]
    assert not (tmp_path / "failed.csv").exists()
    assert [row["id"] for row in table(tmp_path / "failed-1.csv")] == ["two", "four"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["failed-1.csv", "manifest.jsonl", "results.csv"]
    manifest.close()


def test_results_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Rows end in any order; what only earlier runs had comes first."""
    rows = plan_of_csv(["id,prompt", "one,a lake", "two,a hill", "three,a sea"]).rows
    manifest = Manifest(tmp_path)
    manifest.append([{"key": "two", "id": "two", "status": "done"}, {"key": "old", "id": "old", "status": "done"}])
    statuses: tuple[RowStatus, ...] = ("failed", "not_submitted", "done")
    ended = [EndedRow(row, status) for row, status in zip(rows, statuses, strict=True)]
    manifest.append(record_of(row, tmp_path) for row in (ended[2], ended[0]))
    write_reports(BatchReport(tmp_path, tuple(ended)), plan_of_csv(["prompt", "x"]).source, manifest)
    manifest.close()
    found = [(row["id"], row["status"]) for row in table(tmp_path / "results.csv")]
    assert found == [("old", "done"), ("one", "failed"), ("two", "done"), ("three", "done")]


async def test_the_first_end_of_a_row_counts(tmp_path: Path) -> None:
    """What is told and written once is not taken back."""
    told: list[BatchEvent] = []
    books = Books(tmp_path, told.append)
    recorder = Recorder(Manifest(tmp_path), pytest.fail)
    books.begin(standing_of(plan_of({"prompt": "a", "id": "a"})), recorder)
    row = books.jobs["a"].row
    books.end(EndedRow(row, "done", "t1"))
    books.end(EndedRow(row, "failed", "t1"))
    books.close()
    await recorder.flush()
    recorder.manifest.close()
    assert books.report().counts == {"done": 1}
    assert len(told) == len(lines(tmp_path / "manifest.jsonl")) == 1


def test_a_slot_that_is_used_again_is_told_by_its_line(tmp_path: Path) -> None:
    """Nobody knows a row by its key; tasks of others are none of this batch's business."""
    told: list[BatchEvent] = []
    books = Books(tmp_path, told.append)
    recorder = Recorder(Manifest(tmp_path), pytest.fail)
    books.begin(standing_of(plan_of({"prompt": "a"})), recorder)
    recorder.manifest.close()
    (key,) = books.jobs
    books.hear(SlotGivenUp(key, "task_1"), 0.0)
    books.hear(SlotGivenUp("somebody", "task_2"), 0.0)
    assert told == [Warned("line 1: task task_1 takes so long that its slot is used again")]


def test_a_report_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The batch is done all the same; the manifest has its lines."""
    plan = plan_of({"prompt": "a"})
    manifest = Manifest(tmp_path)
    (tmp_path / "results.csv").mkdir()
    (tmp_path / "results.csv" / "x").touch()
    ended = (EndedRow(plan.rows[0], "failed", error=DownloadError("x")),)
    report, troubles = write_reports(BatchReport(tmp_path, ended), plan.source, manifest)
    manifest.close()
    assert len(troubles) == 1
    assert troubles[0].startswith("results.csv cannot be written")
    assert report.failed_file is not None
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == [".reports.json"]
