"""Groups: jobs of several users of one session take turns."""

from pathlib import Path

import pytest

from seedance_async import InputError, SqliteJournal
from seedance_async.events import Queued, SlotAcquired
from tests.session.service import Service, Start, lakes, slots, until


def left(service: Service) -> list[str]:
    """The first letters of the keys of the jobs that got a slot, in order."""
    return [event.key.partition("-")[0] for event in service.ear.all(SlotAcquired)]


async def test_five_hundred_jobs_delay_another_users_one_by_a_turn(start: Start) -> None:
    """Whoever comes to a queue of somebody else's 500 is the next but one, and is served before 498 of them."""
    service = await start(limit=2)
    session = await service.open(concurrency=2)
    anna = [session.enqueue(lake, key=f"anna-{n}", group="anna") for n, lake in enumerate(lakes(500))]
    await anna[0].accepted()
    await anna[1].accepted()
    ben = session.enqueue("a market", key="ben-0", group="ben")
    assert (anna[2].position, ben.position, anna[3].position, anna[499].position) == (1, 2, 3, 499)
    await ben.accepted()
    assert left(service) == ["anna", "anna", "anna", "ben"]
    assert session.statistics().waiting == 497


async def test_every_group_of_many_gets_its_turn(start: Start) -> None:
    """Three users with ten jobs each, and those without a group, take turns from the first job to the last."""
    service = await start(limit=1, durations=1.0)
    session = await service.open(concurrency=1)
    for user in ("anna", "ben", "cleo", None):
        for n in range(3):
            session.enqueue("a lake", key=f"{user or 'nobody'}-{n}", group=user)
    await session.drain()
    assert left(service) == ["anna", "ben", "cleo", "nobody"] * 3


async def test_a_refused_create_keeps_place_and_turn(start: Start) -> None:
    """While a 429 sends a job back, others that come do not pass it, and its group loses no turn by it."""
    service = await start(limit=1, foreign=1)
    session = await service.open(concurrency=1)
    for n in range(3):
        session.enqueue("a lake", key=f"anna-{n}", group="anna")
    await until(lambda: session.statistics().refusals and slots(session) == (0, 3))
    ben = session.enqueue("a market", key="ben-0", group="ben")
    # The second of the group has the turn that it would have had without the refusal.
    assert ben.position == 3
    service.emulator.world.foreign = 0
    await session.drain()
    accepted = list(dict.fromkeys(event.key for event in service.ear.all(SlotAcquired)))
    assert accepted == ["anna-0", "anna-1", "ben-0", "anna-2"]


async def test_map_has_one_group(start: Start) -> None:
    """All jobs of a map share its group, so that it leaves every other turn to somebody else."""
    service = await start(limit=1, durations=1.0)
    session = await service.open(concurrency=1)
    async with session.map(((f"map-{n}", lake) for n, lake in enumerate(lakes(6))), group="batch") as items:
        await until(lambda: slots(session) == (1, 5))
        for n in range(3):
            session.enqueue("a market", key=f"ben-{n}", group="ben")
        assert [item.error async for item in items] == [None] * 6
    assert left(service) == ["map", "map", "ben", "map", "ben", "map", "ben", "map", "map"]


async def test_submit_and_generate_have_groups(start: Start) -> None:
    """Every way of queueing a job takes a group, and hooks hear of it."""
    service = await start()
    session = await service.open()
    handle = await session.submit("a lake", group="anna")
    await session.generate("a lake", group="ben")
    await handle
    session.enqueue("a lake")
    assert [event.group for event in service.ear.all(Queued)] == ["anna", "ben", None]


@pytest.mark.parametrize("group", ["", " ", "a\nb", "x" * 300, 5])
async def test_a_group_is_a_word(start: Start, group: str) -> None:
    """What is no printable text of sensible length is refused by name, before anything is queued."""
    session = await (await start()).open()
    with pytest.raises(InputError, match=r"^group: must be printable text"):
        session.enqueue("a lake", group=group)
    assert session.statistics().waiting == 0


async def test_a_known_key_keeps_its_group(start: Start) -> None:
    """Whoever asks for a key again with another group gets the job as it is."""
    service = await start(limit=1)
    session = await service.open(concurrency=1)
    await session.submit("a sea", key="first")
    handle = session.enqueue("a lake", key="order-1", group="anna")
    assert session.enqueue("a lake", key="order-1", group="ben") is handle
    assert [event.group for event in service.ear.all(Queued)] == [None, "anna"]


async def test_resume_restores_groups(start: Start, tmp_path: Path) -> None:
    """Jobs that a session before left in the queue take turns again, as their groups were."""
    service = await start(limit=1, durations=1.0)
    session = await service.open(journal=SqliteJournal(tmp_path / "videos.db"), concurrency=1)
    for n in range(3):
        session.enqueue("a lake", key=f"anna-{n}", group="anna")
    session.enqueue("a lake", key="ben-0", group="ben")
    await session.aclose()
    service.ear.heard.clear()
    again = await service.open(journal=SqliteJournal(tmp_path / "videos.db"), concurrency=1)
    await again.resume()
    assert {record.key: record.group for record in again.journal.jobs()}["ben-0"] == "ben"
    await again.drain()
    assert left(service) == ["anna", "ben", "anna", "anna"]
