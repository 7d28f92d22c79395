"""From a plan and the journal of a folder to what one run is to do. Nothing is sent or written here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import define, evolve, field

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.families import Bound, Families, Member
from seedance_async.core.job_files import give_files
from seedance_async.core.job_notes import last_run_of
from seedance_async.core.plan import Plan, PlannedRow
from seedance_async.core.record import JobRecord, credits_of
from seedance_async.core.record_steps import recovered
from seedance_async.core.recorded_rows import row_of_record
from seedance_async.core.rerolls import rerolled
from seedance_async.core.row_files import numbered
from seedance_async.core.run_options import RunOptions
from seedance_async.core.selecting import matching_keys
from seedance_async.core.standing import FREE, Duty, FolderStanding, JobStanding, Judge, Standing
from seedance_async.errors import InputError, Problem


def stand(
    plan: Plan,
    records: Iterable[JobRecord],
    sizes: Mapping[str, int],
    options: RunOptions,
    *,
    now: datetime,
    catalogue: Catalogue,
) -> FolderStanding:
    """Put a plan and a folder together and decide what is to be done with every row and every job.

    Args:
        plan: The rows; for a run without a file `plan_of_records`.
        records: The journal's.
        sizes: Bytes of the files in the folder, by their relative path with `/`.
        options: What the user wants.
        now: The wall clock, in UTC.
        catalogue: What variants made by `reroll` are checked against.

    Raises:
        InputError: `only` or `reroll` name what is not there, a variant has wrong fields, or a row's `output` is the
            file of another job of the folder.
    """
    known = [recovered(record, now) for record in records]
    return _Builder(plan, Families.of(known), Judge(sizes, options, now), catalogue).build(known)


@define
class _Builder:
    plan: Plan
    families: Families
    judge: Judge
    catalogue: Catalogue
    _problems: list[Problem] = field(init=False, factory=list[Problem])
    _unbound: dict[str, Member] = field(init=False, factory=dict[str, Member])
    _first: dict[str, PlannedRow] = field(init=False)
    _sources: set[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        # The first video of a base where there is one; its file gives the variants their names.
        self._first = {row.base: row for row in sorted(self.plan.rows, key=lambda row: row.variant, reverse=True)}
        self._sources = {row.source for row in self.plan.rows}

    def build(self, known: Sequence[JobRecord]) -> FolderStanding:
        self.families.reserve(self.plan.rows)
        bound = self.families.bind(self.plan.rows)
        used = {one.member.key for one in bound.values() if one.member is not None}
        self._unbound = {key: member for key, member in self.families.members.items() if key not in used}
        own = [self._job(bound[row.key]) for row in self.plan.rows]
        further = self._earlier_rerolls()
        asked, wrong = rerolled(
            [*own, *further],
            self.judge.options,
            families=self.families,
            first_rows=self._first,
            catalogue=self.catalogue,
        )
        jobs = self._chosen(self._in_order(own, [*further, *asked]), {job.row.key for job in asked})
        rows, left, clashing = give_files(self.plan.source.name, jobs, self._left(jobs), self.judge.sizes)
        if problems := [*self._problems, *wrong, *clashing]:
            raise InputError(problems)
        run = 1 + last_run_of(member.notes for member in self.families.members.values()).run
        return FolderStanding(self.plan, rows, left, credits_of(known), self.judge.now, run)

    def _job(self, bound: Bound) -> JobStanding:
        row, member = bound.row, bound.member
        if member is None:
            row = self._as_variant(row, *self.families.next_variant(row.base)) if bound.new_key else row
            return JobStanding(row, Standing.NEW, Duty.SUBMIT)
        if not bound.changed:
            return self._standing(row, member)
        standing, duty = self.judge.judge(member.record, member.notes)
        if member.record.state in FREE:
            # Whatever became of it with other inputs: it cost nothing, and these were not tried.
            standing = standing if standing is Standing.QUEUED else Standing.RETRY
            return _of_member(row, member, standing, Duty.SUBMIT)
        if standing in {Standing.UNKNOWN, Standing.RESUBMIT}:
            return _of_member(row, member, standing, duty)
        older = row_of_record(member.record, self.catalogue, notes=member.notes)
        older = evolve(older, index=row.index, line=row.line, id=row.id, carried=row.carried, raw=row.raw)
        changed = evolve(_of_member(older, member, Standing.CHANGED, duty), wanted=row)
        return self._redo(row, changed) if self.judge.options.redo_changed else changed

    def _redo(self, row: PlannedRow, older: JobStanding) -> JobStanding:
        for member in reversed(self.families.family(row.base)):
            # One that was begun for inputs that the row had in between, and never accepted.
            if member.notes.made_by == "redo" and member.key in self._unbound and member.record.state in FREE:
                del self._unbound[member.key]
                again = self._as_variant(row, member.key, member.notes.variant)
                return evolve(_of_member(again, member, Standing.REDO, Duty.SUBMIT), older=older)
        new = self._as_variant(row, *self.families.next_variant(row.base))
        return JobStanding(new, Standing.REDO, Duty.SUBMIT, made_by="redo", older=older)

    def _standing(self, row: PlannedRow, member: Member) -> JobStanding:
        standing, duty = self.judge.judge(member.record, member.notes)
        if member.key != row.key:
            row = self._as_variant(row, member.key, member.notes.variant)
        file = member.notes.saved or member.notes.file
        if duty is Duty.SUBMIT:
            if not row.whole:
                return evolve(_of_member(row, member, standing, duty).held(), needs_file=True)
        elif file is not None:
            row = evolve(row, file=file)
        return _of_member(row, member, standing, duty)

    def _as_variant(self, row: PlannedRow, key: str, number: int) -> PlannedRow:
        first = self._first[row.base]
        return evolve(row, key=key, variant=number, file=numbered(first.file, number) if number > 1 else first.file)

    def _earlier_rerolls(self) -> list[JobStanding]:
        members = [
            member
            for member in self._unbound.values()
            if member.notes.made_by == "reroll" and member.base in self._first
        ]
        for member in members:
            del self._unbound[member.key]
        return [self._standing(row_of_record(one.record, self.catalogue, notes=one.notes), one) for one in members]

    def _in_order(self, own: Sequence[JobStanding], further: Sequence[JobStanding]) -> list[JobStanding]:
        """Return the jobs of the rows, each base's further variants behind its last row."""
        last = {job.row.base: place for place, job in enumerate(own)}
        behind: dict[int, list[JobStanding]] = {}
        for job in further:
            behind.setdefault(last[job.row.base], []).append(job)
        return [each for place, job in enumerate(own) for each in (job, *behind.get(place, ()))]

    def _chosen(self, jobs: Sequence[JobStanding], asked: set[str]) -> list[JobStanding]:
        """Hold back what `only` and `limit` leave out; what was asked for by its name is sent in any case."""
        options = self.judge.options
        names, problems = matching_keys("only", options.only, [job.row for job in jobs], patterns=True)
        self._problems += problems
        wanted = {key for keys in names.values() for key in keys}
        chosen: list[JobStanding] = []
        room = len(jobs) if options.limit is None else options.limit
        for job in jobs:
            if not job.submits or job.row.key in asked:
                chosen.append(job)
            elif room > 0 and (not options.only or job.row.key in wanted):
                room -= 1
                chosen.append(job)
            else:
                chosen.append(job.held())
        return chosen

    def _left(self, rows: Sequence[JobStanding]) -> tuple[JobStanding, ...]:
        """Return the jobs that no row stands for, the oldest first."""
        standing_for = {job.row.key for job in rows}
        return tuple(self._kept(member) for member in self.families.members.values() if member.key not in standing_for)

    def _kept(self, member: Member) -> JobStanding:
        """Return a job without a row: what is paid and was never saved is saved, and nothing is sent."""
        standing, duty = self.judge.judge(member.record, member.notes)
        row = row_of_record(member.record, self.catalogue, notes=member.notes)
        first = self._first.get(member.base)
        superseded = first is not None and (member.notes.made_by == "redo" or member.record.digest != first.digest)
        elsewhere = first is None and not member.notes.left and member.notes.source not in self._sources
        job = evolve(_of_member(row, member, standing, duty), superseded=superseded, elsewhere=elsewhere)
        if duty is Duty.SUBMIT:
            return job.held()
        taken_away = duty is Duty.FETCH and member.notes.saved is not None
        return evolve(job, duty=Duty.NOTHING) if taken_away else job


def _of_member(row: PlannedRow, member: Member, standing: Standing, duty: Duty) -> JobStanding:
    return JobStanding(row, standing, duty, record=member.record, notes=member.notes, made_by=member.notes.made_by)
