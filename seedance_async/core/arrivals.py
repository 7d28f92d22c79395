"""Whether webhooks arrive, learned from a session's own tasks, and how rarely a task is polled where they do.

A poll is worth what it finds before a webhook would: with `q` the share of tasks of which none comes, the hazard that
polls have to watch is `q` times that of the tasks. The best polls are spaced by one over its root (see `core.laws`), so
gaps grow by one over the root of `q`. Both ends follow by themselves: where every webhook is lost, tasks are polled as
if there were none; where hardly one is, the few that are lost are seen late by about so much more, and the mean delay
over all tasks still falls.

1. Of each task that was seen to end it is counted whether its webhook came: before, or within `GRACE` seconds of the
   end. One that comes later is of no use.
2. Old counts weigh less. Several losses of late count at once: an endpoint that stopped working must not leave slots
   empty until an average has come round.
3. Before anything is known, half of the webhooks are taken to be lost.
"""

from collections import deque
from math import sqrt
from typing import Final

from attrs import define, evolve, field

from seedance_async.core.polling import Look, Polling

#: Seconds after the end within which a webhook counts as one that came.
GRACE: Final = 10.0
#: A webhook so many seconds before the end is about something else, or forged. Clocks and records lag behind a little.
_BEFORE: Final = 5.0
#: As how many tasks the past counts at most, and how many make up "of late".
_MEMORY: Final = 100.0
_OF_LATE: Final = 8
#: Webhooks that are still waited for after their task's end was seen; more are not counted at all.
_MOST_AWAITED: Final = 1000

#: Most seconds between two polls of a task whose webhook is waited for, times the pressure of `max_rate`.
LONGEST: Final = 300.0


@define
class Arrivals:
    """What one session knows of its webhooks. All times are the loop's."""

    _lost: float = field(init=False, default=0.0)
    _counted: float = field(init=False, default=0.0)
    _of_late: deque[bool] = field(init=False, factory=lambda: deque[bool](maxlen=_OF_LATE))
    _awaited: dict[str, float] = field(init=False, factory=dict[str, float])

    def ended(self, task_id: str, moment: float, now: float, *, heard_at: float | None) -> None:
        """Count a task that was seen to end.

        Args:
            task_id: The task.
            moment: When it ended, as far as known.
            now: When that was seen.
            heard_at: When a delivery about it came last; None where none did.
        """
        if heard_at is not None and heard_at >= moment - _BEFORE:
            self._count(lost=heard_at > moment + GRACE)
        elif now >= moment + GRACE:
            self._count(lost=True)
        elif len(self._awaited) < _MOST_AWAITED:
            self._awaited[task_id] = moment + GRACE

    def came(self, task_id: str, now: float) -> None:
        """Take in a delivery about a task that has ended already."""
        until = self._awaited.pop(task_id, None)
        if until is not None:
            self._count(lost=now > until)

    def lost(self, now: float) -> float:
        """Return the share of webhooks that are lost, more than 0 and at most 1."""
        # In the order in which the ends were seen, which is nearly that of the ends.
        while self._awaited and (first := next(iter(self._awaited))) and self._awaited[first] <= now:
            del self._awaited[first]
            self._count(lost=True)
        return min(1.0, max((0.5 + self._lost) / (1.0 + self._counted), sum(self._of_late) / _OF_LATE))

    def spacing(self, now: float) -> float:
        """Return by how much gaps between polls grow where a webhook is waited for: 1 or more."""
        return 1.0 / sqrt(self.lost(now))

    def _count(self, *, lost: bool) -> None:
        keep = min(1.0, (_MEMORY - 1.0) / max(self._counted, 1.0))
        self._lost = self._lost * keep + lost
        self._counted = self._counted * keep + 1.0
        self._of_late.append(lost)


def spaced(policy: Polling, look: Look, spacing: float) -> float:
    """Return the seconds until the next poll of a task whose webhook is waited for.

    Never sooner than the policy would without webhooks. Unless the policy itself waits longer, never later than
    `LONGEST`, times the pressure. A policy that pays no regard to pressure, such as a fixed interval, stays as it is.
    """
    normal = policy.delay(look)
    if spacing <= 1.0:
        return normal
    rarely = policy.delay(evolve(look, pressure=look.pressure * spacing))
    return max(normal, min(rarely, LONGEST * look.pressure))
