"""Whether a journal keeps the promises of `Journal`, as far as that shows from outside.

```python
async def test_my_journal(tmp_path):
    await check_journal(lambda: MyJournal(tmp_path / "jobs"))
```

Two of them do not show: that what was written survives the loss of power (3), and that a writer which was killed leaves
nothing in the way (1).
"""

import asyncio
import os
import signal
import sys
import warnings
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import anyio.to_thread
from attrs import evolve

from seedance_async.core import record_steps as steps
from seedance_async.core.frozen import freeze
from seedance_async.core.lifecycle import Event
from seedance_async.core.record import JobRecord, RecordedOutput, RecordedResult
from seedance_async.core.record_errors import RecordedError
from seedance_async.errors import JournalError
from seedance_async.journal.protocol import Journal

#: Makes a journal that is not open. All that it makes keep the same records.
MakeJournal = Callable[[], Journal]

_AT: Final = datetime(2026, 11, 23, 9, 30, 0, 123456, UTC)
#: Seconds until a forked child that hangs is ended.
_CHILD_SECONDS: Final = 20


async def check_journal(make: MakeJournal) -> None:
    """Find out whether a journal keeps its promises.

    Args:
        make: Makes a journal that is not open; each time another object over the same storage, which is empty at first
            and of no use afterwards.

    Raises:
        AssertionError: It does not; the text says which promise is broken, and how.
    """
    for check in JOURNAL_CHECKS:
        await check(make)


async def one_writer(make: MakeJournal) -> None:
    """Promise 1: another writer is refused at once, told why, and may open when the first has closed."""
    first, second = make(), make()
    await first.open()
    reason: str | None = None
    try:
        await second.open()
    except JournalError as error:
        reason = error.reason
    _holds(1, reason is not None, "a second writer is refused")
    _holds(1, reason != "", "a second writer is told who has the journal")
    # What was refused holds nothing that the first one has.
    await second.aclose()
    await first.write([_queued("one-writer")])
    await first.aclose()
    _holds(1, _has(await second.open(), "one-writer"), "a second writer reads what the first has written")
    await second.aclose()


async def what_was_written_is_read(make: MakeJournal) -> None:
    """Promise 2: records are read as they were written, in the order in which their keys came."""
    records = _awkward()
    journal = make()
    before = len(await journal.open())
    for record in records[:2]:
        await journal.write([record])
    await journal.write(records[2:])
    await journal.write([])
    # Written again, the first keeps its place.
    await journal.write([records[0]])
    await journal.aclose()
    read = await _read(make)
    for written, found in zip(records, read[before:], strict=True):
        _holds(2, found == written, f"a record is read as it was written: {written!r} came back as {found!r}")


async def the_last_one_counts(make: MakeJournal) -> None:
    """Promise 4: a record replaces the one before it, in one write or in several."""
    job = _queued("replaced")
    sending = steps.intended(job, _AT)
    running = steps.closed(sending, Event.ACCEPTED, _AT, task_id="task_1")
    journal = make()
    await journal.open()
    await journal.write([job])
    await journal.write([sending, _queued("another"), running])
    await journal.aclose()
    found = [record for record in await _read(make) if record.key == job.key]
    _holds(4, found == [running], f"one record of a key is read, the last one written; not {found!r}")


async def all_or_none(make: MakeJournal) -> None:
    """Promises 3 and 5: of a write that raises all is written or nothing, and the next one may succeed."""
    journal = make()
    await journal.open()
    await journal.write([_queued("before")])
    impossible = evolve(_queued("impossible"), notes=freeze({"note": object()}))
    failed = False
    try:
        await journal.write([_queued("beside"), impossible])
    except (JournalError, TypeError, ValueError):
        failed = True
    await journal.write([_queued("after")])
    await journal.aclose()
    read = await _read(make)
    if failed:
        _holds(3, not _has(read, "beside"), "a write that raises for one of its records writes none of them")
    _holds(5, _has(read, "before"), "what was durable is so after a write that raised")
    _holds(5, _has(read, "after"), "a write may succeed after one that raised")


async def cancelled_writes_end(make: MakeJournal) -> None:
    """Promise 6: a write whose caller is cancelled comes to its end before it raises."""
    keys = [f"cancelled-{number}" for number in range(4)]
    journal = make()
    await journal.open()
    for pauses, key in enumerate(keys):
        await _cancel_after(pauses + 1, journal.write([_queued(key), _queued(f"{key}-too")]))
    await journal.write([_queued("not-cancelled")])
    await journal.aclose()
    read = await _read(make)
    for key in [*keys, *(f"{key}-too" for key in keys), "not-cancelled"]:
        _holds(6, _has(read, key), f"a cancelled write writes its records; {key} is missing")


async def cancelled_openings_end(make: MakeJournal) -> None:
    """Promises 6 and 7: a journal whose opening or closing is cancelled is not left half open."""
    for pauses in (1, 2, 5):
        journal = make()
        await _cancel_after(pauses, _opened(journal))
        await journal.aclose()
        _holds(7, await _opens(make), "another one opens after an opening that was cancelled")
        await journal.open()
        await _cancel_after(pauses, journal.aclose())
        _holds(6, await _opens(make), "another one opens after a closing that was cancelled")
        await journal.aclose()


async def closing_may_be_repeated(make: MakeJournal) -> None:
    """Promise 7: `aclose` may be called twice, and without `open`; a closed journal may be opened again."""
    journal = make()
    _holds(7, await _closes(journal), "a journal that was never opened may be closed")
    for _ in range(2):
        await journal.open()
        await journal.write([_queued("closed-twice")])
        await journal.aclose()
        _holds(7, await _closes(journal), "a journal may be closed twice")
    _holds(7, _has(await journal.open(), "closed-twice"), "a journal that was closed may be opened again")
    await journal.aclose()


async def forks_are_refused(make: MakeJournal) -> None:
    """Promise 8: in a forked process a write raises and writes nothing. Not checked where nothing forks."""
    if sys.platform == "win32":
        return
    journal = make()
    await journal.open()
    with warnings.catch_warnings():
        # Newer Pythons warn of a fork beside threads, which is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        # Whatever happens here, the child must not go on with its parent's work.
        signal.alarm(_CHILD_SECONDS)
        ended = 1
        try:
            loop = asyncio.new_event_loop()
            loop.run_until_complete(journal.write([_queued("from-a-child")]))
        except JournalError:
            ended = 0
        finally:
            os._exit(ended)
    _, status = await anyio.to_thread.run_sync(os.waitpid, pid, 0)
    _holds(8, status == 0, "a write in a forked process raises JournalError")
    await journal.write([_queued("from-the-parent")])
    await journal.aclose()
    read = await _read(make)
    _holds(8, not _has(read, "from-a-child"), "a forked process writes nothing")
    _holds(8, _has(read, "from-the-parent"), "its parent writes on")


#: Every check by itself, for `pytest.mark.parametrize`: each may have a storage of its own, or share one.
JOURNAL_CHECKS: Final[tuple[Callable[[MakeJournal], Awaitable[None]], ...]] = (
    one_writer,
    what_was_written_is_read,
    the_last_one_counts,
    all_or_none,
    cancelled_writes_end,
    cancelled_openings_end,
    closing_may_be_repeated,
    forks_are_refused,
)


def _holds(promise: int, kept: bool, text: str) -> None:  # noqa: FBT001 (reads as an assertion)
    # No `assert`: a check that finds nothing under `python -O` would say that all is well.
    if not kept:
        raise AssertionError(f"promise {promise} of Journal is broken: {text}")


def _has(records: Sequence[JobRecord], key: str) -> bool:
    return any(record.key == key for record in records)


async def _read(make: MakeJournal) -> Sequence[JobRecord]:
    journal = make()
    try:
        return await journal.open()
    finally:
        await journal.aclose()


async def _opens(make: MakeJournal) -> bool:
    try:
        await _read(make)
    except JournalError:
        return False
    return True


async def _closes(journal: Journal) -> bool:
    try:
        await journal.aclose()
    except JournalError:
        return False
    return True


async def _opened(journal: Journal) -> None:
    await journal.open()


async def _cancel_after(pauses: int, work: Awaitable[None]) -> None:
    """Begin some work, cancel whoever waits for it, and wait until it has raised or returned."""
    task = asyncio.ensure_future(work)
    for _ in range(pauses):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()


def _queued(key: str, **changes: Any) -> JobRecord:
    inputs: dict[str, Any] = {"kind": "text", "prompt": "a lake at dawn", "duration": 5}
    record = steps.queued(key, inputs=freeze(inputs), digest="1:0", catalogue="classic", credits=Decimal(100), at=_AT)
    return evolve(record, **changes)


def _awkward() -> list[JobRecord]:
    """Return records that a careless journal does not keep."""
    later = _AT.replace(microsecond=0) + timedelta(days=400)
    notes: dict[str, Any] = {
        "file": "töne/湖🌊 \"'\\\n\0.mp4",
        "numbers": [0, -1, 2**63, -(2**70), 1.5, 1e300, 5e-324, True, False, None],
        "nested": {"": {"a": [[], {}, [{}]]}},
    }
    noted = steps.noted(_queued("kept-notes"), notes, later)
    refused = steps.closed(
        steps.intended(_queued("kept-refused"), _AT), Event.REFUSED, later, error=RecordedError("X", "no", status=400)
    )
    lost = steps.closed(
        steps.intended(_queued("kept-lost", credits=None), _AT),
        Event.LOST,
        later,
        error=RecordedError("OutcomeUnknownError", "cut off", "maybe"),
    )
    again = steps.requeued(
        lost, inputs=freeze({"kind": "text", "prompt": ""}), digest="", catalogue="", credits=Decimal("0.10"), at=later
    )
    running = steps.closed(
        steps.intended(evolve(again, key="kept-again"), _AT), Event.ACCEPTED, later, task_id="task 'π'"
    )
    outputs = (RecordedOutput("https://cdn.example/1.mp4", 1280, 720, "video/mp4", 2**40), RecordedOutput(None))
    finished = steps.ended(
        evolve(running, key="kept-finished"),
        Event.SUCCEEDED,
        later,
        credits_used=Decimal("1E+3"),
        result=RecordedResult(None, later, None, outputs),
    )
    failed = steps.ended(
        evolve(running, key="kept-failed"),
        Event.FAILED,
        later,
        error=RecordedError("TaskFailedError", "no", code="7", kind="moderation"),
    )
    odd_key = _queued("kept \udcff 湖\0'; DROP TABLE jobs --", inputs=freeze({"kind": "text", "prompt": "\ud83d"}))
    return [noted, refused, lost, running, finished, failed, odd_key, _queued("")]
