"""Sessions in processes that end, or fork, without closing them. Real time, but next to none of it."""

import subprocess
import sys
import textwrap

import pytest

_SETTING = """
    import asyncio, os, sys
    from seedance_async import AsyncSeedance, ConfigurationError, FixedPolling
    from seedance_async.testing import Emulator, EmulatorThread

    async def opened(emulator):
        # A machine that is busy makes callbacks slow, which development mode would remark.
        asyncio.get_running_loop().slow_callback_duration = 60.0
        polling = FixedPolling(0.1)
        return await AsyncSeedance(
            emulator.api_key, base_url=emulator.base_url, concurrency=2, polling=polling
        ).open()
"""


def run(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    source = textwrap.dedent(_SETTING) + textwrap.dedent(script)
    return subprocess.run(
        [sys.executable, *options, "-c", source], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "way",
    [
        "return",
        "raise LookupError('mine')",
        "asyncio.get_running_loop().call_soon(asyncio.current_task().cancel); await asyncio.sleep(9)",
        "sys.exit(0)",
    ],
    ids=["returns", "raises", "is cancelled", "exits"],
)
def test_a_loop_that_ends_without_closing_is_silent(way: str) -> None:
    """No connection, socket or task is complained about, with every warning an error and in development mode."""
    result = run(
        f"""
        import logging

        async def main():
            session = await opened(emulator)
            running = await session.submit("a lake")
            waiters = [asyncio.create_task(session.generate(f"lake {{n}}")) for n in range(5)]
            items = session.map(["a", "b"])
            waiters.append(asyncio.ensure_future(anext(items)))
            updates = running.updates()
            await anext(updates)
            await asyncio.sleep(0.1)
            {way}

        # What was lost with the loop is said in the log; here counts what is said by others.
        logging.getLogger("seedance_async").setLevel(logging.ERROR)
        # In a thread of its own: what a server says when its loop is taken from it is none of ours.
        with EmulatorThread(limit=3, durations=30.0, faults=["hang-after-accept:on=create,nth=2"]) as emulator:
            try:
                asyncio.run(main())
            except (LookupError, asyncio.CancelledError, SystemExit):
                pass
            # Some rounds of its loop, so that it does not end between a connection and its first byte.
            for _ in range(10):
                emulator.statistics()
        """,
        "-X",
        "dev",
        "-W",
        "error",
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_a_session_that_is_dropped_while_its_loop_goes_on_lives_until_the_loop_ends() -> None:
    """The background keeps it: jobs run on, and nothing is complained about afterwards."""
    result = run(
        """
        import gc

        async def main():
            async with Emulator(limit=2, durations=0.2) as emulator:
                session = await opened(emulator)
                handle = session.enqueue("a lake")
                del session
                gc.collect()
                print((await handle).task_id in emulator.world.tasks)

        asyncio.run(main())
        """,
        "-X",
        "dev",
        "-W",
        "error",
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "True\n", "")


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system has no fork")
def test_a_session_says_that_it_was_opened_before_a_fork() -> None:
    """In the child every call says what is wrong, in a running loop or without one; the parent goes on."""
    result = run(
        """
        async def main():
            async with Emulator(limit=2, durations=0.2) as emulator:
                session = await opened(emulator)
                handle = await session.submit("a lake")
                child = os.fork()
                if child == 0:
                    for call in (session.enqueue, session.attach, session.map):
                        try:
                            call("a lake")
                        except ConfigurationError as error:
                            print(error)
                    sys.stdout.flush()
                    os._exit(0)
                os.waitpid(child, 0)
                print((await handle).task_id == handle.task_id)
                await session.aclose()

        asyncio.run(main())
        """,
        "-W",
        "ignore",
    )
    lines = result.stdout.splitlines()
    assert lines[-1] == "True"
    assert len(lines) == 4
    assert all("fork" in line for line in lines[:3]), lines
    assert result.stderr == ""


def test_one_session_for_each_loop() -> None:
    """Several loops in a row each have their session, as a script or a test suite has them."""
    result = run(
        """
        async def main(number):
            async with Emulator(limit=2, durations=0.1) as emulator:
                session = await opened(emulator)
                result = await session.generate(f"lake {number}")
                await session.aclose()
                return result.task_id in emulator.world.tasks

        print([asyncio.run(main(number)) for number in range(3)])
        """,
        "-X",
        "dev",
        "-W",
        "error",
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "[True, True, True]\n", "")
