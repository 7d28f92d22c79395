"""What ended while nobody looked: the newest results that nobody has asked for, by task id and by key.

What falls out is not lost: with a journal it is in there, and without one the service still answers for the task.
"""

from typing import Final

from attrs import define, field

from seedance_async.job import Job

#: Results that are kept. One is a few KB: the record as the service sent it, and the inputs.
MOST_KEPT: Final = 1000


@define(eq=False)
class Kept:
    """The jobs whose task ended while nobody held its handle, the oldest first."""

    most: int = MOST_KEPT
    _by_task: dict[str, Job] = field(init=False, factory=dict[str, Job])
    _by_key: dict[str, Job] = field(init=False, factory=dict[str, Job])

    def __len__(self) -> int:
        return len(self._by_task)

    def add(self, job: Job) -> None:
        """Keep a job that has ended; the oldest goes where there are too many."""
        assert job.task_id is not None
        self._drop(job.task_id)
        self._by_task[job.task_id] = job
        self._by_key[job.key] = job
        if len(self._by_task) > self.most:
            self._drop(next(iter(self._by_task)))

    def by_task(self, task_id: str) -> Job | None:
        """Return the job of a task."""
        return self._by_task.get(task_id)

    def by_key(self, key: str) -> Job | None:
        """Return the newest job of a key."""
        return self._by_key.get(key)

    def _drop(self, task_id: str) -> None:
        job = self._by_task.pop(task_id, None)
        if job is not None and self._by_key.get(job.key) is job:
            del self._by_key[job.key]
