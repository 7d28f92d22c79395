"""Answers to polls that no documentation shows: none of them loses a task or ends the others."""

import asyncio
import logging

import pytest
from aiohttp import web

from seedance_async import AsyncSeedance, FixedPolling, TaskFailedError, TaskTimeoutError, Timeouts
from tests.session.odd import OddService, finished, record, says
from tests.session.service import clock, until


def session_of(service: OddService, **options: object) -> AsyncSeedance:
    """Make a session with an odd service."""
    return AsyncSeedance("test-key", base_url=service.url, polling=FixedPolling(2.0), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "odd",
    [
        says(403, "Attention required", html=True),
        says(401, "Proxy login", html=True),
        says(429, "Slow down", html=True),
        says(404, "No such page", html=True),
        says(200, "Welcome", html=True),
        says(500, {"message": "Internal server error"}),
        says(503, "Bad gateway", html=True),
        says(429, {"message": "Too many requests"}),
        says(200, {}),
        says(200, []),
        says(200, {"taskId": "task_of_another", "status": "success"}),
        says(405, {"message": "Method not allowed"}),
    ],
    ids=lambda odd: f"{odd.status} {odd.text[:30]}",
)
async def test_ten_odd_answers_end_no_wait(odd: web.Response) -> None:
    """Ten answers in a row that tell nothing of a task are ten missed polls: the eleventh look finds the video."""

    def poll(task_id: str, number: int) -> web.Response:
        if number > 10:
            return finished(task_id)
        return web.Response(status=odd.status, text=odd.text, content_type=odd.content_type)

    async with OddService(poll=poll).running() as service, session_of(service) as session:
        results = await asyncio.gather(*(session.generate(prompt) for prompt in ("a lake", "a river")))
        assert {result.task_id for result in results} == {"task_1", "task_2"}
        assert session.healthy
        assert len(service.creates) == 2


async def test_an_empty_object_is_no_record() -> None:
    """Nothing was heard of a task before its first poll, and an answer that says nothing is not the same once more."""

    def poll(_task_id: str, _number: int) -> web.Response:
        return says(200, {})

    async with OddService(poll=poll).running() as service, session_of(service) as session:
        with pytest.raises(TaskTimeoutError, match="polls in a row failed"):
            await session.generate("a lake")


async def test_a_success_without_a_file_is_looked_at_again() -> None:
    """The file is what was paid for: a success without one is no end, and the next look may have it."""

    def poll(task_id: str, number: int) -> web.Response:
        return record(task_id, "success") if number <= 15 else finished(task_id)

    async with OddService(poll=poll).running() as service, session_of(service) as session:
        handle = await session.submit("a lake")
        other = session.enqueue("a river")
        result = await handle
        assert result.url.endswith("task_1.mp4")
        # One task's odd answers are no outage: others leave meanwhile.
        assert (await other).task_id == "task_2"
        assert service.polls.count("task_1") == 16
        assert clock() < 300


async def test_a_success_that_never_has_a_file_ends_the_wait_and_not_the_watch() -> None:
    """After so many looks the wait ends with an error that keeps the id; the file may still come."""
    files = False

    def poll(task_id: str, _number: int) -> web.Response:
        return finished(task_id) if files else record(task_id, "success")

    async with OddService(poll=poll).running() as service, session_of(service) as session:
        handle = await session.submit("a lake")
        with pytest.raises(TaskTimeoutError) as caught:
            await handle
        assert "polls" in caught.value.reason
        assert session.pending == (handle,)
        files = True
        await asyncio.sleep(120)
        assert handle.result().task_id == "task_1"


async def test_an_unknown_status_means_running_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Words of tomorrow are no end and no failure; each is said in the log one time."""

    def poll(task_id: str, number: int) -> web.Response:
        return (
            record(task_id, "queued_for_review" if number < 20 else "archiving") if number < 30 else finished(task_id)
        )

    with caplog.at_level(logging.WARNING, "seedance_async"):
        async with OddService(poll=poll).running() as service, session_of(service) as session:
            handle = await session.submit("a lake")
            statuses = [snapshot.status async for snapshot in handle.updates()]
            await session.generate("a river")
    assert statuses == ["waiting", "queued_for_review", "archiving", "success"]
    messages = [entry.getMessage() for entry in caplog.records]
    assert len([message for message in messages if "queued_for_review" in message]) == 1
    assert len([message for message in messages if "archiving" in message]) == 1


@pytest.mark.parametrize("word", ["succeeded", "SUCCESS", "failed", "completed", "cancelled"])
async def test_words_that_sound_like_an_end_are_none(word: str) -> None:
    """Only the two documented words end a task; anything else runs on, up to its deadline."""
    service = OddService(poll=lambda task_id, _number: record(task_id, word))
    async with service.running(), session_of(service, timeouts=Timeouts(task=600)) as session:
        handle = await session.submit("a lake")
        with pytest.raises(TaskTimeoutError):
            await handle
        assert clock() == pytest.approx(600, abs=5)
        assert handle.status == word


async def test_a_record_of_older_days_is_understood() -> None:
    """`state` in place of `status`, an error that is plain text: as the older pages have it."""

    def poll(task_id: str, _number: int) -> web.Response:
        return says(200, {"taskId": task_id, "state": "fail", "error": "Task execution failed"})

    async with OddService(poll=poll).running() as service, session_of(service) as session:
        handle = session.enqueue("a lake")
        await until(handle.done)
        error = handle.exception()
        assert isinstance(error, TaskFailedError)
        assert (error.code, error.message) == (None, "Task execution failed")


async def test_the_same_id_for_two_creates_is_two_jobs_with_one_task() -> None:
    """A service that answers two creates with one id loses no job: both get the result."""
    service = OddService(create=lambda _number: says(200, {"taskId": "task_same"}))
    async with service.running(), session_of(service) as session:
        results = await asyncio.gather(session.generate("a lake"), session.generate("a river"))
        assert [result.task_id for result in results] == ["task_same", "task_same"]
        await session.drain(timeout=60)
