"""The jobs of a journal, to read and to write notes on: `session.journal`."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.frozen import EMPTY, thaw
from seedance_async.core.inputs import Inputs
from seedance_async.core.keys import word_problem
from seedance_async.core.lifecycle import State
from seedance_async.core.names import shown
from seedance_async.core.record import JobCredits, JobRecord, credits_by_group, credits_of
from seedance_async.core.record_steps import noted, wanted
from seedance_async.core.request import Request, prepare
from seedance_async.errors import InputError, Problem
from seedance_async.journal.keeper import Keeper

if TYPE_CHECKING:
    from seedance_async.intake import Intake

#: Records that are made before others get a turn.
_AT_ONCE = 100
#: What is planned anew: it costs nothing so far, or was refunded.
_OPEN = frozenset({State.QUEUED, State.REFUSED, State.WITHDRAWN, State.FAILED})


@frozen
class PlannedJob:
    """A job that is to be queued later.

    Attributes:
        key: Its name on our side.
        inputs: What to ask for, or a request that was prepared from it already.
        notes: What to write down with it, as JSON.
        group: Whose it is, as in `enqueue`.
    """

    key: str
    inputs: Inputs | Request = field(repr=False)
    notes: Mapping[str, Any] = EMPTY
    group: str | None = None


@frozen(eq=False)
class JobBook:
    """The jobs of the journal of an open session, from this session and those before.

    Reading takes what this session knows, which is ahead of the file by what is on its way there.
    """

    _keeper: Keeper
    _catalogue: Catalogue
    _live: Callable[[], "Intake"]

    def jobs(self, *states: State) -> tuple[JobRecord, ...]:
        """Return the records of all jobs, or of those in one of these states; the oldest first."""
        records = self._keeper.records.values()
        return tuple(record for record in records if not states or record.state in states)

    def get(self, key: str) -> JobRecord | None:
        """Return the record of a key, or None."""
        return self._keeper.records.get(key)

    @property
    def credits(self) -> JobCredits:
        """What the jobs have cost over the life of the journal, by list price where nothing better is known."""
        return credits_of(self._keeper.records.values())

    @property
    def credits_by_group(self) -> Mapping[str | None, JobCredits]:
        """The same for the jobs of each group; None is that of all jobs without one. Linear in the number of jobs."""
        return credits_by_group(self._keeper.records.values())

    async def plan(self, jobs: Iterable[PlannedJob]) -> None:
        """Write jobs down as queued without queueing them: `resume`, or `enqueue` with their keys, will.

        A key that waits in this session, runs, has finished, is unknown or gone is left as it is, but for its notes.
        Any other one stands for the new inputs afterwards. All are durable when this returns.

        Money: none; nothing is sent.

        Raises:
            InputError: A key, a group or inputs are wrong; says everything that is, and nothing was written.
            JournalError: They are perhaps not written.
            ConfigurationError: The session is not open.
        """
        intake = self._live()
        waits, library = intake.waits, intake.opened.library
        look = library.look
        planned: list[tuple[PlannedJob, Request]] = []
        problems: list[Problem] = []
        for number, job in enumerate(jobs):
            if number and number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if (problem := word_problem("key", job.key)) is not None:
                problems.append(problem)
            if job.group is not None and (problem := word_problem("group", job.group)) is not None:
                problems.append(problem)
            problems += _wrong_notes(job.notes)
            try:
                request = job.inputs if isinstance(job.inputs, Request) else prepare(job.inputs, self._catalogue, look)
                planned.append((job, request))
                for material in request.materials:
                    library.learn(material)
            except InputError as error:
                problems += [evolve(problem, path=f"{job.key}: {problem.path}") for problem in error.problems]
        if problems:
            raise InputError(problems)
        for number, (job, request) in enumerate(planned):
            if number and number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            self._plan(job, request, waits=waits(job.key))
        await self._keeper.durable()

    async def note(self, key: str, **notes: Any) -> None:
        """Write something down with a job: JSON values; None takes a note away. Durable when this returns.

        Raises:
            InputError: There is no such job, or a note is no JSON.
            JournalError: It is perhaps not written.
            ConfigurationError: The session is not open.
        """
        self._live()
        record, problems = self._keeper.records.get(key), _wrong_notes(notes)
        if record is None:
            problems.append(Problem("key", "stands for no job of the journal", shown(key)))
        if record is None or problems:
            raise InputError(problems)
        self._keeper.put(noted(record, notes, self._keeper.wall()))
        await self._keeper.durable()

    def _plan(self, job: PlannedJob, request: Request, *, waits: bool) -> None:
        known, now = self._keeper.records.get(job.key), self._keeper.wall()
        left_alone = known is not None and (waits or known.state not in _OPEN)
        record = known if known is not None and left_alone else wanted(known, job.key, request, now, group=job.group)
        if job.notes:
            record = noted(record, job.notes, now)
        if record is not known:
            self._keeper.put(record)


def _wrong_notes(notes: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    for name, value in notes.items():
        try:
            json.dumps(thaw(value), allow_nan=False)
        except (TypeError, ValueError):
            problems.append(Problem(f"notes[{shown(name)}]", "must be JSON, without NaN", shown(value)))
    return problems
