"""A batch while it runs: the runner, what is shown of it, the signals that stop it, and what is said at its end."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import define, field

from seedance_async import AsyncSeedance
from seedance_async.batch import (
    DEFAULT_OPTIONS,
    BatchReport,
    BatchRunner,
    ExitCode,
    FolderStanding,
    Plan,
    RunOptions,
    StopReason,
)
from seedance_async.cli.folders import journal_opening
from seedance_async.cli.interrupts import Interrupts
from seedance_async.cli.loglines import told_by_events
from seedance_async.cli.progress import BatchView
from seedance_async.cli.summary import Ways, how_to_fetch, how_to_resume, report_json, summary_lines
from seedance_async.cli.terminal import Terminal, count
from seedance_async.clock import wall_now
from seedance_async.errors import SeedanceError
from seedance_async.hooks import HookEvent

_REASONS: Final[dict[str, StopReason]] = {"SIGINT": "interrupt", "SIGTERM": "terminate", "SIGHUP": "hangup"}


@define
class BatchJob:
    """One run over a folder on the command line.

    Attributes:
        plan: What is made.
        folder: Where to.
        standing: How the folder stood when the user agreed; None where nobody was asked.
        options: What the user wants beyond the rows.
        go_on: Options that `resume` needs to reach the same service; None where there is nothing to go on with.
        json: Whether the report is printed as JSON.
        hook: Give it to the session.
    """

    plan: Plan
    folder: Path
    terminal: Terminal
    json: bool = field(kw_only=True)
    standing: FolderStanding | None = field(default=None, kw_only=True)
    options: RunOptions = field(default=DEFAULT_OPTIONS, kw_only=True)
    go_on: Sequence[str] | None = field(default=(), kw_only=True)
    runner: BatchRunner = field(init=False)
    view: BatchView = field(init=False)
    _session: AsyncSeedance | None = field(init=False, default=None)
    _said: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        """Make the runner and the view that listens to it."""
        self.view = BatchView(self.terminal)
        if self.standing is not None:
            self.view.attach(self.standing)
        self.runner = BatchRunner(
            self.plan, self.folder, self.options, expected=self.standing, on_event=self.view.on_event
        )

    def hook(self, event: HookEvent) -> None:
        """Pass the session's events on to the runner, and to the view what it shows of them."""
        self.runner.hook(event)
        self.view.on_session_event(event)

    async def run(self, session: AsyncSeedance, interrupts: Interrupts) -> BatchReport:
        """Run the batch and print how it ended.

        Raises:
            CommandError: The journal cannot be had; nothing was sent.
            SeedanceError: As from `BatchRunner.run`; nothing was sent.
        """
        interrupts.on_first = self._stop
        interrupts.last_words = self._last_words
        with told_by_events():
            with journal_opening():
                await session.open()
            self._session = session
            try:
                report = await self._shown(session)
            except SeedanceError as error:
                if self.runner.running and self.go_on is not None:
                    error.add_note(how_to_resume(self.folder, *self.go_on).strip())
                raise
            else:
                # Before the session closes: a second signal in that time must find everything said.
                self._say_end(report, session)
            finally:
                await session.aclose()
        return report

    async def _shown(self, session: AsyncSeedance) -> BatchReport:
        showing = asyncio.create_task(self.view.show(self.runner.progress))
        try:
            return await self.runner.run(session)
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing

    def _say_end(self, report: BatchReport, session: AsyncSeedance) -> None:
        if self._said:
            return  # a second signal came between the runner's end and this: what matters was said
        self._said = True
        credits, ways = session.journal.credits, Ways.of(session.journal.jobs(), wall_now())
        for line in summary_lines(report, credits, go_on=self.go_on, ways=ways):
            # A batch that is not wholly done says what is left to do even when it is told to be quiet.
            (self.terminal.say if report.exit_code is ExitCode.DONE else self.terminal.complain)(line)
        if self.json:
            self.terminal.json(report_json(report, credits))

    def _stop(self, signum: int) -> None:
        self.runner.stop(_REASONS.get(signal.Signals(signum).name, "interrupt"))
        if self.runner.busy:
            self.terminal.complain("stopping: nothing further is sent, what runs stays; once more to leave at once")

    def _last_words(self) -> None:
        self.view.close()
        if self._said:
            return
        self._said = True
        ids, on_wire = self.runner.running, 0 if self._session is None else self._session.statistics().on_wire
        self.terminal.complain("")
        if ids:
            self.terminal.complain(f"{count(len(ids), 'task')} still running on the service, paid for")
        if on_wire:
            creates = count(on_wire, "create")
            self.terminal.complain(f"{creates} on the wire: accepted or not, the folder lists it as unknown")
        if self.go_on is None:
            return
        if (ids or on_wire) and not self._keeps_journal():
            self.terminal.complain(how_to_fetch(ids, self.folder, wait=True))
        self.terminal.complain(how_to_resume(self.folder, *self.go_on))

    def _keeps_journal(self) -> bool:
        return self.runner.progress().stopping != "disk"
