"""What is true from one life of a batch to the next, by what each of its processes wrote down.

1. The journal holds, when it is opened, what was durable when the last process died; of a write that was under way
   then, all or nothing.
2. The span of a create goes from the beginning of the write that holds its intent to the end of the first write that
   began after the create had ended. Only a death within it makes its key unknown.
3. How a create ended is in the next write after it, or in one before.
4. What is unknown is sent again by a process that was told so, and by no other.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import define, field, frozen

from tests.kills.orders import Trap
from tests.kills.trace import Line, Row

_NONE: Final = Row("none")


@frozen
class Life:
    """One process of a batch.

    Attributes:
        trap: Where it was to die.
        resubmit: Whether it was told to send again what was unknown.
        lines: What it wrote down.
    """

    trap: Trap
    resubmit: bool
    lines: tuple[Line, ...] = field(repr=False)

    def __str__(self) -> str:
        return str(self.trap) + (", sends again what is unknown" if self.resubmit else "")


@define
class History:
    """What follows from the lives of a batch.

    Attributes:
        problems: What was not true.
        durable: What must be in the journal, by key.
        intents: Creates of each key that may have left.
        resubmitted: How often each key was sent again because a process was told so.
    """

    problems: list[str] = field(factory=list[str])
    durable: dict[str, Row] = field(factory=dict[str, Row])
    intents: dict[str, set[str]] = field(factory=dict[str, set[str]])
    resubmitted: dict[str, set[int]] = field(factory=dict[str, set[int]])
    _pending: Mapping[str, Row] = field(factory=dict[str, Row])
    _span: set[str] = field(factory=set[str])
    _ended: set[str] = field(factory=set[str])
    _closing: frozenset[str] = frozenset()
    _heard: dict[str, tuple[str | None, str]] = field(factory=dict[str, tuple[str | None, str]])

    def live(self, life: Life) -> None:
        """Follow one more process."""
        for line in life.lines:
            match line.what:
                case "open":
                    self._opened(line.rows)
                case "begin":
                    self._began(line.rows, resubmit=life.resubmit)
                case "end":
                    self._wrote()
                case "heard":
                    self._ended.add(line.key)
                    self._heard[line.key] = self._latest(line.key).intent, line.outcome
                case _:
                    pass

    def _opened(self, rows: Mapping[str, Row]) -> None:
        for key in self.durable.keys() - rows.keys():
            self._say(key, "was durable and is lost")
        for key, row in rows.items():
            known, begun = self.durable.get(key, _NONE), self._pending.get(key, _NONE)
            if row not in {known, begun}:
                self._say(key, f"is read as {row}, and {known} was durable, {begun} begun")
            if row.intent is not None and key not in self._span:
                self._say(key, "is unknown, and no process died between its intent and its closing")
        changed = {key for key, row in self._pending.items() if row != self.durable.get(key)}
        there = {key for key in changed if rows.get(key) == self._pending[key]}
        if there and there != changed:
            self.problems.append(f"of one write {sorted(there)} are there, and {sorted(changed - there)} are not")
        self.durable = dict(rows)
        self._pending, self._heard, self._ended, self._closing = {}, {}, set(), frozenset()
        self._span = {key for key, row in rows.items() if row.intent is not None}

    def _began(self, rows: Mapping[str, Row], *, resubmit: bool) -> None:
        for key, row in rows.items():
            before = self.durable.get(key, _NONE)
            if row.state == "unknown" and before.state != "unknown" and not self._may_be_unknown(key, before):
                self._say(key, f"is unknown for no reason, and was {before}")
            if before.state == "unknown" and row.earlier > before.earlier:
                self.resubmitted.setdefault(key, set()).add(row.earlier)
                if not resubmit:
                    self._say(key, "was unknown and is sent again, and nobody wanted that")
            if row.intent is not None:
                self._span.add(key)
        self._pending, self._closing = rows, frozenset(self._ended)
        self._ended = set()
        for key, (intent, _) in self._heard.items():
            if intent is not None and self._latest(key).intent == intent:
                self._say(key, "has a create that ended, and the next write says nothing of it")

    def _wrote(self) -> None:
        for key, row in self._pending.items():
            if row.intent is not None:
                self.intents.setdefault(key, set()).add(row.intent)
        self.durable |= self._pending
        self._span -= self._closing
        # One that was sent again in the write that closed it is open again.
        self._span |= {key for key, row in self._pending.items() if row.intent is not None}
        self._pending = {}

    def _may_be_unknown(self, key: str, before: Row) -> bool:
        """Whether a create of the key was on the wire when another process died, or its answer was lost."""
        if key in self._heard:
            return self._heard[key][1] == "unknown"
        return before.intent is not None

    def _latest(self, key: str) -> Row:
        return self._pending.get(key) or self.durable.get(key, _NONE)

    def _say(self, key: str, what: str) -> None:
        self.problems.append(f"{key} {what}")


def history_of(lives: Iterable[Life]) -> History:
    """Return what follows from all lives of a batch."""
    history = History()
    for life in lives:
        history.live(life)
    return history
