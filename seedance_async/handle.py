"""The handle: what a user holds of a job. Awaiting it is waiting, not owning."""

import asyncio
import copy
import weakref
from collections.abc import AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING, Protocol

from attrs import define, field, frozen

from seedance_async.core.inputs import Inputs
from seedance_async.core.results import TaskSnapshot, VideoResult
from seedance_async.errors import JournalError, SeedanceError

if TYPE_CHECKING:
    from seedance_async.job import Job


class Desk(Protocol):
    """What a handle asks of its session."""

    def now(self) -> float:
        """Return the loop's time."""
        ...

    def withdraw(self, job: "Job") -> bool:
        """Take a queued job back."""
        ...

    def detach(self, job: "Job") -> None:
        """Forget a job for `pending` and `drain`."""
        ...

    def position(self, job: "Job") -> int | None:
        """Return the place in the queue."""
        ...


@frozen
class Estimate:
    """How long a task may take.

    Attributes:
        typical: Seconds such a task usually takes, from the catalogue.
        remaining: Seconds left of these; 0 for a task that takes longer than usual.
    """

    typical: float
    remaining: float


@frozen
class _Follower:
    """Turns a call with a job into one with its handle; equal to another with the same two."""

    handle: "TaskHandle"
    call: "Callable[[TaskHandle], None]"

    def __call__(self, _job: "Job") -> None:
        # Soon, not now: what it does must not fall into the middle of a change of state, nor what it raises.
        asyncio.get_running_loop().call_soon(self.call, self.handle)


@define(eq=False, repr=False)
class TaskHandle:
    """A job and, once it is accepted, its task.

    Await it for the result, as often and from as many tasks as you like; an awaiter that is cancelled changes
    nothing. Two handles are equal only if they are the same.
    """

    _job: "Job" = field(alias="job")
    _desk: Desk = field(alias="desk")

    @property
    def key(self) -> str:
        """The job's name on our side: the key that was given, or one that was made up."""
        return self._job.key

    @property
    def inputs(self) -> Inputs | None:
        """What was asked for; None for an attached task."""
        return None if self._job.request is None else self._job.request.inputs

    @property
    def task_id(self) -> str | None:
        """The service's id; None until the task is accepted."""
        return self._job.task_id

    @property
    def status(self) -> str:
        """`"queued"`, then the service's word: `"waiting"`, `"generating"`, `"success"`, `"fail"` or another.

        A job that ends without the service's word has ours: `"refused"`, `"withdrawn"`, `"unknown"` (the outcome of
        its create is not known) or `"gone"` (the service no longer answers for it).
        """
        return self._job.status

    @property
    def snapshot(self) -> TaskSnapshot:
        """What was last heard of the task."""
        return self._job.snapshot

    @property
    def position(self) -> int | None:
        """The place in the queue, 1 for the next; None for a job that does not wait. Linear in the queue."""
        return self._desk.position(self._job)

    @property
    def elapsed(self) -> float:
        """Seconds since the task was accepted, up to its end; since it was queued, for one that is not accepted."""
        job = self._job
        start = job.enqueued_at if job.task_id is None else job.accepted_at
        return max(0.0, (self._desk.now() if job.ended_at is None else job.ended_at) - start)

    @property
    def estimate(self) -> Estimate | None:
        """How long such a task usually takes and what is left of it; None for an attached or ended task."""
        job = self._job
        if job.request is None or job.state.ended:
            return None
        age = self.elapsed if job.task_id is not None else 0.0
        return Estimate(job.typical, max(0.0, job.typical - age))

    def done(self) -> bool:
        """Whether `await` would answer at once."""
        return self._job.settled

    def result(self) -> VideoResult:
        """Return the result without waiting.

        Raises:
            asyncio.InvalidStateError: There is neither a result nor a failure yet.
            SeedanceError: The failure, as from `await`.
        """
        job = self._job
        if job.result is not None:
            return job.result
        raise self._failure()

    def exception(self) -> SeedanceError | None:
        """Return the failure without waiting, or None for a success.

        Raises:
            asyncio.InvalidStateError: There is neither a result nor a failure yet.
        """
        return None if self._job.result is not None else self._failure()

    def __await__(self) -> Generator[object, None, VideoResult]:
        return self.wait().__await__()

    async def wait(self, timeout: float | None = None) -> VideoResult:
        """Wait for the result. A coroutine function: the way into `create_task`, TaskGroup and `asyncio.wait`.

        Args:
            timeout: Most seconds to wait; None waits for ever. It touches nothing but this wait.

        Raises:
            TimeoutError: `timeout` passed. The job goes on.
            TaskFailedError: The task failed and is refunded.
            TaskTimeoutError: The task did not end by its deadline. It stays in `session.pending` and is watched on;
                if it ends after all, the next await returns its result.
            OutcomeUnknownError: It is not known whether the task was accepted.
            ApiError: The service refused the create, or no longer answers for the task.
            ConnectionFailedError: The service was not reached for `RetryPolicy.give_up_after`.
            JournalError: The journal could not be written: nothing was sent or, where it has a `task_id`, the id of a
                paid task is only there; that one is watched on like one that timed out.
            SessionClosedError: The session closed first.

        Cancellation: the job goes on.
        """
        if timeout is None:
            while not self._job.settled:
                await self._job.changed()
        else:
            async with asyncio.timeout(timeout):
                while not self._job.settled:
                    await self._job.changed()
        return self.result()

    async def accepted(self) -> str:
        """Wait until the service accepted the task and return its id.

        Raises:
            JournalError: The task was accepted and its id could not be written down; the error has it.
            SeedanceError: The job ended without being accepted, see `wait`.

        Cancellation: the job goes on.
        """
        job = self._job
        while (job.task_id is None or job.noting) and not job.settled:
            await job.changed()
        if job.task_id is not None and not isinstance(job.failure, JournalError):
            return job.task_id
        raise self._failure()

    async def updates(self) -> AsyncIterator[TaskSnapshot]:
        """Yield the present snapshot, then each change, and end after the last one without raising.

        Any number of readers may follow one handle; each sees every change.
        """
        job = self._job
        # Before the first yield: a reader that takes its time with the present must not miss what follows.
        reader = None if job.settled else job.add_reader()
        try:
            yield job.snapshot
            while reader is not None and (snapshot := await reader.get()) is not None:
                yield snapshot
        finally:
            if reader is not None:
                job.remove_reader(reader)

    def cancel(self) -> bool:
        """Take the job back if nothing was sent.

        Returns:
            True if it was taken back: it costs nothing, and its awaiters get `WithdrawnError`, also those who have
            the handle by the same key. False if a create is on the wire, may have been accepted, or the task runs:
            the service cannot cancel.
        """
        return self._desk.withdraw(self._job)

    def detach(self) -> None:
        """Leave `session.pending` and `drain`. The task goes on, its slot stays counted, awaiting still works."""
        self._desk.detach(self._job)

    def add_done_callback(self, call: "Callable[[TaskHandle], None]") -> None:
        """Call `call` with this handle soon after it is done, or soon if it is. Must not block."""
        follower = _Follower(self, call)
        if self._job.settled:
            follower(self._job)
        else:
            self._job.follow(follower)

    def remove_done_callback(self, call: "Callable[[TaskHandle], None]") -> None:
        """Take back an `add_done_callback`."""
        self._job.unfollow(_Follower(self, call))

    def _failure(self) -> SeedanceError:
        failure = self._job.failure
        if failure is None:
            raise asyncio.InvalidStateError(f"job {self.key!r} is {self.status} and has no result yet")
        # Each awaiter raises one of its own: a shared exception would collect every awaiter's traceback.
        return copy.copy(failure)

    def __repr__(self) -> str:
        task = "" if self.task_id is None else f" task_id={self.task_id!r}"
        return f"<TaskHandle key={self.key!r}{task} status={self.status!r}>"


def handle_of(job: "Job", desk: Desk) -> TaskHandle:
    """Return the handle of a job: the one that somebody holds, or a new one.

    The job holds it weakly. A cycle of the two would keep every finished job until the garbage collector comes.
    """
    handle = None if job.handle is None else job.handle()
    if handle is None:
        handle = TaskHandle(job, desk)
        job.handle = weakref.ref(handle)
    return handle
