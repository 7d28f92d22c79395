"""How the tests drive a batch: the real session, an emulator, virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from seedance_async import AsyncSeedance
from seedance_async.batch import JOURNAL, BatchEvent, BatchReport, BatchRunner, ExitCode, Plan
from seedance_async.core.catalogue import Catalogue
from seedance_async.testing import Emulator
from tests.batch.plans import plan_of

StartEmulator = Callable[..., Awaitable[Emulator]]


def lakes(count: int, marks: str = "") -> Plan:
    """Plan rows with the prompts `lake 1`, `lake 2` and so on."""
    return plan_of(*({"prompt": f"lake {number}{marks}", "id": f"n{number}"} for number in range(1, count + 1)))


def manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the last line of each key."""
    lines = (folder / "manifest.jsonl").read_text("utf-8").splitlines()
    return {record["key"]: record for record in map(json.loads, lines)}


def json_lines(path: Path | None) -> list[dict[str, Any]]:
    """Read a JSONL report."""
    assert path is not None
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@define
class Listener:
    """Keeps events, and acts on the first one that matches."""

    when: Callable[[BatchEvent], bool] = lambda _event: False
    act: Callable[[], object] = lambda: None
    events: list[BatchEvent] = field(factory=list)
    _acted: bool = False

    def __call__(self, event: BatchEvent) -> None:
        self.events.append(event)
        if not self._acted and self.when(event):
            self._acted = True
            self.act()


@asynccontextmanager
async def session_for(emulator: Emulator, runner: BatchRunner, **options: Any) -> AsyncIterator[AsyncSeedance]:
    """Open a session as the command line does."""
    folder = runner._books.folder
    folder.mkdir(parents=True, exist_ok=True)
    usual = {"catalogue": Catalogue.CLASSIC, "journal": folder / JOURNAL}
    service = {"api_key": emulator.api_key, "base_url": emulator.base_url}
    async with AsyncSeedance(**{**usual, **service, **options}, hooks=[runner.hook]) as session:
        yield session


async def run(emulator: Emulator, runner: BatchRunner, **options: Any) -> BatchReport:
    """Run a batch to its end."""
    async with session_for(emulator, runner, **options) as session:
        return await runner.run(session)


async def interrupted(service: Emulator, plan: Plan, folder: Path, after: float, **options: Any) -> BatchReport:
    """Run a batch and stop it as Ctrl-C does, `after` seconds from its start."""
    runner = BatchRunner(plan, folder)
    async with session_for(service, runner, **options) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(after)
        runner.stop()
        report = await running
    assert report.exit_code is ExitCode.INTERRUPTED
    assert report.can_resume
    return report


def paid(service: Emulator) -> dict[str, int]:
    """How many tasks the service has accepted for each prompt."""
    return dict(service.statistics().accepted_by_prompt)


def videos(folder: Path) -> list[str]:
    """The videos of a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.mp4"))
