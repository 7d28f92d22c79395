"""How many jobs may wait: whether there is room for one more, and when there will be.

Only who brings a new job is refused. A job that is there already is never thrown out: a create that comes back has its
place, and so has what a journal brings, which may make it more than the limit. `map` waits for room before it pulls.
"""

from attrs import define

from seedance_async.core.fair_queue import Group
from seedance_async.core.kinds import kind_of
from seedance_async.core.names import shown
from seedance_async.core.request import Request
from seedance_async.core.throughput import whole_seconds
from seedance_async.errors import ConfigurationError, QueueFullError
from seedance_async.gatekeeper import Gatekeeper
from seedance_async.planner import Planner
from seedance_async.register import Register


@define(eq=False)
class Admission:
    """Lets the new jobs of one open session into the queue.

    Attributes:
        most: The most that may wait; None for no limit.
        most_of_group: The most of one group that may wait; None for no limit.
    """

    most: int | None
    most_of_group: int | None
    register: Register
    gatekeeper: Gatekeeper
    planner: Planner

    def check(self, request: Request, group: Group) -> None:
        """Refuse a new job if there is no room for it.

        Raises:
            QueueFullError: As many jobs wait as may.
        """
        groups = self.register.groups
        if self.most_of_group is not None and (waiting := groups.waiting_of(group)) >= self.most_of_group:
            # As many turns as have to pass, and at each of them one of every group leaves.
            turns = waiting - self.most_of_group + 1
            wait = self._wait(min(groups.waiting, turns * groups.groups_waiting), request)
            raise QueueFullError(self.most_of_group, waiting, wait, True, group)  # noqa: FBT003 (errors keep their order)
        if self.most is not None and groups.waiting >= self.most:
            wait = self._wait(groups.waiting - self.most + 1, request)
            raise QueueFullError(self.most, groups.waiting, wait, False, group)  # noqa: FBT003 (as above)

    async def room(self, group: Group) -> None:
        """Wait until there is room for one more of a group. Cancellation leaves nothing behind."""
        while self.is_full(group):
            await self.register.groups.one_has_left()

    def is_full(self, group: Group) -> bool:
        """Whether there is no room for one more of a group."""
        groups = self.register.groups
        return (self.most is not None and groups.waiting >= self.most) or (
            self.most_of_group is not None and groups.waiting_of(group) >= self.most_of_group
        )

    def _wait(self, leaves: int, request: Request) -> int:
        """Return after how many seconds so many jobs have probably left, by what this session gets done."""
        now, slots = self.register.now(), self.register.slots.statistics()
        typical = self.planner.durations.law(kind_of(request), now).mean
        seconds = self.register.throughput.wait(leaves, slots.limit - slots.foreign, typical)
        probe_at = self.gatekeeper.gate.probe_at
        if probe_at is not None:
            # Nobody leaves before the service answers again.
            seconds = max(seconds, probe_at - now)
        return whole_seconds(seconds)


def checked_most_waiting(name: str, value: object) -> int | None:
    """Return the most jobs that may wait, as given; None for no limit.

    Raises:
        ConfigurationError: It is no number of jobs.
    """
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        # Every job waits, if only for a moment: with none nothing would ever be sent.
        raise ConfigurationError(f"{name} is a whole number from 1 on, or None, and is {shown(value)}")
    return value
