"""P2, never paid twice: a job whose create was answered 500 may have a task, whatever becomes of its repeat."""

import asyncio
from decimal import Decimal

import pytest

from seedance_async import InputError, OutcomeUnknownError
from seedance_async.testing import Fault
from tests.session.service import PRICE_1080P, Service, Start, until

FULL = Fault("429-without-numbers", on="create")


async def after_a_500(start: Start, *then: Fault) -> Service:
    """Start a service whose first create is answered 500 and whose next ones meet these faults."""
    return await start(limit=3, faults=[Fault("http-500", on="create", nth=1), *then])


async def nothing_leaves(service: Service, seconds: float = 3600) -> None:
    """Wait, and see that no create leaves any more."""
    received = service.emulator.statistics().creates
    await asyncio.sleep(seconds)
    assert service.emulator.statistics().creates == received


async def test_a_caller_that_waits_too_long_is_told_the_truth(start: Start) -> None:
    """`submit` with a timeout does not call a job withdrawn that may be paid, and sends no further create for it."""
    service = await after_a_500(start, FULL)
    session = await service.open()
    with pytest.raises(OutcomeUnknownError) as caught:
        await session.submit("a lake", timeout=20)
    assert caught.value.charged == "maybe"
    service.emulator.faults.clear()
    await nothing_leaves(service)
    assert session.statistics().waiting == 0


async def test_a_caller_that_is_cancelled_leaves_no_create_behind(start: Start) -> None:
    """A cancelled `generate` ends its job as unknown, and nothing more is sent for it."""
    service = await after_a_500(start, FULL)
    session = await service.open()
    waiting = asyncio.create_task(session.generate("a lake", key="k"))
    await until(lambda: session.statistics().refusals > 0)
    waiting.cancel()
    await asyncio.wait([waiting])
    service.emulator.faults.clear()
    await nothing_leaves(service)
    with pytest.raises(OutcomeUnknownError):
        await session.enqueue("a lake", key="k")


@pytest.mark.parametrize("status", [400, 402, 403])
async def test_a_refused_repeat_is_no_refusal_of_the_job(start: Start, status: int) -> None:
    """500 and then a refusal: unknown, the credits held, the key not free without `resubmit_unknown`."""
    service = await after_a_500(start, Fault(f"http-{status}", on="create", nth=2))
    session = await service.open(budget=Decimal(3 * PRICE_1080P))
    handle = session.enqueue("a lake", key="k")
    with pytest.raises(OutcomeUnknownError, match=str(status)):
        await handle
    assert handle.status == "unknown"
    numbers = session.statistics()
    assert (numbers.credits_maybe, numbers.credits_reserved, numbers.unknown) == (Decimal(PRICE_1080P), Decimal(0), 1)
    with pytest.raises(OutcomeUnknownError):
        await session.enqueue("a lake", key="k")
    assert service.emulator.statistics().accepted == 0


@pytest.mark.parametrize("after", [0.1, 0.9])
async def test_nothing_is_repeated_while_the_session_closes(start: Start, after: float) -> None:
    """A create that waits to be repeated ends as unknown at once when the session closes."""
    service = await after_a_500(start)
    session = await service.open()
    handle = session.enqueue("a lake")
    await until(lambda: service.emulator.statistics().creates == 1)
    await asyncio.sleep(after)
    await session.aclose()
    assert isinstance(handle.exception(), OutcomeUnknownError)
    assert service.emulator.statistics().creates == 1


@pytest.mark.parametrize("timeout", ["5", True, -1, float("nan")])
async def test_a_wrong_timeout_sends_nothing(start: Start, timeout: float) -> None:
    """P5: it is found before the job is queued."""
    service = await start()
    session = await service.open()
    with pytest.raises(InputError, match="timeout"):
        await session.submit("a lake", timeout=timeout)
    assert session.statistics().waiting == 0
    await nothing_leaves(service, 60)
