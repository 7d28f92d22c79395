"""What is said of a folder before anything is spent, as sentences for one row and for several."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

import pytest

from seedance_async.batch import Plan
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.record import JobRecord
from seedance_async.core.recorded_rows import plan_of_records
from seedance_async.core.run_options import RunOptions
from seedance_async.core.stand import stand
from seedance_async.core.standing_text import describe_standing
from tests.batch.plans import SIGNED, plan_of
from tests.batch.records import START, failed, lost, saved, succeeded, written

ALL = RunOptions(retry_failed="all", resubmit_unknown=True)


def said(plan: Plan, records: Iterable[JobRecord], options: RunOptions = ALL) -> tuple[str, ...]:
    """What is said of a folder."""
    standing = stand(plan, records, {}, options, now=START + timedelta(days=20), catalogue=Catalogue.CLASSIC)
    return describe_standing(standing, 5, "my-videos")


def rows(number: int, **fields: object) -> Plan:
    """So many rows."""
    return plan_of(*({"prompt": f"{place}", "id": f"r{place}", **fields} for place in range(number)))


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (1, "1 row failed before (not charged) and left so; --retry-failed tries it again"),
        (2, "2 rows failed before (not charged) and left so; --retry-failed tries them again"),
    ],
)
def test_failures_that_may_come_out_differently(number: int, says: str) -> None:
    """The option that tries them is named."""
    plan = rows(number)
    assert says in said(plan, [failed(written(row), "server") for row in plan.rows], RunOptions())


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (1, "1 row failed before (not charged) and would fail again: it needs other inputs; --retry-failed=all tries"),
        (2, "2 rows failed before (not charged) and would fail again: they need other inputs; --retry-failed=all"),
    ],
)
def test_failures_that_would_come_again(number: int, says: str) -> None:
    """Such as moderation's: `--retry-failed` alone does nothing for them, and is not advised."""
    plan = rows(number)
    lines = said(plan, [failed(written(row), "moderation") for row in plan.rows], RunOptions())
    assert any(line.startswith(says) for line in lines)


@pytest.mark.parametrize("options", [RunOptions(), ALL])
@pytest.mark.parametrize(("kind", "option"), [("server", "--retry-failed"), ("moderation", "--retry-failed=all")])
def test_rows_whose_links_were_cut(options: RunOptions, kind: Literal["server", "moderation"], option: str) -> None:
    """The journal alone cannot send them: the command that can is the one with the file."""
    plan = rows(1, first_frame=SIGNED.replace(".mp4", ".png"))
    record = failed(written(plan.rows[0]), kind)
    resumed = plan_of_records([record], Catalogue.CLASSIC, "journal.db")
    lines = said(resumed, [record], options)
    if kind == "moderation" and options is not ALL:
        assert any("it needs other inputs" in line for line in lines)
        return
    (line,) = (line for line in lines if "not tried again without the batch file" in line)
    assert line.endswith(f"seedance batch FILE -o my-videos {option}")
    assert not any("seedance resume" in each for each in lines)


def test_unknown_rows_whose_links_were_cut() -> None:
    """They take the file and their own option."""
    plan = rows(1, first_frame=SIGNED.replace(".mp4", ".png"))
    record = lost(written(plan.rows[0]))
    lines = said(plan_of_records([record], Catalogue.CLASSIC, "journal.db"), [record])
    assert any(line.endswith("seedance batch FILE -o my-videos --resubmit-unknown") for line in lines)


def test_one_row_is_it() -> None:
    """And several are they."""
    one, two = rows(1), rows(2)
    cases = [
        (lost, "sends it all the same", "sends them all the same"),
        (lambda record: succeeded(record, START), "so it may be gone; --reroll ID", "so they may be gone; --reroll ID"),
    ]
    for make, of_one, of_two in cases:
        for plan, says in ((one, of_one), (two, of_two)):
            assert any(says in line for line in said(plan, [make(written(row)) for row in plan.rows], RunOptions()))
    for plan, says in ((one, "makes it anew"), (two, "makes them anew")):
        changed = rows(len(plan.rows), duration=8)
        assert any(says in line for line in said(changed, [saved(written(row)) for row in plan.rows], RunOptions()))


def test_credits_are_parted_by_thousands() -> None:
    """As everywhere."""
    plan = rows(3)
    lines = said(plan, [saved(written(row)) for row in plan.rows])
    assert lines[-1] == "credits of this folder so far: 1,245 used"


def test_a_journal_is_no_jsonl() -> None:
    """Where there is no file, none was read."""
    plan = rows(1)
    (record,) = (written(row) for row in plan.rows)
    assert "read as JSONL" in said(plan, [record])[1]
    assert "read as" not in said(plan_of_records([record], Catalogue.CLASSIC, "journal.db"), [record])[1]
