"""Which job of a folder each row stands for.

The jobs of one row, its family, have one base key: the first video under the key itself, variants under `key#2` and so
on. A variant is made because a `count` asks for it, because the row changed (redo), or because the user asked for it
(reroll).

1. A row stands for the job under its own key, if that has the row's inputs.
2. Else for another job of its family that has them and that no row stands for yet, the newest first, and a reroll only
   if there is no other. So a row that was made anew after a change is not changed any more.
3. Else for the job under its own key, which then has other inputs than the row: see `stand`. Where that key belongs
   to a redo or a reroll, which keep their inputs, the row gets the next free number.
"""

from collections.abc import Iterable, Sequence

from attrs import define, field, frozen

from seedance_async.core.job_notes import JobNotes, read_notes
from seedance_async.core.plan import PlannedRow
from seedance_async.core.record import JobRecord
from seedance_async.core.row_keys import key_of_variant


@frozen
class Member:
    """One job of a family."""

    record: JobRecord
    notes: JobNotes

    @property
    def key(self) -> str:
        """The job's key."""
        return self.record.key

    @property
    def base(self) -> str:
        """The key of its family."""
        return self.notes.variant_of or self.record.key


@frozen
class Bound:
    """What one row stands for.

    Attributes:
        row: The row.
        member: The job; None where there is none yet.
        changed: Whether the job has other inputs.
        new_key: Whether the row's own key belongs to another job, so that it needs the next free one.
    """

    row: PlannedRow
    member: Member | None = None
    changed: bool = False
    new_key: bool = False


@define
class Families:
    """The jobs of a folder, by family.

    Attributes:
        members: Every job by key, the oldest first.
    """

    members: dict[str, Member]
    _families: dict[str, list[Member]] = field(init=False, factory=dict[str, list[Member]])
    _taken: set[str] = field(init=False)

    @classmethod
    def of(cls, records: Iterable[JobRecord]) -> "Families":
        """Sort the records of a journal."""
        return cls({record.key: Member(record, read_notes(record)) for record in records})

    def __attrs_post_init__(self) -> None:
        self._taken = set(self.members)
        for member in self.members.values():
            self._families.setdefault(member.base, []).append(member)

    def family(self, base: str) -> Sequence[Member]:
        """Return the jobs of a family, the oldest first."""
        return self._families.get(base, [])

    def reserve(self, rows: Iterable[PlannedRow]) -> None:
        """Keep the keys of rows from being given to variants."""
        self._taken |= {row.key for row in rows}

    def next_variant(self, base: str) -> tuple[str, int]:
        """Take the next free key of a family."""
        number = max((member.notes.variant for member in self.family(base)), default=1) + 1
        while (key := key_of_variant(base, number)) in self._taken:
            number += 1
        self._taken.add(key)
        return key, number

    def bind(self, rows: Sequence[PlannedRow]) -> dict[str, Bound]:
        """Decide what each row stands for, by the row's own key (rules 1 to 3)."""
        bound = {row.key: Bound(row, self.members[row.key]) for row in rows if self._has_inputs_of(row)}
        used = set(bound)
        for row in rows:
            if row.key not in bound:
                member = self._with_inputs_of(row, used)
                if member is not None:
                    used.add(member.key)
                    bound[row.key] = Bound(row, member)
        for row in rows:
            if row.key not in bound:
                bound[row.key] = self._own(row, used)
        return bound

    def _has_inputs_of(self, row: PlannedRow) -> bool:
        member = self.members.get(row.key)
        return member is not None and member.record.digest == row.digest

    def _with_inputs_of(self, row: PlannedRow, used: set[str]) -> Member | None:
        same = [
            member
            for member in reversed(self.family(row.base))
            if member.key not in used and member.record.digest == row.digest
        ]
        return next((member for member in same if member.notes.made_by != "reroll"), same[0] if same else None)

    def _own(self, row: PlannedRow, used: set[str]) -> Bound:
        member = self.members.get(row.key)
        if member is None:
            return Bound(row)
        if member.key in used or member.notes.made_by is not None:
            return Bound(row, new_key=True)
        used.add(member.key)
        return Bound(row, member, changed=True)
