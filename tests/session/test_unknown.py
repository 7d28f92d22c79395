"""P2, never paid twice: a lost answer is said, never repeated, its slot and its credits kept."""

import asyncio
from decimal import Decimal

import pytest

from seedance_async import (
    AsyncSeedance,
    ConnectionFailedError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SeedanceError,
    Timeouts,
)
from seedance_async.hooks import AttemptEnded, GateClosed, PossibleDouble
from seedance_async.testing import Fault
from tests.session.service import PRICE_480P, Start, clock, end, lakes, slots, until

#: Each way in which a create may have been accepted for all that can be seen.
LOST = [
    "drop-after-accept",
    "reset-after-accept",
    "drop-before-accept",
    "cut-body",
    "html",
    "no-task-id",
    "http-408",
    "http-502",
    "http-503",
    "http-504",
    "error-after-accept:value=502",
]


@pytest.mark.parametrize("fault", LOST)
async def test_what_may_have_been_accepted_is_sent_once(start: Start, fault: str) -> None:
    """Whatever is lost after sending: one POST, an error that says what it may have cost, and nothing later."""
    service = await start(faults=[fault])
    session = await service.open()
    with pytest.raises(OutcomeUnknownError) as caught:
        await session.generate("a lake", key="order-17", output_resolution="480p")
    error = caught.value
    assert (error.charged, error.key, error.credits, error.task_id) == ("maybe", "order-17", Decimal(75), None)
    assert "order-17" in str(error)
    assert "75" in str(error)
    assert "resubmit_unknown" in str(error)
    await asyncio.sleep(3600)
    assert service.emulator.statistics().creates == 1
    assert service.ear.all(PossibleDouble) == []
    assert [event.outcome for event in service.ear.all(AttemptEnded)] == ["unknown"]


async def test_a_create_that_hangs_is_unknown_after_its_time(start: Start) -> None:
    """No answer within `Timeouts.create` is a lost answer, and not a reason to send it again."""
    service = await start(faults=["hang-after-accept:on=create"])
    session = await service.open(timeouts=Timeouts(create=90))
    with pytest.raises(OutcomeUnknownError):
        await session.generate("a lake")
    assert 90 <= clock() <= 101
    assert service.emulator.statistics().creates == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("redirect", SeedanceError),
        ("http-400", SeedanceError),
        ("http-403", PermissionDeniedError),
        ("http-404", SeedanceError),
        ("http-413", SeedanceError),
        ("http-422", SeedanceError),
    ],
)
async def test_what_was_refused_cost_nothing(start: Start, fault: str, error: type[SeedanceError]) -> None:
    """A status that says no is a refusal: one POST, `charged="no"`, and the key is free again."""
    service = await start(faults=[Fault.parse(f"{fault}:on=create,count=1")])
    session = await service.open()
    with pytest.raises(error) as caught:
        await session.generate("a lake", key="k")
    assert caught.value.charged == "no"
    assert service.emulator.statistics().creates == 1
    assert session.statistics().credits_reserved == 0
    await session.generate("a lake", key="k")
    assert service.emulator.statistics().creates == 2


async def test_the_slot_of_an_unknown_create_is_kept_for_a_usual_time(start: Start) -> None:
    """A task may be using the slot; it comes back after as long as such tasks take, and nobody has to do anything."""
    service = await start(limit=1, faults=["drop-after-accept:nth=1"], durations=200.0)
    session = await service.open(concurrency=1)
    lost, second = session.enqueue("lost"), session.enqueue("second")
    assert isinstance(await end(lost), OutcomeUnknownError)
    assert slots(session) == (1, 1)
    await asyncio.sleep(235)
    assert slots(session) == (1, 1)
    assert service.emulator.statistics().creates == 1
    await second.accepted()
    # 240 seconds is what the catalogue calls usual for this model.
    assert clock() == pytest.approx(240, abs=1)
    assert service.emulator.statistics().refusals == 0


async def test_what_was_learned_of_durations_gives_the_slot_back_sooner(start: Start) -> None:
    """Where tasks take a minute, the slot of an unknown create is not kept for the catalogue's four."""
    service = await start(limit=1, faults=["drop-before-accept:nth=11"], durations=60.0)
    session = await service.open(concurrency=1)
    for inputs in lakes(10):
        await session.generate(inputs)
    lost, second = (session.enqueue(inputs) for inputs in lakes(2))
    began = clock()
    assert isinstance(await end(lost), OutcomeUnknownError)
    await second.accepted()
    assert 55 < clock() - began < 90


async def test_the_credits_of_an_unknown_create_stay_in_the_budget(start: Start) -> None:
    """What may have been paid is not given to anybody else."""
    service = await start(faults=["drop-after-accept:nth=1"])
    session = await service.open(budget=2 * PRICE_480P)
    first, second = (session.enqueue(inputs) for inputs in lakes(2))
    await end(first)
    await second
    now = session.statistics()
    assert (now.credits_maybe, now.credits_used, now.credits_reserved) == (PRICE_480P, PRICE_480P, Decimal(0))
    with pytest.raises(SeedanceError) as caught:
        session.enqueue("third", output_resolution="480p")
    assert caught.value.charged == "no"


async def test_three_unknown_creates_in_a_row_stop_the_creates(start: Start) -> None:
    """After three lost answers no create leaves before a poll was answered; then one leaves at a time."""
    service = await start(limit=20)
    session = await service.open(concurrency=20)
    running = await session.submit("running [takes:900]")
    service.emulator.faults.add(Fault("drop-after-accept", on="create"))
    service.emulator.faults.add(Fault("http-502", on="poll"))
    handles = [session.enqueue(inputs) for inputs in lakes(12)]
    await asyncio.sleep(120)
    assert service.emulator.statistics().creates <= 1 + 4
    assert "without a known outcome" in session.statistics().gate or "502" in session.statistics().gate
    lost = session.statistics().unknown
    assert lost >= 3
    # Polls are answered again, and creates still get lost: one at a time, each after a proper answer.
    service.emulator.faults.clear()
    service.emulator.faults.add(Fault("drop-after-accept", on="create"))
    most = 0
    for _ in range(1200):
        await asyncio.sleep(0.1)
        most = max(most, session.statistics().on_wire)
    assert most <= 1
    assert lost + 1 <= session.statistics().unknown <= lost + 8
    service.emulator.faults.clear()
    ends = [await end(handle) for handle in handles]
    assert ends[-1] is None
    assert all(error is None or isinstance(error, OutcomeUnknownError) for error in ends)
    await running
    assert all(count == 1 for count in service.emulator.statistics().creates_by_prompt.values())


async def test_a_suspicious_session_waits_for_its_one_create_without_turning(start: Start) -> None:
    """While the one create that may leave has no answer, the session sleeps: time passes, the others wait."""
    service = await start(limit=20, faults=[Fault("drop-after-accept", on="create", count=4)])
    session = await service.open(concurrency=20)
    handles = [session.enqueue(inputs) for inputs in lakes(10)]
    await until(lambda: session.statistics().unknown >= 3, step=0.01)
    service.emulator.faults.add(Fault("slow-headers", on="create", seconds=50, count=1))
    before = clock()
    await handles[-1].accepted()
    assert clock() - before > 50
    await session.drain()


async def test_a_definite_answer_ends_the_suspicion(start: Start) -> None:
    """One create with a known end, and creates go side by side again."""
    service = await start(limit=20, faults=[Fault("drop-after-accept", on="create", count=4)])
    session = await service.open(concurrency=20)
    handles = [session.enqueue(inputs) for inputs in lakes(15)]
    await until(lambda: session.statistics().in_progress == 15)
    assert session.statistics().unknown == 4
    assert clock() < 10
    assert len(service.ear.all(GateClosed)) == 1
    assert [await end(handle) is None for handle in handles].count(True) == 11


async def test_the_three_timeouts_are_told_apart(start: Start) -> None:
    """No time for a slot, no connection, no answer: three errors, and only the last may have cost something."""
    service = await start(limit=1)
    session: AsyncSeedance = await service.open(concurrency=1, timeouts=Timeouts(create=30))
    blocker = await session.submit("blocker")
    with pytest.raises(TimeoutError) as no_slot:
        await session.submit("a lake", timeout=5)
    await blocker
    service.emulator.faults.add(Fault("hang-after-accept", on="create", count=1))
    with pytest.raises(OutcomeUnknownError) as no_answer:
        await session.submit("a lake", timeout=5)
    await service.unplug()
    other = await service.open()
    with pytest.raises(ConnectionFailedError) as no_connection:
        await other.submit("a lake", timeout=60)
    errors = [no_slot.value, no_connection.value, no_answer.value]
    assert [getattr(error, "charged", None) for error in errors] == ["no", "no", "maybe"]
