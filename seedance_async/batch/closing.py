"""The reports at the end of a batch, on every way out. Blocks."""

from attrs import evolve

from seedance_async.batch.manifest import Manifest, record_of
from seedance_async.batch.report import BatchReport
from seedance_async.batch.tables import FAILED, REMAINING, write_again, write_results
from seedance_async.core.rows import RowSource


def write_reports(report: BatchReport, source: RowSource, manifest: Manifest) -> tuple[BatchReport, tuple[str, ...]]:
    """Write `results.csv`, the rows to edit, and the rows that are left.

    `results.csv` tells of the whole folder: first the rows that only earlier runs had, then those of this one in the
    order of its file.

    Returns:
        The report with the files that were written, and a sentence for each that could not be.
    """
    folder = report.folder
    troubles: list[str] = []
    records = dict(manifest.latest)
    for ended in (*report.left, *report.rows):
        record = records.pop(ended.row.key, None)
        if record is None or ended.status not in {"not_submitted", "held", record.get("status")}:
            record = record_of(ended, folder)
        else:
            # The line of an earlier run still holds, and tells more than the journal does; the row may have moved.
            record = {**record, "index": ended.row.index, "line": ended.row.line, **ended.row.carried}
        records[ended.row.key] = record
    try:
        write_results(folder, records.values())
    except OSError as error:
        troubles.append(f"results.csv cannot be written: {error.strerror or error}; manifest.jsonl has its lines")
    failed = [ended for ended in report.rows if ended.status == "failed" and ended.row.whole]
    remaining = [ended for ended in report.rows if ended.status == "not_submitted"]
    try:
        report = evolve(report, failed_file=write_again(folder, FAILED, source, failed))
        report = evolve(report, remaining_file=write_again(folder, REMAINING, source, remaining))
    except OSError as error:
        troubles.append(f"the rows to pass in again cannot be written: {error.strerror or error}")
    return report, tuple(troubles)
