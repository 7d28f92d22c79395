"""What `seedance upload` does: local files become URLs."""

import asyncio
from collections.abc import Awaitable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from seedance_async.batch.exit_codes import ExitCode
from seedance_async.cli.explain import CommandError, exit_code_of, without_secrets, words_of
from seedance_async.cli.interrupts import Interrupts, run_with_interrupts
from seedance_async.cli.options import ServiceOptions
from seedance_async.cli.service import make_session
from seedance_async.cli.terminal import Terminal, one_line
from seedance_async.errors import SeedanceError
from seedance_async.hooks import HookEvent, Uploaded
from seedance_async.storage import UploadProgress

_Done = dict[str, object] | ExitCode


@define
class _Bars:
    """Where the bytes of each file are shown; nowhere but on a terminal."""

    progress: Progress | None

    def of(self, file: str) -> UploadProgress | None:
        """Return what tells the progress of one file."""
        progress = self.progress
        if progress is None:
            return None
        bar = progress.add_task(one_line(Path(file).name, 40), total=None)
        return lambda sent, total: progress.update(bar, completed=sent, total=total)


@define
class _Until:
    """A hook that keeps until when each upload lasts."""

    seen: dict[str, Uploaded] = field(factory=dict[str, Uploaded])

    def __call__(self, event: HookEvent) -> None:
        if isinstance(event, Uploaded):
            self.seen[event.url] = event


def upload_files(files: Sequence[str], service: ServiceOptions, terminal: Terminal, *, json: bool) -> int:
    """Upload each file and print its URL, in the order in which they were given.

    Raises:
        CommandError: No file was given.
    """
    if not files:
        raise CommandError("give at least one FILE")
    until = _Until()
    session = make_session(service, hooks=[until])

    async def send(file: str, bars: _Bars) -> _Done:
        try:
            url = await session.upload(Path(file), progress=bars.of(file))
        except SeedanceError as error:
            terminal.complain(f"{one_line(file)}: {without_secrets(words_of(error))}")
            return exit_code_of(error)
        told = until.seen[url]
        return {"file": file, "url": url, "size": told.size, "until": told.until.isoformat(timespec="seconds")}

    async def command(interrupts: Interrupts) -> int:
        async with session:
            with _bars(terminal) as bars:
                done = await interrupts.guard(_all([send(file, bars) for file in files]))
        for one in done:
            if not json and not isinstance(one, ExitCode):
                terminal.answer(str(one["url"]))
                terminal.say(f"{one_line(str(one['file']), 80)}: lasts until {one['until']}")
        if json:
            terminal.json([one for one in done if not isinstance(one, ExitCode)])
        return int(max((one for one in done if isinstance(one, ExitCode)), default=ExitCode.DONE))

    return run_with_interrupts(command)


async def _all(uploads: Sequence[Awaitable[_Done]]) -> list[_Done]:
    return list(await asyncio.gather(*uploads))


@contextmanager
def _bars(terminal: Terminal) -> Generator[_Bars]:
    if not terminal.live:
        yield _Bars(None)
        return
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=terminal.console, transient=True) as progress:
        yield _Bars(progress)
