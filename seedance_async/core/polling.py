"""When to look at a task: by its age, because its age says when it will end.

A policy is a pure function of what is known when the next look is planned (`Look`). Sessions and single handles take
one; users may bring their own.
"""

from math import floor, log2
from typing import Final, Protocol

from attrs import define, field, frozen

from seedance_async.core.laws import Law
from seedance_async.core.prior import Prior
from seedance_async.core.validators import finite, positive, what_was_given
from seedance_async.errors import ConfigurationError

#: A look is worth the loss of half of the square of the step, in seconds. A gap that would lose so many times the
#: square is cut: a step may lead over a quiet time in which nobody sees what ended just before it, such as failures.
_MOST_LOST: Final = 1.5

#: Until so many tasks of a kind were seen to end, no gap is longer than the age, from so many seconds on: the service
#: may be quicker than it says, or an emulator.
_FEW_TASKS: Final = 3.0
_EARLY: Final = 3.0

#: Of a task that is older than all but so few, hardly anything is known but that it is late, perhaps with all that come
#: after it: it is looked at before it is so many times older.
_FEW_LEFT: Final = 0.05
_OLDER: Final = 0.25

#: Gaps below this many seconds are not rounded to ticks.
_LEAST_TICKED: Final = 0.01


@define(kw_only=True)
class Look:
    """What is known when the next look at a task is planned: when its create was accepted, and after each poll.

    Attributes:
        now: The loop's time of the last poll, or of the acceptance.
        age: Seconds since the task was accepted, then; 0 at the acceptance.
        typical: Seconds such a task usually takes, from the catalogue.
        law: When such tasks end, as this session has learned it.
        phase: From 0 up to 1, the task's own: those of tasks that are accepted together are spread evenly. Policies use
            it so that a batch is not polled in step.
        waiters: Whether a job waits for a slot: then this task's slot stands idle until its end is seen.
        pressure: 1, or by how much too often all tasks of the session together would be polled under its `max_rate`.
    """

    now: float
    age: float
    typical: float
    law: Law
    phase: float = 0.5
    waiters: bool = True
    pressure: float = 1.0


def _is_prior(instance: object, attribute: object, value: object) -> None:  # noqa: ARG001 (what attrs calls it with)
    if not isinstance(value, Prior):
        raise ConfigurationError(
            f"PollingPolicy.prior must be a Prior, such as Prior(seconds=90), and is {what_was_given(value)}"
        )


class Polling(Protocol):
    """Decide when a task is looked at."""

    def delay(self, look: Look) -> float:
        """Return the seconds from `look.now` until the next poll."""
        ...


@frozen(kw_only=True)
class PollingPolicy:
    """Look where tasks end: rarely while one is young, often around the ages at which its kind is known to end.

    Polls are spaced by one over the root of the hazard, learned from the session's own tasks (`core.laws` has the
    theory); no schedule that knows only the age detects ends sooner with as many polls.

    The default of 0.75 seconds makes about as many requests as asking every 3 seconds, which is what the service
    advises, and leaves a slot idle half as long, where the logarithm of durations spreads by 0.3; this holds for tasks
    of any usual length, because the best number of polls grows with it. On a full account of 50 slots and tasks of 100
    seconds it comes within one percent of the ideal makespan. Half of the requests (1.5 seconds) would leave as much
    idle as the fixed loop does; the paid time of a slot is worth more than seventeen requests. Twice as many would win
    another 0.4 percent. Where nobody waits for a slot there are only people, who do not notice 1.5 seconds beside
    minutes: there a task is polled half as often.

    Attributes:
        target_delay: Mean seconds between the end of a task and the poll that sees it, where jobs wait for slots.
        max_rate: Most polls per second of the whole session; infinity for no bound. When tasks would need more, all are
            polled more rarely in the same proportion, which is how so many polls detect the most. That of a single
            handle's policy counts for nothing. The default is far above what 50 slots need (17), and a few percent
            of one processor.
        min_interval: Least seconds between two polls of one task.
        max_interval: Most seconds between two polls of one task, times the pressure where `max_rate` binds. It decides
            how late something is seen that never happened before, such as a failure in the first seconds.
        patience: How many times `target_delay` is aimed at where no job waits for a slot.
        prior: What is believed of durations before any was seen. That of a single handle's policy counts for nothing.
    """

    target_delay: float = field(default=0.75, validator=[positive, finite])
    max_rate: float = field(default=100.0, validator=positive)
    min_interval: float = field(default=0.5, validator=[positive, finite])
    max_interval: float = field(default=60.0, validator=[positive, finite])
    patience: float = field(default=2.0, validator=[positive, finite])
    prior: Prior = field(factory=Prior, validator=_is_prior)

    def delay(self, look: Look) -> float:
        """Return the seconds until the next poll, from `min_interval` to `max_interval` times the pressure.

        Where both bounds contradict each other, `min_interval` holds.
        """
        law, age = look.law, look.age
        aim = self.target_delay * look.pressure * (1.0 if look.waiters else self.patience)
        step = 2.0 * aim / law.area
        # The first poll comes one to two steps deep, so that tasks that began together are polled apart from then on.
        gap = law.age_at(max(law.depth(age) + step, (1.0 + look.phase) * step)) - age
        # Where a poll or two for each task are enough, the steps are no measure: those of tasks that all end at one age
        # lead far beyond it. There a single gap loses no more than what is aimed at.
        most_lost = min(_MOST_LOST * step * step, aim)
        if law.loss(age, age + gap) > most_lost:
            gap = _shorter(law, age, gap, most_lost)
        longest = self.max_interval if law.tasks >= _FEW_TASKS else min(self.max_interval, max(_EARLY, age))
        if law.lasting(age) < _FEW_LEFT:
            longest = min(longest, max(_EARLY, _OLDER * age))
        # Young tasks all run into this bound, so it is spread as well.
        longest *= look.pressure * (0.75 + 0.25 * look.phase)
        gap = max(self.min_interval, min(gap, longest))
        return max(self.min_interval, ticked(look.now + gap, min(gap, 2.0 * self.target_delay)) - look.now)


@frozen
class FixedPolling:
    """Look at a task every `interval` seconds, give or take a tenth, so that tasks are not polled in step for long.

    Attributes:
        interval: Seconds between two polls of one task.
    """

    interval: float = field(validator=[positive, finite])

    def delay(self, look: Look) -> float:
        """Return the interval, from nine to eleven tenths of it, the same each time for one task."""
        return self.interval * (0.9 + 0.2 * look.phase)


def _shorter(law: Law, age: float, gap: float, loss: float) -> float:
    """Return about the gap after which so many seconds are lost on average; less than that are lost without one."""
    low, high = 0.0, gap
    for _ in range(12):
        middle = (low + high) / 2.0
        low, high = (middle, high) if law.loss(age, age + middle) < loss else (low, middle)
    return high


def ticked(moment: float, gap: float) -> float:
    """Return the tick nearest to a moment, so that polls due close together leave together.

    Ticks are a power of two apart, at most a quarter of the gap and more than an eighth of it; those of long gaps are
    ticks of short ones, too. A request of a burst costs a sixth of the processor time of one that leaves alone; where
    polls are so far apart, rounding adds at most a hundredth to the mean delay.

    Args:
        moment: When a poll is wanted.
        gap: Seconds between polls where tasks end.
    """
    if gap < _LEAST_TICKED:
        return moment
    tick = 2.0 ** floor(log2(gap / 4.0))
    return round(moment / tick) * tick
