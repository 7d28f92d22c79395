"""A journal of many jobs: made, opened, resumed, listed and closed, with how long each held up the event loop."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import define

from seedance_async import AsyncSeedance, Catalogue, JobRecord, PlannedJob, TextToVideo
from seedance_async.core.lifecycle import Event
from seedance_async.core.record import RecordedOutput, RecordedResult
from seedance_async.core.record_inputs import inputs_to_json
from seedance_async.core.record_steps import closed, ended, intended, noted, queued
from seedance_async.core.request import prepare
from seedance_async.journal import SqliteJournal, read_journal

QUEUED, FINISHED, HALFWAY = "all queued", "all finished", "halfway: 50 run"
CANDIDATES = (QUEUED, FINISHED, HALFWAY)
OPEN, READ, SHOW = "open", "read from beside", "`seedance jobs`"
STEPS = (OPEN, "resume", "list", READ, SHOW, "plan as many", "close")
#: What the journal is called in the folder of a batch.
NAME = "journal.db"
RUNNING = 50
#: Seconds between two looks at the clock. Without a pause they would take the processor from what is measured.
LOOK = 0.001
BEGAN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@define
class Stretch:
    """What one step took.

    Attributes:
        seconds: All in all.
        cpu: Of the processor, in seconds; of a command that ran meanwhile, too, where the system tells.
        held_up: The longest time in which the loop did nothing else, in seconds; None where it was not looked at.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    held_up: float | None = None

    def figures(self) -> dict[str, float]:
        """Give them their names for the report."""
        found = {"seconds": self.seconds, "CPU seconds": self.cpu}
        return found if self.held_up is None else {**found, "hold-up ms": self.held_up * 1000}


async def measure_size(candidate: str, file: Path, jobs: int, base_url: str) -> dict[str, dict[str, float]]:
    """Make a journal and use it as a batch does that is started again; return the figures of each step."""
    journal = SqliteJournal(file)
    await journal.open()
    await journal.write([record_of(candidate, number, jobs) for number in range(jobs)])
    await journal.aclose()
    session = AsyncSeedance("benchmark", base_url=base_url, concurrency=RUNNING, journal=file)
    with looked_at() as opening:
        await session.open()
    with looked_at() as resuming:
        await session.resume()
    with timed() as listing:
        session.journal.jobs()
        _ = session.journal.credits
    with timed() as reading:
        await asyncio.to_thread(read_journal, file)
    command = [sys.executable, "-m", "seedance_async", "jobs", str(file.parent)]
    with timed() as showing:
        await asyncio.to_thread(lambda: subprocess.run(command, capture_output=True, check=True))
    with looked_at() as planning:
        await session.journal.plan(planned(number) for number in range(jobs, 2 * jobs))
    with looked_at() as closing:
        await session.aclose()
    steps = (opening, resuming, listing, reading, showing, planning, closing)
    return {name: stretch.figures() for name, stretch in zip(STEPS, steps, strict=True)}


@contextmanager
def timed() -> Generator[Stretch]:
    """Measure a step."""
    stretch = Stretch()
    start, cpu = time.perf_counter(), processor()
    try:
        yield stretch
    finally:
        stretch.seconds, stretch.cpu = time.perf_counter() - start, processor() - cpu


@contextmanager
def looked_at() -> Generator[Stretch]:
    """Measure a step while another task looks at the clock every millisecond, as far as it gets a turn."""

    last, held_up = time.perf_counter(), 0.0

    def note_turn() -> None:
        nonlocal last, held_up
        now = time.perf_counter()
        last, held_up = now, max(held_up, now - last - LOOK)

    async def look() -> None:
        while True:
            note_turn()
            await asyncio.sleep(LOOK)

    with timed() as stretch:
        looking = asyncio.get_running_loop().create_task(look())
        try:
            yield stretch
        finally:
            looking.cancel()
            # A step that ends without giving others a turn has held the loop until here.
            note_turn()
            stretch.held_up = held_up


def processor() -> float:
    """Seconds of the processor that this process has used, and those of its children that have ended."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def planned(number: int) -> PlannedJob:
    """A job that is planned as a batch does it."""
    return PlannedJob(f"scene-{number:05}", inputs(number), {"file": f"scene-{number:05}.mp4", "line": number})


def inputs(number: int) -> TextToVideo:
    """The inputs of a job, of usual length."""
    prompt = f"take {number}: mist over a lake at dawn, the camera moves slowly over the water towards a lone boat"
    return TextToVideo(prompt, duration=8, output_resolution="720p")


def record_of(candidate: str, number: int, jobs: int) -> JobRecord:
    """The record of a job, as a session would have left it."""
    request = prepare(inputs(number), Catalogue.CLASSIC)
    record = queued(
        f"scene-{number:05}",
        inputs=inputs_to_json(request.inputs),
        digest=request.digest,
        catalogue=request.catalogue.name,
        credits=request.credits,
        at=BEGAN,
        notes={"file": f"scene-{number:05}.mp4", "line": number},
    )
    finished = {QUEUED: 0, FINISHED: jobs, HALFWAY: jobs // 2}[candidate]
    running = RUNNING if candidate == HALFWAY else 0
    if number >= finished + running:
        return record
    sent = BEGAN + timedelta(seconds=2 * number)
    record = closed(intended(record, sent), Event.ACCEPTED, sent, task_id=f"task_{number:024}")
    if number >= finished:
        return record
    done = sent + timedelta(seconds=100)
    result = RecordedResult("seedance-20", sent, done, (RecordedOutput(None, 1280, 720, "video/mp4", 1),))
    record = ended(record, Event.SUCCEEDED, done, credits_used=request.credits, result=result)
    return noted(record, {"saved": f"scene-{number:05}.mp4", "bytes": 4_000_000}, done)
