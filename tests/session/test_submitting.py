"""The three ways in: enqueue, submit, generate."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from seedance_async import (
    InputError,
    OmniReference,
    SlotTimeoutError,
    TaskFailedError,
    TextToVideo,
    WithdrawnError,
)
from seedance_async.hooks import Accepted, Finished, Queued, SlotAcquired, StatusChanged
from tests.session.service import Start, clock, end, lakes, until


async def test_enqueue_returns_at_once_and_the_job_runs_by_itself(start: Start) -> None:
    """Nobody has to await anything for a queued job to become a finished video."""
    service = await start()
    session = await service.open()
    handle = session.enqueue("a lake", key="order-17", duration=8)
    assert (handle.status, handle.task_id, handle.key, handle.position) == ("queued", None, "order-17", 1)
    assert isinstance(handle.inputs, TextToVideo)
    assert handle.inputs.duration == 8
    await until(handle.done)
    assert handle.status == "success"
    assert handle.result().task_id == handle.task_id == service.tasks()[0]


async def test_submit_returns_when_the_service_has_accepted(start: Start) -> None:
    """`submit` waits for the task id and not for the video."""
    service = await start()
    session = await service.open()
    handle = await session.submit("a lake")
    assert handle.task_id == service.tasks()[0]
    assert clock() < 1
    assert not handle.done()
    assert session.pending == (handle,)


async def test_generate_returns_the_video(start: Start) -> None:
    """`generate` waits to the end; the result has what the service said."""
    service = await start()
    session = await service.open()
    result = await session.generate("a lake", duration=8, output_resolution="720p", aspect_ratio="9:16")
    task = service.emulator.world.tasks[result.task_id]
    assert (result.outputs[0].width, result.outputs[0].height) == task.size
    assert result.credits_used == Decimal(320)
    assert result.url.startswith(service.emulator.url)
    assert session.pending == ()


async def test_generate_raises_the_failure_of_its_task(start: Start) -> None:
    """A failed task is an error that says what kind of failure it was, and that nothing was charged."""
    session = await (await start()).open()
    with pytest.raises(TaskFailedError) as caught:
        await session.generate("a lake [fail:moderation]")
    assert (caught.value.kind, caught.value.charged, caught.value.code) == ("moderation", "no", "2038")


async def test_wrong_inputs_are_said_before_anything_is_sent(start: Start) -> None:
    """An input error lists every problem; nothing reaches the service and nothing stays behind."""
    service = await start()
    session = await service.open(budget=1000)
    with pytest.raises(InputError) as caught:
        session.enqueue("", duration=99, aspect_ratio="17:9")
    assert len(caught.value.problems) == 3
    for call in (session.submit, session.generate):
        with pytest.raises(InputError):
            await call("")
    assert service.emulator.statistics().creates == 0
    assert session.statistics().credits_reserved == 0
    assert session.statistics().waiting == 0


@pytest.mark.parametrize("way", ["enqueue", "submit", "generate", "map"])
async def test_wrong_names_and_wrong_values_are_said_at_once(start: Start, way: str) -> None:
    """P5: whichever way in, one error names the misspelt field, the foreign one and the value out of range."""
    service = await start()
    session = await service.open()
    fields: dict[str, Any] = {"duration": 99, "first_frame": "https://cdn.example/cat.png"}
    if way == "map":
        async with session.map([OmniReference("a lake", images=["cat.png"]), ""], **fields) as items:
            errors = [item.error async for item in items]
        assert [paths(error) for error in errors] == [
            ["first_frame", "images[0]", "duration"],
            ["first_frame", "prompt", "duration"],
        ]
    else:
        with pytest.raises(InputError) as caught:
            await getattr(session, way)("a lake", aspect_ration="16:9", **fields)
        assert paths(caught.value) == ["aspect_ration", "first_frame", "duration"]
        assert caught.value.problems[0].suggestion == "aspect_ratio"
    assert service.emulator.statistics().creates == 0


def paths(error: BaseException | None) -> list[str]:
    """The paths of an input error, in order."""
    assert isinstance(error, InputError)
    return [problem.path for problem in error.problems]


async def test_jobs_leave_in_the_order_in_which_they_came(start: Start) -> None:
    """The service sees creates in the order of the queue, through refusals and waiting."""
    service = await start(limit=2)
    session = await service.open(concurrency=4)
    handles = [session.enqueue(inputs) for inputs in lakes(12)]
    for handle in handles:
        await handle
    assert [task.order.prompt for task in service.emulator.world.tasks.values()] == [f"lake {n}" for n in range(12)]


async def test_a_slot_that_never_comes_free_withdraws_the_job(start: Start) -> None:
    """`timeout` bounds the wait for a slot: the job is taken back, nothing was sent, nothing is charged."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    first = await session.submit("a lake [takes:500]")
    waiting = session.enqueue("second")
    began = clock()
    with pytest.raises(SlotTimeoutError) as caught:
        await session.submit("third", timeout=30)
    assert clock() - began == pytest.approx(30)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.position, caught.value.charged) == (2, "no")
    assert session.statistics().waiting == 1
    assert service.emulator.statistics().creates_by_prompt.keys() == {"a lake [takes:500]"}
    await first
    await waiting


async def test_a_timeout_does_not_cut_a_create_on_the_wire(start: Start) -> None:
    """Only the wait for a slot is bounded: a create that has left is waited for."""
    service = await start(faults=["slow-headers:on=create,seconds=20"])
    session = await service.open()
    handle = await session.submit("a lake", timeout=5)
    assert clock() >= 20
    assert handle.task_id is not None


async def test_the_timeout_still_counts_for_a_create_that_was_refused(start: Start) -> None:
    """A create that comes back with a 429 waits for a slot again, for what is left of the timeout."""
    service = await start(limit=1, foreign=1)
    session = await service.open()
    with pytest.raises(SlotTimeoutError):
        await session.submit("a lake", timeout=90)
    assert clock() == pytest.approx(90, abs=1)
    refusals = service.emulator.statistics().refusals
    assert refusals >= 2
    service.emulator.world.foreign = 0
    await asyncio.sleep(600)
    assert service.emulator.statistics().creates == refusals


async def test_a_queued_job_can_be_taken_back(start: Start) -> None:
    """`cancel` answers True while nothing was sent; the job costs nothing and its awaiters are told."""
    service = await start(limit=1)
    session = await service.open(concurrency=1, budget=1000)
    running = await session.submit("a lake", output_resolution="480p")
    queued = session.enqueue("second", output_resolution="480p")
    assert session.statistics().credits_reserved == 150
    awaiter = asyncio.create_task(queued.wait())
    await asyncio.sleep(1)
    assert queued.cancel() is True
    assert queued.cancel() is False
    assert isinstance(await end(queued), WithdrawnError)
    with pytest.raises(WithdrawnError) as caught:
        await awaiter
    assert caught.value.charged == "no"
    assert (queued.status, queued.position) == ("withdrawn", None)
    assert session.statistics().credits_reserved == 75
    assert running.cancel() is False
    await running
    assert running.cancel() is False
    assert service.emulator.statistics().creates == 1


async def test_a_create_on_the_wire_cannot_be_taken_back(start: Start) -> None:
    """`cancel` answers False once a create may have been seen, and the job goes on."""
    service = await start(faults=["slow-headers:on=create,seconds=20"])
    session = await service.open()
    handle = session.enqueue("a lake")
    await asyncio.sleep(5)
    assert service.emulator.statistics().creates == 1
    assert handle.cancel() is False
    assert (await handle).task_id == service.tasks()[0]


async def test_hooks_tell_a_job_from_beginning_to_end(start: Start) -> None:
    """Each step of a job is one record, in order."""
    service = await start()
    session = await service.open()
    handle = session.enqueue("a lake", key="k")
    await handle
    mine = [event for _, event in service.ear.heard if getattr(event, "key", None) == "k"]
    kinds = [type(event) for event in mine]
    assert kinds[:2] == [Queued, SlotAcquired]
    assert Accepted in kinds
    # The first look is news, too: it tells the credits.
    assert [e.status for e in service.ear.all(StatusChanged)] == ["waiting", "generating", "success"]
    finished = mine[-1]
    assert isinstance(finished, Finished)
    assert (finished.key, finished.task_id, finished.state) == ("k", handle.task_id, "succeeded")


async def test_what_the_submitter_wrote_is_what_the_service_gets(start: Start) -> None:
    """Fields beside an inputs object replace its own; the object itself stays as it is."""
    service = await start()
    session = await service.open()
    inputs = TextToVideo("a lake", duration=5)
    await session.generate(inputs, duration=7, aspect_ratio="1:1")
    order = next(iter(service.emulator.world.tasks.values())).order
    assert (order.seconds, order.prompt, order.width == order.height) == (7, "a lake", True)
    assert inputs.duration == 5
