"""P3, never lost: a cancellation leaves the complete file, or a part that the next download goes on with."""

import asyncio
import gc
import os
import threading
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from blockbuster import blockbuster_ctx

from seedance_async.downloads import Downloads
from seedance_async.filethreads import FileThreads
from tests.downloads.host import FileHost, stall


def check(folder: Path, content: bytes) -> None:
    """Only whole files have names that people see."""
    for path in folder.iterdir():
        assert path.name.startswith(".lake.mp4.") or path.read_bytes() == content


def file_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("seedance-file")]


@pytest.mark.parametrize("kind", ["task", "scope"])
async def test_cancelled_at_every_step(downloads: Downloads, host: FileHost, tmp_path: Path, kind: str) -> None:
    """Whatever step of the loop the cancellation falls on, the next download ends well and leaves no litter."""
    host.content = os.urandom(1_500_000)
    finished = 0
    for steps in range(0, 150, 2):
        folder = tmp_path / str(steps)
        scope = anyio.CancelScope()

        async def save(folder: Path = folder, scope: anyio.CancelScope = scope) -> None:
            with scope:
                await downloads.save(host.result(), folder / "lake.mp4")

        task = asyncio.create_task(save())
        for _ in range(steps):
            await asyncio.sleep(0)
        if kind == "task":
            task.cancel()
        else:
            scope.cancel()
        await asyncio.wait([task])
        if folder.exists():
            check(folder, host.content)
            finished += (folder / "lake.mp4").exists()
        path = await downloads.save(host.result(), folder / "lake.mp4")
        assert path.read_bytes() == host.content
        assert [path.name for path in folder.iterdir()] == ["lake.mp4"]
    assert finished < 75


async def test_cancelled_in_the_middle(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """What was written before a cancellation is continued."""
    host.content = os.urandom(3_000_000)
    host.script = [stall(500_000)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10):
            await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert len(list(tmp_path.iterdir())) == 2
    path = await downloads.save(host.result(), tmp_path / "lake.mp4")
    assert path.read_bytes() == host.content
    assert host.asked[-1].offset >= 2_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["lake.mp4"]


async def test_cancelled_while_waiting(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """A download that waits for its place leaves nothing, and those behind it go on."""
    host.script = [stall(1, 100.0)] * 8
    running = [asyncio.create_task(downloads.save(host.result(f"task_{n}"), tmp_path)) for n in range(10)]
    await asyncio.sleep(1)
    running[8].cancel()
    ends = await asyncio.gather(*running, return_exceptions=True)
    assert isinstance(ends[8], asyncio.CancelledError)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"task_{n}.mp4" for n in range(10) if n != 8)


async def test_thread_is_waited_for() -> None:
    """Cancelling file work waits for its end, and neither the cancellation nor a failure makes noise or is lost."""
    noise: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: noise.append(context))
    threads = FileThreads(1)
    started, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        go_on.wait()
        ended.set()
        raise LookupError("this has no reader any more")

    task = asyncio.create_task(threads.run(work))
    while not started.is_set():
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    threads.close()
    while file_threads():
        await asyncio.sleep(0)
    del task
    for _ in range(3):
        gc.collect()
        await asyncio.sleep(0)
    assert noise == []


async def test_cancelled_scope_does_not_lose_what_was_done() -> None:
    """A scope that is cancelled meanwhile is heard after the work; the loop does not spin until then."""
    threads = FileThreads(1)
    started, go_on = threading.Event(), threading.Event()

    def work() -> int:
        started.set()
        go_on.wait()
        return 7

    done: list[int] = []
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def run() -> None:
                done.append(await threads.run(work))
                await anyio.lowlevel.checkpoint()
                done.append(8)

            group.start_soon(run)
            while not started.is_set():
                await asyncio.sleep(0)
            scope.cancel()
            go_on.set()
    assert done == [7]
    threads.close()


async def test_threads_end_with_the_last_work() -> None:
    """Closing takes no thread from work that runs, lets later work be done, and leaves no thread behind."""
    threads, go_on = FileThreads(2), threading.Event()
    task = asyncio.create_task(threads.run(go_on.wait))
    while not file_threads():
        await asyncio.sleep(0)
    threads.close()
    go_on.set()
    assert await task
    assert await threads.run(lambda: 7) == 7
    threads.close()
    while file_threads():
        await asyncio.sleep(0)


async def test_nothing_blocks_the_loop(downloads: Downloads, host: FileHost, tmp_path: Path) -> None:
    """No file is touched on the loop's thread."""
    host.content = os.urandom(2_000_000)
    host.script = [stall(500_000, 30.0)]
    target = tmp_path / "lake.mp4"
    with blockbuster_ctx("seedance_async"):
        await downloads.save(host.result(), target)
        await downloads.save(host.result(), target)
        await downloads.save(host.result(), target, overwrite=True)
        async with downloads.stream(host.result()) as stream:
            async for _chunk in stream:
                pass
    assert target.read_bytes() == host.content
