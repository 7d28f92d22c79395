"""The records that hooks are called with, and the order in which they come.

Records are frozen and hold no key of the API, no prompt and no signed link. Each hook hears all of them in the order
in which things happened. Of one job it hears:

1. `Queued`, in the context of whoever asked for the job; or `Attached`, where the task exists already.
2. `SlotAcquired` and each `AttemptEnded`, until one was accepted or the job is over. A `Refusal`, or an attempt that
   was "not sent", puts the job back into the queue; a `PossibleDouble` comes before an attempt that repeats another.
3. `Accepted`, once, when the task id is written down where there is a journal; then each `StatusChanged`.
4. `Finished`, once, as the last but for what follows from the end: `Drift` right before it, `Unclaimed` right after.

A job may begin again after its `Finished`: its key is used for another attempt, or its task id was learned after all.
A session that closes ends its queued jobs with `Finished` and tells nothing more of tasks that run: `SessionEnded` is
the last record of all.
"""

from collections.abc import Callable
from decimal import Decimal

from attrs import frozen

from seedance_async.file_events import DownloadEnded, DownloadProgress, DownloadStarted, Uploaded
from seedance_async.statistics import SessionStatistics


@frozen
class SessionBegun:
    """The session is open.

    Attributes:
        statistics: The session's own method, for those who show it in numbers; may be called from another thread.
    """

    statistics: Callable[[], SessionStatistics]


@frozen
class SessionEnded:
    """The session is closed, or its background work failed; nothing is told after this.

    Attributes:
        reason: What its background work failed with; None for a session that was closed.
        task_ids: Tasks that were accepted and not seen to end.
    """

    reason: str | None = None
    task_ids: tuple[str, ...] = ()


@frozen
class Queued:
    """A job took its place in the queue.

    Attributes:
        group: Its group; None for that of all jobs without one.
        model: As our catalogue calls it.
        credits: What it costs by list price; None where that is not known.
        waiting: Jobs that wait for a slot, this one included.
    """

    key: str
    group: str | None = None
    model: str | None = None
    credits: Decimal | None = None
    waiting: int | None = None


@frozen
class Attached:
    """A task that exists already is watched from now on, and holds a slot unless it was seen to end before.

    Attributes:
        model: As our catalogue calls it; None for a task of which only the id is known.
        group: The job's group; None for that of all jobs without one.
    """

    key: str
    task_id: str
    model: str | None = None
    group: str | None = None


@frozen
class SlotAcquired:
    """A job got a slot; its create is about to leave.

    Attributes:
        waited: Seconds since the job was queued; refusals in between count.
        number: Which attempt of the job is about to leave, 1 for its first.
    """

    key: str
    waited: float = 0.0
    number: int = 1


@frozen
class AttemptEnded:
    """A create ended.

    Attributes:
        outcome: `"accepted"`, `"rejected"`, `"not sent"` or `"unknown"`.
        reason: What was seen, with secrets removed; None for an accepted one.
        number: Which attempt of the job it was, 1 for its first.
        status: The HTTP status; None where no answer came.
        seconds: How long it was on the wire.
        error: The name of the error's class, such as `"BadRequestError"`; None for an accepted one.
    """

    key: str
    outcome: str
    reason: str | None = None
    number: int = 1
    status: int | None = None
    seconds: float = 0.0
    error: str | None = None


@frozen
class Accepted:
    """The service accepted a task; credits are reserved from now on (None: the price is not known).

    Attributes:
        waited: Seconds since the job was queued.
    """

    key: str
    task_id: str
    credits: Decimal | None
    waited: float = 0.0


@frozen
class PollEnded:
    """A poll was answered, or was not.

    Attributes:
        key: The job's; None for a probe, which asks for a task that does not exist.
        status: The HTTP status; None where no answer came.
        seconds: How long it was on the wire.
    """

    key: str | None
    task_id: str | None
    status: int | None
    seconds: float


@frozen
class StatusChanged:
    """A poll saw something new of a task.

    Attributes:
        status: The service's word.
        previous: Its word before.
        seconds: Seconds since the task was accepted.
        credits_used: As the service says; None where it does not.
    """

    key: str
    task_id: str
    status: str
    previous: str
    seconds: float = 0.0
    credits_used: Decimal | None = None


@frozen
class WaitEnded:
    """The wait for a task ended before the task did; it is watched on, and those who await it get an error.

    Attributes:
        error: The name of the error's class, such as `"TaskTimeoutError"`.
        reason: The error's text.
    """

    key: str
    task_id: str
    error: str
    reason: str


@frozen
class Finished:
    """A job is over: nothing more happens to it by itself.

    Attributes:
        state: The job's last state: `"succeeded"`, `"failed"`, `"refused"`, `"withdrawn"`, `"unknown"` or `"gone"`.
        error: The name of the error's class, such as `"TaskFailedError"`; None for a success.
        reason: The error's text; None for a success.
        charged: Whether it costs something: `"yes"`, `"no"` or `"maybe"`.
        credits_used: What the service says that it cost; None where it did not say.
        attempts: Creates that left for it.
        seconds: Seconds since the job was queued or attached.
        ran: Seconds since its task was accepted; None for a job that was not.
        group: Its group; None for that of all jobs without one.
    """

    key: str
    task_id: str | None
    state: str
    error: str | None = None
    reason: str | None = None
    charged: str = "no"
    credits_used: Decimal | None = None
    attempts: int = 0
    seconds: float = 0.0
    ran: float | None = None
    group: str | None = None


@frozen
class Unclaimed:
    """A task ended, and nobody holds its handle: its result is kept for `attach`, see `AsyncSeedance.attach`."""

    key: str
    task_id: str
    state: str


@frozen
class SlotGivenUp:
    """A task did not end for so long that its slot is used again; it is still watched."""

    key: str
    task_id: str


@frozen
class Refusal:
    """The service answered a create with 429; nothing was charged and the job waits on.

    Attributes:
        limit: The account's slots, as far as the answer says.
        current: How many of them are in use, as far as it says.
        retry_after: Seconds the service asks to wait; None where it does not.
    """

    key: str
    limit: int | None
    current: int | None
    retry_after: float | None = None


@frozen
class LimitChanged:
    """The number of slots changed."""

    limit: int
    previous: int | None = None


@frozen
class GateClosed:
    """No create leaves for now: the service is not reached, fails, or loses creates."""

    reason: str


@frozen
class GateOpened:
    """Creates leave again; they did not for so many seconds."""

    seconds: float = 0.0


@frozen
class PossibleDouble:
    """A create is sent again after a 500; if the first one was accepted all the same, it is paid twice.

    Attributes:
        credits: What would be paid twice, by list price; None where that is not known.
    """

    key: str
    reason: str
    credits: Decimal | None = None


@frozen
class Drift:
    """What the service did differs from what was asked or quoted.

    Attributes:
        what: `"credits"` or `"size"`.
        expected: What the catalogue or the request says.
        actual: What the service says.
    """

    key: str
    task_id: str
    what: str
    expected: str
    actual: str


HookEvent = (
    SessionBegun
    | SessionEnded
    | Queued
    | Attached
    | SlotAcquired
    | AttemptEnded
    | Accepted
    | PollEnded
    | StatusChanged
    | WaitEnded
    | Finished
    | Unclaimed
    | SlotGivenUp
    | Refusal
    | LimitChanged
    | GateClosed
    | GateOpened
    | PossibleDouble
    | Drift
    | DownloadStarted
    | DownloadProgress
    | DownloadEnded
    | Uploaded
)
"""Any record that a hook is called with."""
