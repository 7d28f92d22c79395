"""What is true of a batch once it is done: the journal and the files, against what the service says."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from seedance_async.batch.untouched import NOTE
from seedance_async.core.lifecycle import State
from seedance_async.core.record import JobRecord, credits_of
from seedance_async.testing.clips import packaged_clip, with_note
from tests.kills.history import History
from tests.kills.service import Account, Task

_ENDS: Final = {"success": "succeeded", "fail": "failed"}
_OVER: Final = {State.SUCCEEDED, State.FAILED, State.UNKNOWN}


def verdict(
    prompts: Mapping[str, str], records: Sequence[JobRecord], account: Account, history: History, folder: Path
) -> list[str]:
    """Return what is not true; nothing if all is well.

    Args:
        prompts: What was to be made, by key.
        records: What the journal holds.
        account: What the service knows.
        history: What follows from the lives of the batch.
        folder: Where the files are.
    """
    known = {record.key: record for record in records}
    problems = [f"{key} is a key that nobody gave" for key in known.keys() - prompts.keys()]
    for key, prompt in prompts.items():
        record, tasks = known.get(key), [task for task in account.tasks if task.prompt == prompt]
        if len(tasks) > 1 + len(history.resubmitted.get(key, ())):
            problems.append(f"{key} was paid {len(tasks)} times")
        if account.creates.get(prompt, 0) > len(history.intents.get(key, ())):
            problems.append(f"{key} was sent without an intent")
        if record is None:
            problems.append(f"{key} is lost")
        else:
            problems += [f"{key} {problem}" for problem in _record_problems(record, tasks, folder)]
    return [*problems, *_money_problems(records, account), *_folder_problems(folder)]


def file_problems(account: Account, folder: Path) -> list[str]:
    """Return which files are not complete under their final names. True at every moment."""
    wholes = {_content(task.task_id) for task in account.tasks}
    return [
        f"{path.name} is not complete"
        for path in sorted(folder.rglob("*.mp4"))
        if not path.name.startswith(".") and path.read_bytes() not in wholes
    ]


def _record_problems(record: JobRecord, tasks: Sequence[Task], folder: Path) -> Iterable[str]:
    known = {task.task_id: task for task in tasks}
    accepted = [attempt for attempt in record.attempts if attempt.outcome == "accepted"]
    unknown = sum(attempt.outcome == "unknown" for attempt in record.attempts)
    if len(tasks) - len(accepted) > unknown:
        yield f"has {len(tasks)} tasks, of which {len(accepted)} are in the journal and {unknown} may be unknown"
    if record.state not in _OVER:
        yield f"is {record.state.value} at the end"
    for attempt in accepted:
        task = known.get(attempt.task_id or "")
        if task is None:
            yield f"has task {attempt.task_id}, of which the service knows nothing"
        elif attempt.end != _ENDS.get(task.status):
            yield f"has task {task.task_id}, which is {task.status} and written down as {attempt.end}"
    if record.state is State.SUCCEEDED:
        saved = folder / str(record.notes.get("saved", "nowhere"))
        if not saved.is_file():
            yield "has no file"
        elif saved.read_bytes() != _content(record.task_id or ""):
            yield f"has {saved.name}, which is not the video of {record.task_id}"


def _money_problems(records: Sequence[JobRecord], account: Account) -> Iterable[str]:
    """Compare what the journal says that was spent with what was."""
    said = credits_of(records)
    ids = {attempt.task_id for record in records for attempt in record.attempts}
    known = sum((Decimal(task.credits) for task in account.tasks if _paid(task) and task.task_id in ids), Decimal())
    lost = sum((Decimal(task.credits) for task in account.tasks if _paid(task) and task.task_id not in ids), Decimal())
    if said.used != known or said.reserved:
        yield f"the journal says that {said.used} credits are used and {said.reserved} reserved, and {known} are paid"
    if lost > said.maybe:
        yield f"the journal says that {said.maybe} credits may be lost, and {lost} are"


def _paid(task: Task) -> bool:
    return task.status == "success"


def _folder_problems(folder: Path) -> Iterable[str]:
    """Return what a batch leaves that it should not: parts of files, locks, and what SQLite keeps beside a file."""
    for path in sorted(folder.rglob("*")):
        if path.name == NOTE:
            continue
        if path.name.startswith(".") or path.name.endswith((".lock", "-wal", "-shm", "-journal", ".new")):
            yield f"{path.name} is left in the folder"


def _content(task_id: str) -> bytes:
    return with_note(packaged_clip(), f"{task_id} version 0")
