"""Signals: the first stops in good order, the second leaves at once."""

import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from seedance_async.cli.interrupts import Interrupted, Interrupts, run_with_interrupts

SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
pytestmark = pytest.mark.usefixtures("signals_heard")
posix = pytest.mark.skipif(os.name == "nt", reason="Windows processes cannot be sent these signals")


@posix
@pytest.mark.parametrize("signum", SIGNALS)
def test_the_first_signal_ends_guarded_work(signum: int) -> None:
    """The work is cancelled and has cleaned up when `Interrupted` arrives, with the shell's exit code."""
    seen: list[str] = []

    async def work() -> None:
        os.kill(os.getpid(), signum)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned up")

    async def command(interrupts: Interrupts) -> int:
        with pytest.raises(Interrupted) as caught:
            await interrupts.guard(work())
        assert seen == ["cleaned up"]
        return caught.value.exit_code

    assert run_with_interrupts(command) == 128 + signum


def test_work_that_ends_first_is_not_disturbed() -> None:
    """Its result comes back, and no signal handler is left behind."""

    async def work() -> int:
        return 7

    async def command(interrupts: Interrupts) -> int:
        return await interrupts.guard(work())

    before = [signal.getsignal(signum) for signum in SIGNALS]
    assert run_with_interrupts(command) == 7
    assert [signal.getsignal(signum) for signum in SIGNALS] == before


def test_an_error_of_the_work_is_its_own() -> None:
    """It comes as it is, not in a group."""

    async def work() -> int:
        raise ValueError("mine")

    async def command(interrupts: Interrupts) -> int:
        return await interrupts.guard(work())

    with pytest.raises(ValueError, match="mine"):
        run_with_interrupts(command)


@posix
@pytest.mark.parametrize(
    "stubborn", ["await asyncio.sleep(0)", "await asyncio.sleep(60)", "time.sleep(60)"], ids=["ends", "waits", "blocks"]
)
def test_a_second_signal_leaves_with_last_words(stubborn: str) -> None:
    """What the command has to say is said, and it can write things down; one that does not end is ended."""
    script = (
        "import asyncio, os, signal, time\n"
        "from seedance_async.cli.interrupts import run_with_interrupts\n"
        "async def command(interrupts):\n"
        "    interrupts.on_first = lambda signum: print('first', signum)\n"
        "    interrupts.last_words = lambda: print('still running: task_x')\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    await asyncio.sleep(0.1)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    try:\n"
        "        await asyncio.sleep(60)\n"
        "    finally:\n"
        "        print('written down')\n"
        f"        {stubborn}\n"
        "raise SystemExit(run_with_interrupts(command))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (143, "")
    assert ended.stdout == "first 15\nstill running: task_x\nwritten down\n"


@posix
def test_an_ignored_signal_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """`nohup seedance batch ...` goes on when the terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:

        async def command(interrupts: Interrupts) -> int:
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0.05)
            return 0 if interrupts.signum is None else 1

        assert run_with_interrupts(command) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_there_are_no_signals() -> None:
    """A command still runs there."""
    codes: list[int] = []

    async def command(interrupts: Interrupts) -> int:
        return 5

    thread = threading.Thread(target=lambda: codes.append(run_with_interrupts(command)))
    thread.start()
    thread.join()
    assert codes == [5]


def test_windows_takes_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a loop has no signal handlers, Python's are used and put back."""

    async def command(interrupts: Interrupts) -> int:
        signal.raise_signal(signal.SIGINT)
        return await interrupts.wait()

    def refuse(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", refuse)
    before = signal.getsignal(signal.SIGINT)
    assert run_with_interrupts(command) == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) == before
