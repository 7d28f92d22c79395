"""How long tasks take, learned by one session while they run.

1. What polls see is counted per kind of task (`Kind`), and per group of kinds. Old counts weigh less (`Tally`).
2. A kind's counts are pooled with its group's, and those with the prior around the catalogue's typical time, so that
   the first tasks of a kind are polled like its neighbours', and the very first like what is published.
3. A law is made from them when they have something new to say, and serves for many polls. Each event costs constant
   time on average, however many tasks run.
"""

from collections.abc import Sequence
from typing import Final

from attrs import define, field

from seedance_async.core.ages import bin_of
from seedance_async.core.kinds import Kind
from seedance_async.core.laws import Law, law_of
from seedance_async.core.prior import Prior
from seedance_async.core.tallies import Tally

#: As how many tasks the counts of its group count beside those of a kind, at least.
_WORTH_OF_GROUP: Final = 3.0
#: A law is made anew once the ends that were seen, and those that were expected, are such a share of its tasks.
_NEWS: Final = 0.1
#: Least seconds between two laws of one kind: tasks that end at once are many.
_LEAST_BETWEEN: Final = 0.5
#: Most kinds that are remembered.
MOST_KINDS: Final = 200


@define(eq=False)
class _Known:
    """What is known of one kind: its counts, its group's, the prior, and the law that was last made from them."""

    tally: Tally
    group: Tally
    believed: Sequence[float]
    law: Law = field(init=False)
    made_at: float = field(init=False)
    news: float = field(init=False)

    def make(self, worth_of_prior: float, now: float) -> None:
        """Make the law from what is known now."""
        risks = self.group.risks(self.believed, worth_of_prior)
        worth = max(_WORTH_OF_GROUP, worth_of_prior)
        own, shared = self.tally.effective, self.group.effective
        # How many ends stand behind the law: its own, and while they are few those of its group.
        tasks = (own * own + worth * shared) / (own + worth)
        self.law = law_of(self.tally.risks(risks, worth), tasks)
        self.made_at, self.news = now, 0.0


@define(eq=False)
class Durations:
    """What one session has learned.

    Attributes:
        prior: What is believed before any task was seen.
        kinds: Counts per kind, the one that was added last at the end.
        groups: Counts per group of kinds.
    """

    prior: Prior = field(factory=Prior)
    kinds: dict[Kind, Tally] = field(init=False, factory=dict[Kind, Tally])
    groups: dict[Kind, Tally] = field(init=False, factory=dict[Kind, Tally])
    _known: dict[Kind, _Known] = field(init=False, factory=dict[Kind, _Known])

    def law(self, kind: Kind, now: float) -> Law:
        """Return the law of a kind of task, as it is known now."""
        known = self._known_of(kind, now)
        if known.news >= max(1.0, _NEWS * known.law.tasks) and now >= known.made_at + _LEAST_BETWEEN:
            known.make(self.prior.weight, now)
        return known.law

    def alive(self, kind: Kind, before: float, age: float, now: float) -> None:
        """Count that a task was seen running.

        Args:
            kind: The task's kind.
            before: Its age when it was last counted; `NEVER` the first time.
            age: Its age now.
            now: The loop's time.
        """
        first, last = bin_of(before), bin_of(age)
        if first < last:
            known = self._known_of(kind, now)
            known.tally.came(first, last, now)
            known.group.came(first, last, now)
            # Tasks that go on where they should have ended are news, too.
            known.news += sum(known.law.risks[first + 1 : last + 1])

    def ended(self, kind: Kind, before: float, seconds: float, now: float) -> None:
        """Count that a task has ended, in success or failure: either frees a slot.

        Args:
            kind: The task's kind.
            before: Its age when it was last counted; `NEVER` the first time.
            seconds: How long it took, see `seconds_taken`.
            now: The loop's time.
        """
        known = self._known_of(kind, now)
        first, last = bin_of(before), max(0, bin_of(seconds))
        known.tally.ends(first, last, now)
        known.group.ends(first, last, now)
        known.news += 1.0

    def discount(self, most: float) -> None:
        """Let what was counted so far count as at most so many tasks, per kind and per group."""
        for tally in (*self.kinds.values(), *self.groups.values()):
            if tally.effective > most:
                tally.scale(most / tally.effective)
        self._known.clear()

    def _known_of(self, kind: Kind, now: float) -> _Known:
        known = self._known.get(kind)
        if known is None:
            if len(self.kinds) >= MOST_KINDS and kind not in self.kinds:
                self._forget_one()
            tally = self.kinds.setdefault(kind, Tally(now))
            group = self.groups.setdefault(kind.group, Tally(now))
            known = self._known[kind] = _Known(tally, group, self.prior.risks(kind.typical))
            known.make(self.prior.weight, now)
        return known

    def _forget_one(self) -> None:
        """Forget the kind that was added first, and its group if no other is in it."""
        kind = next(iter(self.kinds))
        del self.kinds[kind]
        self._known.pop(kind, None)
        if not any(other.group == kind.group for other in self.kinds):
            del self.groups[kind.group]
