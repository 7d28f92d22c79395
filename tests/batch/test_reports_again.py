"""Reports of further runs over a folder: what they replace, what they keep, and what a killed run has left of them."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seedance_async.batch import BatchRunner
from seedance_async.batch.closing import write_reports
from seedance_async.batch.events import RowStatus
from seedance_async.batch.manifest import Manifest
from seedance_async.batch.report import BatchReport, EndedRow
from seedance_async.batch.tables import REMAINING, write_again
from tests.batch.driving import StartEmulator, interrupted, lakes, run
from tests.batch.plans import lines, plan_of, plan_of_csv, table

THREE = plan_of({"prompt": "a", "id": "a"}, {"prompt": "b", "id": "b"}, {"prompt": "c", "id": "c"})


def left(folder: Path) -> list[str]:
    """Everything in a folder but the journal, the manifest and the videos."""
    files = {path.name for path in folder.iterdir() if path.suffix != ".mp4"}
    return sorted(files - {"journal.db", "manifest.jsonl"})


def reported(folder: Path, *statuses: RowStatus) -> BatchReport:
    """Write the reports of a run in which three rows ended so."""
    manifest = Manifest(folder)
    ended = tuple(EndedRow(row, status) for row, status in zip(THREE.rows, statuses, strict=True))
    report, troubles = write_reports(BatchReport(folder, ended), THREE.source, manifest)
    manifest.close()
    assert troubles == ()
    return report


async def test_a_batch_that_is_interrupted_again_and_again_leaves_nothing_stale(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """`remaining.jsonl` is that of the last run, and once all is done there is none."""
    service = await emulator(limit=2)
    for _ in range(2):
        report = await interrupted(service, lakes(8), tmp_path, after=200)
        assert len(lines(tmp_path / "remaining.jsonl")) == report.counts["not_submitted"]
        assert left(tmp_path) == [".reports.json", "remaining.jsonl", "results.csv"]
    report = await run(service, BatchRunner(lakes(8), tmp_path))
    assert report.counts == {"done": 8}
    assert left(tmp_path) == ["results.csv"]


def test_rows_that_were_edited_are_set_aside(tmp_path: Path) -> None:
    """Each time under a new number; what nobody touched is replaced."""
    for number in (1, 2):
        reported(tmp_path, "failed", "not_submitted", "not_submitted")
        (tmp_path / "failed.jsonl").write_text(f"edited {number}")
    reported(tmp_path, "failed", "not_submitted", "done")
    names = ["failed-1.jsonl", "failed-2.jsonl", "failed.jsonl", "remaining.jsonl", "results.csv"]
    assert left(tmp_path) == [".reports.json", *names]
    assert (tmp_path / "failed-1.jsonl").read_text() == "edited 1"
    assert (tmp_path / "failed-2.jsonl").read_text() == "edited 2"
    assert [row["id"] for row in lines(tmp_path / "remaining.jsonl")] == ["b"]


def test_rows_of_another_format_that_nobody_touched_go(tmp_path: Path) -> None:
    """A run without the file writes JSONL: the CSV of the run before must not pass for the present state."""
    plan = plan_of_csv(["id,prompt", "a,a lake"])
    write_again(tmp_path, REMAINING, plan.source, [EndedRow(plan.rows[0], "not_submitted")])
    assert [row["id"] for row in table(tmp_path / "remaining.csv")] == ["a"]
    reported(tmp_path, "done", "done", "not_submitted")
    assert left(tmp_path) == [".reports.json", "remaining.jsonl", "results.csv"]


@pytest.mark.parametrize("note", [None, "", "[]", '{"remaining.jsonl": 1}', '{"remaining.jsonl": [1]}'])
def test_what_nothing_is_known_of_is_set_aside(tmp_path: Path, note: str | None) -> None:
    """Who deletes the note, or spoils it, loses nothing; and a file that is as it would be written is left."""
    reported(tmp_path, "not_submitted", "done", "done")
    (tmp_path / ".reports.json").unlink()
    if note is not None:
        (tmp_path / ".reports.json").write_text(note)
    reported(tmp_path, "not_submitted", "done", "done")
    assert left(tmp_path) == [".reports.json", "remaining.jsonl", "results.csv"]
    (tmp_path / ".reports.json").write_text(note or "{}")
    reported(tmp_path, "done", "not_submitted", "done")
    reported(tmp_path, "done", "done", "done")
    assert left(tmp_path) == ["remaining-1.jsonl", "results.csv"]
    assert [row["id"] for row in lines(tmp_path / "remaining-1.jsonl")] == ["a"]


DYING = """
import os, sys
from pathlib import Path
from tests.batch.test_reports_again import reported

def die_at(left, folder):
    def hook(event, arguments):
        nonlocal left
        if event in {"open", "os.rename", "os.remove"} and str(folder) in str(arguments[0]):
            left -= 1
            if left == 0:
                os._exit(9)
    sys.addaudithook(hook)

died, number = True, 0
while died:
    number += 1
    folder = Path(sys.argv[1], str(number))
    folder.mkdir()
    reported(folder, "not_submitted", "failed", "failed")
    child = os.fork()
    if child == 0:
        die_at(number, folder)
        reported(folder, "failed", "not_submitted", "done")
        os._exit(0)
    died = os.waitpid(child, 0)[1] != 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="makes many processes")
def test_a_process_that_dies_while_it_writes_them_leaves_nothing(tmp_path: Path) -> None:
    """Before whatever step it dies: the next run replaces what is there, and clears up."""
    subprocess.run([sys.executable, "-c", DYING, str(tmp_path)], check=True)
    folders = list(tmp_path.iterdir())
    assert len(folders) > 20
    assert any(".results.csv.part" in left(folder) for folder in folders)
    for folder in folders:
        reported(folder, "done", "done", "done")
        assert left(folder) == ["results.csv"]


def test_two_threads_may_write_them(tmp_path: Path) -> None:
    """A run that is cancelled while it writes its reports writes them on its way out as well."""
    plan = lakes(200)
    runner, manifest = BatchRunner(plan, tmp_path), Manifest(tmp_path)
    report = BatchReport(tmp_path, tuple(EndedRow(row, "not_submitted") for row in plan.rows))
    troubles: list[str] = []

    def write() -> None:
        for _ in range(5):
            troubles.extend(runner._write_reports(report, manifest)[1])

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    manifest.close()
    assert troubles == []
    assert left(tmp_path) == [".reports.json", "remaining.jsonl", "results.csv"]
    assert len(lines(tmp_path / "remaining.jsonl")) == len(table(tmp_path / "results.csv")) == 200
