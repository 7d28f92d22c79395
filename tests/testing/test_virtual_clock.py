"""The loop on virtual time, with a real aiohttp server and client in it."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import anyio.to_thread
import pytest

from seedance_async.testing import Emulator, VirtualClockLoop


async def test_time_jumps_to_the_next_timer() -> None:
    """Sleeping costs virtual seconds and next to no real ones."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualClockLoop)
    began, real = loop.time(), time.monotonic()
    await asyncio.sleep(7200)
    assert loop.time() - began == pytest.approx(7200)
    assert loop.virtual.now == loop.time()
    assert time.monotonic() - real < 2


async def test_a_timeout_fires_at_its_virtual_time() -> None:
    """A timeout is a timer like any other."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await asyncio.Event().wait()
    assert loop.time() - began == pytest.approx(30)


@pytest.mark.parametrize("way", ["executor", "anyio"])
async def test_the_clock_stands_still_while_a_thread_works(way: str) -> None:
    """A worker thread that takes real time does not make a virtual timeout fire."""
    release = threading.Event()
    timer = threading.Timer(0.05, release.set)
    timer.start()
    async with asyncio.timeout(10):
        if way == "executor":
            assert await asyncio.to_thread(release.wait, 5)
        else:
            assert await anyio.to_thread.run_sync(release.wait, 5)
    timer.join()


def test_silence_is_an_error_and_not_a_hang() -> None:
    """With no timer, socket or thread left, the loop raises after its patience."""
    loop = VirtualClockLoop()
    loop.virtual.patience = 0.05

    async def never() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="no timer, socket or thread"):
        asyncio.Runner(loop_factory=lambda: loop).run(never())
    loop.close()


async def test_500_tasks_and_300_seconds_over_real_sockets() -> None:
    """A crowd of clients polls a real server for virtual minutes without one false timeout."""
    loop = asyncio.get_running_loop()
    async with Emulator(limit=500, credits=10**9, durations=300.0) as emulator:
        headers = {"Authorization": f"Bearer {emulator.api_key}"}
        timeout = aiohttp.ClientTimeout(total=5)
        connector = aiohttp.TCPConnector(limit=50)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout, connector=connector) as client:

            async def one(number: int) -> str:
                body: dict[str, Any] = {
                    "model": "seedance-20",
                    "inputs": {"prompt": f"p{number}", "duration": "5", "outputResolution": "720p"},
                }
                async with client.post(f"{emulator.base_url}/jobs/createTask", json=body) as answer:
                    params = {"taskId": (await answer.json())["taskId"]}
                while True:
                    async with client.get(f"{emulator.base_url}/jobs/recordInfo", params=params) as answer:
                        status = (await answer.json())["status"]
                    if status in {"success", "fail"}:
                        return str(status)
                    await asyncio.sleep(25 + number / 100)

            began = loop.time()
            statuses = await asyncio.gather(*(one(number) for number in range(500)))
            assert set(statuses) == {"success"}
            assert 300 <= loop.time() - began < 340
        assert emulator.statistics().polls > 5000


def test_the_clock_stands_still_while_worker_threads_are_joined() -> None:
    """A loop that closes waits for its worker threads in real time; a jump would leave them behind with a warning."""
    never = threading.Event()
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        loop, executor = runner.get_loop(), ThreadPoolExecutor(1)
        loop.set_default_executor(executor)
        # Handed over behind the loop's back, so that nothing but the joining waits for it.
        executor.submit(never.wait, 0.2)
    assert loop.time() < 1.0
