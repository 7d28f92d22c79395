"""What a journal's finished jobs say of how long tasks take: a new session begins with what the ones before learned.

Nothing is kept for this: a record has the inputs, and when the service accepted the task and ended it.
"""

import heapq
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from seedance_async.core.ages import NEVER
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.durations import Durations
from seedance_async.core.kinds import kind_of
from seedance_async.core.record import JobRecord
from seedance_async.core.record_inputs import shown_inputs
from seedance_async.core.request import prepare
from seedance_async.errors import InputError

#: How many jobs are looked at, those that ended last; each takes a fraction of a millisecond.
MOST_RECALLED: Final = 100
#: As how many tasks they count at most per kind: the service may be another one today.
WORTH: Final = 30.0


def recall(durations: Durations, records: Iterable[JobRecord], catalogue: Catalogue, now: float) -> None:
    """Let durations that know nothing yet begin with what the newest finished jobs took.

    Args:
        durations: Where they are counted.
        records: All jobs of the journal.
        catalogue: The session's. Jobs that it would not take are left out: their kinds do not come again.
        now: The loop's time.
    """
    finished = (
        (result.completed_at, result.completed_at - result.created_at, record)
        for record in records
        if (result := record.result) is not None and result.created_at is not None and result.completed_at is not None
    )
    for _, taken, record in reversed(heapq.nlargest(MOST_RECALLED, finished, key=_ended)):
        inputs = shown_inputs(record.inputs)
        if inputs is None or taken.total_seconds() < 0.0:
            continue
        try:
            kind = kind_of(prepare(inputs, catalogue))
        except InputError:
            continue
        durations.ended(kind, NEVER, taken.total_seconds(), now)
    durations.discount(WORTH)


def _ended(finished: tuple[datetime, object, object]) -> datetime:
    return finished[0]
