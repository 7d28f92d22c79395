"""Task ids that the journal did not take and the manifest did.

A create whose answer could not be written into the journal is unknown there. Its id was known all the same, and the
run put it into the manifest: told to the session, the job is an ordinary running one again.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from seedance_async.batch.manifest import known_tasks
from seedance_async.core.lifecycle import State

if TYPE_CHECKING:
    from seedance_async.session import AsyncSeedance


def resolve_unknown(session: "AsyncSeedance", tasks: dict[str, str]) -> tuple[str, ...]:
    """Tell the session of tasks whose jobs are unknown in its journal.

    Args:
        session: An open session with a journal.
        tasks: Task ids by key, from the manifest.

    Returns:
        The keys of the jobs that run again.
    """
    resolved: list[str] = []
    for record in session.journal.jobs(State.UNKNOWN):
        task_id = tasks.get(record.key)
        # An id that the journal knows is that of an earlier attempt, and says nothing of the one that is unknown.
        if task_id is not None and task_id not in {attempt.task_id for attempt in record.attempts}:
            session.attach(task_id, key=record.key)
            resolved.append(record.key)
    return tuple(resolved)


def read_tasks(folder: Path) -> dict[str, str]:
    """Return the task that the manifest of a folder last named for each key. Blocks; {} where it cannot be read."""
    try:
        return known_tasks(folder)
    except OSError:
        return {}
