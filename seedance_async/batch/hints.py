"""Task ids that the journal did not take and the manifest did.

A create whose answer could not be written into the journal is unknown there. Its id was known all the same, and the
run put it into the manifest: told to the session, the job is an ordinary running one again.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from seedance_async.batch.manifest import known_tasks
from seedance_async.core.lifecycle import State

if TYPE_CHECKING:
    from seedance_async.session import AsyncSeedance


def resolve_unknown(session: "AsyncSeedance", tasks: Mapping[str, tuple[str, datetime]]) -> tuple[str, ...]:
    """Tell the session of tasks whose jobs are unknown in its journal.

    Args:
        session: An open session with a journal.
        tasks: Task ids by key, and when they were written into the manifest.

    Returns:
        The keys of the jobs that run again.
    """
    resolved: list[str] = []
    for record in session.journal.jobs(State.UNKNOWN):
        if record.key not in tasks or record.last is None:
            continue
        task_id, at = tasks[record.key]
        # An id from before the create, or one that the journal knows, is that of an earlier attempt: it says nothing of
        # the one that is unknown.
        if at >= record.last.intent_at and task_id not in {attempt.task_id for attempt in record.attempts}:
            session.attach(task_id, key=record.key)
            resolved.append(record.key)
    return tuple(resolved)


def read_tasks(folder: Path) -> Mapping[str, tuple[str, datetime]]:
    """Return the tasks that the manifest of a folder names, see `known_tasks`; none where it cannot be read."""
    try:
        return known_tasks(folder)
    except OSError:
        return {}
