"""What is found in a folder and at the service; part of `make test`, because no process is needed for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import define, evolve, field

from seedance_async.core.lifecycle import Event, State
from seedance_async.core.record import JobRecord
from seedance_async.core.record_steps import closed, ended, intended, noted, queued
from seedance_async.testing.clips import packaged_clip, with_note
from tests.kills.history import History
from tests.kills.service import Account, Task
from tests.kills.verdict import file_problems, verdict

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PRICE = Decimal(75)


@define
class Found:
    """What is found of one job that was made once, as it should be."""

    folder: Path
    record: JobRecord
    tasks: list[Task] = field(factory=lambda: [Task("t1", "lake", "success", str(PRICE))])
    creates: int = 1
    history: History = field(factory=lambda: History(intents={"a": {"i1"}}))

    def problems(self) -> list[str]:
        account = Account({"lake": self.creates}, tuple(self.tasks))
        records = [] if self.record.key != "a" else [self.record]
        found = verdict({"a": "lake"}, records, account, self.history, self.folder)
        return [*found, *file_problems(account, self.folder)]


def sent() -> JobRecord:
    return intended(queued("a", inputs={}, digest="d", catalogue="classic", credits=PRICE, at=NOW), NOW)


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """A job that is done, and its file."""
    (tmp_path / "a.mp4").write_bytes(with_note(packaged_clip(), "t1 version 0"))
    record = closed(sent(), Event.ACCEPTED, NOW, task_id="t1")
    record = ended(record, Event.SUCCEEDED, NOW, credits_used=PRICE)
    return Found(tmp_path, noted(record, {"saved": "a.mp4"}, NOW))


def test_what_is_as_it_should_be(found: Found) -> None:
    """Nothing is found where all is well."""
    assert found.problems() == []


def test_a_lost_answer_that_is_listed(found: Found) -> None:
    """A task that nobody knows is as it should be where its key is listed as unknown."""
    (found.folder / "a.mp4").unlink()
    found.record = closed(sent(), Event.LOST, NOW)
    assert found.record.state is State.UNKNOWN
    assert found.problems() == []


def paid_twice(found: Found) -> None:
    found.tasks.append(Task("t2", "lake", "success", str(PRICE)))


def sent_unseen(found: Found) -> None:
    found.creates = 2


def lose(found: Found) -> None:
    found.record = evolve(found.record, key="b")


def leave_running(found: Found) -> None:
    found.record = closed(sent(), Event.ACCEPTED, NOW, task_id="t1")


def invent(found: Found) -> None:
    found.tasks = []


def queue(found: Found) -> None:
    found.record = queued("a", inputs={}, digest="d", catalogue="classic", credits=PRICE, at=NOW)


def swap(found: Found) -> None:
    (found.folder / "a.mp4").write_bytes(with_note(packaged_clip(), "t2 version 0"))


def shorten(found: Found) -> None:
    (found.folder / "a.mp4").write_bytes(b"")


def remove(found: Found) -> None:
    (found.folder / "a.mp4").unlink()


def undercount(found: Found) -> None:
    found.tasks = [evolve(found.tasks[0], credits="80")]


def litter(found: Found) -> None:
    (found.folder / "journal.db-wal").touch()


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (paid_twice, "a was paid 2 times"),
        (sent_unseen, "a was sent without an intent"),
        (lose, "a is lost"),
        (leave_running, "a is running at the end"),
        (invent, "a has task t1, of which the service knows nothing"),
        (queue, "a has 1 tasks, of which 0 are in the journal and 0 may be unknown"),
        (swap, "a has a.mp4, which is not the video of t1"),
        (shorten, "a.mp4 is not complete"),
        (remove, "a has no file"),
        (undercount, "the journal says that 75 credits are used and 0 reserved, and 80 are paid"),
        (litter, "journal.db-wal is left in the folder"),
    ],
)
def test_what_is_wrong(found: Found, harm: Callable[[Found], None], problem: str) -> None:
    """Whatever is not true is found."""
    harm(found)
    assert problem in found.problems()
