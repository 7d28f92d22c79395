"""What is true of every record, of one and the next of its key, and of a record and the world."""

from collections.abc import Iterable

from seedance_async import JobRecord, JobState
from seedance_async.core.lifecycle import Event, step
from seedance_async.core.record import Attempt, AttemptOutcome, TaskEnd
from seedance_async.testing.tasks import WorldTask

_Q, _S, _R = JobState.QUEUED, JobState.SENDING, JobState.RUNNING
#: How the newest attempt may stand in each state: its outcome and its end. None: there is no attempt of now.
_NEWEST: dict[JobState, set[tuple[AttemptOutcome | None, TaskEnd | None] | None]] = {
    _S: {(None, None)},
    _R: {("accepted", None)},
    JobState.SUCCEEDED: {("accepted", "succeeded")},
    JobState.FAILED: {("accepted", "failed")},
    JobState.GONE: {("accepted", "gone")},
    JobState.UNKNOWN: {("unknown", None), ("refused", None), ("not sent", None)},
    _Q: {None, ("refused", None), ("not sent", None)},
    JobState.REFUSED: {None, ("refused", None), ("not sent", None)},
    JobState.WITHDRAWN: {None, ("refused", None), ("not sent", None)},
}


def _reachable() -> dict[JobState, set[JobState]]:
    follows: dict[JobState, set[JobState]] = {state: {state} for state in JobState}
    for state in JobState:
        for event in Event:
            try:
                follows[state].add(step(state, event))
            except ValueError:
                continue
    # What lies between two writes is any number of events.
    for _ in JobState:
        follows = {state: set().union(*(follows[after] for after in reached)) for state, reached in follows.items()}
    return follows


_REACHABLE = _reachable()


def check_record(record: JobRecord) -> None:
    """Check one record by itself."""
    numbers = [attempt.number for attempt in record.attempts]
    assert numbers == sorted(set(numbers)), f"the numbers of attempts grow: {record}"
    assert sum(attempt.outcome is None for attempt in record.attempts) <= 1, f"one attempt is open at most: {record}"
    assert all(attempt.outcome is not None for attempt in record.attempts[:-1]), f"the newest one is open: {record}"
    for attempt in record.attempts:
        assert (attempt.outcome is None) == (attempt.closed_at is None), f"a closing has its moment: {record}"
        assert (attempt.outcome == "accepted") == (attempt.task_id is not None), f"a task is accepted: {record}"
        assert attempt.end is None or attempt.outcome == "accepted", f"a task ends: {record}"
        assert attempt.number > record.earlier or attempt.costs, f"what cost nothing is forgotten: {record}"
        over = attempt.outcome != "accepted" or attempt.end is not None
        assert attempt.number > record.earlier or over, f"a task that runs is of now: {record}"
    newest = None if record.last is None else (record.last.outcome, record.last.end)
    assert newest in _NEWEST[record.state], f"state and attempts agree: {record}"
    assert record.may_be_paid or record.state is not JobState.UNKNOWN, f"an unknown job may be paid: {record}"
    ended_badly = {JobState.FAILED, JobState.UNKNOWN, JobState.GONE, JobState.REFUSED}
    assert record.error is not None or record.state not in ended_badly, f"why is said: {record}"
    assert (record.result is not None) == (record.state is JobState.SUCCEEDED), f"a success has its result: {record}"


def check_successor(old: JobRecord, new: JobRecord) -> None:
    """Check the record that replaces another one."""
    assert new.state in _REACHABLE[old.state], f"{new.state} is not reached from {old.state}"
    assert new.queued_at == old.queued_at
    assert new.earlier >= old.earlier
    now = {(attempt.number, attempt.intent_at): attempt for attempt in new.attempts}
    for attempt in old.attempts:
        after = now.get((attempt.number, attempt.intent_at))
        if attempt.outcome in {"accepted", "unknown"}:
            assert after is not None, f"what is or may be paid is kept for ever: {old} -> {new}"
        if after is not None:
            _check_attempt(attempt, after)


def _check_attempt(old: Attempt, new: Attempt) -> None:
    assert new.credits == old.credits
    if old.outcome == "unknown":
        assert new.outcome in {"unknown", "accepted"}, f"only a hint changes an unknown: {old} -> {new}"
    elif old.outcome is not None:
        assert new.outcome == old.outcome, f"an attempt is closed once: {old} -> {new}"
        assert new.task_id == old.task_id
    if old.end is not None:
        assert (new.end, new.credits_used) == (old.end, old.credits_used), f"a task ends once: {old} -> {new}"


def check_covered(record: JobRecord | None, tasks: Iterable[WorldTask]) -> None:
    """Check that each task which the service made for a key is in its record, or that as many may be."""
    known = set() if record is None else {attempt.task_id for attempt in record.attempts}
    maybe = 0 if record is None else sum(attempt.outcome in {None, "unknown"} for attempt in record.attempts)
    lost = [task.task_id for task in tasks if task.task_id not in known]
    assert len(lost) <= maybe, f"{lost} are lost: {record}"


def check_ends(record: JobRecord, tasks: dict[str, WorldTask], now: float) -> None:
    """Check that what the record says of tasks is what became of them."""
    for attempt in record.attempts:
        if attempt.task_id is None or attempt.end is None:
            continue
        task = tasks[attempt.task_id]
        status = task.status(now)
        match attempt.end:
            case "succeeded":
                assert (status, attempt.credits_used) == ("success", task.credits)
            case "failed":
                assert status == "fail"
            case _:
                assert attempt.credits_used is None
