"""What a person is told of a plan and a folder before anything is spent, and whether a budget suffices."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import evolve

from seedance_async.core.plan import BudgetVerdict, describe_plan, judge_budget
from seedance_async.core.rates import credits_text
from seedance_async.core.standing import RETENTION, FolderStanding, JobStanding, Standing, is_retried

#: What is said of the rows that are neither done nor simply new, in this order.
_LINES: Final[Mapping[Standing, str]] = {
    Standing.QUEUED: "{rows} queued by an earlier run and not sent yet",
    Standing.RUNNING: "{rows} running on the service, paid for: watched and saved, not sent again",
    Standing.MISSING: "{rows} finished and the file missing or too short: fetched again, at no cost",
    Standing.EXPIRED: (
        "{rows} finished more than {days} days ago and the file missing or too short: the service keeps files for "
        "{days} days, so {they} may be gone; --reroll ID makes a new video"
    ),
    Standing.RETRY: "{rows} failed before (not charged): tried again",
    Standing.RESUBMIT: "{rows} of unknown outcome, sent again: may be paid twice",
    Standing.UNKNOWN: (
        "{rows} of unknown outcome, perhaps paid: not sent again; look at the account's page, "
        "--resubmit-unknown sends {them} all the same"
    ),
    Standing.CHANGED: (
        "{rows} changed since the video was paid for: that video is kept; --redo-changed makes {them} anew"
    ),
    Standing.REDO: "{rows} changed since the video was paid for: made anew under the next number",
    Standing.REROLL: "{rows} made once more, under the next number",
    Standing.HELD: "{rows} left for another time by --limit or --only",
}
_FAILED: Final = "{rows} failed before (not charged)"
#: What is said of rows that failed: such as may come out differently, and such as would not.
_MAY_SUCCEED: Final = _FAILED + " and left so; --retry-failed tries {them} again"
_WOULD_FAIL: Final = (
    _FAILED + " and would fail again: {they} {need} other inputs; --retry-failed=all tries {them} as is"
)
_CUT: Final = " without the batch file, as links that may be signed are not kept: seedance batch FILE -o {folder}"
#: What is said of rows that the journal alone cannot send.
_BARE: Final[Mapping[Standing, str]] = {
    Standing.FAILED: _FAILED + ", not tried again" + _CUT,
    Standing.UNKNOWN: "{rows} of unknown outcome, not sent again" + _CUT + " --resubmit-unknown",
    Standing.HELD: "{rows} not sent" + _CUT,
}
_ORDER: Final = (
    *_LINES.values(),
    _MAY_SUCCEED,
    _WOULD_FAIL,
    _BARE[Standing.FAILED] + " --retry-failed",
    _BARE[Standing.FAILED] + " --retry-failed=all",
    _BARE[Standing.UNKNOWN],
    _BARE[Standing.HELD],
)


def describe_standing(standing: FolderStanding, concurrency: int, folder: str = "DIR") -> tuple[str, ...]:
    """Say what a run will do, as lines to show before anything is spent.

    Args:
        standing: The plan and the folder.
        concurrency: Tasks at a time, for the estimate of hours.
        folder: How commands call the folder.

    Returns:
        How many rows are done here, what is to be sent and what it costs, then what else there is to know.
    """
    lines = [f"{standing.done:,} of {_rows(len(standing.rows))} done here"]
    to_submit = standing.to_submit
    if to_submit.rows:
        lines += describe_plan(to_submit, concurrency)
    else:
        lines.append("nothing is to be sent")
    found = Counter(_text(job) for job in standing.rows)
    lines += [_filled(text, found[text], folder) for text in _ORDER if found[text]]
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
    needs = "needs" if len(to_submit.rows) == 1 else "need"
    return evolve(
        verdict,
        message=(
            f"of the budget of {_credits(budget)} credits {_credits(standing.spent)} are spent or reserved in this "
            f"folder; {_credits(left)} are left, enough for {verdict.fitting:,} of the {_rows(len(to_submit.rows))} "
            f"still to be sent, which {needs} {_credits(to_submit.quote.credits)}"
        ),
    )


def _text(job: JobStanding) -> str | None:
    """Return what is said of a job and those like it; None where nothing is."""
    if job.standing is Standing.FAILED:
        again = job.record is None or is_retried(job.record, "again")
        if job.needs_file or (again and not job.row.whole):
            return _BARE[Standing.FAILED] + (" --retry-failed" if again else " --retry-failed=all")
        return _MAY_SUCCEED if again else _WOULD_FAIL
    if job.needs_file:
        return _BARE.get(job.standing)
    return _LINES.get(job.standing)


def _filled(text: str, rows: int, folder: str) -> str:
    one = rows == 1
    return text.format(
        rows=_rows(rows),
        days=RETENTION.days,
        they="it" if one else "they",
        them="it" if one else "them",
        need="needs" if one else "need",
        folder=folder,
    )


def _spent(standing: FolderStanding) -> str:
    credits = standing.credits
    parts = [
        f"{_credits(number)} {word}"
        for number, word in (
            (credits.used, "used"),
            (credits.reserved, "reserved for running tasks"),
            (credits.maybe, "perhaps paid"),
        )
        if number
    ]
    return f"credits of this folder so far: {', '.join(parts)}"


def _credits(number: Decimal) -> str:
    return credits_text(number, grouped=True)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _jobs(count: int) -> str:
    return "1 video" if count == 1 else f"{count:,} videos"
