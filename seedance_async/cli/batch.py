"""What `seedance batch` does: a file of rows into a folder of videos."""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from attrs import define, field

from seedance_async import AsyncSeedance
from seedance_async.batch import (
    BatchReport,
    BatchRunner,
    ExitCode,
    Plan,
    StopReason,
    check_folder,
    describe_plan,
    judge_budget,
)
from seedance_async.cli.explain import CommandError
from seedance_async.cli.interrupts import Interrupts, run_with_interrupts
from seedance_async.cli.loglines import told_by_events
from seedance_async.cli.options import BatchOptions, RowDefaults, ServiceOptions
from seedance_async.cli.progress import BatchView
from seedance_async.cli.quote import USUAL_LIMIT, read_plan
from seedance_async.cli.service import make_session, parse_budget, parse_concurrency
from seedance_async.cli.summary import how_to_fetch, report_json, summary_lines
from seedance_async.cli.terminal import Terminal, count
from seedance_async.hooks import HookEvent

_REASONS: Final[dict[str, StopReason]] = {"SIGINT": "interrupt", "SIGTERM": "terminate", "SIGHUP": "hangup"}


def run_file(
    file: str,
    output: str,
    terminal: Terminal,
    *,
    options: BatchOptions,
    inputs: RowDefaults,
    service: ServiceOptions,
    yes: bool,
    json: bool,
) -> int:
    """Plan a batch, ask, run it and say how it ended."""
    budget = parse_budget(options.budget)
    concurrency = parse_concurrency(options.concurrency)
    plan = read_plan(file, inputs, service, options.name)
    folder = Path(output)
    check_folder(plan, folder, overwrite=options.overwrite)
    if budget is not None:
        verdict = judge_budget(plan, budget)
        if not verdict.fits:
            raise CommandError(verdict.message or "the budget does not suffice", ExitCode.ACCOUNT)
    job = BatchJob(
        plan,
        folder,
        terminal,
        json=json,
        attempts=options.attempts,
        on_drift=options.on_drift,
        overwrite=options.overwrite,
    )
    session = make_session(service, budget=budget, concurrency=concurrency, hooks=[job.hook])
    say_plan(plan, terminal, USUAL_LIMIT if concurrency == "auto" else concurrency)
    if not yes:
        ask(terminal)

    async def command(interrupts: Interrupts) -> int:
        return int((await job.run(session, interrupts)).exit_code)

    return run_with_interrupts(command)


def say_plan(plan: Plan, terminal: Terminal, concurrency: int) -> None:
    """Show what will be done and what it costs."""
    for line in describe_plan(plan, concurrency):
        terminal.say(line)


def ask(terminal: Terminal) -> None:
    """Ask before spending.

    Raises:
        CommandError: The answer is not yes, or nobody is there to give one.
    """
    if not (sys.stdin.isatty() and terminal.console.is_terminal):
        raise CommandError("nobody is there to say yes; add --yes to spend these credits")
    terminal.console.print("Go on? [y/N] ", end="")
    answer = sys.stdin.readline().strip().lower()
    if answer not in {"y", "yes"}:
        raise CommandError("nothing was sent", ExitCode.FAILED)


@define
class BatchJob:
    """One batch on the command line: the runner, what is shown of it, and the signals that stop it.

    Attributes:
        hook: Give it to the session.
    """

    plan: Plan
    folder: Path
    terminal: Terminal
    json: bool = field(kw_only=True)
    attempts: int = field(default=3, kw_only=True)
    on_drift: Literal["stop", "go"] = field(default="stop", kw_only=True)
    overwrite: bool = field(default=False, kw_only=True)
    runner: BatchRunner = field(init=False)
    view: BatchView = field(init=False)
    _said: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        """Make the runner and the view that listens to it."""
        self.view = BatchView(self.terminal)
        self.runner = BatchRunner(
            self.plan,
            self.folder,
            attempts=self.attempts,
            on_drift=self.on_drift,
            overwrite=self.overwrite,
            on_event=self.view.on_event,
        )

    def hook(self, event: HookEvent) -> None:
        """Pass the session's events on to the runner, and to the view what it shows of them."""
        self.runner.hook(event)
        self.view.on_session_event(event)

    async def run(self, session: AsyncSeedance, interrupts: Interrupts) -> BatchReport:
        """Run the batch and print how it ended."""
        interrupts.on_first = self._stop
        interrupts.last_words = self._last_words
        with told_by_events():
            async with session:
                report = await self._shown(session)
                # Before the session closes: a second signal in that time must find everything said.
                self._say_end(report)
        return report

    async def _shown(self, session: AsyncSeedance) -> BatchReport:
        showing = asyncio.create_task(self.view.show(self.runner.progress))
        try:
            return await self.runner.run(session)
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing

    def _say_end(self, report: BatchReport) -> None:
        if self._said:
            return  # a second signal came between the runner's end and this: what matters was said
        self._said = True
        for line in summary_lines(report):
            # A batch that is not wholly done says what is left to do even when it is told to be quiet.
            (self.terminal.say if report.exit_code is ExitCode.DONE else self.terminal.complain)(line)
        if self.json:
            self.terminal.json(report_json(report))

    def _stop(self, signum: int) -> None:
        self.runner.stop(_REASONS.get(signal.Signals(signum).name, "interrupt"))
        if self.runner.busy:
            self.terminal.complain("stopping in good order; once more to leave at once")

    def _last_words(self) -> None:
        self.view.close()
        ids = self.runner.running
        if ids and not self._said:
            self._said = True
            self.terminal.complain(f"\n{count(len(ids), 'task')} still running on the service, paid for:")
            self.terminal.complain(how_to_fetch(ids, str(self.folder), wait=True))
