"""The background of an open session: its loops, and the one task that supervises them.

1. The supervisor is a task of its own with an empty context. It enters and leaves the task group, so that `open` and
   `aclose` may run in different tasks and users never see an exception group of ours.
2. Closing runs in the supervisor. A caller of `aclose` waits for it and can be cancelled without harm.
3. The journal has a time to take what is left: a disk or a server that hangs must not keep an application from
   ending. What hangs then is left to itself, and ids that are perhaps not written are told.
4. A crash of a loop fails every handle and every later call with one clear error. Creates on the wire still finish.
"""

import asyncio
import logging
from contextvars import Context
from typing import Final

import anyio
from attrs import define, field

from seedance_async.core.lifecycle import Event, State
from seedance_async.dispatcher import Dispatcher
from seedance_async.errors import JournalError, SessionClosedError
from seedance_async.events import SessionEnded
from seedance_async.journal.keeper import Keeper
from seedance_async.journal.unwritten import tell_unwritten
from seedance_async.poller import Poller
from seedance_async.register import Register
from seedance_async.settling import Settling
from seedance_async.slots import Slots
from seedance_async.transport import Transport

logger = logging.getLogger("seedance_async")

#: Seconds that the journal has at least to take what is left, also where nobody waits for creates on the wire.
_JOURNAL_PATIENCE: Final = 10.0


@define(eq=False)
class Background:
    """Runs the loops of one session.

    Attributes:
        crash: Why the background ended by itself, or None.
        closed: Whether it has ended.
    """

    register: Register
    dispatcher: Dispatcher
    poller: Poller
    transport: Transport
    slots: Slots
    settling: Settling
    keeper: Keeper | None = None
    crash: str | None = field(init=False, default=None)
    _close_timeout: float = field(init=False, default=0.0)
    _close_asked: asyncio.Event = field(init=False, factory=asyncio.Event)
    _supervisor: asyncio.Task[None] | None = field(init=False, default=None)

    async def open(self) -> None:
        """Begin. Connects nowhere yet.

        Raises:
            JournalError: The journal cannot be opened.
        """
        if self.keeper is not None:
            await self.keeper.open()
        try:
            await self.transport.open()
            await self.slots.open(self.register.alarm.ring)
        except BaseException:
            await self.transport.aclose()
            if self.keeper is not None:
                await self.keeper.aclose()
            raise
        self._supervisor = asyncio.get_running_loop().create_task(
            self._supervise(), context=Context(), name="seedance_async supervisor"
        )

    @property
    def healthy(self) -> bool:
        """Whether the loops run."""
        return self.crash is None and self._supervisor is not None and not self._supervisor.done()

    @property
    def closing(self) -> bool:
        """Whether `close` was called, or the background has ended by itself."""
        return self._close_asked.is_set() or self.crash is not None

    async def close(self, timeout: float) -> None:
        """Ask for the end and wait for it, whatever cancels the caller in between."""
        if self._supervisor is None:
            return
        if not self._close_asked.is_set():
            self._close_timeout = timeout
            self._begin_to_close()
            self._close_asked.set()
        cancelled: asyncio.CancelledError | None = None
        with anyio.CancelScope(shield=True):
            while not self._supervisor.done():
                try:
                    await asyncio.wait([self._supervisor])
                except asyncio.CancelledError as error:
                    cancelled = error
        if cancelled is not None:
            raise cancelled

    async def _supervise(self) -> None:
        try:
            try:
                await self._run_loops()
            except Exception as error:  # noqa: BLE001 (whatever a loop failed with)
                self._crashed(error)
                await self._close_asked.wait()
            self._refuse_queued()
            await self.dispatcher.finish(self._close_timeout)
        finally:
            # Also when the whole loop is being shut down and this task is cancelled: no connection is left open.
            self._begin_to_close()
            try:
                self._refuse_queued()
                self._end_waits()
                await self.slots.aclose()
            finally:
                try:
                    await self._close_journal()
                finally:
                    await self.transport.aclose()
                    self._tell_ended()

    def _tell_ended(self) -> None:
        if self.register.hooks:
            task_ids = tuple(job.task_id for job in self.register.running if job.task_id is not None)
            self.register.hooks.call(SessionEnded(self.crash, task_ids))

    async def _close_journal(self) -> None:
        if self.keeper is None:
            return
        patience = max(self._close_timeout, _JOURNAL_PATIENCE)
        closing = asyncio.get_running_loop().create_task(
            self.keeper.aclose(), context=Context(), name="seedance_async journal closing"
        )
        error, cancelled = await _end_within(closing, patience)
        if error is not None:
            logger.error("the journal is not complete: %s", error)
        # What it lacks of ended tasks is learned again from the service; what it lacks of new ones is said here.
        for job in self.register.running:
            if job.journalled and self.keeper.lacks_task(job.key) and not isinstance(job.failure, JournalError):
                tell_unwritten(job)
        if cancelled is not None:
            raise cancelled

    def _begin_to_close(self) -> None:
        self.dispatcher.closing = True
        self.dispatcher.gatekeeper.close()

    async def _run_loops(self) -> None:
        try:
            async with asyncio.TaskGroup() as loops:
                running = [loops.create_task(self.dispatcher.run()), loops.create_task(self.poller.run())]
                running.append(loops.create_task(self.settling.run()))
                await self._close_asked.wait()
                self._refuse_queued()
                await self.dispatcher.finish(self._close_timeout)
                for task in running:
                    task.cancel()
        except* Exception as group:  # noqa: BLE001 (whatever a loop failed with)
            first: BaseException = group
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            raise first from None

    def _crashed(self, error: Exception) -> None:
        self.crash = f"its background work failed with {type(error).__name__}"
        self._begin_to_close()
        logger.error("the session's background work failed", exc_info=error)
        self._refuse_queued()
        self._end_waits()
        for job in [job for job in self.register.unsettled if not job.settled]:
            failure = SessionClosedError((), self.crash)
            failure.charged = "maybe"
            job.settle(failure=failure)
            job.end_updates()
            job.wake()

    def _refuse_queued(self) -> None:
        with self.register.hooks.held():
            for job in [job for job in self.register.unsettled if job.state is State.QUEUED]:
                self.register.end_unsent(job, Event.WITHDRAWN, SessionClosedError((), self.crash))

    def _end_waits(self) -> None:
        for job in [job for job in self.register.running if not job.settled]:
            assert job.task_id is not None
            self.register.end_wait(job, SessionClosedError((job.task_id,), self.crash))
        self.register.end_quiet()


async def _end_within(
    closing: asyncio.Task[None], seconds: float
) -> tuple[JournalError | None, asyncio.CancelledError | None]:
    """Wait so long for a journal to close; return why it is perhaps not complete, and what cancelled the waiting."""
    loop = asyncio.get_running_loop()
    until, cancelled = loop.time() + seconds, None
    while not closing.done() and (left := until - loop.time()) > 0.0:
        try:
            await asyncio.wait([closing], timeout=left)
        except asyncio.CancelledError as error:
            cancelled = error
    if not closing.done():
        # Looked at when it ends after all, or asyncio would report that nobody did.
        closing.add_done_callback(lambda task: None if task.cancelled() else task.exception())
        return JournalError(f"its last write has not come to an end within {seconds:g} seconds"), cancelled
    failure = None if closing.cancelled() else closing.exception()
    if failure is not None and not isinstance(failure, JournalError):
        raise failure
    return failure, cancelled
