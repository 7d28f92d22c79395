"""P2 without credits: a batch that waits for them sends one create every ten minutes, and each is refused for free."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from seedance_async.batch import (
    BatchRunner,
    CreditsBack,
    ExitCode,
    RowEnded,
    RunOptions,
    SubmittingStopped,
    WaitingForCredits,
)
from seedance_async.testing import Fault
from tests.batch.driving import Listener, StartEmulator, json_lines, lakes, paid, run, session_for
from tests.batch.plans import plan_of

WAIT = RunOptions(wait_for_credits=True)


async def test_a_batch_waits_for_credits_and_goes_on(emulator: StartEmulator, tmp_path: Path) -> None:
    """What runs is saved meanwhile, no row fails, and a wait of hours costs a create every ten minutes."""
    service = await emulator(limit=2, credits=Decimal(3 * 415))
    listener = Listener()
    runner = BatchRunner(lakes(8), tmp_path, WAIT, on_event=listener)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(2 * 3600)
        assert paid(service) == {"lake 1": 1, "lake 2": 1, "lake 3": 1}
        assert sum(isinstance(event, RowEnded) for event in listener.events) == 3
        assert runner.progress().no_credits is not None
        assert runner.progress().stopping is None
        assert 10 <= service.statistics().refused[402] <= 14
        service.world.money.available = Decimal(10**6)
        await asyncio.sleep(601)
        assert runner.progress().no_credits is None
        report = await running
    assert report.exit_code is ExitCode.DONE
    assert report.counts == {"done": 8}
    assert paid(service) == {f"lake {number}": 1 for number in range(1, 9)}
    told = [type(event) for event in listener.events if isinstance(event, WaitingForCredits | CreditsBack)]
    assert told[-1] is CreditsBack
    assert told.count(CreditsBack) == 1
    assert not any(isinstance(event, SubmittingStopped) for event in listener.events)


async def test_credits_may_run_out_again(emulator: StartEmulator, tmp_path: Path) -> None:
    """As often as they like."""
    service = await emulator(limit=2, credits=Decimal(415))
    runner = BatchRunner(lakes(4), tmp_path, WAIT)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        for _ in range(3):
            await asyncio.sleep(3000)
            service.world.money.available = Decimal(415)
        report = await running
    assert report.counts == {"done": 4}
    assert service.statistics().accepted == 4


async def test_ctrl_c_ends_the_wait_at_once(emulator: StartEmulator, tmp_path: Path) -> None:
    """The rows that wait stay queued, for the next run."""
    service = await emulator(limit=2, credits=Decimal(415))
    runner = BatchRunner(lakes(3), tmp_path, WAIT)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(1500)
        before = asyncio.get_running_loop().time()
        runner.stop()
        report = await running
        assert asyncio.get_running_loop().time() - before < 1
    assert report.exit_code is ExitCode.INTERRUPTED
    assert report.counts == {"done": 1, "not_submitted": 2}
    assert len(json_lines(report.remaining_file)) == 2
    service.world.money.available = Decimal(10**4)
    report = await run(service, BatchRunner(lakes(3), tmp_path))
    assert report.counts == {"done": 3}
    assert service.statistics().accepted == 3


async def test_without_the_option_a_402_ends_the_batch_and_the_next_run_goes_on(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """Rows that the account could not pay are no failed rows."""
    service = await emulator(limit=2, credits=Decimal(2 * 415))
    report = await run(service, BatchRunner(lakes(5), tmp_path))
    assert report.exit_code is ExitCode.ACCOUNT
    assert report.counts == {"done": 2, "not_submitted": 3}
    service.world.money.available = Decimal(10**4)
    report = await run(service, BatchRunner(lakes(5), tmp_path))
    assert report.counts == {"done": 5}
    assert service.statistics().accepted == 5


async def test_a_trial_whose_answer_is_lost_is_unknown_and_the_others_go_on(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """It may be paid: that row is never tried again, and the next one takes its turn."""
    service = await emulator(limit=2, credits=Decimal(415))
    runner = BatchRunner(lakes(3), tmp_path, WAIT)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(1500)
        service.faults.add(Fault("drop-after-accept", count=1))
        service.world.money.available = Decimal(10**4)
        report = await running
    assert report.counts == {"done": 2, "unknown": 1}
    assert service.statistics().accepted == 3


async def test_another_reason_ends_the_wait(emulator: StartEmulator, tmp_path: Path) -> None:
    """A key that is refused meanwhile is said, and the rows can be sent later."""
    service = await emulator(limit=2, credits=Decimal(415))
    runner = BatchRunner(lakes(3), tmp_path, WAIT)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(1500)
        service.faults.add(Fault("http-401", on="create"))
        report = await running
    assert report.exit_code is ExitCode.ACCOUNT
    assert report.counts == {"done": 1, "not_submitted": 2}


async def test_a_row_whose_trial_is_accepted_is_saved_although_the_batch_stops(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """The trial brought drift: nothing further is sent, and what was paid is followed to its end."""
    service = await emulator(limit=2, credits=Decimal(415))
    runner = BatchRunner(lakes(4), tmp_path, WAIT)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(1000)
        service.faults.add(Fault("credits-drift", value="2"))
        service.world.money.available = Decimal(10**4)
        report = await running
    assert report.stopped == "drift"
    assert report.counts["done"] == service.statistics().accepted
    assert report.running == ()


async def test_a_trial_that_is_on_the_wire_when_the_batch_stops_is_saved(
    emulator: StartEmulator, tmp_path: Path
) -> None:
    """Nothing more is sent, and what this last create has paid for is followed to its end."""
    service = await emulator(limit=2, credits=Decimal(415))
    runner = BatchRunner(lakes(4), tmp_path, WAIT)
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        while runner.progress().no_credits is None:
            await asyncio.sleep(1)
        service.faults.add(Fault("slow-headers", on="create", seconds=20))
        service.world.money.available = Decimal(10**4)
        await asyncio.sleep(605)
        runner.stop("drift", "somebody else has seen enough")
        report = await running
    assert report.counts == {"done": 2, "not_submitted": 2}
    assert service.statistics().accepted == 2


@pytest.mark.parametrize("lost", [("lake 1", "lake 2"), ("lake 2",)])
async def test_a_trial_whose_answer_is_lost_is_not_repeated_by_resubmit_unknown(
    emulator: StartEmulator, tmp_path: Path, lost: tuple[str, ...]
) -> None:
    """That option means the rows that were unknown before the run: each is sent once more, and a new one only once."""
    service = await emulator(limit=4, credits=Decimal(10**5))
    for prompt in lost:
        service.faults.add(Fault("drop-after-accept", prompt=prompt, count=1))
    before = plan_of(*({"prompt": prompt, "id": f"n{prompt[-1]}"} for prompt in lost))
    assert (await run(service, BatchRunner(before, tmp_path))).counts == {"unknown": len(lost)}
    service.world.money.available = Decimal(0)
    runner = BatchRunner(lakes(2), tmp_path, RunOptions(wait_for_credits=True, resubmit_unknown=True))
    async with session_for(service, runner) as session:
        running = asyncio.create_task(runner.run(session))
        await asyncio.sleep(1500)
        service.faults.add(Fault("drop-after-accept", count=1))
        service.world.money.available = Decimal(10**5)
        report = await running
    assert report.counts == {"done": 1, "unknown": 1}
    assert paid(service) == {prompt: 1 + (prompt in lost) for prompt in ("lake 1", "lake 2")}
