"""What is to be done with every row and every job, decided from a plan, a journal and the files that are there."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve

from seedance_async.batch import (
    Duty,
    FolderStanding,
    RetryFailed,
    RunOptions,
    Standing,
    describe_standing,
    judge_standing,
)
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.job_notes import read_notes
from seedance_async.core.record import JobRecord
from seedance_async.core.record_steps import intended, noted
from seedance_async.core.recorded_rows import plan_of_records, row_of_record
from seedance_async.errors import InputError
from tests.batch.plans import NOW, SIGNED, plan_of, standing_of
from tests.batch.records import (
    START,
    failed,
    gone,
    lost,
    records_of,
    refused,
    repeated,
    running,
    saved,
    sizes,
    succeeded,
    written,
)

PLAN = plan_of({"prompt": "lake", "id": "a"})
ROW = PLAN.rows[0]
CHANGED = plan_of({"prompt": "hill", "id": "a"})
KEPT = RunOptions()
RETRY, ALL = RunOptions(retry_failed="again"), RunOptions(retry_failed="all")


def one(standing: FolderStanding) -> tuple[Standing, Duty]:
    """How the only row stands."""
    (job,) = standing.rows
    return job.standing, job.duty


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (written(ROW), (Standing.QUEUED, Duty.SUBMIT)),
        (running(written(ROW)), (Standing.RUNNING, Duty.FOLLOW)),
        (saved(written(ROW)), (Standing.DONE, Duty.NOTHING)),
        (succeeded(written(ROW)), (Standing.MISSING, Duty.FETCH)),
        (failed(written(ROW), "server"), (Standing.FAILED, Duty.NOTHING)),
        (refused(written(ROW), "BadRequestError", 400), (Standing.FAILED, Duty.NOTHING)),
        (refused(written(ROW), "InsufficientCreditsError", 402), (Standing.QUEUED, Duty.SUBMIT)),
        (refused(written(ROW), "AuthenticationError", 401), (Standing.QUEUED, Duty.SUBMIT)),
        (refused(written(ROW), "BudgetExceededError"), (Standing.QUEUED, Duty.SUBMIT)),
        (lost(written(ROW)), (Standing.UNKNOWN, Duty.NOTHING)),
        (gone(written(ROW)), (Standing.UNKNOWN, Duty.NOTHING)),
        # A crash between intent and closing: it may have been accepted.
        (intended(written(ROW), START), (Standing.UNKNOWN, Duty.NOTHING)),
        # A crash while a create waited to be repeated after a 500.
        (repeated(written(ROW)), (Standing.UNKNOWN, Duty.NOTHING)),
    ],
)
def test_a_row_stands_as_its_job_does(record: JobRecord, expected: tuple[Standing, Duty]) -> None:
    """What was never accepted is sent, what is paid is watched or fetched, the rest is kept."""
    assert one(standing_of(PLAN, [record], sizes(record))) == expected


def test_a_row_without_a_job_is_new() -> None:
    """Nothing of it is known here."""
    assert one(standing_of(PLAN)) == (Standing.NEW, Duty.SUBMIT)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(None, Standing.MISSING), (999, Standing.MISSING), (1000, Standing.DONE), (1001, Standing.DONE)],
)
def test_a_file_counts_in_full_length(size: int | None, expected: Standing) -> None:
    """A shorter one is what a crash has left; a longer one was edited."""
    assert one(standing_of(PLAN, [saved(written(ROW))], {} if size is None else {"a.mp4": size}))[0] is expected


@pytest.mark.parametrize(("days", "expected"), [(13, Standing.MISSING), (15, Standing.EXPIRED)])
def test_files_that_the_service_keeps_no_longer_are_said_to_be_so(days: int, expected: Standing) -> None:
    """They are asked for all the same: nothing is lost by that."""
    standing = standing_of(PLAN, [saved(written(ROW), NOW - timedelta(days=days))])
    assert one(standing) == (expected, Duty.FETCH)
    said = any("the service keeps files for 14 days" in line for line in describe_standing(standing, 5))
    assert said is (expected is Standing.EXPIRED)


@pytest.mark.parametrize(
    ("record", "by_again"),
    [
        (failed(written(ROW), "server"), True),
        (failed(written(ROW), "reference"), True),
        (failed(written(ROW), "unknown"), True),
        (failed(written(ROW), "moderation"), False),
        (failed(written(ROW), "input"), False),
        (refused(written(ROW), "BadRequestError", 400), False),
        (refused(written(ROW), "ServerError", 500), True),
        (refused(written(ROW), "InputError"), False),
    ],
)
def test_failures_are_tried_again_by_their_kind(record: JobRecord, by_again: bool) -> None:
    """Those that may come out differently; with `all` the others as well."""
    answers: list[tuple[RetryFailed, bool]] = [("no", False), ("again", by_again), ("all", True)]
    for retry, expected in answers:
        standing = standing_of(PLAN, [record], options=RunOptions(retry_failed=retry))
        assert one(standing) == ((Standing.RETRY, Duty.SUBMIT) if expected else (Standing.FAILED, Duty.NOTHING))


@pytest.mark.parametrize("make", [lost, gone])
def test_unknown_rows_are_sent_again_only_when_told(make: Callable[[JobRecord], JobRecord]) -> None:
    """They may be paid twice, and the plan says so."""
    standing = standing_of(PLAN, [make(written(ROW))], options=RunOptions(resubmit_unknown=True))
    assert one(standing) == (Standing.RESUBMIT, Duty.SUBMIT)
    assert any("may be paid twice" in line for line in describe_standing(standing, 5))


@pytest.mark.parametrize(
    ("record", "kept", "redone"),
    [
        (written(ROW), Standing.QUEUED, Standing.QUEUED),
        (failed(written(ROW), "moderation"), Standing.RETRY, Standing.RETRY),
        (refused(written(ROW), "BadRequestError", 400), Standing.RETRY, Standing.RETRY),
        (running(written(ROW)), Standing.CHANGED, Standing.REDO),
        (saved(written(ROW)), Standing.CHANGED, Standing.REDO),
        (lost(written(ROW)), Standing.UNKNOWN, Standing.UNKNOWN),
    ],
)
def test_a_row_that_changed_is_judged_by_what_was_paid(record: JobRecord, kept: Standing, redone: Standing) -> None:
    """Nothing paid: the new inputs take its place. Paid: that video is kept, and made anew only when told."""
    assert one(standing_of(CHANGED, [record], sizes(record)))[0] is kept
    standing = standing_of(CHANGED, [record], sizes(record), RunOptions(redo_changed=True))
    assert one(standing)[0] is redone
    (job,) = standing.rows
    if redone is Standing.REDO:
        assert (job.row.key, job.row.file.as_posix(), job.row.inputs.prompt) == ("a#2", "a-2.mp4", "hill")
        assert [left.row.key for left in standing.left] == ["a"]
        assert standing.left_rows == ()
    else:
        assert (job.row.key, standing.left) == ("a", ())


def test_a_redo_that_was_never_sent_takes_the_next_change_as_well() -> None:
    """Its number is not wasted, and what it was to make is not made."""
    first = saved(written(ROW))
    redo = evolve(CHANGED.rows[0], key="a#2", base="a", variant=2)
    third = plan_of({"prompt": "sea", "id": "a"})
    journal = [first, written(redo, made_by="redo")]
    (job,) = standing_of(third, journal, sizes(first), RunOptions(redo_changed=True)).rows
    assert (job.standing, job.row.key, job.row.inputs.prompt) == (Standing.REDO, "a#2", "sea")
    kept = standing_of(third, journal, sizes(first))
    assert one(kept)[0] is Standing.CHANGED
    (left,) = kept.left
    assert (left.row.key, left.duty, left.superseded) == ("a#2", Duty.NOTHING, True)


def test_rows_that_left_the_file_are_listed_and_nothing_is_sent_for_them() -> None:
    """What runs is watched; what was saved and taken away is not fetched again."""
    gone_rows = plan_of(*({"prompt": name, "id": name} for name in ("q", "r", "s", "t", "u", "f")))
    q, r, s, t, u, f = (written(row) for row in gone_rows.rows)
    journal = [q, running(r), saved(s), saved(t), lost(u), succeeded(f)]
    options = RunOptions(retry_failed="all", resubmit_unknown=True)
    standing = standing_of(PLAN, journal, {"s.mp4": 1000}, options)
    duties = {job.row.key: job.duty for job in standing.left}
    assert duties == {
        "q": Duty.NOTHING, "r": Duty.FOLLOW, "s": Duty.NOTHING, "t": Duty.NOTHING, "u": Duty.NOTHING, "f": Duty.FETCH,
    }  # fmt: skip
    assert [job.row.key for job in standing.submits] == ["a"]
    assert any(line.startswith("6 videos of rows that are not in the file") for line in describe_standing(standing, 5))


def test_equal_rows_are_told_apart_by_their_number() -> None:
    """Three of them, two made: one is left, whichever line it is on."""
    plan = plan_of({"prompt": "x"}, {"prompt": "x"}, {"prompt": "x"})
    journal = records_of(plan_of({"prompt": "x"}, {"prompt": "x"}))
    standing = standing_of(plan, journal, sizes(*journal))
    assert standing.counts == {Standing.DONE: 2, Standing.NEW: 1}
    assert standing.submits[0].row.key.endswith("~3")


def test_a_count_takes_variants_that_are_there() -> None:
    """One more video that was made by reroll is one of the three that a count asks for."""
    first = saved(written(ROW))
    second = saved(
        written(evolve(ROW, key="a#2", base="a", variant=2, file=ROW.file.with_name("a-2.mp4")), made_by="reroll")
    )
    plan = plan_of({"prompt": "lake", "id": "a", "count": 3})
    standing = standing_of(plan, [first, second], sizes(first, second))
    assert [(job.row.key, job.standing) for job in standing.rows] == [
        ("a", Standing.DONE), ("a#2", Standing.DONE), ("a#3", Standing.NEW),
    ]  # fmt: skip


def test_a_count_leaves_the_numbers_of_other_inputs_alone() -> None:
    """The second video was rerolled with a seed: a count of two asks for one more of the row's own."""
    first = saved(written(ROW))
    other = evolve(CHANGED.rows[0], key="a#2", base="a", variant=2, file=ROW.file.with_name("a-2.mp4"))
    second = saved(written(other, made_by="reroll"))
    plan = plan_of({"prompt": "lake", "id": "a", "count": 2})
    standing = standing_of(plan, [first, second], sizes(first, second))
    assert [(job.row.key, job.standing, str(job.row.file)) for job in standing.rows] == [
        ("a", Standing.DONE, "a.mp4"), ("a#3", Standing.NEW, "a-3.mp4"), ("a#2", Standing.DONE, "a-2.mp4"),
    ]  # fmt: skip


def test_a_redo_that_runs_keeps_its_number() -> None:
    """The row changed once more: what is paid is watched, and the present inputs get the next number."""
    first = saved(written(ROW))
    redo = evolve(CHANGED.rows[0], key="a#2", base="a", variant=2)
    third = plan_of({"prompt": "sea", "id": "a"})
    journal = [first, running(written(redo, made_by="redo"))]
    standing = standing_of(third, journal, sizes(first), RunOptions(redo_changed=True))
    assert [(job.row.key, job.standing) for job in standing.rows] == [("a#3", Standing.REDO)]
    assert [(job.row.key, job.duty) for job in standing.left] == [("a", Duty.NOTHING), ("a#2", Duty.FOLLOW)]


def test_a_row_stands_for_its_redo_and_not_for_a_reroll_of_it() -> None:
    """The reroll is one more of the same, and stays one."""
    first = saved(written(ROW))
    numbered = [
        evolve(CHANGED.rows[0], key=f"a#{number}", base="a", variant=number, file=ROW.file.with_name(f"a-{number}.mp4"))
        for number in (2, 3)
    ]
    journal = [first, saved(written(numbered[0], made_by="redo")), saved(written(numbered[1], made_by="reroll"))]
    standing = standing_of(CHANGED, journal, sizes(*journal))
    assert [(job.row.key, job.made_by) for job in standing.rows] == [("a#2", "redo"), ("a#3", "reroll")]
    assert [job.superseded for job in standing.left] == [True]


def test_the_name_of_a_file_that_was_taken_away_is_free() -> None:
    """Its row left the file, too: whoever writes that name into another row gets it."""
    old = saved(written(plan_of({"prompt": "old", "output": "x.mp4"}).rows[0]))
    plan = plan_of({"prompt": "new", "output": "X.mp4"})
    assert standing_of(plan, [old], {}).rows[0].row.file.as_posix() == "X.mp4"
    for record, there in (
        (old, {"x.mp4": 1000}),
        (running(written(plan_of({"prompt": "o", "output": "x.mp4"}).rows[0])), {}),
    ):
        with pytest.raises(InputError, match=r"line 1: output: X\.mp4 is the file of another video of this folder"):
            standing_of(plan, [record], there)


@pytest.mark.parametrize("make", [running, lost, gone, lambda record: intended(record, NOW)])
def test_what_may_be_paid_keeps_its_file(make: Callable[[JobRecord], JobRecord]) -> None:
    """Its video may come yet: another row does not take the name, whether or not a row stands for the job."""
    first = make(written(plan_of({"prompt": "one two"}).rows[0]))
    for rows in ({"prompt": "one-two"},), ({"prompt": "one-two"}, {"prompt": "one two"}):
        standing = standing_of(plan_of(*rows), [first])
        (new,) = standing.submits
        assert re.fullmatch(r"001-one-two-[0-9a-f]{6}\.mp4", str(new.row.file))


@pytest.mark.parametrize("make", [running, succeeded])
@pytest.mark.parametrize("with_row", [True, False])
def test_a_video_that_is_there_keeps_its_name_against_one_to_come(
    make: Callable[[JobRecord], JobRecord], with_row: bool
) -> None:
    """A folder of an earlier release may have given one name twice: the video that is still to be saved gets a mark."""
    first, second = plan_of({"prompt": "a", "id": "a"}, {"prompt": "b", "id": "b"}).rows
    journal = [make(written(first, file="x.mp4")), saved(written(second, file="x.mp4"))]
    plan = plan_of(*([{"prompt": "a", "id": "a"}] if with_row else []), {"prompt": "b", "id": "b"})
    standing = standing_of(plan, journal, sizes(journal[1]))
    (coming,) = (*standing.follows, *standing.fetches)
    assert coming.row.key == "a"
    assert re.fullmatch(r"x-[0-9a-f]{6}\.mp4", str(coming.row.file))
    assert [job.row.file.name for job in standing.rows if job.row.key == "b"] == ["x.mp4"]


def test_a_row_becomes_the_variant_that_has_its_inputs() -> None:
    """Whoever writes the reroll that was liked into the file is not told that the row changed."""
    first = saved(written(ROW))
    other = evolve(CHANGED.rows[0], key="a#2", base="a", variant=2, file=ROW.file.with_name("a-2.mp4"))
    second = saved(written(other, made_by="reroll"))
    standing = standing_of(CHANGED, [first, second], sizes(first, second))
    assert one(standing) == (Standing.DONE, Duty.NOTHING)
    assert standing.rows[0].row.key == "a#2"


def test_a_reroll_of_a_changed_row_makes_what_it_asks_for_now() -> None:
    """Whoever edits a row and rolls it again does not pay for the former words."""
    first = saved(written(ROW))
    standing = standing_of(CHANGED, [first], sizes(first), RunOptions(reroll=("a",)))
    assert [(job.row.key, job.standing, job.row.inputs.prompt) for job in standing.rows] == [
        ("a", Standing.CHANGED, "lake"), ("a#2", Standing.REROLL, "hill"),
    ]  # fmt: skip


def test_the_plan_says_what_is_done_and_what_it_still_costs() -> None:
    """The first line exposes a mistyped folder; the second is the price of the rest only."""
    plan = plan_of(*({"prompt": name, "id": name} for name in "abcdef"))
    a, b, c, d = (written(row) for row in plan.rows[:4])
    journal = [saved(a), running(b), lost(c), failed(d, "moderation")]
    standing = standing_of(plan, journal, {"a.mp4": 1000})
    lines = describe_standing(standing, 5)
    assert lines[0] == "1 of 6 rows done here"
    assert lines[1].startswith("2 videos, 830 credits, about ")
    assert standing.credits_to_spend() == 830
    assert standing.spent == 3 * 415
    assert lines[-1] == "credits of this folder so far: 415 used, 415 reserved for running tasks, 415 perhaps paid"
    assert [line.partition(" ")[0] for line in lines[2:-1]] == ["1", "1", "1"]
    assert describe_standing(standing_of(PLAN, [saved(written(ROW))], {"a.mp4": 1000}), 5)[1] == "nothing is to be sent"


@pytest.mark.parametrize(("budget", "fits"), [(2075, True), (2074, False), (100, False)])
def test_what_is_spent_counts_against_the_budget(budget: int, fits: bool) -> None:
    """Unknown outcomes as well: nobody can tell that they were not paid."""
    plan = plan_of(*({"prompt": name, "id": name} for name in "abcde"))
    a, b, c = (written(row) for row in plan.rows[:3])
    standing = standing_of(plan, [saved(a), running(b), lost(c)], {"a.mp4": 1000})
    verdict = judge_standing(standing, Decimal(budget))
    assert verdict.fits is fits
    assert fits or f"of the budget of {budget:,} credits 1,245 are spent" in (verdict.message or "")


def test_names_are_looked_for_among_rows() -> None:
    """Ids, keys, beginnings of keys, and patterns where they do no harm."""
    plan = plan_of({"prompt": "x", "id": "shot-1"}, {"prompt": "y", "id": "shot-2"}, {"prompt": "z"})
    key = plan.rows[2].key

    def held(*only: str) -> int:
        return standing_of(plan, options=RunOptions(only=only)).counts.get(Standing.HELD, 0)

    assert [held("shot-1"), held("shot-*"), held(key), held(key[:9]), held("shot-1", key[:20])] == [2, 1, 2, 2, 1]
    equal = plan_of({"prompt": "x"}, {"prompt": "x"})
    standing = standing_of(equal, options=RunOptions(only=(equal.rows[0].key[:12],)))
    assert [job.standing for job in standing.rows] == [Standing.NEW, Standing.HELD]
    for wrong in ("shot", "v1:", key[:8], "nope*"):
        with pytest.raises(InputError, match="only: is the id or key of no row"):
            held(wrong)


def test_a_row_out_of_a_journal_is_the_row_that_was_written_down() -> None:
    """All that a run needs, and all that the reports show."""
    plan = plan_of({"prompt": "lake", "id": "a", "#x": [1], "output": "s/a.mp4", "duration": 8}, {"prompt": "hill"})
    for row in plan.rows:
        again = row_of_record(written(row), Catalogue.LATEST)
        assert (again.key, again.digest, again.inputs, again.file) == (row.key, row.digest, row.inputs, row.file)
        assert (again.index, again.line, again.id, dict(again.carried)) == (
            row.index,
            row.line,
            row.id,
            dict(row.carried),
        )
        assert again.request.credits == row.request.credits
        assert again.request.catalogue is Catalogue.CLASSIC


def test_links_that_were_cut_are_shown_and_not_sent() -> None:
    """A row of a journal whose links are not kept can be looked at, watched and fetched, and nothing else."""
    plan = plan_of({"prompt": "x", "id": "x", "first_frame": SIGNED.replace(".mp4", ".png")})
    record = failed(written(plan.rows[0]), "server")
    resumed = plan_of_records([record], Catalogue.CLASSIC, "journal.db")
    standing = standing_of(resumed, [record], options=RETRY)
    (job,) = standing.rows
    assert (job.standing, job.duty, job.needs_file) == (Standing.FAILED, Duty.NOTHING, True)
    assert one(standing_of(plan, [record], options=RETRY)) == (Standing.RETRY, Duty.SUBMIT)


@pytest.mark.parametrize(
    "notes",
    [
        {"file": "../x.mp4", "saved": "/etc/passwd", "bytes": "1", "variant": -1, "run": "x", "made_by": "me"},
        {"file": 7, "saved": None, "bytes": True, "carried": [1], "variant_of": 3, "left": "yes", "budget": "NaN"},
    ],
)
def test_notes_that_make_no_sense_count_as_missing(notes: dict[str, object]) -> None:
    """A journal that was edited, or written by a later release, leads nobody out of the folder."""
    record = noted(saved(written(ROW)), {**dict.fromkeys(written(ROW).notes), **notes}, START)
    found = read_notes(record)
    assert (found.file, found.saved, found.bytes, found.variant_of, found.left) == (None, None, None, None, False)
    assert (found.variant, found.run, found.made_by, found.budget, dict(found.carried)) == (1, 0, None, None, {})
    assert row_of_record(record, Catalogue.CLASSIC).file.as_posix() == "a.mp4"
