"""A book on who leaves before whom, for what is promised of turns."""

from collections import Counter
from typing import Generic, TypeVar

from attrs import define, field

NameT = TypeVar("NameT")


@define
class Turns(Generic[NameT]):
    """Checks that before the k-th of a group leaves, at most k of any other leave that had not left when it came.

    Those of its own group that had come back when it came are not counted: they have turns of their own.
    """

    group_of: dict[NameT, str | None] = field(factory=dict)
    _waiting: set[NameT] = field(factory=set)
    _place: dict[NameT, int] = field(factory=dict)
    _passed: dict[NameT, Counter[str | None]] = field(factory=dict)

    def come(self, name: NameT, group: str | None) -> None:
        """Note one that comes for the first time."""
        self.group_of[name] = group
        self._place[name] = 1 + sum(1 for each in self._waiting if self.group_of[each] == group)
        self._passed[name] = Counter()
        self._waiting.add(name)

    def leave(self, name: NameT) -> None:
        """Note one that leaves, perhaps again."""
        if name not in self._waiting:
            return
        self._waiting.remove(name)
        assert max(self._passed[name].values(), default=0) <= self._place[name], "it waited for more than the turns"
        for each in self._waiting:
            if self.group_of[each] != self.group_of[name]:
                self._passed[each][self.group_of[name]] += 1

    def withdraw(self, name: NameT) -> None:
        """Note one that goes."""
        self._waiting.discard(name)
