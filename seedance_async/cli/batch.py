"""What `seedance batch` and `seedance resume` do: look at rows and folder, say what will be done, ask, do it."""

import os
from decimal import Decimal
from pathlib import Path
from typing import cast

from attrs import evolve, frozen

from seedance_async.batch import (
    ExitCode,
    Folder,
    FolderStanding,
    Plan,
    RunOptions,
    check_folder,
    describe_standing,
    judge_standing,
)
from seedance_async.cli.asking import ask_to_spend, confirm, somebody_there
from seedance_async.cli.batch_options import (
    AgainOptions,
    FileOptions,
    RunningOptions,
    naming_options,
    parse_fields,
    parse_keys,
)
from seedance_async.cli.explain import CommandError
from seedance_async.cli.folders import (
    look_into,
    look_into_begun,
    refuse_demo,
    refuse_other_service,
    refuse_used,
    refuse_without_log,
    take_over,
)
from seedance_async.cli.interrupts import Interrupts, run_with_interrupts
from seedance_async.cli.options import CatalogueName, RowDefaults, ServiceOptions
from seedance_async.cli.quote import USUAL_LIMIT, read_plan
from seedance_async.cli.run import BatchJob
from seedance_async.cli.service import make_session, parse_budget, parse_concurrency
from seedance_async.cli.summary import in_shell
from seedance_async.cli.terminal import Terminal, amount, quoted
from seedance_async.finding import find_base_url
from seedance_async.journal import SqliteJournal


@frozen(kw_only=True)
class Manner:
    """How a run goes about it, as the command line says.

    Attributes:
        options: What it does beyond the rows that were never accepted.
        concurrency: Most tasks at a time, as given.
        take_over: Whether a folder from another computer may be gone on with.
        without_log: Whether one may whose journal lacks what was written to it last.
        move_service: Whether one may whose jobs were sent to another base URL.
        service: How to reach the service.
        yes: Whether nobody is asked before spending.
        json: Whether the report is printed as JSON.
    """

    options: RunOptions
    concurrency: str | None
    take_over: bool
    without_log: bool
    move_service: bool
    service: ServiceOptions
    yes: bool
    json: bool


def manner_of(
    again: AgainOptions,
    running: RunningOptions,
    service: ServiceOptions,
    *,
    redo_changed: bool = False,
    yes: bool,
    json: bool,
) -> Manner:
    """Read what the options of a command say.

    Raises:
        CommandError: One of them cannot be read.
        InputError: `--set` gives a field a value that it cannot have.
    """
    reroll = parse_keys("--reroll", again.reroll)
    options = RunOptions(
        retry_failed=again.retry_failed or "no",
        resubmit_unknown=again.resubmit_unknown,
        redo_changed=redo_changed,
        reroll=reroll,
        reroll_fields=parse_fields(again.set, reroll),
        limit=again.limit,
        only=parse_keys("--only", again.only),
        order=running.order,
        attempts=running.attempts,
        wait_for_credits=running.wait_for_credits,
        on_drift=running.on_drift,
        overwrite=running.overwrite,
        budget=parse_budget(running.budget),
    )
    return Manner(
        options=options,
        concurrency=running.concurrency,
        take_over=again.take_over,
        without_log=again.without_log,
        move_service=again.move_service,
        service=service,
        yes=yes,
        json=json,
    )


def run_file(
    file: str, output: str, terminal: Terminal, manner: Manner, *, inputs: RowDefaults, rows: FileOptions
) -> int:
    """Make videos of the rows of a file, as far as the folder does not have them."""
    plan = read_plan(file, inputs, manner.service, rows.name, count=rows.count)
    refuse_demo(Path(output))
    return _run(plan, look_into(Path(output)), terminal, manner)


def resume_folder(folder: str, terminal: Terminal, manner: Manner) -> int:
    """Go on with a folder by what its journal has."""
    path = Path(folder)
    refuse_demo(path)
    found = look_into_begun(path)
    refuse_without_log(found.path, agreed=manner.without_log)
    if not found.records:
        shown = quoted(str(found.path))
        raise CommandError(
            f"no row was written down in {found.path} yet; give the file: seedance batch FILE -o {shown}"
        )
    manner = evolve(manner, service=_service_of(found, manner.service))
    if manner.options.budget is None and found.budget is not None:
        manner = evolve(manner, options=evolve(manner.options, budget=found.budget))
    return _run(found.plan(manner.service.chosen_catalogue()), found, terminal, manner)


def _service_of(found: Folder, service: ServiceOptions) -> ServiceOptions:
    """Follow the contract that the folder was begun with, unless another one is asked for here and now."""
    by_option = service.catalogue is not None and service.catalogue != os.environ.get("SEEDANCE_CATALOGUE")
    if by_option or found.catalogue is None:
        return service
    return evolve(service, catalogue=cast("CatalogueName", found.catalogue.name))


def _run(plan: Plan, found: Folder, terminal: Terminal, manner: Manner) -> int:
    options, folder, service = manner.options, found.path, manner.service
    concurrency = parse_concurrency(manner.concurrency)
    with naming_options():
        standing = found.standing(plan, options, catalogue=service.chosen_catalogue())
    job = BatchJob(
        plan,
        folder,
        terminal,
        json=manner.json,
        standing=standing,
        options=options,
        go_on=() if service.base_url is None else ("--base-url", quoted(service.base_url)),
    )
    session = make_session(
        service,
        journal=SqliteJournal(found.journal, take_over=manner.without_log, move_service=manner.move_service),
        budget=options.budget,
        concurrency=concurrency,
        hooks=[job.hook],
    )
    refuse_used(folder)
    refuse_without_log(folder, agreed=manner.without_log)
    refuse_other_service(folder, find_base_url(service.base_url), agreed=manner.move_service)
    check_folder(standing, folder, overwrite=options.overwrite)
    say_standing(standing, terminal, USUAL_LIMIT if concurrency == "auto" else concurrency, folder)
    if options.budget is not None:
        _hold_to_budget(standing, options.budget, terminal)
    there = somebody_there(terminal)
    take_over(
        folder,
        agreed=manner.take_over,
        ask=(lambda question: confirm(terminal, question)) if there else None,
        warn=terminal.complain,
    )
    if standing.submits and not manner.yes:
        ask_to_spend(terminal)

    async def command(interrupts: Interrupts) -> int:
        return int((await job.run(session, interrupts)).exit_code)

    return run_with_interrupts(command)


def say_standing(standing: FolderStanding, terminal: Terminal, concurrency: int, folder: Path) -> None:
    """Show what will be done with every row of the file and every job of the folder, and what it costs."""
    for line in describe_standing(standing, concurrency, in_shell(folder)):
        terminal.say(line)


def _hold_to_budget(standing: FolderStanding, budget: Decimal, terminal: Terminal) -> None:
    verdict = judge_standing(standing, budget)
    if not verdict.fits:
        raise CommandError(verdict.message or "the budget does not suffice", ExitCode.ACCOUNT)
    left = max(budget - standing.spent, Decimal(0))
    terminal.say(f"budget: {amount(budget)} credits over the life of this folder, {amount(left)} left")
