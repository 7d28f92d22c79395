"""Where and when a session may be used, and what is said where it may not."""

import asyncio

import pytest

from seedance_async import AsyncSeedance, ConfigurationError, SessionClosedError, TaskFailedError
from seedance_async.testing import VirtualClockLoop
from tests.session.service import Start, clock, end, until


async def test_a_session_that_is_not_open_says_so(start: Start) -> None:
    """Before `open` nothing works but `quote`, and the message says what to do."""
    session = (await start()).session()
    for wait in (session.submit, session.generate, session.snapshot):
        with pytest.raises(ConfigurationError, match="not open"):
            await wait("a lake")
    for call in (session.enqueue, session.attach):
        with pytest.raises(ConfigurationError, match="not open"):
            call("a lake")
    with pytest.raises(ConfigurationError, match="not open"):
        session.map(["a lake"])
    with pytest.raises(ConfigurationError, match="not open"):
        await session.drain()
    with pytest.raises(ConfigurationError, match="not open"):
        session.statistics()
    assert not session.healthy
    assert session.pending == ()
    assert session.quote("a lake").credits == 415
    await session.aclose()


async def test_a_closed_session_says_so(start: Start) -> None:
    """After `aclose` calls raise `SessionClosedError`; what was known can still be read."""
    session = await (await start()).open()
    handle = await session.submit("a lake")
    await session.aclose()
    assert not session.healthy
    for wait in (session.submit, session.generate, session.snapshot):
        with pytest.raises(SessionClosedError) as caught:
            await wait("a lake")
        assert caught.value.task_ids == (handle.task_id,)
    for call in (session.enqueue, session.attach):
        with pytest.raises(SessionClosedError) as caught:
            call("a lake")
        assert caught.value.task_ids == (handle.task_id,)
    with pytest.raises(SessionClosedError):
        session.map(["a lake"])
    assert session.pending == (handle,)
    assert session.statistics().accepted == 1
    assert handle.status == "waiting"
    assert handle.cancel() is False


async def test_a_session_is_opened_once(start: Start) -> None:
    """Neither an open session nor a closed one can be opened; a new one is made for the next time."""
    session = await (await start()).open()
    with pytest.raises(ConfigurationError, match="opened once"):
        await session.open()
    assert session.healthy
    await session.aclose()
    with pytest.raises(ConfigurationError, match="opened once"):
        async with session:
            pass


async def test_opening_connects_nowhere(start: Start) -> None:
    """`open` and `aclose` send nothing: a session may be made wherever one might be needed."""
    service = await start()
    await service.unplug()
    async with service.session() as session:
        assert session.healthy
        await asyncio.sleep(3600)
        assert session.statistics().polls == 0
    await service.plug()


async def test_closing_twice_and_at_once_is_one_closing(start: Start) -> None:
    """`aclose` may be called again and by several tasks; each returns when the session is closed."""
    service = await start(faults=["slow-headers:on=create,seconds=5"])
    session = await service.open()
    handle = session.enqueue("a lake")
    await asyncio.sleep(1)
    await asyncio.gather(*(session.aclose() for _ in range(5)))
    assert clock() == pytest.approx(5, abs=0.5)
    assert handle.task_id is not None
    await session.aclose()


async def test_open_and_close_may_run_in_different_tasks(start: Start) -> None:
    """A framework's start-up and shut-down hooks are different tasks, which end in between."""
    service = await start()
    session = service.session()
    await asyncio.create_task(session.open())
    result = await asyncio.create_task(session.generate("a lake"))
    assert result.task_id == service.tasks()[0]
    await asyncio.create_task(session.aclose())
    assert not session.healthy


async def test_the_background_has_nothing_of_the_context_of_open(start: Start) -> None:
    """A request's context variables, such as a trace, are not kept alive by the session that it opened."""
    import contextvars

    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nothing")
    seen: list[str] = []
    service = await start()
    variable.set("of the caller")
    session = await service.open(hooks=[lambda event: seen.append(f"{type(event).__name__} {variable.get()}")])
    await session.generate("a lake")
    assert "Queued of the caller" in seen
    assert "SlotAcquired nothing" in seen
    assert "Accepted nothing" in seen
    assert "Finished nothing" in seen


def test_a_session_belongs_to_its_loop() -> None:
    """In a second loop every call says that the session belongs to another one, without any that one is missing."""
    session = AsyncSeedance("test-key", base_url="http://127.0.0.1:9/api/v1")
    with asyncio.Runner(loop_factory=VirtualClockLoop) as first:
        first.run(session.open())
        with asyncio.Runner(loop_factory=VirtualClockLoop) as second:
            for call in (session.submit, session.generate, session.snapshot):
                with pytest.raises(ConfigurationError, match="another event loop"):
                    second.run(call("a lake"))
            for close in (session.aclose, session.drain):
                with pytest.raises(ConfigurationError, match="another event loop"):
                    second.run(close())

            async def enqueue() -> None:
                session.enqueue("a lake")

            with pytest.raises(ConfigurationError, match="another event loop"):
                second.run(enqueue())
        with pytest.raises(ConfigurationError, match="no event loop runs here; call this from a coroutine"):
            session.enqueue("a lake")
        first.run(session.aclose())


@pytest.mark.parametrize("hook_error", [RuntimeError("a hook"), KeyError("x"), AssertionError()])
async def test_a_hook_that_raises_disturbs_nothing(
    start: Start, hook_error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Jobs run as without it, other hooks are told everything, and the log says which hook failed."""

    def broken(_event: object) -> None:
        raise hook_error

    service = await start(limit=2)
    session = await service.open(hooks=[broken, service.ear])
    await session.generate("a lake")
    with pytest.raises(TaskFailedError):
        await session.generate("a lake [fail:moderation]")
    assert len(service.ear.heard) >= 10
    assert "hook failed" in caplog.text
    assert session.healthy


async def test_a_hook_may_use_the_session(start: Start) -> None:
    """A hook that queues another job, or takes one back, is as good a caller as any."""
    service = await start(limit=1)
    sessions: list[AsyncSeedance] = []
    made: list[str] = []

    def chain(event: object) -> None:
        if type(event).__name__ == "Finished" and len(made) < 3:
            made.append(sessions[0].enqueue(f"next {len(made)}").key)

    sessions.append(await service.open(hooks=[chain]))
    sessions[0].enqueue("first")
    await until(lambda: len(made) == 3)
    await sessions[0].drain()
    assert service.emulator.statistics().accepted == 4


async def test_drain_waits_until_nothing_is_left(start: Start) -> None:
    """`drain` returns when nothing is queued, on the wire or pending; it raises no task's failure."""
    service = await start(limit=2)
    session = await service.open(concurrency=2)
    await session.drain(timeout=0.1)
    handles = [session.enqueue(f"lake {number} [fail:moderation]") for number in range(5)]
    with pytest.raises(TimeoutError):
        await session.drain(timeout=100)
    assert [handle.done() for handle in handles] == [True, True, False, False, False]
    waiter = asyncio.create_task(session.drain())
    await asyncio.sleep(1)
    waiter.cancel()
    await asyncio.wait([waiter])
    both = await asyncio.gather(session.drain(), session.drain(timeout=1000))
    assert list(both) == [None, None]
    assert all([isinstance(await end(handle), TaskFailedError) for handle in handles])
    assert session.pending == ()


async def test_statistics_add_up(start: Start) -> None:
    """Every create is accounted for, by the session as by the service."""
    service = await start(limit=3, faults=["drop-after-accept:on=create,nth=2", "http-400:on=create,nth=6"])
    session = await service.open(concurrency=5)
    for number in range(12):
        session.enqueue(f"lake {number}" + (" [fail:moderation]" if number == 8 else ""))
    await session.drain()
    mine, theirs = session.statistics(), service.emulator.statistics()
    assert mine.creates == theirs.creates
    assert mine.accepted == theirs.accepted - 1
    assert mine.refusals == theirs.refusals
    assert mine.unknown == 1
    assert mine.creates == mine.accepted + mine.refusals + mine.unknown + 1
    assert (mine.succeeded, mine.failed) == (theirs.succeeded - 1, theirs.failed)
    assert mine.polls == theirs.polls
    assert mine.polls_failed == 0
    assert mine.credits_used + mine.credits_maybe == theirs.credits_spent
    assert (mine.waiting, mine.on_wire, mine.pending, mine.gate) == (0, 0, 0, "open")
