"""What a person is told of a plan and a folder before anything is spent, and whether a budget suffices."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import evolve

from seedance_async.core.plan import BudgetVerdict, describe_plan, judge_budget
from seedance_async.core.rates import credits_text
from seedance_async.core.standing import RETENTION, FolderStanding, Standing

#: What is said of the rows that are neither done nor simply new, in this order.
_LINES: Final[Mapping[Standing, str]] = {
    Standing.QUEUED: "{rows} queued by an earlier run and not sent yet",
    Standing.RUNNING: "{rows} running on the service, paid for: watched and saved, not sent again",
    Standing.MISSING: "{rows} finished and the file missing or too short: fetched again, at no cost",
    Standing.EXPIRED: (
        "{rows} finished more than {days} days ago and the file missing or too short: "
        "the service keeps files for {days} days, so they may be gone"
    ),
    Standing.RETRY: "{rows} failed before (not charged) and tried again",
    Standing.FAILED: "{rows} failed before (not charged) and left so; --retry-failed tries them again",
    Standing.RESUBMIT: "{rows} of unknown outcome, sent again: these may be paid twice",
    Standing.UNKNOWN: (
        "{rows} of unknown outcome, perhaps paid: not sent again; look at the account's page, "
        "--resubmit-unknown sends them all the same"
    ),
    Standing.CHANGED: "{rows} changed since the video was paid for: that video is kept; --redo-changed makes them anew",
    Standing.REDO: "{rows} changed since the video was paid for: made anew under the next number",
    Standing.REROLL: "{rows} made once more, under the next number",
    Standing.HELD: "{rows} left for another time by --limit or --only",
}


def describe_standing(standing: FolderStanding, concurrency: int) -> tuple[str, ...]:
    """Say what a run will do, as lines to show before anything is spent.

    Args:
        standing: The plan and the folder.
        concurrency: Tasks at a time, for the estimate of hours.

    Returns:
        How many rows are done here, what is to be sent and what it costs, then what else there is to know.
    """
    lines = [f"{standing.done:,} of {_rows(len(standing.rows))} done here"]
    to_submit = standing.to_submit
    if to_submit.rows:
        lines += describe_plan(to_submit, concurrency)
    else:
        lines.append("nothing is to be sent")
    counts = standing.counts
    lines += [
        text.format(rows=_rows(counts[kind]), days=RETENTION.days) for kind, text in _LINES.items() if counts.get(kind)
    ]
    if bare := sum(job.needs_file for job in standing.rows):
        lines.append(f"{_rows(bare)} not tried again without the batch file: links that may be signed are not kept")
    if standing.left_rows:
        lines.append(
            f"{_jobs(len(standing.left_rows))} of rows that are not in the file any more; nothing is sent for them"
        )
    if others := len(standing.rows_elsewhere):
        lines.append(f"{_jobs(others)} of other files in this folder; nothing is sent for them now")
    if standing.spent:
        lines.append(_spent(standing))
    return tuple(lines)


def judge_standing(standing: FolderStanding, budget: Decimal) -> BudgetVerdict:
    """Compare what is still to be sent with what is left of a budget that holds for the life of the folder.

    What was used, what is reserved for running tasks and what may be paid counts as spent.
    """
    left = max(budget - standing.spent, Decimal(0))
    to_submit = standing.to_submit
    if not to_submit.rows:
        return BudgetVerdict(fits=True, fitting=0)
    verdict = judge_budget(to_submit, left)
    if verdict.fits or not standing.spent or to_submit.quote.unpriced:
        return verdict
    return evolve(
        verdict,
        message=(
            f"of the budget of {credits_text(budget)} credits {credits_text(standing.spent)} are spent or reserved in "
            f"this folder; {credits_text(left)} are left, enough for {verdict.fitting:,} of the "
            f"{_rows(len(to_submit.rows))} still to be sent, which need {credits_text(to_submit.quote.credits)}"
        ),
    )


def _spent(standing: FolderStanding) -> str:
    credits = standing.credits
    parts = [
        f"{credits_text(number)} {word}"
        for number, word in (
            (credits.used, "used"),
            (credits.reserved, "reserved for running tasks"),
            (credits.maybe, "perhaps paid"),
        )
        if number
    ]
    return f"credits of this folder so far: {', '.join(parts)}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _jobs(count: int) -> str:
    return "1 video" if count == 1 else f"{count:,} videos"
