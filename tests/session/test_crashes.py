"""A crash of the background: a mistake of ours, or of a policy or slots of the user's. Everybody is told."""

import asyncio
from collections.abc import Hashable
from typing import Any, cast

import pytest

from seedance_async import AsyncSeedance, FixedPolling, SessionClosedError
from seedance_async.core.polling import Look
from seedance_async.slots import LocalSlots
from tests.session.service import Start, clock, end, lakes, slots, until


class BrokenPolling:
    """A user's policy with a mistake in it, from a task's given age on."""

    def __init__(self, from_age: float, wish: Any) -> None:
        self.from_age = from_age
        self.wish = wish

    def delay(self, look: Look) -> float:
        if look.age < self.from_age:
            return 2.0
        if self.wish == "cancelled":
            raise asyncio.CancelledError
        if self.wish is None:
            raise ZeroDivisionError("a mistake in a policy")
        return cast("float", self.wish)


class BrokenSlots(LocalSlots):
    """Slots with a mistake in them: no slot can be given back."""

    def release(self, holder: Hashable, *, ended: float | None = None) -> None:
        raise ZeroDivisionError("a mistake in slots")


async def crashed(session: AsyncSeedance, caplog: pytest.LogCaptureFixture) -> None:
    """Check what is true of a session whose background has crashed."""
    assert not session.healthy
    assert "ZeroDivisionError" in caplog.text
    for call in (session.enqueue, session.attach):
        with pytest.raises(SessionClosedError, match="ZeroDivisionError") as caught:
            call("anything")
        assert set(caught.value.task_ids) == {handle.task_id for handle in session.pending}
    for wait in (session.submit, session.generate, session.snapshot):
        with pytest.raises(SessionClosedError, match="ZeroDivisionError"):
            await wait("anything")
    with pytest.raises(SessionClosedError, match="ZeroDivisionError"):
        await session.drain(timeout=1)
    with pytest.raises(SessionClosedError, match="ZeroDivisionError"):
        session.map(["anything"])
    await session.aclose()
    assert not session.healthy


@pytest.mark.parametrize("from_age", [0.0, 10.0], ids=["first plan", "later"])
@pytest.mark.parametrize("wish", [None, float("nan"), "soon", "cancelled"], ids=["raises", "NaN", "text", "cancelled"])
async def test_a_policy_with_a_mistake_is_replaced(
    start: Start, caplog: pytest.LogCaptureFixture, from_age: float, wish: object
) -> None:
    """A policy that raises or answers nonsense costs nobody a task: the default one takes over, and it is logged."""
    service = await start(limit=3)
    session = await service.open(concurrency=3, polling=BrokenPolling(from_age, wish))
    handles = [session.enqueue(inputs) for inputs in lakes(6)]
    for handle in handles:
        assert (await handle).url
    assert session.healthy
    assert ("polling policy" in caplog.text) == (wish in {None, "soon", "cancelled"})


async def test_slots_that_raise_end_the_session(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A user's own slots are called in the middle of everything; a mistake in them hangs nobody."""
    service = await start(limit=3)
    session = await service.open(slots=BrokenSlots(3, lambda: 0.5))
    handles = [session.enqueue(inputs) for inputs in lakes(6)]
    errors = await asyncio.wait_for(asyncio.gather(*(end(handle) for handle in handles)), 200)
    assert all(isinstance(error, SessionClosedError) for error in errors)
    await crashed(session, caplog)


async def test_map_ends_with_a_crash(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Its items carry the error, and the loop ends with it."""
    service = await start(limit=3)
    session = await service.open(slots=BrokenSlots(3, lambda: 0.5))
    errors = []

    async def collect() -> None:
        async for item in session.map(lakes(100)):
            errors.append(item.error)  # noqa: PERF401 (what came before the error counts)

    with pytest.raises(SessionClosedError):
        await asyncio.wait_for(collect(), 100)
    assert errors
    assert all(isinstance(error, SessionClosedError) for error in errors)
    await crashed(session, caplog)


async def test_creates_on_the_wire_finish_in_a_crash(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A crash falls between no create and its answer: the task that was accepted is pending."""
    service = await start(limit=5, faults=["slow-headers:on=create,seconds=15,nth=2"])
    session = await service.open(slots=BrokenSlots(5, lambda: 0.5))
    crashing = session.enqueue("first [takes:4]")
    slow = session.enqueue("slow")
    errors = await asyncio.gather(end(crashing), end(slow))
    assert clock() < 10
    assert [getattr(error, "charged", None) for error in errors] == ["yes", "maybe"]
    await until(lambda: slow.task_id, timeout=30)
    late = slow.exception()
    assert isinstance(late, SessionClosedError)
    assert (late.task_ids, late.charged) == ((slow.task_id,), "yes")
    assert {handle.task_id for handle in session.pending} == set(service.tasks())
    await crashed(session, caplog)


async def test_a_crash_does_not_reach_other_sessions(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Two sessions in one loop share nothing."""
    service = await start(limit=5)
    broken = await service.open(slots=BrokenSlots(5, lambda: 0.5))
    sound = await service.open(polling=FixedPolling(2.0))
    lost, kept = broken.enqueue("a lake"), sound.enqueue("a river")
    assert isinstance(await end(lost), SessionClosedError)
    assert await end(kept) is None
    assert sound.healthy
    assert slots(sound) == (0, 0)
    # What the crashed one lost sight of is found by the other.
    assert (await sound.attach(str(lost.task_id))).task_id == lost.task_id
    await crashed(broken, caplog)
