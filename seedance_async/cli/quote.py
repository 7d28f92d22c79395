"""What `seedance quote` does: a batch file, checked and priced, and nothing sent."""

import sys

from seedance_async.batch import ExitCode, Plan, describe_plan, judge_budget, make_plan, read_rows
from seedance_async.cli.options import DEFAULT_CATALOGUE, RowDefaults, ServiceOptions
from seedance_async.cli.service import parse_budget
from seedance_async.cli.terminal import Terminal

#: Tasks at a time for the estimate of hours, until the account has shown its limit: where a session starts.
USUAL_LIMIT = 5


def read_plan(file: str, inputs: RowDefaults, service: ServiceOptions, name_pattern: str | None = None) -> Plan:
    """Read, check and price a batch file.

    Raises:
        InputError: With everything that is wrong with it.
    """
    source = read_rows(file, stdin=sys.stdin.buffer if file == "-" else None)
    return make_plan(source, defaults=inputs.fields(), catalogue=service.chosen_catalogue(), name_pattern=name_pattern)


def show_quote(
    file: str,
    inputs: RowDefaults,
    service: ServiceOptions,
    terminal: Terminal,
    *,
    budget: str | None,
    name_pattern: str | None,
    json: bool,
) -> int:
    """Print what a batch file costs."""
    available = parse_budget(budget)
    plan = read_plan(file, inputs, service, name_pattern)
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
