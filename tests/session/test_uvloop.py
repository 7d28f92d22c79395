"""A session in uvloop's event loop, where it is installed: in real time, so tasks are short."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from seedance_async import AsyncSeedance, PollingPolicy, Prior, TaskFailedError
from seedance_async.testing import Emulator

uvloop = pytest.importorskip("uvloop")

BAD = "a lake [fail:moderation]"

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture
def run() -> Run:
    """Run a coroutine to its end in uvloop."""

    def begin(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)

    return begin


def test_a_batch_with_a_journal_and_files(run: Run, tmp_path: Path) -> None:
    """More inputs than slots, a journal, a failure, files: all as in asyncio's own loop."""

    async def main() -> None:
        async with (
            Emulator(limit=3, durations=0.1) as emulator,
            AsyncSeedance(
                emulator.api_key,
                base_url=emulator.base_url,
                concurrency=5,
                journal=tmp_path / "jobs.db",
                polling=PollingPolicy(prior=Prior(seconds=0.1), target_delay=0.02, min_interval=0.02),
            ) as session,
        ):
            inputs = [(f"take-{number}", f"a lake, take {number}") for number in range(8)] + [
                ("bad", "a lake [fail:moderation]")
            ]
            saved = list[Path]()
            async with session.map(inputs) as items:
                async for item in items:
                    if item.key == "bad":
                        assert isinstance(item.error, TaskFailedError)
                    else:
                        assert item.result is not None
                        saved.append(await session.download(item.result, tmp_path / f"{item.key}.mp4"))
            assert len({path.name for path in saved}) == 8
            assert all(path.stat().st_size for path in saved)
            assert emulator.statistics().accepted == 9
            assert session.pending == ()

    run(main())


def test_cancelled_and_closed(run: Run) -> None:
    """A cancelled `generate` withdraws what is queued, and closing leaves nothing that runs."""

    async def main() -> None:
        async with Emulator(limit=1, durations=60.0) as emulator:
            async with AsyncSeedance(emulator.api_key, base_url=emulator.base_url, concurrency=1) as session:
                handle = await session.submit("a lake")
                waiting = asyncio.create_task(session.generate("a hill"))
                await asyncio.sleep(0)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                assert session.statistics().waiting == 0
                assert [each.task_id for each in session.pending] == [handle.task_id]
            assert emulator.statistics().creates == 1

    run(main())
