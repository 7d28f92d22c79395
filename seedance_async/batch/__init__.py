"""A file of prompts into a folder of videos, as an application of the session.

```python
source = read_rows("prompts.csv")                                     # InputError: unusable file
plan = make_plan(source, defaults={}, catalogue=Catalogue.CLASSIC)    # InputError: every problem
check_folder(plan, folder)                                            # ConfigurationError, InputError
runner = BatchRunner(plan, folder)
async with AsyncSeedance(hooks=[runner.hook]) as session:
    report = await runner.run(session)                                # never raises for a row
sys.exit(report.exit_code)
```

The folder holds one video per row, `manifest.jsonl` (a line per row as it ends), `results.csv`, and, where there are
such rows, `failed.csv` and `remaining.csv` (`.jsonl` for a JSONL source): rows to edit and pass in again.
"""

from seedance_async.batch.events import (
    BatchEnded,
    BatchEvent,
    BatchStarted,
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
    Warned,
)
from seedance_async.batch.exit_codes import ExitCode
from seedance_async.batch.folder import check_folder
from seedance_async.batch.report import BatchReport, EndedRow
from seedance_async.batch.rows import read_rows
from seedance_async.batch.runner import BatchRunner
from seedance_async.core.plan import (
    BudgetVerdict,
    Plan,
    PlannedRow,
    describe_plan,
    describe_problems,
    judge_budget,
    make_plan,
)
from seedance_async.core.rows import Row, RowFormat, RowSource

__all__ = [
    "BatchEnded",
    "BatchEvent",
    "BatchReport",
    "BatchRunner",
    "BatchStarted",
    "BudgetVerdict",
    "DriftSeen",
    "EndedRow",
    "ExitCode",
    "Plan",
    "PlannedRow",
    "Progress",
    "Row",
    "RowEnded",
    "RowFormat",
    "RowQueued",
    "RowRunning",
    "RowSaving",
    "RowSource",
    "RowStatus",
    "ServiceBack",
    "ServiceUnreachable",
    "StopReason",
    "SubmittingStopped",
    "Warned",
    "check_folder",
    "describe_plan",
    "describe_problems",
    "judge_budget",
    "make_plan",
    "read_rows",
]
