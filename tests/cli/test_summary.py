"""What is said at the end of a batch, as sentences for one row and for several."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from seedance_async.batch import BatchReport, EndedRow, RowStatus
from seedance_async.cli.summary import Ways, summary_lines
from seedance_async.core.record import JobCredits, JobRecord
from seedance_async.core.record_inputs import CUT
from seedance_async.errors import DownloadError
from tests.batch.plans import plan_of
from tests.batch.records import START, failed, succeeded, written

ROWS = plan_of({"prompt": "a", "id": "a"}, {"prompt": "b", "id": "b"}).rows


def said(status: RowStatus, records: Sequence[JobRecord]) -> str:
    """What is said where these jobs ended so."""
    rows = [EndedRow(row, status, "task", error=DownloadError("no", "x")) for row in ROWS[: len(records)]]
    report = BatchReport(Path("out"), tuple(rows))
    return "\n".join(summary_lines(report, JobCredits(), ways=Ways.of(records, START + timedelta(days=20))))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, ("1 row failed and cost nothing, and needs other inputs (a)", "mend it in your file")),
        (2, ("2 rows failed and cost nothing, and need other inputs (a, b)", "mend them in your file")),
    ],
)
def test_rows_that_need_other_inputs(number: int, words: tuple[str, str]) -> None:
    """To try them again as they are is not advised."""
    text = said("failed", [failed(written(row), "moderation") for row in ROWS[:number]])
    assert all(word in text for word in words)
    assert "--retry-failed" not in text


def test_rows_whose_links_were_cut_take_the_file() -> None:
    """`resume` alone would refuse them."""
    first, second = (failed(written(row), "server") for row in ROWS)
    cut = evolve(first, inputs={**first.inputs, CUT: True})
    lines = said("failed", [cut, second]).splitlines()
    assert "1 row failed and cost nothing, and needs the batch file: links that may be signed are not kept (a)" in lines
    assert "  try again: seedance batch FILE -o out --retry-failed" in lines
    assert "1 row failed and cost nothing (b)" in lines
    assert "  try again: seedance resume out --retry-failed" in lines


def test_videos_that_the_service_keeps_no_longer() -> None:
    """The way out is a new video; those that are younger are fetched."""
    old, young = succeeded(written(ROWS[0]), START), succeeded(written(ROWS[1]), START + timedelta(days=19))
    text = said("not_saved", [old, young])
    assert "1 video finished and paid, but not saved" in text
    assert "1 video finished more than 14 days ago and not saved (a)" in text
    assert "--reroll ID" in text


def test_rows_that_may_be_paid() -> None:
    """One row is it, and several are they."""
    one, two = (said("unknown", [written(row) for row in ROWS[:number]]) for number in (1, 2))
    assert "  it may run" in one
    assert "sends it again" in one
    assert "  they may run" in two
    assert "sends them again" in two
