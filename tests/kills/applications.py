"""What runs in the processes that die: applications of the session and of the batch runner, as users write them.

Each takes its orders and returns whether it came to the end by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Final

from seedance_async import AsyncSeedance, Catalogue, FixedPolling, OutcomeUnknownError, TaskFailedError, TextToVideo
from seedance_async.batch import (
    JOURNAL,
    BatchRunner,
    Folder,
    Plan,
    RunOptions,
    check_folder,
    make_plan,
    open_folder,
    read_rows,
)
from seedance_async.core.lifecycle import State
from seedance_async.handle import TaskHandle
from seedance_async.hooks import Hook
from seedance_async.journal import SqliteJournal
from seedance_async.journal.book import PlannedJob
from tests.kills.dying import WatchedJournal, die_later
from tests.kills.orders import Orders
from tests.kills.sabotage import SABOTAGES
from tests.kills.trace import Trace

_CATALOGUE: Final = Catalogue.CLASSIC
_RESOLUTION: Final = "480p"

_Begin = Callable[[AsyncSeedance, Orders], Awaitable[Iterable[TaskHandle]]]


def _session(orders: Orders, *hooks: Hook) -> AsyncSeedance:
    """Return the session that is told to die, whose journal is watched."""
    spoil = SABOTAGES[orders.sabotage].spoil
    journal = WatchedJournal(SqliteJournal(orders.folder / JOURNAL), Trace(orders.trace), orders.trap, spoil)
    return AsyncSeedance(
        orders.api_key,
        base_url=orders.base_url,
        catalogue=_CATALOGUE,
        concurrency=orders.concurrency,
        polling=FixedPolling(0.04),
        journal=journal,
        hooks=[journal.hear, *hooks],
    )


# Of the session


def _lake(prompt: str) -> TextToVideo:
    return TextToVideo(prompt, output_resolution=_RESOLUTION)


async def _follow(orders: Orders, begin: _Begin) -> bool:
    trap, done = orders.trap, False

    async def save(session: AsyncSeedance, handle: TaskHandle) -> None:
        record = session.journal.get(handle.key)
        if record is None or "saved" not in record.notes:
            try:
                result = await handle
            except (OutcomeUnknownError, TaskFailedError):
                return
            path = await session.download(result, orders.folder / f"{handle.key}.mp4")
            SABOTAGES[orders.sabotage].saved(path)
            await session.journal.note(handle.key, saved=path.name)

    async with _session(orders) as session:
        with suppress(TimeoutError):
            async with asyncio.timeout(trap.seconds if trap.kind == "leave" else None):
                handles = await begin(session, orders)
                async with asyncio.TaskGroup() as group:
                    for handle in handles:
                        group.create_task(save(session, handle))
                done = True
        if trap.then is not None:
            die_later(trap.then)
    return done


async def from_list(orders: Orders) -> bool:
    """Ask for every key, each time, as a script with a list does."""

    async def begin(session: AsyncSeedance, orders: Orders) -> list[TaskHandle]:
        await session.resume()
        return [
            session.enqueue(_lake(prompt), key=key, resubmit_unknown=orders.resubmit)
            for key, prompt in orders.prompts.items()
        ]

    return await _follow(orders, begin)


async def from_journal(orders: Orders) -> bool:
    """Write all keys down once, and go on with nothing but the journal."""

    async def begin(session: AsyncSeedance, orders: Orders) -> list[TaskHandle]:
        book = session.journal
        if not book.jobs():
            inputs = {key: _lake(prompt) for key, prompt in orders.prompts.items()}
            await book.plan(PlannedJob(key, each) for key, each in inputs.items())
        if orders.resubmit:
            for record in book.jobs(State.UNKNOWN):
                session.enqueue(_lake(orders.prompts[record.key]), key=record.key, resubmit_unknown=True)
        await session.resume()
        return [session.attach(key=record.key) for record in book.jobs()]

    return await _follow(orders, begin)


# Of the batch runner


async def _batch(orders: Orders, plan: Plan, found: Folder) -> bool:
    options = RunOptions(resubmit_unknown=orders.resubmit)
    standing = found.standing(plan, options)
    check_folder(standing, orders.folder)
    runner, trap = BatchRunner(plan, orders.folder, options, expected=standing), orders.trap

    def leave() -> None:
        runner.stop()
        if trap.then is not None:
            die_later(trap.then)

    if trap.kind == "leave":
        asyncio.get_running_loop().call_later(trap.seconds, leave)
    async with _session(orders, runner.hook) as session:
        report = await runner.run(session)
    return report.stopped is None


async def batch(orders: Orders) -> bool:
    """Do what `seedance batch FILE` does."""
    plan = make_plan(read_rows(orders.rows), defaults={"output_resolution": _RESOLUTION}, catalogue=_CATALOGUE)
    return await _batch(orders, plan, open_folder(orders.folder))


async def resumed_batch(orders: Orders) -> bool:
    """Do what `seedance batch FILE` does once, and then what `seedance resume DIR` does."""
    found = open_folder(orders.folder)
    if not found.records:
        return await batch(orders)
    return await _batch(orders, found.plan(_CATALOGUE), found)


APPLICATIONS: Final[dict[str, Callable[[Orders], Coroutine[Any, Any, bool]]]] = {
    "list": from_list,
    "journal": from_journal,
    "batch": batch,
    "resume": resumed_batch,
}
