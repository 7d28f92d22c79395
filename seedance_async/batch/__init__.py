"""A file of prompts into a folder of videos, as an application of the session.

```python
source = read_rows("prompts.csv")                                     # batch.rows; InputError: unusable file
plan = make_plan(source, defaults={}, catalogue=Catalogue.CLASSIC)    # core.plan; InputError: every problem
check_folder(plan, folder)                                            # batch.folder; ConfigurationError, InputError
runner = BatchRunner(plan, folder)                                    # batch.runner
async with AsyncSeedance(hooks=[runner.hook]) as session:
    report = await runner.run(session)                                # never raises for a row
sys.exit(report.exit_code)
```

The folder holds one video per row, `manifest.jsonl` (a line per row as it ends), `results.csv`, and, where there are
such rows, `failed.csv` and `remaining.csv` (`.jsonl` for a JSONL source): rows to edit and pass in again.
"""
