"""The keeper: the records of one session, and the one writer that puts what changed into the journal.

1. Records change in memory at once and are written in the order of their changes, many at a time. Whoever needs a
   change on the disk waits for `durable`.
2. What could not be written is kept and written with the next change, if that works again.
"""

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context
from datetime import datetime

from attrs import define, field

from seedance_async.clock import wall_now
from seedance_async.core.record import JobRecord
from seedance_async.core.record_steps import recovered
from seedance_async.errors import JournalError
from seedance_async.journal.protocol import Journal

logger = logging.getLogger("seedance_async")


@define(eq=False)
class Keeper:
    """Keeps the records of one session.

    Attributes:
        records: The record of every key, the oldest first.
        trouble: Why the last write failed; None while writing works.
    """

    journal: Journal
    wall: Callable[[], datetime] = wall_now
    records: dict[str, JobRecord] = field(init=False, factory=dict[str, JobRecord])
    trouble: JournalError | None = field(init=False, default=None)
    _tasks: dict[str, str] = field(init=False, factory=dict[str, str])
    _dirty: dict[str, JobRecord] = field(init=False, factory=dict[str, JobRecord])
    _waiters: list[asyncio.Future[JournalError | None]] = field(
        init=False, factory=list[asyncio.Future[JournalError | None]]
    )
    _writer: asyncio.Task[None] | None = field(init=False, default=None)

    async def open(self) -> None:
        """Take the journal; what a crash has left is unknown from now on, and durably so.

        Raises:
            JournalError: It cannot be opened, see `Journal.open`.
        """
        for record in await self.journal.open():
            known = recovered(record, self.wall())
            self.records[record.key] = known
            if known.task_id is not None:
                self._tasks[known.task_id] = known.key
            if known is not record:
                self._dirty[record.key] = known
        if self._dirty:
            try:
                await self.durable()
            except BaseException:
                await self.journal.aclose()
                raise

    def put(self, record: JobRecord) -> JobRecord:
        """Take over a changed record; it is on its way to the disk when this returns."""
        self.records[record.key] = self._dirty[record.key] = record
        self._begin()
        return record

    async def durable(self) -> None:
        """Wait until everything that was put is durable, also after a failure.

        Cancellation leaves nothing behind, and the writing goes on.

        Raises:
            JournalError: It is perhaps not.
        """
        if not self._dirty and not self._waiters:
            return
        waiter: asyncio.Future[JournalError | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._begin()
        error = await waiter
        if error is not None:
            # Each gets one of its own: a shared exception would collect everybody's traceback.
            raise JournalError(*error.args)

    async def aclose(self) -> None:
        """Write what is left and give the journal back.

        Raises:
            JournalError: Something is perhaps not written; the journal was given back all the same.
        """
        try:
            await self.durable()
        finally:
            if self._writer is not None and not self._writer.done():
                await asyncio.wait({self._writer})
            await self.journal.aclose()

    def key_of(self, task_id: str) -> str | None:
        """Return the key of a task that the journal knew when it was opened."""
        return self._tasks.get(task_id)

    def lacks_task(self, key: str) -> bool:
        """Whether the task id of a running job is not known to be on the disk."""
        record = self._dirty.get(key)
        return record is not None and record.task_id is not None

    def _begin(self) -> None:
        if self._writer is None or self._writer.done():
            loop = asyncio.get_running_loop()
            self._writer = loop.create_task(self._write(), context=Context(), name="seedance_async journal")

    async def _write(self) -> None:
        # Everything that is put before this task first runs goes in one piece.
        while self._dirty or self._waiters:
            records, self._waiters, waiters = list(self._dirty.values()), [], self._waiters
            # For a task that is cancelled, as all are when a loop is shut down.
            error: JournalError | None = JournalError("the writing was cancelled")
            try:
                error = await self._try(records)
            finally:
                self._wrote(records, waiters, error)
            # After a failure the next change, or the next one who waits, tries again.
            if error is not None and not self._waiters:
                return

    def _wrote(
        self, records: list[JobRecord], waiters: list[asyncio.Future[JournalError | None]], error: JournalError | None
    ) -> None:
        if error is None:
            for record in records:
                if self._dirty.get(record.key) is record:
                    del self._dirty[record.key]
        elif self.trouble is None:
            logger.error("%s", error)
        self.trouble = error
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(error)

    async def _try(self, records: list[JobRecord]) -> JournalError | None:
        try:
            await self.journal.write(records)
        except JournalError as error:
            return error
        except Exception as error:  # noqa: BLE001 (somebody's own journal may raise anything)
            return JournalError(f"its write failed with {type(error).__name__}")
        return None
