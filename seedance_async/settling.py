"""What settles a create of unknown outcome: a delivery to its own callback URL, confirmed by the service.

A delivery is never believed. The token says which create it is about, because nobody else was given that URL; whether
the task exists, is this account's and was made when that create was on the wire is asked of the service. Then the job
goes the way of `attach(task_id, key=...)`.

1. An id that is known to this session or its journal belongs to the create that made it, and is refused.
2. A task that is not there (404), or of somebody else (403), was not made by us: nothing happens.
3. Where the service is not reached it is asked again, some times: a delivery is sent once.
4. A job that is to be sent again after a 500 is not, once the service knows the task of its first create.
5. One question at a time, and few for one job: whoever knows a URL can send ids without end.
"""

import asyncio
import heapq
import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from attrs import define, field

from seedance_async.callbacks import Callbacks
from seedance_async.clock import Alarm
from seedance_async.core.callback import fits
from seedance_async.core.lifecycle import State
from seedance_async.errors import ApiError, ConnectionFailedError, SeedanceError, ServerError
from seedance_async.fetching import Refresh
from seedance_async.job import Job
from seedance_async.register import Register

logger = logging.getLogger("seedance_async")

#: Seconds until the service is asked again that was not reached.
_AGAIN: Final = (2.0, 10.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0)
_MOST_WAITING: Final = 200
_MOST_PER_KEY: Final = 8
#: Least seconds between two questions.
_PAUSE: Final = 0.1

Settle = Callable[[str, Job | None, str], None]
"""Let the job of a key, this one where it is of this session alone, run with a task id; may raise `SeedanceError`."""


@define(eq=False)
class Hint:
    """A task id that may be that of a create whose outcome is unknown."""

    task_id: str
    token: str = field(repr=False)
    key: str
    job: Job | None
    tries: int = 0


@define(eq=False)
class Settling:
    """Settles creates of one open session.

    Attributes:
        settle: Does it; set when the session opens.
    """

    register: Register
    callbacks: Callbacks
    ask: Refresh
    settle: Settle | None = field(init=False, default=None)
    _waiting: list[tuple[float, int, Hint]] = field(init=False, factory=list[tuple[float, int, Hint]])
    _count: int = field(init=False, default=0)
    _asked: Counter[str] = field(init=False, factory=Counter[str])
    _alarm: Alarm = field(init=False, factory=Alarm)

    def begin(self, hint: Hint) -> None:
        """Take in a hint; it is looked into by and by."""
        if len(self._waiting) >= _MOST_WAITING or self._asked[hint.key] >= _MOST_PER_KEY:
            return
        if any(other.key == hint.key and other.task_id == hint.task_id for _, _, other in self._waiting):
            return
        self._asked[hint.key] += 1
        self._put(hint, self.register.now())

    async def run(self) -> None:
        """Look into hints, for as long as the session lives."""
        while True:
            await self._alarm.wait_until(self._waiting[0][0] if self._waiting else None)
            while self._waiting and self._waiting[0][0] <= self.register.now():
                hint = heapq.heappop(self._waiting)[2]
                try:
                    await self._look_into(hint)
                except Exception:
                    # A mistake of this package: whoever sends a hint must not be able to end the session by it.
                    logger.exception("a hint about job %s could not be looked into", hint.key)
                await asyncio.sleep(_PAUSE)

    def _put(self, hint: Hint, moment: float) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (moment, self._count, hint))
        self._alarm.ring()

    async def _look_into(self, hint: Hint) -> None:
        if not self._may_be(hint):
            return
        try:
            snapshot = await self.ask(hint.task_id)
        except SeedanceError as error:
            self._not_told(hint, error)
            return
        # The job may have been settled, or tried again, while the answer was on its way.
        creates = self.callbacks.creates_of(hint.token, hint.job, hint.key)
        if not self._may_be(hint) or self.settle is None:
            return
        if not fits(creates, snapshot.created_at, self.register.timeouts.create):
            logger.warning(
                "a webhook named a task for a create of unknown outcome that was not made while that was on the wire; "
                "it is left alone"
            )
            return
        if hint.job is not None and hint.job.state is State.SENDING:
            # Perhaps in the pause before its repeat, which is left out now; if not, its answer comes first.
            assert hint.job.callback is not None
            hint.job.callback.confirmed = True
            self._later(hint)
            return
        try:
            self.settle(hint.key, hint.job, hint.task_id)
        except SeedanceError as error:
            logger.warning("a task that a webhook named was not taken over: %s", error)
            return
        if hint.job is not None and hint.job.callback is not None:
            # Its webhook has come: none is waited for any more.
            hint.job.callback.heard_at = self.register.now()
        logger.info("a webhook told the task of a create whose outcome was unknown")

    def _may_be(self, hint: Hint) -> bool:
        return bool(self.callbacks.creates_of(hint.token, hint.job, hint.key)) and not self._is_known(hint.task_id)

    def _is_known(self, task_id: str) -> bool:
        running, keeper = self.register.tasks.get(task_id), self.register.entries.keeper
        if running is not None and running.request is not None:
            return True
        return task_id in self.register.owners or (keeper is not None and keeper.key_of(task_id) is not None)

    def _not_told(self, hint: Hint, error: SeedanceError) -> None:
        passing = isinstance(error, ConnectionFailedError | ServerError) or (
            isinstance(error, ApiError) and error.status in {200, 429}
        )
        if passing:
            self._later(hint)

    def _later(self, hint: Hint) -> None:
        if hint.tries < len(_AGAIN):
            hint.tries += 1
            self._put(hint, self.register.now() + _AGAIN[hint.tries - 1])
