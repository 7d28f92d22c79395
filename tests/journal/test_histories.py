"""Whatever happens to jobs, both journals keep the records of it, and give back the same (P3)."""

import asyncio
import tempfile
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from seedance_async.core.record import JobRecord
from seedance_async.journal import read_journal
from seedance_async.journal.database import Database
from seedance_async.testing import MemoryJournal, MemoryStore
from tests.core.record_histories import histories

#: What a session writes at a time: the newest records of some of its jobs.
Writes = Sequence[Sequence[JobRecord]]


@st.composite
def sessions(draw: st.DrawFn) -> list[Writes]:
    """Sessions that follow each other, each with the writes it makes for a few jobs."""
    keys = draw(st.lists(st.text(max_size=5) | st.sampled_from(["a\udcff", "\0"]), min_size=1, max_size=3, unique=True))
    jobs = [draw(histories(st.just(key), longest=6)) for key in keys]
    steps = [record for records in zip_longest(*jobs) for record in records if record is not None]
    writes: list[list[JobRecord]] = []
    while steps:
        size = draw(st.integers(0, 5))
        writes.append(steps[: size or 3])
        steps = steps[size or 3 :]
    cut = draw(st.integers(0, len(writes)))
    return [writes[:cut], writes[cut:]]


@settings(max_examples=25)
@given(sessions(), st.booleans())
def test_both_journals_keep_everything(made: list[Writes], lent: bool) -> None:
    """After each session, the newest record of every key is there, in the order in which the keys came."""
    expected: dict[str, JobRecord] = {}
    store = MemoryStore()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "journal.db", place=lambda _: ("lent", "9p") if lent else ("disk", ""))
        for writes in made:
            assert list(database.open()) == list(expected.values())
            for batch in writes:
                database.write(batch)
                expected |= {record.key: record for record in batch}
                assert list(read_journal(database.path)) == list(expected.values())
            database.close()
            assert asyncio.run(in_memory(store, writes)) == list(expected.values())


async def in_memory(store: MemoryStore, writes: Writes) -> list[JobRecord]:
    """The same session with the journal in memory; return what the next one reads."""
    journal = MemoryJournal(store)
    await journal.open()
    for batch in writes:
        await journal.write(batch)
    await journal.aclose()
    records = list(await journal.open())
    await journal.aclose()
    return records
