"""How a running batch looks: a few lines that are redrawn on a terminal, a line per event elsewhere.

The height is bounded whatever the batch's size: counts, slots, credits, time left, and the rows that are at work.
Troubles are printed above and stay; beyond `SHOWN_TROUBLES` of them only their number grows, since all are in the
report.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from attrs import define, field, frozen
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from seedance_async.batch import (
    BatchEvent,
    CreditsBack,
    DriftSeen,
    FolderStanding,
    PlannedRow,
    Progress,
    RowEnded,
    RowRunning,
    RowSaving,
    ServiceBack,
    ServiceUnreachable,
    SubmittingStopped,
    WaitingForCredits,
    Warned,
)
from seedance_async.cli.explain import without_secrets, words_of
from seedance_async.cli.terminal import Terminal, amount, count, one_line, span
from seedance_async.hooks import HookEvent, Refusal

SHOWN_TROUBLES: Final = 20
ACTIVE_ROWS: Final = 8
#: How rows end that have one reason in common, which is said once, and are counted in the summary.
IN_SUMMARY: Final = frozenset({"not_submitted", "running", "held"})
REDRAW_SECONDS: Final = 0.25
#: At least so many times as long is waited as drawing took.
MOST_WORK: Final = 25.0

_WORDS: Final = {
    "done": "done",
    "failed": "failed",
    "not_saved": "not saved",
    "unknown": "UNKNOWN",
    "running": "still running",
    "not_submitted": "not sent",
    "changed": "changed",
    "held": "left for another time",
}


@frozen
class _Active:
    """A row at work."""

    row: PlannedRow
    task_id: str
    status: str
    since: float


@define
class BatchView:
    """Listen to a batch and show it.

    Attributes:
        terminal: Where to.
        clock: Monotonic seconds, for how long a row has been at work.
    """

    terminal: Terminal
    clock: Callable[[], float] = time.monotonic
    _limit: int | None = field(default=None, init=False)
    _active: dict[str, _Active] = field(factory=dict[str, "_Active"], init=False)
    _left: frozenset[str] = field(default=frozenset[str](), init=False)
    _troubles: int = field(default=0, init=False)
    _live: Live | None = field(default=None, init=False)

    def attach(self, standing: FolderStanding) -> None:
        """Show tasks of earlier runs from the beginning, with their age."""
        now = self.clock()
        self._left = frozenset(job.row.key for job in standing.left)
        for job in standing.follows:
            if job.record is not None and job.record.task_id is not None:
                since = now - standing.age(job)
                self._active[job.row.key] = _Active(job.row, job.record.task_id, "attached", since)

    def on_event(self, event: BatchEvent) -> None:
        """Take note of an event, and print it where it has a line of its own."""
        match event:
            case RowRunning():
                self._running(event)
            case RowSaving(row=row, task_id=task_id):
                self._active[row.key] = _Active(row, task_id, "saving", self._since(row))
            case RowEnded():
                self._active.pop(event.row.key, None)
                self._end(event)
            case SubmittingStopped(reason="interrupt" | "terminate" | "hangup"):
                pass  # whoever took the signal says it
            case (
                SubmittingStopped(message=message)
                | ServiceUnreachable(message=message)
                | WaitingForCredits(message=message)
                | DriftSeen(message=message)
                | Warned(message=message)
            ):
                self._say(message, "yellow")
            case ServiceBack():
                self._say("the service answers again", "yellow")
            case CreditsBack():
                self._say("there are credits again", "yellow")
            case _:
                pass

    def on_session_event(self, event: HookEvent) -> None:
        """Say how many tasks the account takes at a time whenever the service says something new about it."""
        if isinstance(event, Refusal) and event.limit is not None and event.limit != self._limit:
            self._limit = event.limit
            tasks = count(event.limit, "task")
            self._say(f"the account takes {tasks} at a time; what is refused waits for a free slot", "yellow")

    def close(self) -> None:
        """Give the terminal back at once."""
        if self._live is not None:
            self._live.stop()

    async def show(self, progress: Callable[[], Progress]) -> None:
        """Redraw until cancelled; where nothing can be redrawn, only wait."""
        if not self.terminal.live:
            await asyncio.Event().wait()
        # The loop redraws, not a thread of rich's: what is shown belongs to the loop.
        # Standard output is left alone, or a script's answer would land on the terminal.
        live = Live(console=self.terminal.console, auto_refresh=False, transient=True, redirect_stdout=False)
        with live:
            self._live = live
            try:
                while True:
                    began = self.clock()
                    live.update(self.picture(progress()), refresh=True)
                    # Counting is linear in the rows: of a very large batch it must not become the main work.
                    await asyncio.sleep(max(REDRAW_SECONDS, MOST_WORK * (self.clock() - began)))
            finally:
                self._live = None

    def picture(self, progress: Progress) -> RenderableType:
        """Draw the state of a batch."""
        ended = sum(progress.ended.values())
        bar = Table.grid(padding=(0, 1))
        bar.add_column(width=max(10, min(40, self.terminal.console.width - 40)))
        bar.add_column(no_wrap=True, overflow="ellipsis")
        bar.add_row(ProgressBar(total=progress.total, completed=ended), _counts(progress, ended))
        lines: list[RenderableType] = [bar, _line(_slots(progress)), _line(_money(progress))]
        if progress.unreachable is not None:
            lines.append(_line(f"waiting for the service: {progress.unreachable}", "yellow"))
        if progress.no_credits is not None:
            lines.append(_line(f"waiting for credits: {progress.no_credits}", "yellow"))
        if progress.stopping is not None:
            lines.append(_line("nothing further is sent", "yellow"))
        most = max(0, min(ACTIVE_ROWS, self.terminal.console.height - len(lines) - 2))
        active = list(self._active.values())
        now = self.clock()
        lines += [_line(f"  {_name(one.row)}  {one.status}  {span(now - one.since)}", "dim") for one in active[:most]]
        if len(active) > most:
            lines.append(_line(f"  and {len(active) - most:,} more", "dim"))
        return Group(*lines)

    def _running(self, event: RowRunning) -> None:
        status = one_line(event.status, 24)
        before = self._active.get(event.row.key)
        self._active[event.row.key] = _Active(event.row, event.task_id, status, self._since(event.row))
        if not self.terminal.live and (before is None or before.task_id != event.task_id):
            self.terminal.say(f"{self._place(event.row)}: accepted as {event.task_id}: {_name(event.row)}")

    def _place(self, row: PlannedRow) -> str:
        """Say where a row stands. What was the line of one that left the file holds another row now, or none."""
        return row.id or row.key if row.key in self._left else f"line {row.line}"

    def _since(self, row: PlannedRow) -> float:
        before = self._active.get(row.key)
        return self.clock() if before is None else before.since

    def _end(self, event: RowEnded) -> None:
        if event.status in IN_SUMMARY:
            return
        if event.status in {"done", "changed"} and event.path is not None:
            if not self.terminal.live:
                cost = "" if event.credits is None else f", {amount(event.credits)} credits"
                self.terminal.say(f"{self._place(event.row)}: saved {event.path}{cost}")
            return
        self._troubles += 1
        if self._troubles <= SHOWN_TROUBLES or not self.terminal.live:
            message = event.message if event.error is None else words_of(event.error)
            why = "" if message is None else f": {without_secrets(one_line(message))}"
            self._say(f"{self._place(event.row)}: {_WORDS[event.status]}: {_name(event.row)}{why}", "red")
        elif self._troubles == SHOWN_TROUBLES + 1:
            self._say("further troubles are counted below and listed in the report", "red")

    def _say(self, text: str, style: str) -> None:
        self.terminal.say(text, style)


def _name(row: PlannedRow) -> str:
    return one_line(row.file.as_posix(), 60)


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _counts(progress: Progress, ended: int) -> str:
    parts = [f"{ended:,} of {progress.total:,}"]
    parts += [
        f"{number:,} {_WORDS[status]}" for status, number in progress.ended.items() if number and status != "done"
    ]
    return ", ".join(parts)


def _slots(progress: Progress) -> str:
    parts = [
        f"{progress.slots_used} of {progress.slot_limit} slots",
        f"{progress.saving} saving",
        f"{progress.waiting:,} waiting",
    ]
    if progress.seconds_left is not None and progress.no_credits is None and progress.unreachable is None:
        parts.append(f"about {span(progress.seconds_left)} left")
    return ", ".join(parts)


def _money(progress: Progress) -> str:
    return f"{amount(progress.credits_used)} credits used, {amount(progress.credits_reserved)} reserved"
