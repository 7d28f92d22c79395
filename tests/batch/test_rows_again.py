"""Rows that are passed in again: `failed.*` and `remaining.*`."""

from pathlib import Path, PurePosixPath

import pytest

from seedance_async.batch.manifest import Manifest, planned_files, record_of
from seedance_async.batch.outcomes import row_that_failed
from seedance_async.batch.report import EndedRow
from seedance_async.batch.rows import read_rows
from seedance_async.batch.tables import FAILED, REMAINING, write_again
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.plan import make_plan
from seedance_async.errors import (
    BadRequestError,
    TaskFailedError,
)
from tests.batch.plans import SIGNED, lines, plan_of, plan_of_csv, table

PICTURE = SIGNED.replace(".mp4", ".png")


def test_failed_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Same columns, same delimiter, same mark, plus file and reason; a fixed copy can be passed in."""
    plan = plan_of_csv(["id;prompt;duration;#note", 'one;"a; lake";8;x', "two;a hill;;"], bom=True)
    first, second = plan.rows
    rows = [
        row_that_failed(first, TaskFailedError("t", None, f"bad {SIGNED}", "input"), None),
        row_that_failed(second, BadRequestError(400, "no"), None),
    ]
    path = write_again(tmp_path, FAILED, plan.source, rows)
    assert path == tmp_path / "failed.csv"
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfid;prompt;duration;#note;output;#error\r\n")
    assert b"abc123" not in data
    again = plan_of_csv(data.decode("utf-8-sig").splitlines())
    assert [row.inputs for row in again.rows] == [row.inputs for row in plan.rows]
    assert [row.key for row in again.rows] == ["one", "two"]
    # A second failure replaces the first reason instead of adding a column.
    write_again(tmp_path, FAILED, again.source, [row_that_failed(again.rows[0], BadRequestError(400, "x"), None)])
    assert table(path, ";")[0]["#error"].startswith("HTTP 400: x")
    # A row that was not sent has no reason any more.
    path = write_again(tmp_path, REMAINING, again.source, [EndedRow(again.rows[0], "not_submitted")])
    assert path is not None
    assert table(path, ";")[0]["#error"] == ""


def test_failed_rows_of_jsonl_keep_their_lists(tmp_path: Path) -> None:
    """What does not fit into a cell stays JSON."""
    plan = plan_of({"prompt": "a", "images": [PICTURE], "#tags": ["x"], "seed": None})
    path = write_again(tmp_path, FAILED, plan.source, [row_that_failed(plan.rows[0], BadRequestError(400, "no"), None)])
    assert path == tmp_path / "failed.jsonl"
    assert lines(path) == [
        {
            "prompt": "a", "images": [PICTURE], "#tags": ["x"], "seed": None, "output": "001-a.mp4",
            "#error": "HTTP 400: no",
        }
    ]  # fmt: skip


def test_rows_of_an_earlier_run_are_set_aside_whatever_their_format(tmp_path: Path) -> None:
    """A run without the file writes JSONL: the CSV of the run before must not pass for the present state."""
    (tmp_path / "failed.csv").write_text("edited")
    (row,) = plan_of({"prompt": "a"}).rows
    path = write_again(tmp_path, FAILED, plan_of({"prompt": "a"}).source, [EndedRow(row, "failed")])
    assert path == tmp_path / "failed.jsonl"
    assert (tmp_path / "failed-1.csv").read_text() == "edited"
    assert not (tmp_path / "failed.csv").exists()


DEFAULTS: dict[str, object] = {
    "model": "seedance2-fast",
    "duration": 7,
    "output_resolution": "480p",
    "images": ("https://a.example/1.png", "https://a.example/2.png"),
    "extra": {"person": True},
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.jsonl", '{"prompt": "a lake", "duration": null}\n{"prompt": "a hill", "duration": 4}\n'),
        ("rows.csv", "prompt,duration\na lake,\na hill,4\n"),
        ("rows.txt", "a lake\na hill\n"),
    ],
)
@pytest.mark.parametrize("pattern", [None, "{index}"])
def test_rows_to_pass_in_again_need_no_options(tmp_path: Path, name: str, text: str, pattern: str | None) -> None:
    """Whatever options filled in is written down: the same videos at the same price, under the same names."""
    (tmp_path / name).write_text(text)
    source = read_rows(tmp_path / name)
    plan = make_plan(source, defaults=DEFAULTS, catalogue=Catalogue.LATEST, name_pattern=pattern)
    left = [EndedRow(plan.rows[1], "not_submitted")]
    path = write_again(tmp_path, REMAINING, plan.source, left)
    assert path is not None
    (again,) = make_plan(read_rows(path), defaults={}, catalogue=Catalogue.LATEST).rows
    assert (again.key, again.request.digest) == (plan.rows[1].key, plan.rows[1].request.digest)
    assert (again.inputs, again.file) == (plan.rows[1].inputs, plan.rows[1].file)


def test_a_row_that_failed_before_starts_without_its_error(tmp_path: Path) -> None:
    """One that succeeds now must not carry the reason of the last time into the reports."""
    (row,) = plan_of({"prompt": "a", "#error": "HTTP 400: no", "#shot": "1"}).rows
    record = record_of(EndedRow(row, "done", "t"), tmp_path)
    assert record["#shot"] == "1"
    assert "#error" not in record


def test_a_row_that_is_not_there_yet_keeps_its_name(tmp_path: Path) -> None:
    """A video that is fetched later goes where it was to go."""
    rows = plan_of({"prompt": "a", "output": "x/a.mp4"}, {"prompt": "b"}).rows
    manifest = Manifest(tmp_path)
    manifest.append(record_of(EndedRow(row, "running", f"t{row.index}"), tmp_path) for row in rows)
    manifest.append([{"key": "bad", "task_id": "t3", "planned": "../x.mp4"}, {"key": "old", "task_id": "t4"}])
    manifest.close()
    assert planned_files(tmp_path) == {"t1": PurePosixPath("x/a.mp4"), "t2": PurePosixPath("002-b.mp4")}
    assert planned_files(tmp_path / "none") == {}
