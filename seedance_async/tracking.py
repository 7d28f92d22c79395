"""The part of a session that follows tasks and fetches what they made."""

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from seedance_async.core.delivery import Delivery
from seedance_async.core.failures import task_failed
from seedance_async.core.results import FAIL, SUCCESS, TaskSnapshot, VideoResult, result_of
from seedance_async.core.validators import what_was_given
from seedance_async.errors import ConfigurationError, InputError, Problem
from seedance_async.events import SessionBegun
from seedance_async.handle import TaskHandle
from seedance_async.lifetime import NOT_OPEN, Lifetime
from seedance_async.statistics import SessionStatistics

if TYPE_CHECKING:
    from seedance_async.storage import UploadProgress
    from seedance_async.streaming import VideoStream


class Tracking(Lifetime):
    """The part of `AsyncSeedance` that follows tasks."""

    def attach(self, task_id: str | None = None, *, key: str | None = None) -> TaskHandle:
        """Watch a task that was created before, by this session or anybody with this account.

        It never waits for a slot and occupies one even above the limit: the task runs already. A task whose wait was
        over (`TaskTimeoutError`) is waited for anew. The newest 1,000 tasks of the session that ended while nobody held
        their handle are answered for without a request; for others the journal or the service is asked.

        Args:
            task_id: The service's id of the task.
            key: In place of an id: the key of a job of this session or its journal. A finished job's handle is done;
                one that a session before left in the queue is queued again. Beside an id: the job whose create had
                an unknown outcome and made this task; it runs from now on.

        Raises:
            InputError: Neither was given, `task_id` is no text, the key stands for no job, or it is to be told an id
                and is not unknown.
            ConfigurationError: The session is not open.

        Money: none, but for a queued job of the journal, which is sent when its turn comes.
        """
        intake = self._live()
        return intake.handle(intake.attach(task_id, key))

    async def resume(self) -> tuple[TaskHandle, ...]:
        """Go on with the journal where the sessions before ended.

        Every task that runs is watched and holds its slot before anything new leaves; every job that was queued and
        not sent is queued again, in its old order. Jobs whose outcome is unknown are left alone: `session.journal` has
        them. A job that does not fit into the budget any more, or whose inputs the catalogue refuses, has that error,
        and stays queued in the journal.

        Returns:
            The handles of all of them, running ones first; none without a journal.

        Raises:
            ConfigurationError: The session is not open.
            SessionClosedError: The session was closed meanwhile; what was not queued by then stays in the journal.

        Money: queued jobs are sent as their turn comes. Nothing that may be paid is sent again.
        """
        intake = self._live()
        return tuple(intake.handle(job) for job in await intake.resume())

    def notify(self, delivery: Delivery, *, token: str | None = None) -> None:
        """Take a call of the service's to a callback URL, see `seedance_async.webhooks.parse_delivery`.

        The service signs nothing, so this changes no state by itself: the session asks for that one task, now or as
        soon as that is not too often, and believes the answer. A delivery that is forged, repeated, late or about a
        task of nobody's costs little and does no harm, however many there are. It returns at once.

        Args:
            delivery: The call.
            token: The last part of the path it came to; None where your own route has none.

        Raises:
            InputError: `delivery` is none, such as bytes that were not read yet.
            ConfigurationError: The session is not open, or this is not its event loop.
            SessionClosedError: The session is closed.

        Money: none.
        """
        given = cast("object", delivery)
        if not isinstance(given, Delivery):
            raise InputError([Problem("delivery", "must be what parse_delivery returns", what_was_given(given))])
        self._live().opened.notices.notify(delivery, token)

    async def snapshot(self, task_id: str) -> TaskSnapshot:
        """Ask for a task once.

        Raises:
            TaskNotFoundError: The service knows no such task.
            ApiError: The service refused to answer.
            ConnectionFailedError: No answer came.
        """
        return await self._live().opened.ask(task_id)

    async def drain(self, timeout: float | None = None) -> None:
        """Wait until nothing is queued, on the wire or pending. Raises no task's failure.

        Raises:
            TimeoutError: `timeout` seconds passed; nothing else changed.
            SessionClosedError: The session ended first.
        """
        register = self._live().opened.register
        async with asyncio.timeout(timeout):
            if not await register.quiet():
                # The session has ended; this says so, with the ids of what is pending.
                self._live()

    async def download(
        self,
        source: VideoResult | TaskHandle | str,
        target: str | os.PathLike[str],
        *,
        overwrite: bool = False,
    ) -> Path:
        """Save a video; a task that still runs is waited for.

        Args:
            source: A result, a handle, or a task id.
            target: A file, or a folder (one that exists, or a name that ends with a separator), where the file is
                called `<task_id>.mp4`.
            overwrite: Replace a different file of this name; a file with the same bytes is kept in any case.

        Returns:
            The path of the file, complete.

        Raises:
            DownloadError: The file was not saved; the task is paid and the file can be fetched again.
            SeedanceError: As from `TaskHandle.wait`, where the task is waited for.

        Cancellation: leaves the complete file, or a part that the next download continues.
        """
        result = source if isinstance(source, VideoResult) else await self._result_of(source)
        return await self._live().opened.downloads.save(result, target, overwrite=overwrite)

    def stream(self, result: VideoResult) -> "AbstractAsyncContextManager[VideoStream]":
        """Read a video without a file: `async with seedance.stream(result) as video: async for chunk in video: ...`.

        Raises:
            DownloadError: On entering or while reading: the bytes cannot be had. What was read to the end is whole.
        """
        return self._live().opened.downloads.stream(result)

    async def upload(
        self,
        source: str | os.PathLike[str] | bytes,
        *,
        name: str | None = None,
        progress: "UploadProgress | None" = None,
    ) -> str:
        """Put a local file where the service can fetch it, and return its URL.

        The service deletes it after 24 hours; `hooks.Uploaded` says when. Inputs take a `Path` or bytes themselves,
        and then it is uploaded just before it is needed: call this for a URL that is to be used elsewhere.

        What may pass (no connection, 5xx, a signed address that has expired) is tried again for about a minute.
        The name of the file does not leave this machine.

        Args:
            source: A path, or the content itself. A file is read piece by piece and never held in memory.
            name: What the file is called, where neither its own name nor its first bytes tell what it is.
            progress: Called on the loop with the bytes that were sent and the bytes in all, from 0 on with each
                attempt. What it raises is logged.

        Raises:
            InputError: There is no such file, it is empty, or it is no image, video or audio file.
            UploadError: It was refused, or could not be sent, or was changed meanwhile.
            ApiError: The service refused the key or the account.

        Money: none.

        Cancellation: leaves nothing behind on this machine.
        """
        return await self._live().opened.uploads.upload(source, name, progress)

    def statistics(self) -> SessionStatistics:
        """Return the session in numbers, also after closing.

        Raises:
            ConfigurationError: The session was never opened.
        """
        opened = self._opened
        if opened is None:
            raise ConfigurationError(NOT_OPEN)
        counts, slots, budget = opened.register.counts, opened.register.slots.statistics(), opened.register.budget
        return SessionStatistics(
            limit=slots.limit,
            in_progress=slots.in_progress,
            on_wire=slots.on_wire,
            waiting=slots.waiting,
            foreign=slots.foreign,
            pending=len(opened.register.running),
            creates=opened.exchange.creates,
            accepted=counts.accepted,
            refusals=counts.refusals,
            unknown=counts.unknown,
            polls=counts.polls,
            polls_failed=counts.polls_failed,
            succeeded=counts.succeeded,
            failed=counts.failed,
            deliveries=counts.deliveries,
            credits_reserved=budget.reserved,
            credits_used=budget.used,
            credits_maybe=budget.maybe,
            groups=opened.register.groups.statistics(),
            older_groups=opened.register.groups.older(),
            gate=opened.gatekeeper.gate.reason or "open",
        )

    def _begun(self) -> None:
        assert self._opened is not None
        register = self._opened.register
        register.tell_limit()
        if register.hooks:
            register.hooks.call(SessionBegun(self.statistics))

    async def _result_of(self, source: TaskHandle | str) -> VideoResult:
        if isinstance(source, TaskHandle):
            return await source
        register = self._live().opened.register
        if source not in register.tasks and register.kept.by_task(source) is None:
            snapshot = await self.snapshot(source)
            if snapshot.status == SUCCESS:
                return result_of(snapshot)
            if snapshot.status == FAIL:
                raise task_failed(source, snapshot.error)
        return await self.attach(source)
