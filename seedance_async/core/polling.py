"""When to look at a task: by its age, because its age says when it will end.

A policy is a pure function of the task's age and of how long such tasks take. Sessions and single handles take one;
users may bring their own.
"""

from typing import Protocol

from attrs import field, frozen

from seedance_async.core.retry import Rand
from seedance_async.core.validators import positive


class Polling(Protocol):
    """Decide when a task is looked at."""

    def delay(self, *, age: float, typical: float, rand: Rand) -> float:
        """Return the seconds from now until the next poll.

        Args:
            age: Seconds since the task was accepted; 0 for the first poll.
            typical: Seconds such a task usually takes, from the catalogue.
            rand: Gives a number from 0 up to 1; use it so that the tasks of a batch are not polled in step.
        """
        ...


@frozen(kw_only=True)
class PollingPolicy:
    """Look a few times while a task is young, then evenly.

    A young task rarely ends, so the gaps double from `min_interval` on; this still finds a task early that failed
    at once, and tasks of a service that is quicker than it says. From `quiet` of the typical time on, polls are
    evenly spaced so that a task that ends waits `target_delay` seconds on average until it is seen.

    Attributes:
        target_delay: Mean seconds between the end of a task and the poll that sees it.
        min_interval: Least seconds between two polls of one task.
        quiet: Share of the typical time in which the gaps double.
    """

    target_delay: float = field(default=1.5, validator=positive)
    min_interval: float = field(default=1.0, validator=positive)
    quiet: float = field(default=0.4, validator=positive)

    def delay(self, *, age: float, typical: float, rand: Rand) -> float:
        """Return the seconds until the next poll, between `min_interval` and twice the even interval or the age."""
        even = max(2.0 * self.target_delay, self.min_interval)
        end_of_quiet = self.quiet * typical
        spread = 0.85 + 0.3 * rand()
        if age >= end_of_quiet:
            return max(self.min_interval, even * spread)
        gap = max(even, age) * spread
        # A gap that crosses the end of the quiet time is cut there: from there on ends are likely.
        return max(self.min_interval, min(gap, end_of_quiet - age + even * rand()))


@frozen
class FixedPolling:
    """Look at a task every `interval` seconds, spread by a tenth either way.

    Attributes:
        interval: Seconds between two polls of one task.
    """

    interval: float = field(validator=positive)

    def delay(self, *, age: float, typical: float, rand: Rand) -> float:  # noqa: ARG002 (the protocol's)
        """Return the interval, spread."""
        return self.interval * (0.9 + 0.2 * rand())
