"""The intake: from inputs and a key to a job, decided before the first `await`.

A key stands for one job, of this session or, where there is a journal, of any session before. What a call with it gets:

1. Nothing was accepted (refused, withdrawn): the key is free, a new job. So it is for one that another session has
   queued and not sent, whatever its inputs.
2. Unknown, or gone (404 or 403 for a task that was paid): the same job, whose error says so; with
   `resubmit_unknown` a new one.
3. Queued, running or finished, same inputs: the same job. Other inputs: `KeyConflictError`.
4. Failed, same inputs: the same job, whose error says why; with `retry_failed`, or with other inputs, a new
   one.
"""

import asyncio
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import define, field

from seedance_async.attaching import Attaching
from seedance_async.contents import ContentError
from seedance_async.core.budget import ZERO
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import Inputs
from seedance_async.core.keys import variant_key, word_problem
from seedance_async.core.lifecycle import Event, State
from seedance_async.core.names import shown
from seedance_async.core.polling import Polling
from seedance_async.core.record import JobRecord
from seedance_async.core.record_inputs import inputs_from_json
from seedance_async.core.request import Request, prepare, prepare_call
from seedance_async.errors import (
    BudgetExceededError,
    InputError,
    KeyConflictError,
    Problem,
    SeedanceError,
    SessionClosedError,
    WithdrawnError,
)
from seedance_async.handle import TaskHandle, handle_of
from seedance_async.job import Job
from seedance_async.job_options import JobOptions
from seedance_async.journal.keeper import Keeper
from seedance_async.settings import checked_polling

if TYPE_CHECKING:
    from seedance_async.opened import Opened

_FREE = frozenset({State.QUEUED, State.REFUSED, State.WITHDRAWN})

#: Jobs of a journal that are queued before others get a turn: thousands must not hold up the loop.
_AT_ONCE = 100


@define(eq=False)
class Intake:
    """Makes the jobs of one open session."""

    opened: "Opened"
    catalogue: Catalogue
    polling: Polling
    _attaching: Attaching = field(init=False)
    _keys: dict[str, Job] = field(init=False, factory=dict[str, Job])

    def __attrs_post_init__(self) -> None:
        """Begin with no job."""
        self._attaching = Attaching(self.opened, self.catalogue, self.polling)

    def start(self, source: str | Inputs, fields: Mapping[str, object], options: JobOptions) -> Job:
        """Return the job for these inputs: a new one in the queue, or the one that the key stands for.

        Raises:
            InputError: The inputs, the key, the variant or the group are wrong.
            KeyConflictError: The key stands for other inputs.
            QueueFullError: It is a new job, and as many wait as may.
            BudgetExceededError: The job does not fit into the budget.
        """
        request = prepare_call(source, fields, self.catalogue, self.opened.library.look)
        with self.opened.register.hooks.held():
            return self._start(request, options)

    def _start(self, request: Request, options: JobOptions) -> Job:
        if options.polling is not None:
            checked_polling(options.polling)
        key = variant_key(options.key, options.variant)
        if options.group is not None and (problem := word_problem("group", options.group)) is not None:
            raise InputError([problem])
        if key is None:
            job = self._enqueue(request, f"job-{secrets.token_hex(8)}", options)
            if self._keeper is not None:
                self._keys[job.key] = job
            return job
        known = self._known(key)
        if known is not None and not self._is_free(known, request, options):
            known.claims += 1
            return known
        job = self._enqueue(request, key, options)
        self._keys[key] = job
        return job

    def attach(self, task_id: str | None, key: str | None) -> Job:
        """Return the job that watches a task, or that a key stands for; see `AsyncSeedance.attach`.

        Raises:
            InputError: Neither was given, one of them cannot be one, or the key stands for no such job.
        """
        given = {"task_id": task_id, "key": key}
        problems = [
            problem
            for path, value in given.items()
            if value is not None and (problem := word_problem(path, value)) is not None
        ]
        if task_id is None and key is None:
            problems = [Problem("task_id", "or a key is needed", "None")]
        if problems:
            raise InputError(problems)
        with self.opened.register.hooks.held():
            return self._attach(task_id, key)

    def _attach(self, task_id: str | None, key: str | None) -> Job:
        if key is None:
            assert task_id is not None
            record = self._record(self._key_of(task_id) or "")
            # An older task of a key is watched by itself: the key stands for the newest.
            known = record is not None and record.task_id == task_id and record.state is not State.QUEUED
            return self._by_key(record.key) if record is not None and known else self._attaching.by_id(task_id)
        if task_id is not None:
            self._check_hint(task_id, key)
        job = self._by_key(key)
        if task_id is not None and task_id != job.task_id:
            self._attaching.by_hint(job, task_id)
        return job

    def settle(self, key: str, job: Job | None, task_id: str) -> None:
        """Let the job of a key, whose create had an unknown outcome, run with a task id that the service confirmed.

        Raises:
            InputError: It is not unknown any more, or the task belongs to another job.
        """
        with self.opened.register.hooks.held():
            if job is not None and job.state is State.QUEUED and job.repeats:
                self.opened.register.end_unsent(job, Event.WITHDRAWN, WithdrawnError(key))
            if job is None or self._keys.get(key) is job:
                self.attach(task_id, key)
            elif job.state is State.UNKNOWN:
                # Without a journal only its handle knows a job that was given no key.
                self._attaching.by_hint(job, task_id)

    async def resume(self) -> list[Job]:
        """Return the jobs of the journal that are not at their end: those that run, watched, then those queued.

        Cancellation: what is not queued yet stays queued in the journal.
        """
        keeper = self._keeper
        records = [] if keeper is None else list(keeper.records.values())
        jobs = [self._by_key(record.key) for record in records if record.state is State.RUNNING]
        waiting = [record for record in records if record.state is State.QUEUED]
        for number, record in enumerate(waiting):
            if number and number % _AT_ONCE == 0:
                await asyncio.sleep(0)
                if self.opened.background.closing:
                    raise SessionClosedError
            jobs.append(self._by_key(record.key))
        return jobs

    def handle(self, job: Job) -> TaskHandle:
        """Return the job's handle."""
        return handle_of(job, self.opened.register)

    def waits(self, key: str) -> bool:
        """Whether a job of this key waits in this session."""
        job = self._keys.get(key)
        return job is not None and not job.settled

    def give_up(self, job: Job) -> bool:
        """Give up one caller's interest in a job, see `Register.give_up`."""
        return self.opened.register.give_up(job)

    @property
    def _keeper(self) -> Keeper | None:
        return self.opened.register.entries.keeper

    def _enqueue(self, request: Request, key: str, options: JobOptions) -> Job:
        if not options.exempt:
            self.opened.admission.check(request, options.group)
        self.opened.register.groups.reserve(request.credits, options.group)
        job = Job(
            key=key,
            request=request,
            polling=options.polling or self.polling,
            typical=request.typical_seconds,
            patient=options.patient,
            group=options.group,
            enqueued_at=self.opened.register.now(),
            reserved=request.credits or ZERO,
        )
        self.opened.register.enqueue(job)
        return job

    def _record(self, key: str) -> JobRecord | None:
        return None if self._keeper is None else self._keeper.records.get(key)

    def _key_of(self, task_id: str) -> str | None:
        """Return the key of the job that made a task, as far as this session or its journal knows."""
        running = self.opened.register.tasks.get(task_id)
        if running is not None and running.request is not None:
            return running.key
        key = None if self._keeper is None else self._keeper.key_of(task_id)
        return self.opened.register.owners.get(task_id) if key is None else key

    def _check_hint(self, task_id: str, key: str) -> None:
        """Refuse an id for a key that needs none, or that is the task of another key, before anything changes."""
        job, record = self._keys.get(key), self._record(key)
        if job is None and record is None:
            return  # what follows says so
        state = record.state if record is not None else job.state if job is not None else State.QUEUED
        known = job.task_id if job is not None else record.task_id if record is not None else None
        message = None
        if known != task_id and state is not State.UNKNOWN:
            message = f"stands for a job that is {state.value}; only one whose outcome is unknown can be told its id"
        elif (owner := self._key_of(task_id)) not in {None, key}:
            message = f"cannot be told the id of a task that belongs to the key {shown(owner)}"
        if message is not None:
            raise InputError([Problem("key", message, shown(key))])

    def _known(self, key: str) -> Job | None:
        """Return the job of a key, unless the key is free."""
        job, record = self._keys.get(key), self._record(key)
        if job is None and record is not None and record.state not in _FREE:
            job = self._keys[key] = self._attaching.by_record(record)
        # One that has ended and was planned anew since.
        planned = job is not None and job.settled and record is not None and record.state is State.QUEUED
        return None if planned else job

    def _by_key(self, key: str) -> Job:
        """Return the job of a key; one that a session before left in the queue is queued again."""
        with self.opened.register.hooks.held():
            return self._found(key)

    def _found(self, key: str) -> Job:
        job, record = self._keys.get(key), self._record(key)
        if job is None and record is None:
            kept = self.opened.register.kept.by_key(key)
            if kept is not None:
                return kept
            raise InputError([Problem("key", "stands for no job of this session or its journal", shown(key))])
        if record is not None and record.state is State.QUEUED and (job is None or job.settled):
            job = self._queue_again(record)
        elif job is None:
            assert record is not None
            job = self._attaching.by_record(record)
        elif job.state is State.RUNNING:
            self._attaching.again(job)
        else:
            # Whoever has found it wants it, too.
            job.claims += 1
        self._keys[key] = job
        return job

    def _queue_again(self, record: JobRecord) -> Job:
        try:
            look = self.opened.library.look_again(record.inputs)
            request = prepare(inputs_from_json(record.inputs), self.catalogue, look)
            job = self._enqueue(request, record.key, JobOptions(group=record.group, patient=True, exempt=True))
        except (InputError, BudgetExceededError) as error:
            return self._not_queued(record, error)
        job.of_journal = True
        return job

    def _not_queued(self, record: JobRecord, error: SeedanceError) -> Job:
        """Return a job that says why it is not queued. In the journal it still is: with more budget it will be."""
        job = Job(record.key, None, self.polling, 0.0, patient=True, enqueued_at=self.opened.register.now())
        job.state, job.ended_at = State.REFUSED, job.enqueued_at
        job.settle(failure=error.with_traceback(None))
        return job

    def _is_free(self, job: Job, request: Request, options: JobOptions) -> bool:
        """Say whether a new job may take over the key of this one."""
        match job.state:
            case State.REFUSED | State.WITHDRAWN:
                return True
            case State.UNKNOWN | State.GONE:
                return options.resubmit_unknown
            case State.FAILED:
                return options.retry_failed or not self._is_same(job, request)
            case _:
                if not self._is_same(job, request):
                    raise KeyConflictError(job.key)
                return False

    def _is_same(self, job: Job, request: Request) -> bool:
        """Say whether a job has these inputs. Files are read for that only where their places or dates differ."""
        known, library = self.opened.register.entries.digest(job), self.opened.library
        if known == request.digest:
            return True
        theirs = job.request
        if theirs is None or not (request.materials and theirs.materials):
            return False
        try:
            if theirs.is_named or job.state is not State.QUEUED:
                return known == library.named(request).digest
            return library.named(theirs).digest == library.named(request).digest
        except ContentError:
            return False
