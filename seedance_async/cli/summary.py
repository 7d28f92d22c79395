"""What is said when a batch has ended: where the files are, what is left to do and how, and the same for scripts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from attrs import frozen

from seedance_async.batch import JOURNAL, RETENTION, BatchReport, EndedRow, RowStatus
from seedance_async.cli.explain import without_secrets, words_of
from seedance_async.cli.terminal import amount, count, one_line, quoted
from seedance_async.core.lifecycle import State
from seedance_async.core.record import JobCredits, JobRecord
from seedance_async.core.record_inputs import CUT
from seedance_async.core.standing import is_expired, is_retried

#: More rows or ids than this are not listed on the terminal; the journal has them all.
SHOWN_IDS: Final = 50
_SHOWN_ROWS: Final = 8
_FAILED: Final = frozenset({State.FAILED, State.REFUSED})


@frozen
class Ways:
    """Keys of jobs that are not done, by what can be done about them.

    Attributes:
        again: Failed ones that may come out differently when they are tried again.
        bare: The same, which cannot be sent without the batch file: links that may be signed are not kept.
        expired: Finished ones that are older than the service keeps files.
    """

    again: frozenset[str] = frozenset()
    bare: frozenset[str] = frozenset()
    expired: frozenset[str] = frozenset()

    @classmethod
    def of(cls, records: Iterable[JobRecord], now: datetime) -> "Ways":
        """Sort the jobs of a journal."""
        found = tuple(records)
        again = [record for record in found if record.state in _FAILED and is_retried(record, "again")]
        return cls(
            frozenset(record.key for record in again if CUT not in record.inputs),
            frozenset(record.key for record in again if CUT in record.inputs),
            frozenset(record.key for record in found if record.state is State.SUCCEEDED and is_expired(record, now)),
        )


NO_WAYS: Final = Ways()


def summary_lines(
    report: BatchReport, credits: JobCredits, *, go_on: Sequence[str] | None = (), ways: Ways = NO_WAYS
) -> list[str]:
    """Say how a batch ended, in the order in which a person wants to know.

    Args:
        report: How it ended.
        credits: What the folder has cost so far, over all runs.
        go_on: Options that `resume` needs to reach the same service; None where there is nothing to go on with.
        ways: What the journal says of rows that are not done.
    """
    folder = report.folder
    saved = f"{report.counts.get('done', 0):,} of {count(len(report.rows), 'video')} saved in {folder}"
    maybe = f", {amount(credits.maybe)} perhaps" if credits.maybe else ""
    lines = [f"{saved}; {amount(credits.used)} credits used there so far{maybe}"]
    if report.stop_message is not None:
        lines.append(f"stopped early: {without_secrets(one_line(report.stop_message))}")
    if report.running:
        lines.append(f"{count(len(report.running), 'task')} still running on the service, paid for")
        lines += _reasons(report)
    lines += _not_saved(report, ways)
    if report.stopped == "disk":
        # The journal lies on the same disk: whatever it has, these are told here as well.
        lines += _fetches(report)
    lines += _unsent(report)
    if report.can_resume and go_on is not None:
        lines.append(how_to_resume(folder, *go_on))
    lines += _failed(report, go_on, ways)
    lines += _kept(report)
    listed = "" if go_on is None else f", or: seedance jobs {in_shell(folder)}"
    lines.append(f"details: {folder / 'results.csv'}{listed}")
    return lines


def how_to_resume(folder: Path, *options: str, word: str = "go on") -> str:
    """Give the command that goes on with a folder."""
    return f"  {word}: {' '.join(['seedance', 'resume', in_shell(folder), *options])}"


def how_to_try_again(folder: Path, *options: str, bare: bool) -> str:
    """Give the command that tries failed rows again: with the batch file where the journal does not suffice."""
    if not bare:
        return how_to_resume(folder, "--retry-failed", *options, word="try again")
    return f"  try again: {' '.join(['seedance batch FILE -o', in_shell(folder), '--retry-failed', *options])}"


def how_to_fetch(task_ids: Sequence[str], folder: Path, *, wait: bool) -> str:
    """Give the command that saves the videos of tasks without the journal."""
    ids = " ".join(quoted(task_id) for task_id in task_ids[:SHOWN_IDS])
    return f"  fetch: seedance download {ids} -o {in_shell(folder)}{' --wait' if wait else ''}"


def report_json(report: BatchReport, credits: JobCredits) -> dict[str, object]:
    """Describe a report for a script."""
    return {
        "exit_code": int(report.exit_code),
        "folder": report.folder,
        "journal": report.folder / JOURNAL,
        "counts": {str(status): number for status, number in report.counts.items()},
        "credits_used": report.credits_used,
        "folder_credits": credits_json(credits),
        "stopped": report.stopped,
        "stop_message": None if report.stop_message is None else without_secrets(report.stop_message),
        "can_resume": report.can_resume,
        "running": list(report.running),
        "not_saved": list(report.not_saved),
        "unknown": [_unknown_json(row) for row in report.rows if row.status == "unknown"],
        "failed_file": report.failed_file,
        "remaining_file": report.remaining_file,
        "rows": [_row_json(row) for row in report.rows],
        "left": [_row_json(row) for row in report.left],
    }


def credits_json(credits: JobCredits) -> dict[str, object]:
    """Describe what a folder has cost so far."""
    return {"used": credits.used, "reserved": credits.reserved, "maybe": credits.maybe}


def _reasons(report: BatchReport) -> list[str]:
    """Say why tasks that run were not watched to their end, if that was not what stopped the batch."""
    errors = (row.error for row in (*report.rows, *report.left) if row.status == "running")
    reasons = dict.fromkeys(words_of(error) for error in errors if error is not None)
    told = [f"  {without_secrets(one_line(reason))}" for reason in reasons if reason != report.stop_message]
    return told[:_SHOWN_ROWS]


def _fetches(report: BatchReport) -> list[str]:
    lines: list[str] = []
    if report.running:
        lines.append(how_to_fetch(report.running, report.folder, wait=True))
    if report.not_saved:
        lines.append(how_to_fetch(report.not_saved, report.folder, wait=False))
    return lines


def _unsent(report: BatchReport) -> list[str]:
    counts, lines = report.counts, list[str]()
    if counts.get("not_submitted"):
        place = "" if report.remaining_file is None else f" (also in {report.remaining_file})"
        lines.append(f"{count(counts['not_submitted'], 'row')} not sent{place}")
    if counts.get("held"):
        lines.append(f"{count(counts['held'], 'row')} left for another time by --limit or --only")
    return lines


def _failed(report: BatchReport, go_on: Sequence[str] | None, ways: Ways) -> list[str]:
    """Say which rows failed: those that may come out differently, and those that would fail again as they are."""
    failed = _with(report, "failed")
    lines: list[str] = []
    for bare, keys in ((False, ways.again), (True, ways.bare)):
        if rows := [row for row in failed if row.row.key in keys]:
            why = _for(rows, ", and need{s} the batch file: links that may be signed are not kept") if bare else ""
            lines.append(f"{count(len(rows), 'row')} failed and cost nothing{why} ({_names(rows)})")
            if go_on is not None:
                lines.append(how_to_try_again(report.folder, *go_on, bare=bare))
    if would := [row for row in failed if row.row.key not in ways.again | ways.bare]:
        needs = _for(would, ", and need{s} other inputs")
        lines.append(f"{count(len(would), 'row')} failed and cost nothing{needs} ({_names(would)})")
        hints = [] if report.failed_file is None else [f"{report.failed_file} says why"]
        if go_on is not None:
            hints.append(_for(would, "mend {them} in your file and give it again; what is done stays"))
        lines += [f"  {'; '.join(hints)}"] if hints else []
    return lines


def _not_saved(report: BatchReport, ways: Ways) -> list[str]:
    """Say which videos are paid and not here: those that can be fetched, and those that are perhaps gone."""
    rows = [row for row in (*report.rows, *report.left) if row.status == "not_saved"]
    gone = [row for row in rows if row.row.key in ways.expired]
    lines: list[str] = []
    if len(gone) < len(rows):
        lines.append(f"{count(len(rows) - len(gone), 'video')} finished and paid, but not saved")
    if gone:
        lines.append(
            f"{count(len(gone), 'video')} finished more than {RETENTION.days} days ago and not saved ({_names(gone)}): "
            "the service keeps files no longer; --reroll ID makes a new one, which is paid"
        )
    return lines


def _for(rows: Sequence[EndedRow], text: str) -> str:
    """Fit a sentence to the number of rows that it speaks of."""
    one = len(rows) == 1
    words = {"s": "s", "they": "it", "them": "it"} if one else {"s": "", "they": "they", "them": "them"}
    return text.format(**words)


def _kept(report: BatchReport) -> list[str]:
    """Say what another run leaves as it is unless it is told otherwise."""
    lines: list[str] = []
    if unknown := _with(report, "unknown"):
        lines += _unknown(unknown)
    if changed := _with(report, "changed"):
        rows, new = count(len(changed), "row"), "a new one" if len(changed) == 1 else "new ones"
        lines.append(f"{rows} changed since the video was paid for ({_names(changed)}); --redo-changed makes {new}")
    if report.left:
        lines.append(f"{count(len(report.left), 'video')} of rows that are not in the file any more: {_states(report)}")
    return lines


def _unknown(rows: Sequence[EndedRow]) -> list[str]:
    lost = [row for row in rows if row.task_id is None]
    gone = [row for row in rows if row.task_id is not None]
    lines: list[str] = []
    if lost:
        lines.append(f"{_of_unknown(lost)}: sent, and the answer was lost")
    if gone:
        lines.append(f"{_of_unknown(gone)}: accepted, and the service does not know the task any more")
    paid = "  {they} may run and be paid for: look at the account's page; "
    advice = "--resubmit-unknown sends {them} again, which is acceptable only if paying twice is"
    return [*lines, _for(rows, paid + advice)]


def _of_unknown(rows: Sequence[EndedRow]) -> str:
    return f"{count(len(rows), 'row')} of unknown outcome ({_names(rows)})"


def _with(report: BatchReport, status: RowStatus) -> list[EndedRow]:
    return [row for row in report.rows if row.status == status]


def _names(rows: Iterable[EndedRow]) -> str:
    """Name rows by their ids, else by their lines."""
    names = [one_line(_name(row), 40) for row in rows]
    shown = ", ".join(names[:_SHOWN_ROWS])
    return shown if len(names) <= _SHOWN_ROWS else f"{shown} and {len(names) - _SHOWN_ROWS:,} more"


def _name(ended: EndedRow) -> str:
    row = ended.row
    name = f"line {row.line}" if row.id is None else row.id
    return name if row.variant == 1 else f"{name}#{row.variant}"


def _states(report: BatchReport) -> str:
    words = {"not_saved": "not saved", "held": "not sent or taken away", "running": "still running"}
    found: dict[str, int] = {}
    for row in report.left:
        word = words.get(row.status, row.status)
        found[word] = found.get(word, 0) + 1
    return ", ".join(f"{number:,} {word}" for word, number in found.items())


def in_shell(folder: Path) -> str:
    """Show a folder as an argument of a command to paste."""
    text = str(folder)
    # A name that looks like an option is one to the parser.
    return quoted(f"./{text}" if text.startswith("-") else text)


def _unknown_json(row: EndedRow) -> dict[str, object]:
    return {"key": row.row.key, "line": row.row.line, "id": row.row.id, "task_id": row.task_id}


def _row_json(row: EndedRow) -> dict[str, object]:
    message = row.note if row.error is None else words_of(row.error)
    return {
        "line": row.row.line,
        "id": row.row.id,
        "key": row.row.key,
        "status": row.status,
        "task_id": row.task_id,
        "file": row.path,
        "credits": row.credits,
        "message": None if message is None else without_secrets(message),
    }
