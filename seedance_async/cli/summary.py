"""What is said when a batch has ended: where the files are, what is left to do, and the same for scripts."""

from collections.abc import Sequence
from typing import Final

from seedance_async.batch import BatchReport, EndedRow, RowStatus
from seedance_async.cli.explain import without_secrets, words_of
from seedance_async.cli.terminal import amount, count, one_line, quoted

#: More ids than this are not listed on the terminal; the manifest has them all.
SHOWN_IDS: Final = 50


def summary_lines(report: BatchReport) -> list[str]:
    """Say how a batch ended, in the order in which a person wants to know."""
    counts = report.counts
    folder = report.folder
    saved = f"{counts.get('done', 0):,} of {count(len(report.rows), 'video')} saved in {folder}"
    lines = [f"{saved}, {amount(report.credits_used)} credits used"]
    if report.stop_message is not None:
        lines.append(f"stopped early: {one_line(report.stop_message)}")
    if counts.get("failed"):
        lines.append(f"{count(counts['failed'], 'row')} failed and cost nothing" + _edit(report))
    if counts.get("not_submitted"):
        place = (
            "" if report.remaining_file is None else f"; they are in {report.remaining_file}, ready to pass in again"
        )
        lines.append(f"{count(counts['not_submitted'], 'row')} not sent" + place)
    if report.not_saved:
        lines.append(f"{count(len(report.not_saved), 'video')} finished and paid, but not saved:")
        lines += [*_named_ids(report, "not_saved"), how_to_fetch(report.not_saved, str(folder), wait=False)]
    if report.running:
        lines.append(f"{count(len(report.running), 'task')} still running on the service, paid for:")
        lines += [*_named_ids(report, "running"), how_to_fetch(report.running, str(folder), wait=True)]
    if counts.get("unknown"):
        lines += _unknown(report)
    lines.append(f"details: {folder / 'manifest.jsonl'} and {folder / 'results.csv'}")
    return lines


def how_to_fetch(task_ids: Sequence[str], folder: str, *, wait: bool) -> str:
    """Give the command that saves the videos of tasks later."""
    ids = " ".join(quoted(task_id) for task_id in task_ids[:SHOWN_IDS])
    return f"  fetch: seedance download {ids} -o {quoted(folder)}{' --wait' if wait else ''}"


def report_json(report: BatchReport) -> dict[str, object]:
    """Describe a report for a script."""
    return {
        "exit_code": int(report.exit_code),
        "folder": report.folder,
        "counts": {str(status): number for status, number in report.counts.items()},
        "credits_used": report.credits_used,
        "stopped": report.stopped,
        "stop_message": None if report.stop_message is None else without_secrets(report.stop_message),
        "running": list(report.running),
        "not_saved": list(report.not_saved),
        "unknown": [_unknown_json(row) for row in report.rows if row.status == "unknown"],
        "failed_file": report.failed_file,
        "remaining_file": report.remaining_file,
        "rows": [_row_json(row) for row in report.rows],
    }


def _named_ids(report: BatchReport, status: RowStatus) -> list[str]:
    rows = [row for row in report.rows if row.status == status]
    lines = [f"  {row.task_id}  {one_line(row.row.file.as_posix(), 60)}" for row in rows[:SHOWN_IDS]]
    if len(rows) > SHOWN_IDS:
        lines.append(f"  and {len(rows) - SHOWN_IDS:,} more, listed in manifest.jsonl")
    return lines


def _edit(report: BatchReport) -> str:
    return "" if report.failed_file is None else f"; edit {report.failed_file} and pass it in again"


def _unknown(report: BatchReport) -> list[str]:
    rows = [row for row in report.rows if row.status == "unknown"]
    lost = [row for row in rows if row.task_id is None]
    gone = [row for row in rows if row.task_id is not None]
    lines: list[str] = []
    if lost:
        lines.append(f"{_of_unknown(lost)}: sent, and the answer was lost")
    if gone:
        lines.append(f"{_of_unknown(gone)}: accepted, and the service does not know the task any more")
    advice = "look at the account's page; send it again only if paying twice is acceptable"
    return [*lines, f"  it may run and be paid for: {advice}"]


def _of_unknown(rows: Sequence[EndedRow]) -> str:
    shown = ", ".join(str(row.row.line) for row in rows[:SHOWN_IDS])
    return f"{count(len(rows), 'row')} of unknown outcome (line {shown}{', ...' if len(rows) > SHOWN_IDS else ''})"


def _unknown_json(row: EndedRow) -> dict[str, object]:
    return {"line": row.row.line, "id": row.row.id, "task_id": row.task_id}


def _row_json(row: EndedRow) -> dict[str, object]:
    message = row.note if row.error is None else words_of(row.error)
    return {
        "line": row.row.line,
        "id": row.row.id,
        "status": row.status,
        "task_id": row.task_id,
        "file": row.path,
        "credits": row.credits,
        "message": None if message is None else without_secrets(message),
    }
