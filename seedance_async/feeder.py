"""The feeder: what waiting jobs need is uploaded before their turn comes, the next ones first.

1. A job with local files is held in the queue until all of them are at the service. It keeps its place, and jobs behind
   it leave before it meanwhile, so that no slot stands empty for a file.
2. The next jobs in leaving order are prepared, twice as many as there are slots and at least `LEAST_AHEAD`: far enough
   ahead for slots never to wait, and not so far that uploads are deleted before they are used. A few files are on their
   way at a time.
3. Each content is uploaded once while it lasts, with `SPARE` to go; jobs that need it at the same time share one.
4. A file that is refused ends the jobs that need it and nothing else. What says nothing about the file is tried again,
   for as long as a job with patience waits for it.
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
#: Seconds that an upload must still last when a create leaves: the service may fetch it late.
SPARE: Final = 3600.0
#: Uploads that are remembered: an address each.
_MOST_KEPT: Final = 4096


@define(eq=False)
class _Flight:
    """One upload and those who wait for it.

    Attributes:
        task: Its result is what was uploaded, or the error as a template.
        waiting: Jobs that want it.
        patient: Whether one of them waits out any outage.
        failing_since: Loop time of its first failure.
    """

    task: "asyncio.Task[Kept | SeedanceError]" = field(init=False)
    waiting: int = 0
    patient: bool = False
    failing_since: float | None = None


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
        return True

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
        if job in self._at_work or job.settled:
            return
        self.register.slots.hold(job)
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
        job.uploaded = tuple(kept for _, kept in uploaded)
        job.urls = {material.content: kept.url for material, kept in uploaded}
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
        known = self._kept.get(sha256)
        if known is not None and self._lasts(known):
            return known
        flight = self._flights.get(sha256)
        if flight is None:
            flight = self._flights[sha256] = _Flight()
            flight.task = self._task(self._fly(flight, material, sha256))
        flight.waiting += 1
        flight.patient = flight.patient or job.patient
        try:
            await asyncio.wait({flight.task})
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._land(flight, sha256)
                flight.task.cancel()
        # One that was given up is so because the session closes: whoever waits for it is cancelled as well.
        found = flight.task.result()
        if isinstance(found, SeedanceError):
            raise same_error(found)
        return found

    async def _fly(self, flight: _Flight, material: Material, sha256: str) -> Kept | SeedanceError:
        async def wait(why: TryLater, _failures: int, delay: float) -> None:
            await self._wait(flight, material, why, delay)

        try:
            kept = await self.uploads.send(material, wait)
        except SeedanceError as error:
            return error.with_traceback(None)
        finally:
            self._land(flight, sha256)
        self._kept[sha256] = kept
        self._kept.move_to_end(sha256)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return kept

    async def _wait(self, flight: _Flight, material: Material, why: TryLater, delay: float) -> None:
        now = self.register.now()
        flight.failing_since = now if flight.failing_since is None else flight.failing_since
        if why.of_api:
            self.gatekeeper.heard_no_upload(why.reason)
        if not flight.patient and now - flight.failing_since >= self.retry.give_up_after:
            raise UploadError(why.reason, material.path)
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

    def _lasts(self, kept: Kept) -> bool:
        """Whether an upload is there for long enough, by both clocks: one stands still while the machine sleeps."""
        in_time = self.register.now() + SPARE <= kept.until_loop
        return in_time and self.uploads.wall() + timedelta(seconds=SPARE) <= kept.until
