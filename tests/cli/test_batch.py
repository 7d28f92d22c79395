"""`seedance batch`, from the file of rows to the folder of videos."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seedance_async.testing import EmulatorThread
from tests.cli.harness import QUICK, Seedance, said

ROWS = [
    {"id": "lake", "prompt": "a lake", "duration": 4, "output_resolution": "480p", "#shot": "12b"},
    {"id": "hill", "prompt": "a hill", "aspect_ratio": "1:1"},
    {"id": "bad", "prompt": "a storm [fail:moderation]"},
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Three rows, one of which fails."""
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return file


def test_rows_to_files(seedance: Seedance, account: EmulatorThread, rows: Path, tmp_path: Path) -> None:
    """Videos under their ids, a manifest with what was carried, results, and the failed row ready to edit."""
    out = tmp_path / "out"
    ended = seedance("batch", rows, "-o", out, "--yes", *QUICK)
    assert (ended.code, ended.out) == (1, "")
    assert {path.name for path in out.iterdir()} == {
        "lake.mp4", "hill.mp4", "journal.db", "manifest.jsonl", "results.csv", "failed.jsonl", ".reports.json",
    }  # fmt: skip
    manifest = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert {line["id"] for line in manifest} == {"lake", "hill", "bad"}
    assert "12b" in (out / "manifest.jsonl").read_text()
    with (out / "results.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
    for words in ("3 videos", "2 of 3 videos saved", "1 row failed and cost nothing", "failed.jsonl"):
        assert words in ended.err


def test_one_line_per_event_where_nothing_can_be_redrawn(
    seedance: Seedance, account: EmulatorThread, rows: Path, tmp_path: Path
) -> None:
    """Logs of a server are plain text without control sequences."""
    ended = seedance("batch", rows, "-o", tmp_path / "out", "--yes", *QUICK)
    assert "\x1b" not in ended.err
    assert sum(line.startswith("line 1: ") for line in ended.err.splitlines()) == 2  # accepted, saved
    assert any(line.startswith("line 3: failed: ") for line in ended.err.splitlines())


def test_report_as_json(seedance: Seedance, account: EmulatorThread, rows: Path, tmp_path: Path) -> None:
    """All of standard output; quiet leaves only what is left to do on standard error."""
    ended = seedance("batch", rows, "-o", tmp_path / "out", "--yes", "--json", "--quiet", *QUICK)
    told = json.loads(ended.out)
    assert (told["exit_code"], told["counts"]) == (1, {"done": 2, "failed": 1})
    assert [row["status"] for row in told["rows"]] == ["done", "done", "failed"]
    assert [row["message"] is None for row in told["rows"]] == [True, True, False]
    assert "http" not in ended.out
    assert "accepted" not in ended.err


def test_options_fill_what_rows_leave_empty(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """And `--name` names the files."""
    file = tmp_path / "prompts.txt"
    file.write_text("a lake\na hill\n")
    ended = seedance(
        "batch", file, "-o", tmp_path / "out", "--yes", "--duration", "4", "--output-resolution", "480p",
        "--name", "{index}.mp4", "--json", *QUICK,
    )  # fmt: skip
    told = json.loads(ended.out)
    assert [(row["file"], row["credits"]) for row in told["rows"]] == [
        (str(tmp_path / "out" / "1.mp4"), 60),
        (str(tmp_path / "out" / "2.mp4"), 60),
    ]


def test_nothing_is_sent_without_a_yes(seedance: Seedance, account: EmulatorThread, rows: Path, tmp_path: Path) -> None:
    """Where nobody can be asked, `--yes` is wanted; the plan is shown all the same."""
    ended = seedance("batch", rows, "-o", tmp_path / "out")
    assert ended.code == 2
    assert "--yes" in ended.err
    assert "3 videos" in ended.err
    assert account.statistics().creates == 0


def test_above_the_budget_nothing_is_sent(
    seedance: Seedance, account: EmulatorThread, rows: Path, tmp_path: Path
) -> None:
    """It says how many rows fit."""
    ended = seedance("batch", rows, "-o", tmp_path / "out", "--yes", "--budget", "100")
    assert ended.code == 3
    assert "first 1 of 3" in ended.err
    assert account.statistics().creates == 0


def test_videos_that_are_there_stop_the_batch(
    seedance: Seedance, account: EmulatorThread, rows: Path, tmp_path: Path
) -> None:
    """Before anything is sent, with the line."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "hill.mp4").write_bytes(b"mine")
    ended = seedance("batch", rows, "-o", tmp_path / "out", "--yes")
    assert ended.code == 2
    assert "line 2" in ended.err
    assert account.statistics().creates == 0


def test_the_limit_is_met_and_named(seedance: Seedance, serve: Callable[..., EmulatorThread], tmp_path: Path) -> None:
    """More rows than slots: refusals are said once and cost nothing."""
    served = serve(limit=2)
    file = tmp_path / "prompts.txt"
    file.write_text("".join(f"lake {number}\n" for number in range(6)))
    ended = seedance("batch", file, "-o", tmp_path / "out", "--yes", "--output-resolution", "480p", *QUICK)
    assert ended.code == 0
    assert ended.err.count("takes 2 tasks at a time") == 1
    seen = served.statistics()
    assert seen.refusals > 0
    assert (seen.accepted, seen.peak_in_progress) == (6, 2)


def test_credits_that_end_in_the_middle(
    seedance: Seedance, serve: Callable[..., EmulatorThread], tmp_path: Path
) -> None:
    """What runs is saved, the rest is ready to pass in again, exit code 3."""
    serve(credits=100)
    file = tmp_path / "prompts.txt"
    file.write_text("lake\nhill\nsea\n")
    ended = seedance(
        "batch",
        file,
        "-o",
        tmp_path / "out",
        "--yes",
        "--duration",
        "4",
        "--output-resolution",
        "480p",
        "--json",
        *QUICK,
    )
    told = json.loads(ended.out)
    assert ended.code == 3
    assert told["counts"] == {"done": 1, "not_submitted": 2}
    assert "remaining" in ended.err


def test_an_unknown_outcome_is_named(seedance: Seedance, serve: Callable[..., EmulatorThread], tmp_path: Path) -> None:
    """Exit code 4, the line, and what to do; it is not sent again."""
    served = serve(faults=["drop-after-accept:prompt=hill"])
    file = tmp_path / "prompts.txt"
    file.write_text("lake\nhill\n")
    ended = seedance("batch", file, "-o", tmp_path / "out", "--yes", *QUICK)
    assert ended.code == 4
    assert "1 row of unknown outcome (line 2)" in ended.err
    assert "--resubmit-unknown" in ended.err
    assert "account's page" in ended.err
    assert served.statistics().creates_by_prompt["hill"] == 1
    # Once as it happens and once in the summary, by its line and not by its key.
    assert ended.err.count("answer was lost") == 2
    assert "line 2: UNKNOWN: 002-hill.mp4: it was sent and the answer was lost" in ended.err
    assert "v1:" not in ended.err


def test_a_report_names_what_is_unknown(
    seedance: Seedance, serve: Callable[..., EmulatorThread], tmp_path: Path
) -> None:
    """A script need not look through all rows."""
    serve(faults=["drop-after-accept:prompt=hill"])
    file = tmp_path / "rows.jsonl"
    file.write_text('{"prompt": "lake"}\n{"prompt": "hill", "id": "h"}\n')
    told = json.loads(seedance("batch", file, "-o", tmp_path / "out", "--yes", "--json", *QUICK).out)
    assert told["unknown"] == [{"key": "h", "line": 2, "id": "h", "task_id": None}]
    assert told["stop_message"] is None
    assert "key" not in told["rows"][1]["message"]


def test_a_video_that_was_not_saved_is_fetched_by_what_the_summary_says(
    seedance: Seedance, serve: Callable[..., EmulatorThread], rows: Path, tmp_path: Path
) -> None:
    """Under the name that the batch would have given it, without a create and without a question."""
    served = serve(faults=["http-403:on=file,prompt=a lake"])
    out = tmp_path / "out"
    ended = seedance("batch", rows, "-o", out, "--yes", *QUICK)
    assert not (out / "lake.mp4").exists()
    served.call(lambda emulator: emulator.faults.clear())
    creates = served.statistics().creates
    again = seedance(*said(ended.err, "go on: seedance "), *QUICK)
    assert again.code == 1  # one row has failed, and is left so
    assert "nothing is to be sent" in again.err
    assert (out / "lake.mp4").exists()
    assert served.statistics().creates == creates


def test_what_differs_is_told_once_per_row(
    seedance: Seedance, serve: Callable[..., EmulatorThread], tmp_path: Path
) -> None:
    """The library logs it as well; a terminal needs it once."""
    serve(faults=["credits-drift"])
    file = tmp_path / "prompts.txt"
    file.write_text("lake\n")
    ended = seedance("batch", file, "-o", tmp_path / "out", "--yes", "--on-drift", "go", *QUICK)
    assert ended.err.count("credits should be") == 1
    assert "expected" not in ended.err
