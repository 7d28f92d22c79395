"""A key or an account that the service refuses: everything ends at once, and no id is lost."""

import asyncio

import pytest

from seedance_async import ApiError, AuthenticationError, PermissionDeniedError
from seedance_async.testing.keys import KeyState
from tests.session.service import Service, Start, clock, end, lakes, slots, until


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        ("inactive", AuthenticationError, "inactive"),
        ("expired", AuthenticationError, "expired"),
        ("not-enabled", PermissionDeniedError, "not enabled"),
    ],
)
@pytest.mark.parametrize("heard_by", ["create", "poll"])
async def test_everything_ends_at_once(
    start: Start, state: KeyState, error: type[ApiError], words: str, heard_by: str
) -> None:
    """Queued jobs are refused, waits are over, running tasks stay pending with their ids."""
    service = await start(limit=3)
    session = await service.open(concurrency=4 if heard_by == "create" else 3)
    running = [session.enqueue(inputs) for inputs in lakes(3, " [takes:300]")]
    await until(lambda: slots(session)[0] == 3)
    service.emulator.world.keys[service.emulator.api_key] = state
    queued = [session.enqueue(f"queued {number}") for number in range(20)]
    began = clock()
    errors = [await end(handle) for handle in (*running, *queued)]
    assert clock() - began < 5
    assert all(isinstance(each, error) for each in errors)
    assert all(words in str(each) for each in errors)
    assert [each.task_id for each in errors[:3] if isinstance(each, ApiError)] == [handle.task_id for handle in running]
    assert [each.charged for each in errors if isinstance(each, ApiError)] == ["yes"] * 3 + ["no"] * 20
    assert {handle.task_id for handle in session.pending} == set(service.tasks())
    assert session.statistics().waiting == 0
    assert service.emulator.statistics().creates <= 3 + 2
    # The session lives: with a key that works again, tasks are found, and new jobs leave.
    service.emulator.world.keys[service.emulator.api_key] = "active"
    await session.generate("a lake")
    await session.drain(timeout=1000)
    assert [handle.status for handle in running] == ["success"] * 3


async def test_the_error_names_where_the_key_came_from(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 401 says which variable or argument held the key, and shows nothing of it."""
    service = await start()
    service.emulator.world.keys.clear()
    monkeypatch.setenv("SEEDANCE_API_KEY", "another-service's-key")
    for given, source in (("wrong-key-1234", "the argument api_key"), (None, "SEEDANCE_API_KEY")):
        async with service.session(api_key=given) as session:
            with pytest.raises(AuthenticationError) as caught:
                await session.generate("a lake")
            assert source in str(caught.value)
            assert "1234" not in str(caught.value)
            assert "another" not in str(caught.value)


async def test_a_key_that_is_asked_for_anew_may_be_rotated(start: Start) -> None:
    """A callable is asked before each request: the session goes on with the new key."""
    service = await start()
    world, keys = service.emulator.world, ["key-of-monday"]
    world.keys = {"key-of-monday": "active"}

    async def key() -> str:
        await asyncio.sleep(0)
        return keys[-1]

    session = await service.open(api_key=key)
    handle = await session.submit("a lake")
    keys.append("key-of-tuesday")
    world.keys = {"key-of-monday": "expired", "key-of-tuesday": "active"}
    await handle
    await session.generate("another")
    assert service.emulator.statistics().creates_by_key == {"key-of-monday": 1, "key-of-tuesday": 1}


async def test_a_key_callable_that_fails_is_a_pause_and_not_a_loss(start: Start) -> None:
    """A vault that is away for a while is like a service that is away: nothing was sent, the job waits."""
    service = await start()
    away = False

    def key() -> str:
        if away:
            raise OSError("the vault does not answer")
        return service.emulator.api_key

    session = await service.open(api_key=key)
    await session.generate("a lake")
    away = True
    handle = session.enqueue("another")
    await asyncio.sleep(60)
    assert not handle.done()
    away = False
    await handle
    assert service.emulator.statistics().creates == 2


async def _submitted(service: Service) -> str:
    async with service.session() as session:
        return str((await session.submit("a lake")).task_id)


async def test_attach_and_snapshot_with_a_wrong_key(start: Start) -> None:
    """Reading is refused like creating; the id stays known."""
    service = await start()
    task_id = await _submitted(service)
    session = await service.open(api_key="wrong-key-1234")
    with pytest.raises(AuthenticationError):
        await session.snapshot(task_id)
    handle = session.attach(task_id)
    with pytest.raises(AuthenticationError):
        await handle
    assert session.pending == (handle,)
