"""What each group has: jobs that wait, jobs in progress, credits; and how little memory that takes."""

import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from seedance_async import AsyncSeedance, GroupStatistics, PollingPolicy, SqliteJournal
from seedance_async.core.budget import Budget
from seedance_async.groups import MOST_IDLE, Groups
from seedance_async.job import Job
from tests.session.service import PRICE_480P, Start, end, lakes, slots, until

ZERO = Decimal(0)
NOTHING = GroupStatistics(0, 0, ZERO, ZERO, ZERO)


def totals(session: AsyncSeedance) -> None:
    """The groups together are the session."""
    now = session.statistics()
    every = [*now.groups.values(), now.older_groups]
    for name in ("credits_reserved", "credits_used", "credits_maybe"):
        assert sum((getattr(group, name) for group in every), ZERO) == getattr(now, name)
    assert sum(group.waiting for group in every) == now.waiting


async def test_each_group_has_its_own_numbers(start: Start) -> None:
    """Waiting, running, done, failed, withdrawn and lost jobs count for the group that they are of."""
    service = await start(limit=2)
    session = await service.open(concurrency=2)
    await session.generate(lakes(1)[0], group="anna")
    await end(session.enqueue(lakes(1, " [fail:input]")[0], group="ben"))
    service.emulator.faults.add("drop-after-accept:count=1")
    await end(session.enqueue(lakes(1)[0], group="cleo"))
    await until(lambda: slots(session) == (0, 0))
    for _ in range(2):
        await session.submit(lakes(1, " [stuck]")[0], group="anna")
    assert session.enqueue(lakes(1)[0], group="dora").cancel()
    session.enqueue(lakes(1)[0], group="dora")
    session.enqueue(lakes(1)[0])
    groups = session.statistics().groups
    assert dict(groups) == {
        "anna": GroupStatistics(0, 2, 2 * PRICE_480P, PRICE_480P, ZERO),
        "ben": NOTHING,
        "cleo": evolve(NOTHING, credits_maybe=PRICE_480P),
        "dora": evolve(NOTHING, waiting=1, credits_reserved=PRICE_480P),
        None: evolve(NOTHING, waiting=1, credits_reserved=PRICE_480P),
    }
    totals(session)


async def test_what_a_journal_has_cost_counts_for_its_groups(start: Start, tmp_path: Path) -> None:
    """A later session begins with the credits of each group, and `session.journal` has them, too."""
    service = await start(limit=3)
    session = await service.open(journal=SqliteJournal(tmp_path / "videos.db"), concurrency=3)
    await session.generate(lakes(1)[0], group="anna")
    service.emulator.faults.add("drop-after-accept:count=1")
    lost = session.enqueue(lakes(1)[0], key="lost", group="cleo")
    await end(lost)
    await session.submit(lakes(1, " [stuck]")[0], group="ben")
    await session.aclose()
    again = await service.open(journal=SqliteJournal(tmp_path / "videos.db"), concurrency=3)
    await again.resume()
    assert dict(again.statistics().groups) == {
        "anna": evolve(NOTHING, credits_used=PRICE_480P),
        "cleo": evolve(NOTHING, credits_maybe=PRICE_480P),
        "ben": evolve(NOTHING, in_progress=1, credits_reserved=PRICE_480P),
    }
    by_group = again.journal.credits_by_group
    assert (by_group["anna"].used, by_group["ben"].reserved, by_group["cleo"].maybe) == (PRICE_480P,) * 3
    # What was unknown is a task after all.
    again.attach(service.tasks()[1], key="lost")
    assert again.statistics().groups["cleo"] == evolve(NOTHING, in_progress=1, credits_reserved=PRICE_480P)
    totals(again)


def job_of(number: int) -> Job:
    """A job of a group of its own."""
    return Job(str(number), None, PollingPolicy(), 60.0, patient=True, enqueued_at=0.0, group=f"user {number}")


def test_thousands_of_groups_take_little_memory() -> None:
    """Groups that had nothing for long are added up: no credits are lost, and none are counted twice or below zero."""
    groups, price = Groups(Budget()), Decimal(75)
    jobs = [job_of(number) for number in range(3 * MOST_IDLE)]
    for job in jobs:
        groups.reserve(price, job.group)
        job.reserved = price
        groups.put(job, "waiting")
    assert (groups.waiting, groups.groups_waiting) == (3 * MOST_IDLE, 3 * MOST_IDLE)
    for job in jobs:
        groups.put(job, "in progress")
        groups.put(job, None)
        if job is jobs[0]:
            groups.keep_as_maybe(job)
        else:
            groups.settle(job, price)
    assert (groups.waiting, groups.groups_waiting) == (0, 0)
    pages = groups.statistics()
    assert list(pages) == [job.group for job in jobs[-MOST_IDLE:]]
    older = GroupStatistics(0, 0, ZERO, (2 * MOST_IDLE - 1) * price, price)
    assert groups.older() == older
    assert set(pages.values()) == {evolve(NOTHING, credits_used=price)}
    # The oldest turns up again: what was unknown is a task after all, and has ended.
    groups.resolve(jobs[0], price)
    groups.put(jobs[0], "in progress")
    assert groups.statistics()["user 0"] == evolve(NOTHING, in_progress=1, credits_reserved=price)
    # Its page took the place of one that is among the older ones now.
    older = GroupStatistics(0, 0, ZERO, 2 * MOST_IDLE * price, ZERO)
    assert groups.older() == older
    groups.settle(jobs[0], price)
    groups.put(jobs[0], None)
    assert groups.older() == older
    assert len(groups.statistics()) == MOST_IDLE
    assert groups.budget.used == 3 * MOST_IDLE * price


async def test_running_jobs_of_many_groups_keep_their_credits(start: Start, tmp_path: Path) -> None:
    """However many groups a journal has: what a task of one has reserved stays with its group until it is settled."""
    service = await start()
    session = await service.open(journal=SqliteJournal(tmp_path / "videos.db"))
    await session.submit(lakes(1, " [stuck]")[0], key="k", group="user 0")
    record = session.journal.get("k")
    assert record is not None
    groups = Groups(Budget())
    groups.load(evolve(record, group=f"user {number}") for number in range(2 * MOST_IDLE))
    assert groups.older() == NOTHING
    job = job_of(0)
    groups.put(job, "in progress")
    job.reserved = PRICE_480P
    groups.put(job, None)
    groups.settle(job, PRICE_480P)
    assert groups.statistics()["user 0"] == evolve(NOTHING, credits_used=PRICE_480P)
    assert groups.budget.reserved == (2 * MOST_IDLE - 1) * PRICE_480P


@pytest.mark.parametrize("options", [{"max_waiting": 1000}, {}])
async def test_a_group_that_was_refused_leaves_nothing(start: Start, options: dict[str, Any]) -> None:
    """A job that does not fit into the budget makes no group."""
    service = await start()
    session = await service.open(budget=1, **options)
    assert "BudgetExceededError" in repr(await _refused(session))
    assert session.statistics().groups == {}


async def _refused(session: AsyncSeedance) -> Exception | None:
    try:
        session.enqueue("a lake", group="anna")
    except Exception as error:  # noqa: BLE001 (the caller looks at it)
        return error
    return None


def test_statistics_may_be_read_in_another_thread() -> None:
    """As metrics are: groups that come meanwhile disturb no reader."""
    groups, failures, over = Groups(Budget()), list[Exception](), threading.Event()

    def read() -> None:
        while not over.is_set():
            try:
                groups.statistics()
            except RuntimeError as error:
                failures.append(error)

    reader, interval = threading.Thread(target=read), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        reader.start()
        for number in range(30_000):
            groups.reserve(Decimal(1), f"group {number}")
    finally:
        sys.setswitchinterval(interval)
        over.set()
        reader.join()
    assert failures == []
