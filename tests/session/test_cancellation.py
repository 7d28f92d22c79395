"""P2 and P3: a caller may be cancelled at any step of the loop, and nothing is lost, doubled or left behind."""

import asyncio

import pytest

from seedance_async import AsyncSeedance, SessionClosedError
from seedance_async.hooks import Accepted, AttemptEnded
from tests.session.service import Service, Start, end, lakes, until
from tests.session.stepping import cancelled_at, steps_of

_LAKE = lakes(1)[0]


def check_nothing_lost(service: Service, session: AsyncSeedance) -> None:
    """Compare what the service saw with what the session says."""
    seen, ear = service.emulator.statistics(), service.ear
    # A create whose send mark is unset ends as "not sent": then the service must not have seen it.
    assert len(ear.all(AttemptEnded)) - ear.outcomes("not sent") == seen.creates
    assert all(count == 1 for count in seen.creates_by_prompt.values()), "something was created twice"
    known = {event.task_id for event in ear.all(Accepted)}
    assert known == set(service.tasks())
    ended = session.statistics().succeeded
    assert len(session.pending) + ended == seen.accepted
    # Nothing of the queue is left, and no slot is held by what is not there.
    assert session.statistics().waiting == 0
    assert session.statistics().in_progress == len(session.pending)


async def test_submit_may_be_cancelled_at_every_step(start: Start) -> None:
    """Whichever step a cancellation comes at, what the service accepted is pending, and the rest never left."""
    undisturbed = await start()
    first = await undisturbed.open()
    steps = await steps_of(lambda: first.submit(_LAKE))
    assert steps > 5
    before = 0
    for step in range(1, steps + 5):
        service = await start()
        async with service.session() as session:
            cancelled = await cancelled_at(step, lambda: session.submit(_LAKE))
            await asyncio.sleep(10)
            check_nothing_lost(service, session)
            accepted = service.emulator.statistics().accepted
            # A call that was not cancelled has its task; one that was may have one.
            assert accepted or cancelled
            before += not accepted
    assert before, "no cancellation came before the create"


async def test_generate_may_be_cancelled_at_every_step(start: Start) -> None:
    """Cancelling `generate` withdraws a queued job; an accepted task goes on to its end, in `pending`."""
    undisturbed = await start(durations=4.0)
    first = await undisturbed.open()
    steps = await steps_of(lambda: first.generate(_LAKE))
    running = 0
    for step in range(1, steps + 5):
        service = await start(durations=4.0)
        async with service.session() as session:
            cancelled = await cancelled_at(step, lambda: session.generate(_LAKE))
            running += cancelled and len(session.pending)
            await asyncio.sleep(0.5)
            check_nothing_lost(service, session)
            await session.drain(timeout=60)
            check_nothing_lost(service, session)
            assert session.statistics().in_progress == 0
    assert running >= 5, "no cancellation met a running task"


async def test_waiting_may_be_cancelled_at_every_step(start: Start) -> None:
    """A cancelled awaiter changes nothing, whatever it waits for: the job goes on and others get its result."""
    undisturbed = await start(durations=4.0)
    first = await undisturbed.open()
    steps = await steps_of(first.enqueue(_LAKE).wait)
    for step in range(1, steps + 1):
        service = await start(durations=4.0)
        async with service.session() as session:
            handle = session.enqueue(_LAKE)
            other = asyncio.create_task(handle.wait())
            await cancelled_at(step, handle.wait)
            assert (await handle).task_id == (await other).task_id == handle.task_id
            check_nothing_lost(service, session)


async def test_submit_on_a_full_account_may_be_cancelled_at_every_step(start: Start) -> None:
    """A create that comes back with a 429 after its caller has gone is not sent again: nobody wants it."""
    undisturbed = await start()
    first = await undisturbed.open()
    steps = await steps_of(lambda: first.submit(_LAKE))
    for step in range(1, steps + 5):
        service = await start(foreign=3)
        async with service.session() as session:
            assert await cancelled_at(step, lambda: session.submit(_LAKE, timeout=1000)) or step > steps
            await asyncio.sleep(5)
            assert session.statistics().waiting == 0
            creates = service.emulator.statistics().creates
            service.emulator.world.foreign = 0
            await asyncio.sleep(300)
            assert service.emulator.statistics().creates == creates, "a job that nobody wants was sent"
            assert session.statistics().in_progress == 0


async def test_a_job_that_nobody_wants_is_not_sent_again_after_an_outage(start: Start) -> None:
    """A create that did not reach the service goes back into the queue only for a caller who still waits."""
    service = await start()
    session = await service.open()
    await service.emulator.close()
    task = asyncio.create_task(session.submit(_LAKE))
    while session.statistics().on_wire == 0:
        await asyncio.sleep(0)
    kept = session.enqueue("wanted")
    task.cancel()
    await asyncio.wait([task])
    assert session.statistics().on_wire >= 1, "the create had ended before its caller went"
    await until(lambda: session.statistics().on_wire == 0, timeout=3)
    assert session.statistics().waiting == 1
    assert kept.position == 1
    assert kept.cancel()


@pytest.mark.parametrize("timeout", [0.0, 0.5])
async def test_closing_may_cut_a_create_at_every_step(start: Start, timeout: float) -> None:
    """A session that closes on a create leaves it accepted, unknown or never sent, and says which."""
    undisturbed = await start()
    first = await undisturbed.open()
    steps = await steps_of(lambda: first.submit(_LAKE))
    endings = set()
    for step in range(1, steps + 5):
        service = await start(faults=["hang-after-accept:on=create,seconds=30"])
        session = await service.open()
        handle = session.enqueue(_LAKE)
        for _ in range(step):
            await asyncio.sleep(0)
        await session.aclose(timeout=timeout)
        error = await end(handle)
        seen = service.emulator.statistics().creates
        assert seen == service.ear.outcomes("unknown") + service.ear.outcomes("accepted") or seen == 0
        if isinstance(error, SessionClosedError):
            assert seen == 0
            assert error.charged == "no"
        else:
            assert error is not None
            assert getattr(error, "charged", "") == "maybe"
        endings.add(handle.status)
    assert endings == {"withdrawn", "unknown"}
