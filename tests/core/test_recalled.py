"""What finished jobs of a journal say of how long tasks take."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.durations import Durations
from seedance_async.core.inputs import Inputs, TextToVideo
from seedance_async.core.kinds import kind_of
from seedance_async.core.lifecycle import State
from seedance_async.core.recalled import MOST_RECALLED, WORTH, recall
from seedance_async.core.record import JobRecord, RecordedResult
from seedance_async.core.record_inputs import inputs_to_json
from seedance_async.core.request import prepare
from tests.core.laws import median

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LAKE = TextToVideo("a lake")
KIND = kind_of(prepare(LAKE, Catalogue.CLASSIC))


def finished(seconds: float, *, after: float = 0.0, inputs: Inputs = LAKE) -> JobRecord:
    """A job whose task took so long and was accepted so long after noon."""
    created = NOON + timedelta(seconds=after)
    return JobRecord(
        key=f"lake-{after}",
        state=State.SUCCEEDED,
        digest="",
        inputs=inputs_to_json(inputs),
        catalogue="classic",
        credits=None,
        queued_at=created,
        changed_at=created,
        result=RecordedResult("seedance-20", created, created + timedelta(seconds=seconds), ()),
    )


def recalled(*records: JobRecord) -> Durations:
    """What a session knows that begins with such a journal."""
    durations = Durations()
    recall(durations, records, Catalogue.CLASSIC, 5.0)
    return durations


def test_a_session_begins_with_what_the_ones_before_learned() -> None:
    """Twenty finished jobs are enough to know how long such tasks take; length and model are told apart."""
    slow = TextToVideo("a sea", duration=10)
    durations = recalled(
        *(finished(80.0 + number, after=number) for number in range(20)),
        *(finished(300.0, after=number, inputs=slow) for number in range(20)),
    )
    assert median(durations.law(KIND, 6.0)) == pytest.approx(90.0, rel=0.15)
    assert median(durations.law(kind_of(prepare(slow, Catalogue.CLASSIC)), 6.0)) == pytest.approx(300.0, rel=0.15)


def test_the_newest_count_and_not_for_ever() -> None:
    """Of a long journal the jobs that ended last are looked at, and new tasks soon outweigh them."""
    old = [finished(500.0, after=number) for number in range(300)]
    new = [finished(100.0, after=10_000 + number) for number in range(MOST_RECALLED)]
    durations = recalled(*new, *old)
    assert median(durations.law(KIND, 6.0)) == pytest.approx(100.0, rel=0.1)
    for tally in (*durations.kinds.values(), *durations.groups.values()):
        assert tally.effective == pytest.approx(WORTH)
    for number in range(60):
        durations.ended(KIND, -1.0, 200.0, 10.0 + number)
    assert median(durations.law(KIND, 100.0)) > 170.0


@pytest.mark.parametrize(
    "changes",
    [
        {"result": None},
        {"result": RecordedResult(None, None, NOON, ())},
        {"result": RecordedResult(None, NOON, None, ())},
        {"result": RecordedResult(None, NOON, NOON - timedelta(seconds=1), ())},
        {"inputs": {"kind": "a later release"}},
        {"inputs": inputs_to_json(TextToVideo("a lake", model="seedance2-5", output_resolution="720p"))},
    ],
    ids=["unfinished", "no begin", "no end", "ends before it begins", "unknown inputs", "another catalogue"],
)
def test_what_says_nothing_is_left_out(changes: dict[str, Any]) -> None:
    """Jobs without both times, and those that this session could not send, teach nothing and harm nothing."""
    record = finished(80.0)
    durations = recalled(evolve(record, **changes))
    assert durations.kinds == {}
    assert list(recalled(record, evolve(record, **changes)).kinds) == [KIND]
