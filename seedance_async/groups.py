"""Whose jobs wait, are in progress, and cost what: the books of a session, as a whole and by group.

Every group with a job that waits or is in progress, or with credits that are reserved, has a page of its own, and so
have the `MOST_IDLE` groups that had one last. What older ones have cost is added up on one page: a backend may have a
group for each of its visitors.
"""

import asyncio
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, Literal

from attrs import define, field, frozen

from seedance_async.core.budget import ZERO, Budget
from seedance_async.core.fair_queue import Group
from seedance_async.core.record import JobRecord, credits_by_group
from seedance_async.job import Job, Place

#: Groups without a job that waits or is in progress that are remembered one by one.
MOST_IDLE: Final = 1000


@frozen
class GroupStatistics:
    """The jobs of one group at one moment.

    Attributes:
        waiting: Jobs that wait for a slot.
        in_progress: Jobs whose create is on the wire, or whose task was accepted and not yet seen to end.
        credits_reserved: Credits held for jobs that wait or are in progress, by list price.
        credits_used: Credits of finished tasks, as the service counted them.
        credits_maybe: Credits of creates whose outcome is not known, by list price.
    """

    waiting: int
    in_progress: int
    credits_reserved: Decimal
    credits_used: Decimal
    credits_maybe: Decimal


@define(eq=False)
class _Page:
    """What is known of one group."""

    waiting: int = 0
    in_progress: int = 0
    credits: Budget = field(factory=Budget)

    def statistics(self) -> GroupStatistics:
        """Return it as it is now."""
        spent = self.credits
        return GroupStatistics(self.waiting, self.in_progress, spent.reserved, spent.used, spent.maybe)


@define(eq=False)
class Groups:
    """The books of one open session.

    Attributes:
        budget: What may be spent, and what is, of all groups together.
        waiting: How many jobs wait for a slot.
        groups_waiting: How many groups they belong to.
    """

    budget: Budget
    waiting: int = field(init=False, default=0)
    groups_waiting: int = field(init=False, default=0)
    _busy: dict[Group, _Page] = field(init=False, factory=dict[Group, _Page])
    _idle: dict[Group, _Page] = field(init=False, factory=dict[Group, _Page])
    _older: _Page = field(init=False, factory=_Page)
    _room: set[asyncio.Future[None]] = field(init=False, factory=set[asyncio.Future[None]])

    def waiting_of(self, group: Group) -> int:
        """Return how many jobs of a group wait for a slot."""
        page = self._busy.get(group)
        return 0 if page is None else page.waiting

    def statistics(self) -> Mapping[Group, GroupStatistics]:
        """Return every group that has a page, those with jobs first."""
        # Copies, each made in one step: metrics are read in another thread, while groups come and go here.
        pages = (self._busy.copy(), self._idle.copy())
        return {group: page.statistics() for each in pages for group, page in each.items()}

    def older(self) -> GroupStatistics:
        """Return what the groups without a page have cost."""
        return self._older.statistics()

    def load(self, records: Iterable[JobRecord]) -> None:
        """Begin with what the jobs of a journal have cost."""
        for group, spent in credits_by_group(records).items():
            for credits in self._of(group):
                credits.used += spent.used
                credits.reserved += spent.reserved
                credits.maybe += spent.maybe
            self._file(group, self._page(group))

    # Places

    def put(self, job: Job, place: Place | None) -> None:
        """Note where a job is now: it waits, is in progress, or neither. Harmless when repeated."""
        before = job.place
        if place == before:
            return
        job.place = place
        page = self._page(job.group)
        waited = page.waiting
        page.waiting += (place == "waiting") - (before == "waiting")
        page.in_progress += (place == "in progress") - (before == "in progress")
        self.waiting += page.waiting - waited
        self.groups_waiting += (page.waiting > 0) - (waited > 0)
        self._file(job.group, page)
        if page.waiting < waited:
            for waiter in self._room:
                if not waiter.done():
                    waiter.set_result(None)

    async def one_has_left(self) -> None:
        """Wait until a job waits no more. Cancellation leaves nothing behind."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._room.add(waiter)
        try:
            await waiter
        finally:
            self._room.discard(waiter)

    # Credits

    def reserve(self, credits: Decimal | None, group: Group) -> None:
        """Hold credits for a job.

        Raises:
            BudgetExceededError: They do not fit into the session's budget.
        """
        self.budget.reserve(credits)
        page = self._page(group)
        page.credits.reserve(credits)
        self._file(group, page)

    def give_back(self, job: Job) -> None:
        """Free what was held for a job that cost nothing."""
        for credits in self._of(job.group):
            credits.give_back(job.reserved)
        self._note_reserved(job, ZERO)

    def settle(self, job: Job, used: Decimal) -> None:
        """Replace what was held for a finished task by what it cost."""
        for credits in self._of(job.group):
            credits.settle(job.reserved, used)
        self._note_reserved(job, ZERO)

    def keep_as_maybe(self, job: Job) -> None:
        """Keep what was held for a create whose outcome is unknown."""
        for credits in self._of(job.group):
            credits.keep_as_maybe(job.reserved)
        self._note_reserved(job, ZERO)

    def add_maybe(self, job: Job, credits: Decimal) -> None:
        """Count what a create before may have cost, which was answered 500."""
        for each in self._of(job.group):
            each.maybe += credits

    def unsettle(self, job: Job, used: Decimal) -> None:
        """Hold again what a task has cost, because it is settled anew."""
        self.budget.settle(-used, -used)
        self._page_with("used", used, job.group).settle(-used, -used)
        self._note_reserved(job, used)

    def resolve(self, job: Job, price: Decimal) -> None:
        """Hold what an unknown create may have cost: its task is known now."""
        self.budget.keep_as_maybe(-price)
        self._page_with("maybe", price, job.group).keep_as_maybe(-price)
        self._note_reserved(job, price)

    def _note_reserved(self, job: Job, credits: Decimal) -> None:
        job.reserved = credits
        self._file(job.group, self._page(job.group))

    def _of(self, group: Group) -> tuple[Budget, Budget]:
        return self.budget, self._page(group).credits

    def _page(self, group: Group) -> _Page:
        page = self._busy.get(group) or self._idle.get(group)
        if page is None:
            page = _Page()
            self._file(group, page)
        return page

    def _page_with(self, name: Literal["used", "maybe"], credits: Decimal, group: Group) -> Budget:
        """Return a group's credits with at least so many on its page: they may be among the older ones."""
        page, older = self._page(group).credits, self._older.credits
        missing = max(ZERO, credits - getattr(page, name))
        setattr(page, name, getattr(page, name) + missing)
        setattr(older, name, getattr(older, name) - missing)
        return page

    def _file(self, group: Group, page: _Page) -> None:
        """Put a page where it belongs, and add the oldest idle one to the older ones if there are too many."""
        if page.waiting or page.in_progress or page.credits.reserved:
            self._idle.pop(group, None)
            self._busy[group] = page
            return
        self._busy.pop(group, None)
        self._idle.pop(group, None)
        self._idle[group] = page
        if len(self._idle) > MOST_IDLE:
            old = self._idle.pop(next(iter(self._idle))).credits
            credits = self._older.credits
            credits.used += old.used
            credits.maybe += old.maybe
