"""A journal of many jobs: made, opened, resumed, listed and closed, with how long each held up the event loop."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Generator
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
        held_up: The longest time in which the loop did nothing else, in seconds.
    """

    seconds: float = 0.0
    held_up: float = 0.0


async def measure_size(candidate: str, file: Path, jobs: int, base_url: str) -> dict[str, float]:
    """Make a journal and use it as a batch does that is started again; seconds, and milliseconds of hold-up."""
    journal = SqliteJournal(file)
    await journal.open()
    await journal.write([record_of(candidate, number, jobs) for number in range(jobs)])
    await journal.aclose()
    session = AsyncSeedance("benchmark", base_url=base_url, concurrency=RUNNING, journal=file)
    with timed() as opening:
        await session.open()
    with timed() as resuming:
        await session.resume()
    listing = seconds_of(lambda: (session.journal.jobs(), session.journal.credits))
    # Beside the session, as another program does.
    reading = await asyncio.to_thread(seconds_of, lambda: read_journal(file))
    command = [sys.executable, "-m", "seedance_async", "jobs", str(file.parent)]
    showing = await asyncio.to_thread(seconds_of, lambda: subprocess.run(command, capture_output=True, check=True))
    with timed() as planning:
        await session.journal.plan(planned(number) for number in range(jobs, 2 * jobs))
    with timed() as closing:
        await session.aclose()
    return {
        "open s": opening.seconds,
        "open, hold-up ms": opening.held_up * 1000,
        "resume s": resuming.seconds,
        "resume, hold-up ms": resuming.held_up * 1000,
        "list ms": listing * 1000,
        "read beside it s": reading,
        "seedance jobs s": showing,
        "plan as many s": planning.seconds,
        "plan, hold-up ms": planning.held_up * 1000,
        "close s": closing.seconds,
        "close, hold-up ms": closing.held_up * 1000,
        "MB": megabytes(file),
    }


def megabytes(file: Path) -> float:
    """How large a file is."""
    return file.stat().st_size / 1e6


def seconds_of(work: Callable[[], object]) -> float:
    """Run something that blocks and return how long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def timed() -> Generator[Stretch]:
    """Measure a step while another task looks at the clock every millisecond, as far as it gets a turn."""
    stretch = Stretch()

    async def look() -> None:
        while True:
            before = time.perf_counter()
            try:
                await asyncio.sleep(LOOK)
            finally:
                stretch.held_up = max(stretch.held_up, time.perf_counter() - before - LOOK)

    looking = asyncio.get_running_loop().create_task(look())
    start = time.perf_counter()
    try:
        yield stretch
    finally:
        stretch.seconds = time.perf_counter() - start
        looking.cancel()


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
