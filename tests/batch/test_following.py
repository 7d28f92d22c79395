"""P3 where the unforeseen happens: it ends one job for this run, the others go on, and the next run finishes it."""

import os
from pathlib import Path
from typing import Any, cast

import pytest

from seedance_async import AsyncSeedance, TaskHandle, VideoResult
from seedance_async.batch import JOURNAL, BatchRunner, ExitCode
from seedance_async.core.catalogue import Catalogue
from seedance_async.testing import Emulator
from tests.batch.driving import StartEmulator, interrupted, lakes, manifest, run, videos


class Broken:
    """A handle that cannot be waited for."""

    async def wait(self) -> VideoResult:
        raise ZeroDivisionError("nobody thought of this")


class Stumbling(AsyncSeedance):
    """A session with a mistake in it, for some of its jobs."""

    attaching = frozenset({"n1", "n2"})
    saving = frozenset({"n3.mp4"})

    def attach(self, task_id: str | None = None, *, key: str | None = None) -> TaskHandle:
        handle = super().attach(task_id, key=key)
        return cast("TaskHandle", Broken()) if key in self.attaching else handle

    async def download(
        self, source: VideoResult | TaskHandle | str, target: str | os.PathLike[str], **options: Any
    ) -> Path:
        if Path(target).name in self.saving:
            raise ZeroDivisionError("nobody thought of this")
        return await super().download(source, target, **options)


def stumbling(service: Emulator, runner: BatchRunner, folder: Path) -> Stumbling:
    """Set up a session with mistakes as the command line would."""
    return Stumbling(
        api_key=service.api_key,
        base_url=service.base_url,
        catalogue=Catalogue.CLASSIC,
        journal=folder / JOURNAL,
        hooks=[runner.hook],
    )


async def test_a_mistake_while_fetching_leaves_the_other_videos_to_come(
    emulator: StartEmulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """More videos than are fetched at a time: each but those with the mistake is there, and the reason is told."""
    service = await emulator(limit=20, durations=30, credits=10**6)
    await run(service, BatchRunner(lakes(20), tmp_path), concurrency=20)
    for path in tmp_path.glob("*.mp4"):
        path.unlink()
    runner = BatchRunner(lakes(20), tmp_path)
    async with stumbling(service, runner, tmp_path) as session:
        report = await runner.run(session)
    assert report.counts == {"done": 17, "not_saved": 3}
    assert (report.exit_code, report.can_resume) == (ExitCode.FAILED, True)
    assert manifest(tmp_path)["n1"]["error"]["message"] == "ZeroDivisionError: nobody thought of this"
    assert sum("was given up for this run" in record.message for record in caplog.records) == 3
    assert (await run(service, BatchRunner(lakes(20), tmp_path))).counts == {"done": 20}
    assert service.statistics().accepted == 20


async def test_a_mistake_while_watching_leaves_the_task_paid(
    emulator: StartEmulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It runs on, with its id in the reports, and the next run saves it."""
    service = await emulator(limit=3)
    await interrupted(service, lakes(3), tmp_path, after=30)
    runner = BatchRunner(lakes(3), tmp_path)
    async with stumbling(service, runner, tmp_path) as session:
        report = await runner.run(session)
    assert report.counts == {"running": 2, "not_saved": 1}
    assert set(report.running) | set(report.not_saved) == set(service.world.tasks)
    assert "was given up for this run" in caplog.text
    assert (await run(service, BatchRunner(lakes(3), tmp_path))).counts == {"done": 3}
    assert len(videos(tmp_path)) == service.statistics().accepted == 3
