"""What `seedance quote` does: a batch file, checked and priced, and nothing sent."""

import sys

from seedance_async.batch import ExitCode, Plan, describe_plan, judge_budget, make_plan, read_rows
from seedance_async.cli.batch_options import FileOptions
from seedance_async.cli.explain import CommandError
from seedance_async.cli.options import DEFAULT_CATALOGUE, RowDefaults, ServiceOptions
from seedance_async.cli.service import parse_budget
from seedance_async.cli.terminal import Terminal
from seedance_async.core.rows import MOST_VARIANTS

#: Tasks at a time for the estimate of hours, until the account has shown its limit: where a session starts.
USUAL_LIMIT = 5


def read_plan(
    file: str, inputs: RowDefaults, service: ServiceOptions, name_pattern: str | None = None, *, count: int = 1
) -> Plan:
    """Read, check and price a batch file.

    Args:
        file: The file; `-` is standard input.
        inputs: Fields for rows that leave them empty.
        service: With the catalogue to check against.
        name_pattern: How files are called.
        count: Videos of every row that does not say how many.

    Raises:
        CommandError: There cannot be so many videos of a row.
        InputError: With everything that is wrong with the file.
    """
    if count > MOST_VARIANTS:
        raise CommandError(f"--count is at most {MOST_VARIANTS}, not {count:,}")
    source = read_rows(file, stdin=sys.stdin.buffer if file == "-" else None)
    return make_plan(
        source,
        defaults=inputs.fields(),
        catalogue=service.chosen_catalogue(),
        name_pattern=name_pattern,
        count=count,
    )


def show_quote(
    file: str,
    inputs: RowDefaults,
    service: ServiceOptions,
    terminal: Terminal,
    *,
    budget: str | None,
    rows: FileOptions,
    json: bool,
) -> int:
    """Print what a batch file costs."""
    available = parse_budget(budget)
    plan = read_plan(file, inputs, service, rows.name, count=rows.count)
    verdict = None if available is None else judge_budget(plan, available)
    if json:
        terminal.json(
            _quote_json(plan, service.catalogue or DEFAULT_CATALOGUE)
            | ({} if verdict is None else {"fitting_rows": verdict.fitting})
        )
    else:
        for line in describe_plan(plan, USUAL_LIMIT):
            terminal.answer(line)
    if verdict is None or verdict.fits:
        return int(ExitCode.DONE)
    terminal.complain(verdict.message or "the budget does not suffice")
    return int(ExitCode.ACCOUNT)


def _quote_json(plan: Plan, catalogue: str) -> dict[str, object]:
    return {
        "catalogue": catalogue,
        "videos": len(plan.rows),
        "credits": plan.quote.credits,
        "unpriced_rows": len(plan.quote.unpriced),
        "only_in": dict(plan.quote.only_in),
        "rows": [
            {
                "line": row.line,
                "id": row.id,
                "file": row.file,
                "model": row.inputs.model,
                "resolution": row.request.resolution,
                "credits": row.request.credits,
            }
            for row in plan.rows
        ],
    }
