"""The feeder: what waiting jobs need is uploaded before their turn comes, the next ones first.

1. A job with local files is held in the queue until all of them are at the service. It keeps its place, and jobs behind
   it leave before it meanwhile, so that no slot stands empty for a file.
2. The next jobs in leaving order are prepared, twice as many as there are slots and at least `LEAST_AHEAD`: far enough
   ahead for slots never to wait, and not so far that uploads are deleted before they are used. A few files are on their
   way at a time.
3. Each content is uploaded once while it lasts, with `SPARE` to go; jobs that need it at the same time share one. A job
   whose files are all there already is not held.
4. A file that is refused ends the jobs that need it and nothing else. One that is gone or was changed ends the jobs
   that named it; others with the same content upload theirs. What says nothing about the file is tried again, for each
   job as long as its patience lasts.
5. A job that has left the queue wants nothing any more; an upload that nobody wants is given up.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine
from contextvars import Context
from datetime import timedelta
from typing import Any, Final, TypeVar

from attrs import define, evolve, field

from seedance_async.contents import ContentError
from seedance_async.core.inputs import place_of
from seedance_async.core.lifecycle import Event, State
from seedance_async.core.media_types import Material
from seedance_async.core.names import shown
from seedance_async.core.request import Request
from seedance_async.core.retry import RetryPolicy
from seedance_async.core.uploading import TryLater
from seedance_async.core.wire import NO_URLS
from seedance_async.errors import ApiError, InputError, Problem, SeedanceError, UploadError, concerns_everything
from seedance_async.gatekeeper import Gatekeeper
from seedance_async.job import Job
from seedance_async.library import CHANGED_SINCE, Library
from seedance_async.register import Register, same_error
from seedance_async.uploads import Kept, Uploads

_T = TypeVar("_T")

logger = logging.getLogger("seedance_async")

#: Jobs that are prepared ahead, however few slots there are.
LEAST_AHEAD: Final = 8
#: Seconds that an upload must still last when a create leaves: the service may fetch it late. Half of the whole time is
#: enough where that is short: a new upload would be no better.
SPARE: Final = 3600.0
#: Uploads that are remembered: an address each.
_MOST_KEPT: Final = 4096


@define(eq=False)
class _Flight:
    """One upload and those who wait for it.

    Attributes:
        task: Its result is what was uploaded, or the error as a template.
        waiting: Jobs that want it, and since when (loop time).
        failing_since: Loop time of its first failure.
        spoilt: Whether it failed by the one file that it was read from.
    """

    task: "asyncio.Task[Kept | SeedanceError]" = field(init=False)
    waiting: dict["_Waiter", float] = field(init=False, factory=dict["_Waiter", float])
    failing_since: float | None = None
    spoilt: bool = False


@define(eq=False)
class _Waiter:
    """A job that wants an upload.

    Attributes:
        patient: Whether it waits out any outage.
        lost_patience: Its result is why it waits no more.
    """

    patient: bool
    lost_patience: asyncio.Future[str] = field(factory=lambda: asyncio.get_running_loop().create_future())


@define(eq=False)
class Feeder:
    """Prepares the jobs of one session."""

    register: Register
    gatekeeper: Gatekeeper
    uploads: Uploads
    library: Library
    retry: RetryPolicy
    _at_work: dict[Job, asyncio.Task[None]] = field(init=False, factory=dict[Job, asyncio.Task[None]])
    _flights: dict[str, _Flight] = field(init=False, factory=dict[str, _Flight])
    _kept: OrderedDict[str, Kept] = field(init=False, factory=OrderedDict[str, Kept])
    _with_files: dict[Job, None] = field(init=False, factory=dict[Job, None])
    _tasks: set[asyncio.Task[Any]] = field(init=False, factory=set[asyncio.Task[Any]])
    _closing: bool = field(init=False, default=False)

    def expect(self, job: Job) -> bool:
        """Take note of a job that is about to be queued; return whether it is held until its files are uploaded."""
        if job.request is None or not job.request.materials:
            return False
        self._with_files[job] = None
        job.follow(self._left)
        uploads = [(material, self._there(material.sha256)) for material in job.request.materials]
        found = [(material, kept) for material, kept in uploads if kept is not None]
        if len(found) < len(uploads):
            return True
        _give(job, found)
        return False

    def taken(self, job: Job) -> None:
        """Forget a job that leaves the queue with all it needs."""
        if job in self._with_files:
            del self._with_files[job]
            job.unfollow(self._left)

    def feed(self) -> None:
        """Begin to prepare the jobs that leave next, as far as they need it."""
        if self._closing or not self._with_files:
            return
        slots = self.register.slots
        for holder in slots.upcoming(max(LEAST_AHEAD, 2 * slots.statistics().limit)):
            if isinstance(holder, Job) and holder in self._with_files and not self.is_ready(holder):
                self._begin(holder)

    def is_ready(self, job: Job) -> bool:
        """Whether a job needs no upload before its create leaves."""
        materials = () if job.request is None else job.request.materials
        return len(job.uploaded) == len(materials) and all(self._lasts(kept) for kept in job.uploaded)

    def again(self, job: Job) -> None:
        """Hold a job whose turn came when its uploads had run out; they are made anew."""
        if job not in self._with_files:
            self.expect(job)
        self._begin(job)

    async def aclose(self) -> None:
        """Give up all uploads and wait for their ends."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    # One job

    def _begin(self, job: Job) -> None:
        if job.settled:
            return
        # First, so that whoever takes the next waiter does not meet this one again and again.
        self.register.slots.hold(job)
        if job in self._at_work:
            return
        job.uploaded, job.urls = (), NO_URLS
        task = self._at_work[job] = self._task(self._prepare(job))
        task.add_done_callback(lambda _task: self._ended(job))

    def _left(self, job: Job) -> None:
        """Give up the preparation of a job that has ended."""
        self._with_files.pop(job, None)
        if (task := self._at_work.get(job)) is not None:
            task.cancel()

    def _ended(self, job: Job) -> None:
        self._at_work.pop(job, None)
        # Others may be next by now.
        self.register.alarm.ring()

    async def _prepare(self, job: Job) -> None:
        try:
            uploaded = await self._uploaded(job)
        except SeedanceError as error:
            self._failed(job, error)
        except Exception:
            logger.exception("a file of job %s could not be prepared", job.key)
            self._failed(job, UploadError("something unforeseen happened; the log has it"))
        else:
            self._prepared(job, uploaded)

    async def _uploaded(self, job: Job) -> list[tuple[Material, Kept]]:
        assert job.request is not None
        if not job.request.is_named:
            materials = tuple([await self._identified(job.request, material) for material in job.request.materials])
            job.request = evolve(job.request, materials=materials)
            self.register.entries.named(job)
        return [(material, await self._upload(job, material)) for material in job.request.materials]

    async def _identified(self, request: Request, material: Material) -> Material:
        place, given = place_of(request.inputs, material.content), shown(material.content)
        try:
            found = await self.uploads.identify(material)
        except ContentError as error:
            raise InputError([Problem(place, str(error), given)]) from None
        self.library.learn(found)
        expected = found.facts.expected
        if expected is not None and found.sha256 != expected:
            raise InputError([Problem(place, CHANGED_SINCE, given)])
        return found

    def _prepared(self, job: Job, uploaded: list[tuple[Material, Kept]]) -> None:
        if job.settled:
            return
        _give(job, uploaded)
        self.register.slots.ready(job)

    def _failed(self, job: Job, error: SeedanceError) -> None:
        if job.settled or job.state is not State.QUEUED:
            return
        self.register.end_unsent(job, Event.REFUSED, error)
        # As with a create: only the service itself knows keys and accounts.
        if concerns_everything(error) and isinstance(error, ApiError) and error.body is not None:
            self.register.end_everything(error)

    # One content

    async def _upload(self, job: Job, material: Material) -> Kept:
        sha256 = material.sha256
        assert sha256 is not None
        while True:
            known = self._there(sha256)
            if known is not None:
                return known
            flight = self._flights.get(sha256)
            is_own = flight is None
            if flight is None:
                flight = self._flights[sha256] = _Flight()
                flight.task = self._task(self._fly(flight, material, sha256))
            found = await self._landed(flight, _Waiter(job.patient), material, sha256)
            if isinstance(found, Kept):
                return found
            if is_own or not flight.spoilt:
                raise same_error(found)
            # It was read from another job's file, which is gone. This one's may be there.

    async def _landed(self, flight: _Flight, waiter: _Waiter, material: Material, sha256: str) -> Kept | SeedanceError:
        """Wait for an upload, for as long as the waiter's patience lasts."""
        flight.waiting[waiter] = self.register.now()
        try:
            either: tuple[asyncio.Future[Any], ...] = (flight.task, waiter.lost_patience)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del flight.waiting[waiter]
            if not flight.waiting and not flight.task.done():
                self._land(flight, sha256)
                flight.task.cancel()
        if not flight.task.done():
            return UploadError(waiter.lost_patience.result(), material.path)
        # One that was given up is so because the session closes: whoever waits for it is cancelled as well.
        return flight.task.result()

    async def _fly(self, flight: _Flight, material: Material, sha256: str) -> Kept | SeedanceError:
        async def wait(why: TryLater, _failures: int, delay: float) -> None:
            await self._wait(flight, why, delay)

        try:
            kept = await self.uploads.send(material, wait)
        except ContentError as error:
            flight.spoilt = True
            return UploadError(str(error), material.path)
        except SeedanceError as error:
            return error.with_traceback(None)
        finally:
            self._land(flight, sha256)
        self._kept[sha256] = kept
        self._kept.move_to_end(sha256)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return kept

    async def _wait(self, flight: _Flight, why: TryLater, delay: float) -> None:
        now = self.register.now()
        failing_since = flight.failing_since = now if flight.failing_since is None else flight.failing_since
        if why.of_api:
            self.gatekeeper.heard_no_upload(why.reason)
        for waiter, since in flight.waiting.items():
            waited = now - max(since, failing_since)
            if not waiter.patient and waited >= self.retry.give_up_after and not waiter.lost_patience.done():
                waiter.lost_patience.set_result(why.reason)
        await self.gatekeeper.settle(delay)

    def _task(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        # An empty context: what the caller of `open` had in its own is none of an upload's business.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _land(self, flight: _Flight, sha256: str) -> None:
        if self._flights.get(sha256) is flight:
            del self._flights[sha256]

    def _there(self, sha256: str | None) -> Kept | None:
        """Return a content's upload if it is there for long enough."""
        kept = None if sha256 is None else self._kept.get(sha256)
        return kept if kept is not None and self._lasts(kept) else None

    def _lasts(self, kept: Kept) -> bool:
        """Whether an upload is there for long enough, by both clocks: one stands still while the machine sleeps."""
        spare = min(SPARE, kept.lasts / 2)
        in_time = self.register.now() + spare <= kept.until_loop
        return in_time and self.uploads.wall() + timedelta(seconds=spare) <= kept.until


def _give(job: Job, uploaded: list[tuple[Material, Kept]]) -> None:
    """Let a job know where all of its files are."""
    job.uploaded = tuple(kept for _, kept in uploaded)
    job.urls = {material.content: kept.url for material, kept in uploaded}
