"""The work behind `map`.

1. A feeder pulls inputs while fewer than `window` of them are under way or wait to be collected, and while there is
   room in the queue of the session. So a source of a
   hundred thousand inputs needs the memory of a window (and with keys, which hold for the session's life, some
   kilobytes for each), and a consumer that is slow stops the pulling.
2. A finished item holds no slot. Failures are data.
3. Leaving stops the pulling and withdraws what is queued. Creates on the wire and running tasks go on, into
   `session.pending`.
4. What concerns every input (401, 402, 403 for the account, a service never reached, the budget, a journal that cannot
   be written) ends the pulling; what runs is still yielded, then it is raised. So does an error of the source itself.
5. Where the inputs were put into another order, `places` says where each was in the source.
"""

import asyncio
import copy
import heapq
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from typing import Any, Protocol

from attrs import define, field

from seedance_async.core.inputs import Inputs
from seedance_async.errors import (
    BudgetExceededError,
    ConnectionFailedError,
    InputError,
    InsufficientCreditsError,
    JournalError,
    KeyConflictError,
    SeedanceError,
    SessionClosedError,
    TaskFailedError,
    concerns_everything,
)
from seedance_async.handle import TaskHandle
from seedance_async.items import Item, Source, Sources
from seedance_async.job import Job


class Submitter(Protocol):
    """What `map` asks of its session."""

    def start(self, source: str | Inputs, key: str | None, *, again: bool) -> Job:
        """Queue a job, patient in outages; `again` is another attempt at a failed one."""
        ...

    def handle(self, job: Job) -> TaskHandle:
        """Return the job's handle."""
        ...

    def withdraw(self, job: Job) -> object:
        """Give up the interest in a job, and take it back if nobody else has one."""
        ...

    def is_full(self) -> bool:
        """Whether as many jobs wait for a slot as may."""
        ...

    async def room(self) -> None:
        """Wait until one more job may wait for a slot."""
        ...

    def window(self) -> int:
        """Return how many inputs may be under way or wait to be collected."""
        ...


@define(eq=False)
class _Entry:
    """An input that is under way."""

    index: int
    source: str | Inputs
    attempts_left: int


@define(eq=False)
class Run:
    """The work behind one `Items`. It holds no reference to it, so that an abandoned one can be noticed."""

    _sources: Sources
    _submitter: Submitter
    _ordered: bool
    _attempts: int
    _places: Sequence[int] | None = None
    _open: dict[Job, list[_Entry]] = field(init=False, factory=dict[Job, list[_Entry]])
    _done: list[tuple[int, Item]] = field(init=False, factory=list[tuple[int, Item]])
    _outstanding: int = field(init=False, default=0)
    _started: int = field(init=False, default=0)
    _yielded: int = field(init=False, default=0)
    _arrived: int = field(init=False, default=0)
    _exhausted: bool = field(init=False, default=False)
    _stopped: bool = field(init=False, default=False)
    _withdrawn: bool = field(init=False, default=False)
    _fatal: BaseException | None = field(init=False, default=None)
    _room: asyncio.Event = field(init=False, factory=asyncio.Event)
    _ready: asyncio.Event = field(init=False, factory=asyncio.Event)
    _feeder: asyncio.Task[None] | None = field(init=False, default=None)

    def begin(self) -> None:
        """Begin to pull."""
        if self._feeder is None and not self._exhausted:
            self._feeder = asyncio.get_running_loop().create_task(self._feed())

    def stop(self) -> None:
        """Stop to pull, withdraw what is queued and forget the rest. Harmless when repeated."""
        self._stopped = True
        self._end_feed()
        for job in self._open:
            job.unfollow(self._settled)
        self._withdraw()
        self._open.clear()
        self._ready.set()

    def finish(self) -> None:
        """Stop to pull, withdraw what is queued, make no further attempts, and yield what runs."""
        for entries in self._open.values():
            for entry in entries:
                entry.attempts_left = 0
        self._end_feed()
        self._withdraw()
        self._ready.set()

    def end(self, error: SeedanceError) -> None:
        """Stop to pull; `error` is raised after what runs."""
        self._end(error)
        self._ready.set()

    async def stopped(self) -> None:
        """Wait until nothing is pulled any more."""
        if self._feeder is not None:
            await asyncio.wait([self._feeder])

    async def next(self) -> Item:
        """Return the next item.

        Raises:
            StopAsyncIteration: There is none.
        """
        while True:
            if self._done and (not self._ordered or self._done[0][0] == self._yielded):
                _, item = heapq.heappop(self._done)
                self._yielded += 1
                self._outstanding -= 1
                self._room.set()
                return item
            if self._exhausted and not self._open:
                fatal, self._fatal = self._fatal, None
                if fatal is not None and not self._stopped:
                    raise fatal
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()

    async def _feed(self) -> None:
        try:
            if isinstance(self._sources, AsyncIterable):
                await self._feed_from_async(self._sources)
            else:
                await self._feed_from(self._sources)
        except (asyncio.CancelledError, _EndOfFeedError):
            if not self._exhausted:
                # Not ours: whoever ended it, the source did not come to its end.
                self._fatal = RuntimeError("the source of map was cancelled before its end")
        except SeedanceError as error:
            self._fatal = copy.copy(error)
        except Exception as error:  # noqa: BLE001 (the user's own source; raised to the user after what runs)
            self._fatal = error
        finally:
            self._exhausted = True
            self._ready.set()

    async def _feed_from(self, sources: Iterable[Source]) -> None:
        iterator = iter(sources)
        while True:
            await self._has_room()
            try:
                source = next(iterator)
            except StopIteration:
                return
            self._give(source)

    async def _feed_from_async(self, sources: AsyncIterable[Source]) -> None:
        iterator = aiter(sources)
        try:
            while True:
                await self._has_room()
                try:
                    source = await anext(iterator)
                except StopAsyncIteration:
                    return
                self._give(source)
        finally:
            # An async generator that is left in the middle holds on to whatever it holds until it is told.
            close: Callable[[], Any] | None = getattr(iterator, "aclose", None)
            if close is not None:
                await close()

    async def _has_room(self) -> None:
        """Wait for room before an input is pulled: one that was pulled becomes an item, whatever happens."""
        while True:
            if self._outstanding >= self._submitter.window():
                self._room.clear()
                await self._room.wait()
            elif self._submitter.is_full():
                await self._submitter.room()
            else:
                return

    def _give(self, source: Source) -> None:
        if self._exhausted:
            # A source that suppressed the cancellation: what it gives now comes after the end.
            raise _EndOfFeedError
        entry, key = self._entry(source)
        self._outstanding += 1
        self._start(entry, key, again=False)
        if self._exhausted:
            raise _EndOfFeedError

    def _entry(self, source: Source) -> tuple[_Entry, str | None]:
        key: str | None = None
        # Whatever else a source may give is an input that is wrong, and becomes an item that says so.
        if isinstance(source, tuple) and len(source) == 2:
            key, source = source
        place = self._started if self._places is None else self._places[self._started]
        entry = _Entry(place, source, self._attempts - 1)
        self._started += 1
        return entry, key

    def _start(self, entry: _Entry, key: str | None, *, again: bool) -> None:
        try:
            job = self._submitter.start(entry.source, key, again=again)
        except (InputError, KeyConflictError) as error:
            self._put(entry, key, None, copy.copy(error))
        except (BudgetExceededError, SessionClosedError) as error:
            self._put(entry, key, None, copy.copy(error))
            self._end(copy.copy(error))
        else:
            if job.settled:
                self._collect(entry, job)
                return
            self._open.setdefault(job, []).append(entry)
            if len(self._open[job]) == 1:
                job.follow(self._settled)

    def _settled(self, job: Job) -> None:
        for entry in self._open.pop(job):
            self._collect(entry, job)

    def _collect(self, entry: _Entry, job: Job) -> None:
        failure = job.failure
        worth_another = isinstance(failure, TaskFailedError) and failure.kind == "server"
        if worth_another and entry.attempts_left > 0 and not self._stopped:
            entry.attempts_left -= 1
            self._start(entry, job.key, again=True)
            return
        self._put(entry, job.key, job, None if failure is None else copy.copy(failure))
        if failure is not None and _ends_everything(failure):
            self._end(copy.copy(failure))

    def _put(self, entry: _Entry, key: str | None, job: Job | None, error: SeedanceError | None) -> None:
        accepted = job is not None and job.task_id is not None
        item = Item(
            index=entry.index,
            key=key,
            inputs=entry.source,
            handle=self._submitter.handle(job) if job is not None and accepted else None,
            result=None if job is None else job.result,
            error=error,
        )
        self._arrived += 1
        # In the order of the source, or of arrival; neither number comes twice, so items are never compared.
        heapq.heappush(self._done, (entry.index if self._ordered else self._arrived, item))
        self._ready.set()

    def _end(self, error: SeedanceError) -> None:
        if self._fatal is None:
            self._fatal = error
        self._end_feed()

    def _withdraw(self) -> None:
        """Give up each job, once for each entry that asked for it; the interest of others keeps it."""
        if not self._withdrawn:
            self._withdrawn = True
            for job, entries in list(self._open.items()):
                for _ in entries:
                    self._submitter.withdraw(job)

    def _end_feed(self) -> None:
        # The feeder may be the one that ended it; it sees the mark itself.
        if self._feeder is not None and asyncio.current_task() is not self._feeder:
            self._feeder.cancel()
        self._exhausted = True


class _EndOfFeedError(Exception):
    """Leaves the source's loop, so that a generator behind it is closed."""


def _ends_everything(error: SeedanceError) -> bool:
    own = isinstance(error, InsufficientCreditsError | ConnectionFailedError | SessionClosedError | JournalError)
    return own or concerns_everything(error)
