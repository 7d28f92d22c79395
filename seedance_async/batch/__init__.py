"""A file of prompts into a folder of videos, as an application of the session and its journal.

```python
source = read_rows("prompts.csv")                                     # InputError: unusable file
plan = make_plan(source, defaults={}, catalogue=Catalogue.CLASSIC)    # InputError: every problem
options = RunOptions(retry_failed="again", limit=100)
found = open_folder(folder)                                           # JournalError: unreadable journal
standing = found.standing(plan, options)                              # InputError: wrong names in the options
for line in describe_standing(standing, concurrency=5):
    print(line)
check_folder(standing, folder, overwrite=options.overwrite)           # ConfigurationError, InputError
runner = BatchRunner(plan, folder, options)
async with AsyncSeedance(journal=folder / JOURNAL, hooks=[runner.hook]) as session:
    report = await runner.run(session)                                # never raises for a row
sys.exit(report.exit_code)
```

The folder holds one video per row, the journal (the truth), `manifest.jsonl` (a line per row as it ends),
`results.csv`, and, where there are such rows, `failed.csv` and `remaining.csv` (`.jsonl` for a JSONL source): rows to
edit and pass in again.

Run again, a batch goes on where it was: `standing` says what becomes of every row and every job of the folder, and
the runner does the same once it has the journal for itself. `found.plan(catalogue)` goes on without the batch file,
and `found.jobs()` lists the jobs, also while another batch runs.
"""

from seedance_async.batch.events import (
    BatchEnded,
    BatchEvent,
    BatchStarted,
    CreditsBack,
    DriftSeen,
    Progress,
    RowEnded,
    RowQueued,
    RowRunning,
    RowSaving,
    RowStatus,
    ServiceBack,
    ServiceUnreachable,
    StopReason,
    SubmittingStopped,
    WaitingForCredits,
    Warned,
)
from seedance_async.batch.exit_codes import ExitCode
from seedance_async.batch.folder import check_folder
from seedance_async.batch.opening import JOURNAL, Folder, open_folder
from seedance_async.batch.planning import make_plan
from seedance_async.batch.report import BatchReport, EndedRow
from seedance_async.batch.rows import read_rows
from seedance_async.batch.runner import BatchRunner
from seedance_async.core.folder_jobs import FolderJob, FolderJobs, JobStatus
from seedance_async.core.plan import (
    BudgetVerdict,
    Plan,
    PlannedRow,
    describe_plan,
    describe_problems,
    judge_budget,
)
from seedance_async.core.rows import Row, RowFormat, RowSource
from seedance_async.core.run_options import DEFAULT_OPTIONS, OnDrift, RetryFailed, RunOptions
from seedance_async.core.standing import RETENTION, Duty, FolderStanding, JobStanding, Standing
from seedance_async.core.standing_text import describe_standing, judge_standing

__all__ = [
    "DEFAULT_OPTIONS",
    "JOURNAL",
    "RETENTION",
    "BatchEnded",
    "BatchEvent",
    "BatchReport",
    "BatchRunner",
    "BatchStarted",
    "BudgetVerdict",
    "CreditsBack",
    "DriftSeen",
    "Duty",
    "EndedRow",
    "ExitCode",
    "Folder",
    "FolderJob",
    "FolderJobs",
    "FolderStanding",
    "JobStanding",
    "JobStatus",
    "OnDrift",
    "Plan",
    "PlannedRow",
    "Progress",
    "RetryFailed",
    "Row",
    "RowEnded",
    "RowFormat",
    "RowQueued",
    "RowRunning",
    "RowSaving",
    "RowSource",
    "RowStatus",
    "RunOptions",
    "ServiceBack",
    "ServiceUnreachable",
    "Standing",
    "StopReason",
    "SubmittingStopped",
    "WaitingForCredits",
    "Warned",
    "check_folder",
    "describe_plan",
    "describe_problems",
    "describe_standing",
    "judge_budget",
    "judge_standing",
    "make_plan",
    "open_folder",
    "read_rows",
]
