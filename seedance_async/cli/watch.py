"""The live state of one job: a line that is redrawn on a terminal, a line per change elsewhere."""

import asyncio
from contextlib import suppress

from rich.live import Live
from rich.text import Text

from seedance_async import TaskHandle, VideoResult
from seedance_async.cli.terminal import Terminal, one_line, span

_REDRAW_SECONDS = 0.25


async def follow(terminal: Terminal, handle: TaskHandle) -> VideoResult:
    """Show what becomes of a job and return its result.

    Args:
        terminal: Where to show it.
        handle: The job.

    Raises:
        SeedanceError: As awaiting the handle does.
    """
    shown = asyncio.ensure_future(_redraw(terminal, handle) if terminal.live else _lines(terminal, handle))
    try:
        return await handle
    finally:
        shown.cancel()
        with suppress(asyncio.CancelledError):
            await shown


async def _redraw(terminal: Terminal, handle: TaskHandle) -> None:
    # The loop redraws, not a thread of rich's: a handle belongs to its loop.
    with Live(console=terminal.console, auto_refresh=False, transient=True, redirect_stdout=False) as live:
        while not handle.done():
            live.update(Text(state(handle), overflow="ellipsis", no_wrap=True), refresh=True)
            await asyncio.sleep(_REDRAW_SECONDS)


async def _lines(terminal: Terminal, handle: TaskHandle) -> None:
    before = ""
    async for snapshot in handle.updates():
        words = state(handle) if snapshot.task_id is None else f"{snapshot.task_id}: {one_line(snapshot.status, 40)}"
        if words != before and not snapshot.terminal:
            terminal.say(words)
        before = words


def state(handle: TaskHandle) -> str:
    """Say where a job stands, in one line: its place in the queue, then the service's word and the time."""
    if handle.task_id is None:
        place = handle.position
        return "queued" if place is None else f"queued, number {place} in line"
    words = f"{handle.task_id}: {one_line(handle.status, 40)}, {span(handle.elapsed or 0.0)}"
    estimate = handle.estimate
    return words if estimate is None else f"{words} of about {span(estimate.typical)}"
