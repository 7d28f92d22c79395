"""A job: one row of the session. Ours, where a task is theirs.

Waiting costs a future for each waiter and nothing for a job that nobody waits for. The futures carry no result and
no exception: whoever wakes up looks at the job.
"""

import asyncio
import logging
import weakref
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from attrs import define, field

from seedance_async.core.ages import NEVER
from seedance_async.core.budget import ZERO
from seedance_async.core.haste import Haste
from seedance_async.core.kinds import Kind
from seedance_async.core.lifecycle import Event, State, step
from seedance_async.core.polling import Polling
from seedance_async.core.results import QUEUED, TaskSnapshot, VideoResult
from seedance_async.core.wire import NO_URLS
from seedance_async.errors import SeedanceError

if TYPE_CHECKING:
    from seedance_async.core.callback import Callback
    from seedance_async.core.request import Request
    from seedance_async.handle import TaskHandle
    from seedance_async.uploads import Kept

Place = Literal["waiting", "in progress"]
"""Waiting for a slot; or with a create on the wire or a task that was not yet seen to end."""

logger = logging.getLogger("seedance_async")

_QUEUED_SNAPSHOT = TaskSnapshot(task_id=None, status=QUEUED)


@define(eq=False)
class Job:
    """The row.

    Attributes:
        key: Its name on our side.
        request: What to send; None for an attached task, which was sent by somebody else.
        typical: Seconds such a task usually takes.
        patient: Whether it waits out any outage (`map`), or gives up with `ConnectionFailedError`.
        enqueued_at: Loop time.
        group: Whose it is; None for the group of all jobs without one.
        place: As what its group counts it.
        failure: A template, never raised itself: each awaiter gets a copy.
        waits_over: Whether the wait ended before the task did (deadline, failed polls, closed, 401).
        reserved: Credits held in the budget for it.
        repeats: How often its create was repeated after a 500.
        attempts: Creates that left for it, or tried to.
        claims: Callers that asked for it and may still want it; the last to go withdraws it while it is queued.
        visible_by: Until when a 404 means "not visible yet".
        misses: Polls that failed in a row.
        kind: What decides how long its task takes; None before it is looked at.
        phase: From 0 up to 1, its own: jobs that began together are polled apart.
        asked_at: When its last poll left, in the loop's time; when it was accepted, before the first.
        alive_at: Age at which its task was last seen running; negative before that.
        wish: How many polls per second it stands for.
        due: When its next poll is planned; entries of the poller's heap with another time are void.
        slot_until: When its slot is given up, after its deadline; None before.
        callback: Its callbacks, where its creates carry a URL of the session's; None otherwise.
        haste: What deliveries have done for its task; None before the first.
        of_journal: Whether a session before queued it, so that nobody in this one was promised an answer.
        counted: Whether this session counts its create among those of unknown outcome.
        journalled: Whether a journal has a record of its key; not so for a task that was attached by its id.
        uploaded: Its local files at the service, one for each of the request's materials; none before they are there.
        urls: The same by what the inputs hold.
        noting: Whether its task id is on its way into the journal; those who wait for it wait for that, too.
        announced: Whether hooks were told that its task was accepted.
    """

    key: str
    request: "Request | None"
    polling: Polling
    typical: float
    patient: bool
    enqueued_at: float
    group: str | None = None
    place: Place | None = None
    state: State = State.QUEUED
    snapshot: TaskSnapshot = _QUEUED_SNAPSHOT
    task_id: str | None = None
    result: VideoResult | None = None
    failure: SeedanceError | None = None
    waits_over: bool = False
    reserved: Decimal = ZERO
    repeats: int = 0
    attempts: int = 0
    claims: int = 1
    detached: bool = False
    accepted_at: float = 0.0
    visible_by: float = 0.0
    deadline: float = 0.0
    misses: int = 0
    kind: Kind | None = None
    phase: float = 0.5
    asked_at: float = 0.0
    alive_at: float = NEVER
    wish: float = 0.0
    due: float = -1.0
    slot_until: float | None = None
    ended_at: float | None = None
    callback: "Callback | None" = None
    haste: Haste | None = None
    of_journal: bool = False
    counted: bool = False
    journalled: bool = False
    noting: bool = False
    announced: bool = False
    uploaded: "tuple[Kept, ...]" = ()
    urls: Mapping[PurePath | bytes, str] = NO_URLS
    handle: "weakref.ref[TaskHandle] | None" = field(init=False, default=None, repr=False)
    _waiters: list[asyncio.Future[None]] | None = field(init=False, default=None, repr=False)
    _followers: "list[Callable[[Job], None]] | None" = field(init=False, default=None, repr=False)
    _readers: list[asyncio.Queue[TaskSnapshot | None]] | None = field(init=False, default=None, repr=False)

    @property
    def claimed(self) -> bool:
        """Whether anybody holds its handle or follows it. Whoever awaits it or reads its updates holds its handle."""
        return bool(self._followers) or (self.handle is not None and self.handle() is not None)

    def move(self, event: Event) -> None:
        """Take one step of the lifecycle."""
        self.state = step(self.state, event)

    @property
    def settled(self) -> bool:
        """Whether an awaiter need not wait: there is a result or a failure."""
        return self.failure is not None or self.result is not None

    @property
    def status(self) -> str:
        """The word for users: the service's, or ours while there is no task or it has no say any more."""
        match self.state:
            case State.QUEUED | State.SENDING:
                return QUEUED
            case State.RUNNING | State.SUCCEEDED | State.FAILED:
                return self.snapshot.status
            case _:
                return str(self.state.value)

    def settle(self, *, result: VideoResult | None = None, failure: SeedanceError | None = None) -> None:
        """Give the job its result or its failure, and call those who follow it."""
        self.conclude(result=result, failure=failure)
        self.call_followers()

    def conclude(self, *, result: VideoResult | None = None, failure: SeedanceError | None = None) -> None:
        """Give the job its result, or its failure as a template that was never raised."""
        self.result, self.failure = result, failure
        if failure is not None:
            failure.key = failure.key or self.key
            failure.task_id = failure.task_id or self.task_id

    def call_followers(self) -> None:
        """Call those who follow it, and forget them."""
        followers, self._followers = self._followers, None
        for follower in followers or ():
            try:
                follower(self)
            except Exception:
                # One that fails must not keep the others, and those who await the job, from waking up.
                logger.exception("a follower of job %s failed", self.key)

    def follow(self, follower: "Callable[[Job], None]") -> None:
        """Call `follower` once when there is a result or a failure; for those who follow many jobs."""
        assert not self.settled
        self._followers = [*(self._followers or ()), follower]

    def unfollow(self, follower: "Callable[[Job], None]") -> None:
        """Take a follower back."""
        self._followers = [other for other in self._followers or () if other != follower] or None

    def wake(self) -> None:
        """Wake everybody who waits for a change of this job."""
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def show(self, snapshot: TaskSnapshot) -> None:
        """Give a new snapshot to the readers of `updates`."""
        self.snapshot = snapshot
        for reader in self._readers or ():
            reader.put_nowait(snapshot)

    def end_updates(self) -> None:
        """Let the readers of `updates` end."""
        for reader in self._readers or ():
            reader.put_nowait(None)

    async def changed(self) -> None:
        """Wait for the next `wake`. Cancellation leaves nothing behind."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._forget(waiter)

    def _forget(self, waiter: asyncio.Future[None]) -> None:
        if self._waiters is not None and waiter in self._waiters:
            self._waiters.remove(waiter)

    def add_reader(self) -> "asyncio.Queue[TaskSnapshot | None]":
        """Begin to collect snapshots for one reader."""
        reader: asyncio.Queue[TaskSnapshot | None] = asyncio.Queue()
        self._readers = [*(self._readers or ()), reader]
        return reader

    def remove_reader(self, reader: "asyncio.Queue[TaskSnapshot | None]") -> None:
        """Stop to collect for a reader."""
        self._readers = [other for other in self._readers or () if other is not reader] or None
