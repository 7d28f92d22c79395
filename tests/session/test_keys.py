"""P2, never paid twice: a key is one job, the ground that retried handlers and redelivering queues stand on."""

import asyncio

import pytest

from seedance_async import (
    BadRequestError,
    InputError,
    KeyConflictError,
    OutcomeUnknownError,
    TaskFailedError,
    TaskNotFoundError,
    TextToVideo,
    WithdrawnError,
)
from tests.session.service import Start, end, lakes, until


async def test_concurrent_calls_with_one_key_share_one_create(start: Start) -> None:
    """A hundred callers that come at once with a key get one video, which is paid once."""
    service = await start()
    session = await service.open()
    results = await asyncio.gather(*(session.generate("a lake", key="order-17") for _ in range(100)))
    assert len({result.task_id for result in results}) == 1
    assert service.emulator.statistics().creates == 1
    assert session.statistics().credits_used == 415


@pytest.mark.parametrize("moment", ["queued", "sending", "running", "finished"])
async def test_a_key_gives_the_same_job_while_it_lives_and_after(start: Start, moment: str) -> None:
    """Queued, on the wire, running or finished: the second call gets the first one's handle."""
    service = await start(limit=1, faults=["slow-headers:on=create,seconds=20"])
    session = await service.open(concurrency=1)
    if moment == "queued":
        session.enqueue("something else")
    first = session.enqueue("a lake", key="k")
    reached = {
        "queued": lambda: True,
        "sending": lambda: session.statistics().on_wire,
        "running": lambda: first.task_id,
        "finished": first.done,
    }
    await until(reached[moment])
    assert session.enqueue("a lake", key="k") is first
    assert await session.submit("a lake", key="k") is first
    assert (await session.generate("a lake", key="k")).task_id == first.task_id
    assert service.emulator.statistics().creates_by_prompt["a lake"] == 1


@pytest.mark.parametrize("moment", ["queued", "running", "finished"])
async def test_other_inputs_under_a_key_are_a_conflict(start: Start, moment: str) -> None:
    """While its job lives or has finished, a key cannot mean another video; nothing is sent for it."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    if moment == "queued":
        session.enqueue("something else")
    first = session.enqueue("a lake", key="k")
    await until({"queued": lambda: True, "running": lambda: first.task_id, "finished": first.done}[moment])
    with pytest.raises(KeyConflictError) as caught:
        session.enqueue("a river", key="k")
    assert (caught.value.key, caught.value.charged) == ("k", "no")
    await first
    assert "a river" not in service.emulator.statistics().creates_by_prompt


async def test_the_same_inputs_written_differently_are_the_same(start: Start) -> None:
    """What counts is what was asked for: a prompt with fields, an object, a default written out."""
    session = await (await start()).open()
    first = session.enqueue("a lake", key="k", duration=8)
    assert session.enqueue(TextToVideo("a lake", duration=8), key="k") is first
    assert session.enqueue(TextToVideo("a lake"), key="k", duration="8") is first
    assert session.enqueue("a lake", key="k", duration=8, aspect_ratio="16:9") is first
    assert session.enqueue("a lake", key="k", duration=8, callback_url="https://example.com/hook") is first


async def test_a_refused_job_leaves_its_key_free(start: Start) -> None:
    """Nothing was accepted, so the next call with the key is a new attempt, with the same inputs or others."""
    service = await start(faults=["http-400:on=create,count=2"])
    session = await service.open()
    first = session.enqueue("a lake", key="k")
    assert isinstance(await end(first), BadRequestError)
    second = session.enqueue("a lake", key="k")
    assert second is not first
    assert isinstance(await end(second), BadRequestError)
    await session.generate("a river", key="k")


async def test_a_withdrawn_job_leaves_its_key_free(start: Start) -> None:
    """A job that was taken back never was."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    session.enqueue("something else")
    first = session.enqueue("a lake", key="k")
    assert first.cancel()
    assert isinstance(await end(first), WithdrawnError)
    await session.generate("a river", key="k")


async def test_a_failed_job_is_told_again_unless_a_retry_is_asked_for(start: Start) -> None:
    """Failed and refunded: the same failure for the same inputs, a new attempt with `retry_failed`."""
    service = await start()
    session = await service.open()
    prompt = "a lake [fail:moderation,times=1]"
    first = session.enqueue(prompt, key="k")
    assert isinstance(await end(first), TaskFailedError)
    assert session.enqueue(prompt, key="k") is first
    with pytest.raises(TaskFailedError):
        await session.generate(prompt, key="k")
    assert service.emulator.statistics().creates == 1
    result = await session.generate(prompt, key="k", retry_failed=True)
    assert result.task_id != first.task_id
    # From now on the key stands for the new attempt, also where a retry is asked for once more.
    again = await session.generate(prompt, key="k", retry_failed=True)
    assert again.task_id == result.task_id


async def test_other_inputs_replace_a_failed_job(start: Start) -> None:
    """What failed can be put right under its key: nothing is paid for it any more."""
    session = await (await start()).open()
    await end(session.enqueue("a lake [fail:moderation]", key="k"))
    await session.generate("a nicer lake", key="k")


async def test_a_task_that_is_gone_is_told_again_unless_a_second_create_is_asked_for(start: Start) -> None:
    """A task that the service no longer answers for was paid: `retry_failed`, for refunded ones, does not repeat it."""
    service = await start(faults=["not-found:on=poll"])
    session = await service.open()
    first = session.enqueue("a lake", key="k")
    error = await end(first)
    assert isinstance(error, TaskNotFoundError)
    assert error.charged == "yes"
    assert session.enqueue("a lake", key="k", retry_failed=True) is first
    assert session.enqueue("a river", key="k", retry_failed=True) is first
    service.emulator.faults.clear()
    await session.generate("a lake", key="k", resubmit_unknown=True)
    assert service.emulator.statistics().creates == 2


async def test_an_unknown_job_is_told_again_unless_a_second_create_is_asked_for(start: Start) -> None:
    """Only `resubmit_unknown` sends it again, and says by its name what may follow."""
    service = await start(faults=["drop-after-accept:on=create,count=1"])
    session = await service.open()
    first = session.enqueue("a lake", key="k")
    assert isinstance(await end(first), OutcomeUnknownError)
    assert session.enqueue("a lake", key="k") is first
    assert session.enqueue("a lake", key="k", retry_failed=True) is first
    assert session.enqueue("a river", key="k") is first
    assert service.emulator.statistics().creates == 1
    await session.generate("a lake", key="k", resubmit_unknown=True)
    assert service.emulator.statistics().creates == 2
    assert session.statistics().credits_maybe == 415


async def test_a_key_survives_a_caller_who_leaves(start: Start) -> None:
    """Of two callers with one queued job, one may be cancelled; the job is withdrawn with the last of them."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    blocker = session.enqueue("something else")
    callers = [asyncio.create_task(session.generate("a lake", key="k")) for _ in range(3)]
    await asyncio.sleep(5)
    callers[0].cancel()
    callers[1].cancel()
    await asyncio.wait(callers[:2])
    assert session.statistics().waiting == 1
    callers[2].cancel()
    await asyncio.wait(callers)
    assert session.statistics().waiting == 0
    await blocker
    await asyncio.sleep(60)
    assert service.emulator.statistics().creates == 1


async def test_a_handle_that_somebody_holds_keeps_its_job_queued(start: Start) -> None:
    """A caller of `generate` who leaves does not withdraw the job that `enqueue` gave to somebody else."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    session.enqueue("something else")
    held = session.enqueue("a lake", key="k")
    caller = asyncio.create_task(session.generate("a lake", key="k"))
    await asyncio.sleep(5)
    caller.cancel()
    await asyncio.wait([caller])
    assert (await held).task_id in service.tasks("a lake")


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "\x00", 7])
async def test_a_key_is_printable_text(start: Start, key: object) -> None:
    """What cannot be shown in a line of a log cannot be a key; nothing was sent."""
    service = await start()
    session = await service.open()
    with pytest.raises(InputError):
        session.enqueue("a lake", key=key)  # type: ignore[arg-type]
    assert session.statistics().waiting == 0


async def test_without_a_key_every_call_is_a_job_of_its_own(start: Start) -> None:
    """The same prompt twice without a key is two videos, whose handles have keys that were made up."""
    service = await start()
    session = await service.open()
    first, second = session.enqueue("a lake"), session.enqueue("a lake")
    assert first.key != second.key
    assert first is not second
    assert first != second
    await asyncio.gather(first, second)
    assert service.emulator.statistics().creates_by_prompt["a lake"] == 2


async def test_a_thousand_keys_are_a_thousand_jobs(start: Start) -> None:
    """Keys are told apart, whatever they look like."""
    service = await start(limit=1000, credits=1_000_000, durations=5.0)
    session = await service.open(concurrency=1000)
    for number, inputs in enumerate(lakes(300)):
        session.enqueue(inputs, key=f"Zeile {number} ☃")
    await session.drain()
    assert service.emulator.statistics().accepted == 300
