"""Nothing that an ordinary run does blocks the loop."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, BlockingError, blockbuster_ctx

from seedance_async import TaskFailedError, hooks
from tests.session.service import Start, end, lakes


@pytest.fixture
def no_blocking() -> Iterator[BlockBuster]:
    """Raise where code of the package blocks while a loop runs."""
    with blockbuster_ctx(scanned_modules=["seedance_async"]) as guard:
        yield guard


async def test_the_guard_works(start: Start, no_blocking: BlockBuster) -> None:
    """A blocking call in code of the package, here a hook's, is an error."""
    seen: list[BaseException] = []

    def blocking(_event: object) -> None:
        import time

        try:
            time.sleep(0.001)
        except BlockingError as error:
            seen.append(error)

    hooks.Hooks([blocking]).call(hooks.Queued("k"))
    assert len(seen) == 1


async def test_an_ordinary_run_blocks_nothing(start: Start, no_blocking: BlockBuster, tmp_path: Path) -> None:
    """Submitting, refusals, polls, failures, map, attach, downloads and closing: no blocking call on the loop."""
    service = await start(limit=2, faults=["drop-after-accept:on=create,nth=5"])
    async with service.session(concurrency=3) as session:
        result = await session.generate("a lake")
        assert await session.download(result, tmp_path / "lake.mp4") == tmp_path / "lake.mp4"
        assert isinstance(await end(session.enqueue("a lake [fail:moderation]")), TaskFailedError)
        async with session.map(lakes(6)) as items:
            errors = [item.error async for item in items]
        assert len([error for error in errors if error is not None]) == 1
        attached = session.attach(result.task_id)
        assert (await attached).task_id == result.task_id
