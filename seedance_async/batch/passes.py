"""Sends rows: through one `map` after the other, as long as there are rows and nothing stops it.

A 402 ends a `map`: every further create would be refused as well. With `wait_for_credits` the batch then tries one row
every ten minutes, which costs nothing while it is refused, and goes on with all that are left once one is accepted.

A row whose create may be charged has ended, whoever sent it. Only rows that were unknown before the run are sent again
on the user's word, and each of them once.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from attrs import define, field

from seedance_async.batch.books import Books
from seedance_async.batch.events import CreditsBack, StopReason, WaitingForCredits
from seedance_async.batch.following import Follower
from seedance_async.batch.outcomes import ACCOUNT_ERRORS, row_that_failed
from seedance_async.batch.planning import changed_files
from seedance_async.core.inputs import Inputs
from seedance_async.core.record import JobRecord
from seedance_async.core.run_options import RunOptions
from seedance_async.core.standing import JobStanding, Standing
from seedance_async.errors import ConnectionFailedError, InsufficientCreditsError, JournalError, SeedanceError
from seedance_async.items import Item, Items

if TYPE_CHECKING:
    from seedance_async.session import AsyncSeedance

#: Seconds between two tries while the account has no credits.
TRY_CREDITS_EVERY: Final = 600.0


@define(eq=False)
class Passes:
    """Sends the rows of one run.

    Attributes:
        stop: Called with a reason and a sentence when nothing further must be sent.
        stopping: Set once nothing further is sent.
    """

    session: "AsyncSeedance"
    books: Books
    follower: Follower
    options: RunOptions
    stop: Callable[[StopReason, str], None]
    stopping: asyncio.Event = field(factory=asyncio.Event)
    _items: set[Items] = field(init=False, factory=set[Items])
    _short: list[str] = field(init=False, factory=list[str])
    _tried: set[str] = field(init=False, factory=set[str])

    def finish(self) -> None:
        """Send nothing further; what was queued is taken back."""
        self.stopping.set()
        for items in self._items:
            items.finish()

    async def run(self, jobs: Sequence[JobStanding], *, attempts: int, retry_failed: bool = False) -> None:
        """Send rows until each has ended, or nothing further is sent."""
        left = await self._with_their_files(jobs)
        while left and not self.stopping.is_set():
            self._short = []
            await self._send(left, attempts=attempts, retry_failed=retry_failed)
            if not self._short or self.stopping.is_set():
                return
            left = [job for job in left if self._is_open(job)]
            await self._credits(left[0])
            left = [job for job in left if self._is_open(job)]

    async def _with_their_files(self, jobs: Sequence[JobStanding]) -> list[JobStanding]:
        """Return the rows whose local files are what they were; the others have failed, and nothing was sent."""
        errors = await asyncio.to_thread(changed_files, [job.row.request for job in jobs])
        for job, error in zip(jobs, errors, strict=True):
            if error is not None:
                self._failed(job, error)
        return [job for job, error in zip(jobs, errors, strict=True) if error is None]

    def _is_open(self, job: JobStanding) -> bool:
        key = job.row.key
        return not self.books.has_ended(key) and key not in self.books.results and key not in self._tried

    async def _send(self, jobs: Sequence[JobStanding], *, attempts: int, retry_failed: bool) -> None:
        """Send rows; those that are unknown in a `map` of their own, which may repeat what is unknown, and no other."""
        again = [job for job in jobs if self._is_resubmitted(job)]
        others = [job for job in jobs if not self._is_resubmitted(job)]
        sending = {
            asyncio.create_task(
                self._map(part, attempts=attempts, retry_failed=retry_failed, resubmit_unknown=part is again)
            )
            for part in (again, others)
            if part
        }
        try:
            await asyncio.gather(*sending)
        finally:
            for task in sending:
                task.cancel()
            await asyncio.wait(sending)

    def _is_resubmitted(self, job: JobStanding) -> bool:
        """Whether a row is to be sent again although it may be paid: not once a create of this run has left for it."""
        if job.standing is not Standing.RESUBMIT or job.record is None:
            return False
        record = self.session.journal.get(job.row.key)
        return record is not None and _newest_attempt(record) == _newest_attempt(job.record)

    async def _map(
        self, jobs: Sequence[JobStanding], *, attempts: int, retry_failed: bool, resubmit_unknown: bool
    ) -> None:
        by_key = {job.row.key: job for job in jobs}
        items = self.session.map(
            self._pairs(jobs), attempts=attempts, retry_failed=retry_failed, resubmit_unknown=resubmit_unknown
        )
        try:
            async with items:
                self._items.add(items)
                if self.stopping.is_set():
                    items.finish()
                async for item in items:
                    assert item.key is not None  # every row was given one
                    self._take(by_key[item.key], item)
        except InsufficientCreditsError as error:
            if not self._short:
                self._note_stop(error)
        except SeedanceError as error:
            self._note_stop(error)
        finally:
            self._items.discard(items)

    def _pairs(self, jobs: Sequence[JobStanding]) -> Iterator[tuple[str, Inputs]]:
        for job in jobs:
            if self.stopping.is_set():
                return
            yield job.row.key, job.row.inputs

    def _take(self, job: JobStanding, item: Item) -> None:
        if item.result is not None:
            self.follower.save(job, item.result)
        elif item.error is not None:
            self._failed(job, item.error)

    def _failed(self, job: JobStanding, error: SeedanceError) -> None:
        if isinstance(error, InsufficientCreditsError) and self.options.wait_for_credits and not self.stopping.is_set():
            self._short.append(job.row.key)
            return
        ended = row_that_failed(job.row, error, self.books.board.task_id(job.row.key))
        if ended.status == "not_submitted" or isinstance(error, JournalError):
            self._note_stop(error)
        self.books.end(ended)

    def _note_stop(self, error: SeedanceError) -> None:
        if isinstance(error, JournalError):
            self.stop("disk", str(error))
        else:
            self.books.note_stop("account" if isinstance(error, ACCOUNT_ERRORS) else "error", str(error))
            self.stopping.set()

    async def _credits(self, job: JobStanding) -> None:
        """Try one row now and then until it is accepted, or refused for another reason, which the next pass meets."""
        books, row = self.books, job.row
        books.no_credits = "the account has too few credits"
        while True:
            every = f"{TRY_CREDITS_EVERY / 60:.0f} minutes"
            message = f"{books.no_credits}; one row is tried every {every}, which costs nothing while it is refused"
            books.tell(WaitingForCredits(message, TRY_CREDITS_EVERY))
            with suppress(TimeoutError):
                async with asyncio.timeout(TRY_CREDITS_EVERY):
                    await self.stopping.wait()
            if self.stopping.is_set():
                return
            try:
                handle = await self.session.submit(
                    row.inputs,
                    key=row.key,
                    retry_failed=True,
                    resubmit_unknown=self._is_resubmitted(job),
                )
            except SeedanceError as error:
                if error.charged != "no":
                    self._failed(job, error)
                elif isinstance(error, InsufficientCreditsError | ConnectionFailedError):
                    continue
                break
            self._tried.add(row.key)
            self.follower.watch(job, handle)
            books.tell(CreditsBack())
            break
        books.no_credits = None


def _newest_attempt(record: JobRecord) -> int:
    return record.earlier if record.last is None else record.last.number
