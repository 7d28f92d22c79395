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

import anyio
from attrs import define, field

from seedance_async.clock import wall_now
from seedance_async.core.record import JobRecord
from seedance_async.core.record_steps import recovered
from seedance_async.errors import JournalError
from seedance_async.journal.protocol import Journal, ServiceJournal

logger = logging.getLogger("seedance_async")


@define(eq=False)
class Keeper:
    """Keeps the records of one session.

    Attributes:
        service: The name of the service that the jobs are sent to, for journals that look at it.
        records: The record of every key, the oldest first.
        trouble: Why the last write failed; None while writing works.
    """

    journal: Journal
    wall: Callable[[], datetime] = wall_now
    service: str | None = None
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
        if self.service is not None and isinstance(self.journal, ServiceJournal):
            self.journal.for_service(self.service)
        for record in await self.journal.open():
            known = recovered(record, self.wall())
            self._remember(known)
            if known is not record:
                self._dirty[record.key] = known
        try:
            await self.durable()
        except BaseException:
            await self._give_back()
            raise

    def put(self, record: JobRecord) -> JobRecord:
        """Take over a changed record; it is on its way to the disk when this returns."""
        # First, because outside of the loop it fails, and nothing may have changed then.
        self._begin()
        self._remember(record)
        self._dirty[record.key] = record
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
            await self._give_back()

    def key_of(self, task_id: str) -> str | None:
        """Return the key of a task that the journal knows or knew."""
        return self._tasks.get(task_id)

    def lacks_task(self, key: str) -> bool:
        """Whether the task id of a running job is not known to be on the disk."""
        record = self._dirty.get(key)
        return record is not None and record.task_id is not None

    def _remember(self, record: JobRecord) -> None:
        self.records[record.key] = record
        if record.task_id is not None:
            self._tasks[record.task_id] = record.key

    async def _give_back(self) -> None:
        """Give the journal back once nothing is being written, whatever cancels the caller in between."""
        cancelled: asyncio.CancelledError | None = None
        with anyio.CancelScope(shield=True):
            while self._writer is not None and not self._writer.done():
                try:
                    await asyncio.wait({self._writer})
                except asyncio.CancelledError as error:
                    cancelled = error
        await self.journal.aclose()
        if cancelled is not None:
            raise cancelled

    def _begin(self) -> None:
        if self._writer is None or self._writer.done():
            loop = asyncio.get_running_loop()
            self._writer = loop.create_task(self._write(), context=Context(), name="seedance_async journal")
            self._writer.add_done_callback(self._writer_ended)

    def _writer_ended(self, writer: asyncio.Task[None]) -> None:
        if not writer.cancelled():
            writer.exception()
        # One that was cancelled, as all tasks are when a loop is shut down, leaves nobody waiting.
        if self._waiters:
            self._begin()

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
        if not records:
            return None  # what somebody waited for went with the piece before
        try:
            await self.journal.write(records)
        except JournalError as error:
            return error
        except Exception as error:  # noqa: BLE001 (somebody's own journal may raise anything)
            return JournalError(f"its write failed with {type(error).__name__}")
        return None
