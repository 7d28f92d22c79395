"""The emulated service without its network: one account, its tasks, its money.

Pure: no clock, no sockets, no chance of its own. Every method takes `now` (seconds, never going back) and the random
generator is handed in, so the same calls give the same world. The order of checks on a create is: key, envelope,
model, inputs, slots, credits; a refused create changes nothing but the counts.
"""

import heapq
import re
import string
from collections.abc import Callable, Iterable
from decimal import Decimal
from random import Random
from typing import Any, Final

from attrs import frozen

from seedance_async.testing import answers
from seedance_async.testing.answers import Answer
from seedance_async.testing.durations import DurationModel, TypicalDurations
from seedance_async.testing.failures import FAILURES, Failure, Marks, read_marks
from seedance_async.testing.keys import DEMO, KeyState, check_key
from seedance_async.testing.money import Money
from seedance_async.testing.orders import Order, OrderReader
from seedance_async.testing.statistics import Statistics, Tally
from seedance_async.testing.tasks import (
    PLAIN,
    SAMPLES,
    SETTLE_AFTER,
    FileUrl,
    Twist,
    WorldTask,
    record,
    sample_record,
)

#: Unix time at world time 0 of a world that is given none (the contract's own example).
DEFAULT_EPOCH: Final = 1789985778.346

_TASK_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,255}")
_ALPHABET: Final = string.ascii_lowercase + string.digits
_FOREVER: Final = float("inf")


@frozen
class Accepted:
    """A create that made a task.

    Attributes:
        task: The task.
        answer: What the service says.
    """

    task: WorldTask
    answer: Answer


class World:
    """One account of the emulated service and all its tasks.

    Attributes:
        limit: Tasks that may be in progress at once; may be changed at any time.
        foreign: Slots taken by others who use the account, such as its owner on the website; may be changed.
        money: The credits; `money.available` may be changed.
        keys: API key -> its state; may be changed.
        failure_rate: Part of the tasks, 0 to 1, that fail without a mark in their prompt.
        failure_names: Which failures those are, names of `failures.FAILURES`, drawn evenly.
        tasks: Every task by id, the oldest first.
        read: How a create request is understood: the catalogue and its forms.
        speed: How many times faster than the real service tasks go; for tasks made from now on.
        strangers: Ids of tasks that belong to another account; reading one is denied.
    """

    def __init__(
        self,
        *,
        limit: int = 3,
        credits: Decimal | int = 100_000,
        keys: Iterable[str] = ("test-key",),
        rng: Random | None = None,
        ids: Random | None = None,
        durations: DurationModel | None = None,
        speed: float = 1.0,
        failure_rate: float = 0.0,
        failure_names: Iterable[str] = ("server",),
        foreign: int = 0,
        epoch: float = DEFAULT_EPOCH,
        file_url: FileUrl | None = None,
        read: OrderReader | None = None,
    ) -> None:
        self.limit = limit
        self.foreign = foreign
        self.money = Money(Decimal(credits))
        self.keys: dict[str, KeyState] = dict.fromkeys(keys, "active")
        self.failure_rate = failure_rate
        self.failure_names = tuple(failure_names)
        self.epoch = epoch
        self.tasks: dict[str, WorldTask] = {}
        self.strangers: set[str] = set()
        self.tally = Tally()
        self._rng = rng or Random(0)  # noqa: S311 - a game of chance that must repeat
        # Apart from the rest, so that new ids change nothing else.
        self._ids = ids or Random(0)  # noqa: S311
        self._durations = durations or TypicalDurations()
        self.speed = speed
        self._file_url = file_url or _vendor_url
        self.read = read or OrderReader()
        self._held = 0
        # What is due: (time, number, what, task). The number keeps equal times in their order.
        self._due: list[tuple[float, int, Callable[[WorldTask], None], WorldTask]] = []
        self._numbers = 0

    @property
    def in_progress(self) -> int:
        """Tasks of this account that hold a slot, as of the last call with a time."""
        return self._held

    def advance(self, now: float) -> None:
        """Let everything happen that is due by `now`: ends, refunds, slots given back, settlements."""
        while self._due and self._due[0][0] <= now:
            _, _, happen, task = heapq.heappop(self._due)
            happen(task)

    def create(
        self,
        body: object,
        *,
        key: str | None,
        now: float,
        twist: Twist = PLAIN,
        read: OrderReader | None = None,
        missing: Callable[[str], bool] | None = None,
    ) -> Accepted | Answer:
        """Handle a create request.

        Args:
            body: The JSON value that was sent; anything that is not JSON is given as None.
            key: The API key, or None where the header is missing.
            now: World time.
            twist: What is to be odd about the task.
            read: Reads this one request, instead of the world's own reader.
            missing: Whether there is nothing to be fetched from a URL; the world itself fetches nothing.
        """
        self.advance(now)
        self.tally.create(body, key)
        outcome = self._create(body, key, now, twist, read or self.read)
        if isinstance(outcome, Answer):
            self.tally.refuse(outcome.status)
        else:
            if missing is not None and outcome.task.failure is None:
                outcome.task.failure = _first_missing(outcome.task.order, missing)
            self.tally.accept(outcome.task.order.prompt, self._held)
        return outcome

    def cut_create(self, body: object, *, key: str | None) -> None:
        """Count a create request that never reached the service."""
        self.tally.create(body, key)
        self.tally.cut += 1

    def cut_poll(self, task_id: str | None, *, now: float) -> None:
        """Count a request of `recordInfo` that never reached the service."""
        self.tally.poll(task_id or "", now)

    def record_info(self, task_id: str | None, *, key: str | None, now: float) -> Answer:
        """Handle a request of `recordInfo`."""
        self.advance(now)
        self.tally.poll(task_id or "", now)
        refusal = check_key(key, self.keys)
        if refusal is not None and refusal is not DEMO:
            return refusal
        if not task_id:
            return answers.MISSING_TASK_ID
        if not _TASK_ID.fullmatch(task_id):
            return answers.INVALID_TASK_ID
        if task_id in SAMPLES:
            return Answer(200, sample_record(task_id, self._file_url))
        if task_id in self.strangers or refusal is DEMO:
            return answers.ACCESS_DENIED
        task = self.tasks.get(task_id)
        if task is None or now < task.created_at + task.twist.visible_after:
            return answers.TASK_NOT_FOUND
        return Answer(200, self.record(task, now))

    def record(self, task: WorldTask, now: float) -> dict[str, Any]:
        """Return the body of `recordInfo` for a task, whoever asks."""
        return record(task, now, epoch=self.epoch, file_url=self._file_url)

    def statistics(self, now: float) -> Statistics:
        """Return what has happened up to `now`."""
        self.advance(now)
        money = self.money
        return Statistics(
            **self.tally.counts(),
            in_progress=self._held,
            foreign=self.foreign,
            limit=self.limit,
            credits_available=money.available,
            credits_reserved=money.reserved,
            credits_held=money.held,
            credits_refunded=money.refunded,
            credits_spent=money.spent,
        )

    def _create(self, body: object, key: str | None, now: float, twist: Twist, read: OrderReader) -> Accepted | Answer:
        refusal = check_key(key, self.keys)
        if refusal is not None or key is None:
            return answers.NOT_ENABLED if refusal is DEMO else refusal or answers.MISSING_HEADER
        order = read(body)
        if isinstance(order, Answer):
            return order
        current = self._held + self.foreign
        if current >= self.limit:
            return answers.over_the_limit(self.limit, current)
        price = order.credits * twist.credits_factor
        if price > self.money.available:
            return answers.insufficient_credits(price, self.money.available)
        task = self._new_task(order, key, price, now, twist)
        return Accepted(task, Answer(200, {"taskId": task.task_id}))

    def _new_task(self, order: Order, key: str, price: Decimal, now: float, twist: Twist) -> WorldTask:
        marks = read_marks(order.prompt)
        span = self._durations.draw(
            model=order.model, resolution=order.resolution, with_video=bool(order.videos), rng=self._rng
        )
        waiting, total = span.waiting, span.waiting + span.generating
        if marks.takes is not None:
            total = marks.takes
            waiting = min(waiting, total)
        if marks.waits is not None:
            waiting, total = marks.waits, max(total, marks.waits)
        ends_at = _FOREVER if marks.stuck else now + total / self.speed
        task = WorldTask(
            task_id="task_" + "".join(self._ids.choices(_ALPHABET, k=24)),
            order=order,
            key=key,
            created_at=now,
            generating_at=now + waiting / self.speed,
            ends_at=ends_at,
            frees_at=ends_at + twist.slot_lingers,
            failure=self._fate(order, marks),
            credits=price,
            seed=self._rng.randrange(2**32) if order.seed in {None, -1} else order.seed or 0,
            twist=twist,
        )
        self.tasks[task.task_id] = task
        self._held += 1
        self.money.reserve(price)
        # A task that is stuck never comes due.
        if not marks.stuck:
            self._schedule(task.ends_at, self._end, task)
            self._schedule(task.frees_at, self._free, task)
        return task

    def _fate(self, order: Order, marks: Marks) -> Failure | None:
        # One draw for every task, so that a mark in one prompt does not change the fate of the others.
        unlucky = self._rng.random() < self.failure_rate
        name = self._rng.choice(self.failure_names) if unlucky else None
        if marks.failure is not None:
            before = self.tally.accepted_by_prompt.get(order.prompt, 0)
            return marks.failure if marks.fail_times is None or before < marks.fail_times else None
        name = order.doomed or name
        return None if name is None else FAILURES[name]

    def _end(self, task: WorldTask) -> None:
        task.ended = True
        if task.failure is not None:
            self.tally.failed += 1
            self.money.refund(task.credits)
            return
        self.tally.succeeded += 1
        self.money.spend(task.credits)
        if task.order.settled is not None:
            self._schedule(task.ends_at + SETTLE_AFTER, self._settle, task)

    def _settle(self, task: WorldTask) -> None:
        settled = task.order.settled
        assert settled is not None
        task.settled = True
        self.money.settle(task.credits, settled)

    def _free(self, _task: WorldTask) -> None:
        self._held -= 1

    def _schedule(self, at: float, happen: Callable[[WorldTask], None], task: WorldTask) -> None:
        self._numbers += 1
        heapq.heappush(self._due, (at, self._numbers, happen, task))


def _first_missing(order: Order, missing: Callable[[str], bool]) -> Failure | None:
    """Return how a task fails whose references cannot all be fetched; the index counts from 1 in each kind."""
    for kind, urls in (("image", order.images), ("video", order.videos), ("audio", order.audios)):
        for number, url in enumerate(urls, 1):
            if missing(url):
                return Failure("asset_review_failed", f"Reference {kind} {number} failed review. Please replace it.")
    return None


def _vendor_url(task_id: str, name: str) -> str:
    return f"https://static.kinovi.ai/videos/{task_id}/{name}"
