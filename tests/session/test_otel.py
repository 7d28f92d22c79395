"""Traces and metrics, as an SDK with exporters in memory receives them."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from seedance_async import TaskFailedError, TextToVideo
from seedance_async.otel import OpenTelemetryHook
from tests.session.service import PRICE_480P, Start, end, lakes, until


class Telemetry:
    """A hook, and what it has made so far."""

    def __init__(self, **attributes: str) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])
        self.hook = OpenTelemetryHook(self.tracers, self.meters, attributes=attributes)

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def points(self, name: str) -> list[Any]:
        """The data points of a metric now, none if there is no such metric yet."""
        data = self.reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data is not None else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def value(self, name: str, **attributes: object) -> float:
        """The sum of a metric over the points with these attributes; those of a histogram count."""
        wanted = {(key.replace("__", "."), value) for key, value in attributes.items()}
        found = [point for point in self.points(name) if wanted <= set(point.attributes.items())]
        numbers: list[float] = [point.value if hasattr(point, "value") else point.count for point in found]
        return sum(numbers)


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry()
    yield made
    made.tracers.shutdown()
    made.meters.shutdown()


def of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def events_of(span: ReadableSpan) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, dict(event.attributes or {})) for event in span.events]


def seconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


async def test_a_generation_is_a_span(start: Start, telemetry: Telemetry) -> None:
    """It runs from queued to the end, and says the model, the task, the credits, and each attempt."""
    service = await start(limit=1)
    session = await service.open(hooks=[telemetry.hook], concurrency=1)
    first, second = (session.enqueue(inputs, key=inputs.prompt) for inputs in lakes(2))
    await first
    await second
    one, two = telemetry.spans
    assert (one.name, one.kind, one.status.status_code) == (
        "generate_content seedance-20",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    attributes = of(two)
    assert attributes["gen_ai.operation.name"] == "generate_content"
    assert attributes["gen_ai.provider.name"] == "kinovi"
    assert attributes["gen_ai.request.model"] == "seedance-20"
    assert attributes["gen_ai.response.id"] == second.task_id
    assert attributes["seedance.key"] == "lake 1"
    assert attributes["seedance.state"] == "succeeded"
    assert attributes["seedance.credits.quoted"] == attributes["seedance.credits.used"] == float(PRICE_480P)
    assert attributes["seedance.attempts"] == 1
    assert "error.type" not in attributes
    # On the loop's clock, which is virtual here: the second waits for the first.
    assert seconds(one) == pytest.approx(60, abs=3)
    assert seconds(two) == pytest.approx(120, abs=6)
    assert attributes["seedance.queue.duration"] == pytest.approx(60, abs=3)
    assert attributes["seedance.task.duration"] == pytest.approx(60, abs=3)
    names = [name for name, _ in events_of(two)]
    assert names == [
        "seedance.slot_acquired",
        "seedance.attempt",
        "seedance.accepted",
        "seedance.status",
        "seedance.status",
    ]
    attempt = dict(events_of(two))["seedance.attempt"]
    assert attempt["seedance.attempt.outcome"] == "accepted"
    assert (attempt["seedance.attempt.number"], attempt["http.response.status_code"]) == (1, 200)
    times = [event.timestamp for event in two.events]
    assert times == sorted(times)
    assert two.start_time is not None
    assert two.end_time is not None
    assert two.start_time <= times[0]
    assert times[-1] <= two.end_time


async def test_the_parent_is_the_span_of_whoever_asked(start: Start, telemetry: Telemetry) -> None:
    """Each job is a child of what was current when it was asked for, by whichever method, and of nothing else."""
    service = await start(limit=1)
    tracer = telemetry.tracers.get_tracer("application")
    with tracer.start_as_current_span("opening"):
        session = await service.open(hooks=[telemetry.hook], concurrency=1)

    async def asked(name: str) -> None:
        with tracer.start_as_current_span(name):
            if name == "enqueue":
                handle = session.enqueue(name, key=name)
            elif name == "submit":
                handle = await session.submit(name, key=name)
            elif name == "map":
                async with session.map([(name, TextToVideo(name))]) as items:
                    async for item in items:
                        assert item.handle is not None
                        handle = item.handle
            else:
                await session.generate(name, key=name)
                return
        await handle

    names = ["enqueue", "submit", "generate", "map"]
    await asyncio.gather(*map(asked, names))
    lone = session.enqueue("lone", key="lone")
    await lone
    spans = {str(of(span).get("seedance.key", span.name)): span for span in telemetry.spans}
    parents = {span.context.span_id: span for span in telemetry.spans if span.context is not None}
    jobs = [span for span in telemetry.spans if "seedance.key" in of(span)]
    assert len(jobs) == len(names) + 1
    for job in jobs:
        key = of(job)["seedance.key"]
        if key == "lone":
            assert job.parent is None
        else:
            assert job.parent is not None
            assert parents[job.parent.span_id].name == key
    assert "opening" in spans


async def test_a_failed_task(start: Start, telemetry: Telemetry) -> None:
    """The span has the error's class and text, and nothing was used."""
    service = await start()
    session = await service.open(hooks=[telemetry.hook])
    with pytest.raises(TaskFailedError) as caught:
        await session.generate("a lake [fail:moderation]")
    (span,) = telemetry.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == str(caught.value)
    assert of(span)["error.type"] == "TaskFailedError"
    assert (of(span)["seedance.state"], of(span)["seedance.charged"]) == ("failed", "no")
    assert "seedance.credits.used" not in of(span)
    assert telemetry.value("seedance.jobs.finished", seedance__state="failed", error__type="TaskFailedError") == 1


async def test_attempts_that_fail(start: Start, telemetry: Telemetry) -> None:
    """Each attempt is an event and a count, by outcome and status; a repeat after a 500 warns of a double."""
    service = await start(limit=2)
    service.emulator.faults.add("http-500:on=create,count=1")
    service.emulator.world.foreign = 2
    session = await service.open(hooks=[telemetry.hook])
    handle = session.enqueue("a lake")
    await asyncio.sleep(60)
    service.emulator.world.foreign = 0
    await handle
    (span,) = telemetry.spans
    outcomes = [
        of_event["seedance.attempt.outcome"] for name, of_event in events_of(span) if name == "seedance.attempt"
    ]
    assert outcomes[0] == "unknown"
    assert set(outcomes[1:-1]) == {"rejected"}
    assert outcomes[-1] == "accepted"
    assert "seedance.possible_double" in [name for name, _ in events_of(span)]
    statistics = session.statistics()
    assert telemetry.value("seedance.creates") == statistics.creates == len(outcomes)
    assert telemetry.value("seedance.creates", http__response__status_code=500) == 1
    assert telemetry.value("seedance.refusals") == statistics.refusals > 0
    assert telemetry.value("seedance.creates", http__response__status_code=429) == statistics.refusals


async def test_metrics_agree_with_the_statistics(start: Start, telemetry: Telemetry) -> None:
    """Slots, queue and credits are read when somebody collects; polls and durations are counted as they come."""
    service = await start(limit=2)
    session = await service.open(hooks=[telemetry.hook], concurrency=2)
    handles = [session.enqueue(inputs) for inputs in lakes(5)]
    await asyncio.sleep(30)
    now = session.statistics()
    assert telemetry.value("seedance.slots.used") == now.in_progress == 2
    assert telemetry.value("seedance.slots.limit") == now.limit == 2
    assert telemetry.value("seedance.jobs.waiting") == now.waiting == 3
    assert telemetry.value("seedance.tasks.pending") == 2
    assert telemetry.value("seedance.credits", seedance__credits__state="reserved") == 5 * PRICE_480P
    assert telemetry.value("seedance.gate.open") == 1
    await asyncio.gather(*handles)
    now = session.statistics()
    assert telemetry.value("seedance.credits", seedance__credits__state="used") == 5 * PRICE_480P
    assert telemetry.value("seedance.polls") == telemetry.value("seedance.poll.duration") == now.polls
    assert telemetry.value("seedance.jobs.finished", seedance__state="succeeded") == 5
    for name in ("seedance.queue.duration", "seedance.task.duration", "seedance.job.duration"):
        assert telemetry.value(name) == 5
    waited = sum(point.sum for point in telemetry.points("seedance.queue.duration"))
    assert waited == pytest.approx(0 + 0 + 60 + 60 + 120, abs=10)
    await session.aclose()
    assert telemetry.points("seedance.slots.used") == []


async def test_an_attached_task_is_a_span(start: Start, telemetry: Telemetry) -> None:
    """It begins when it is attached, and says so."""
    service = await start()
    first = await service.open()
    task_id = str((await first.submit("a lake")).task_id)
    await first.aclose()
    session = await service.open(hooks=[telemetry.hook])
    await session.attach(task_id)
    (span,) = telemetry.spans
    assert span.name == "generate_content"
    assert (of(span)["seedance.attached"], of(span)["gen_ai.response.id"]) == (True, task_id)
    assert of(span)["seedance.state"] == "succeeded"


async def test_spans_end_with_the_session(start: Start, telemetry: Telemetry) -> None:
    """Tasks that run on are left as running, queued jobs as withdrawn and no failure; the hook keeps nothing."""
    service = await start(limit=1)
    session = await service.open(hooks=[telemetry.hook], concurrency=1)
    session.enqueue("first")
    queued = session.enqueue("second")
    await until(lambda: session.statistics().accepted)
    assert telemetry.spans == []
    await session.aclose()
    assert await end(queued) is not None
    assert sorted(of(span)["seedance.state"] for span in telemetry.spans) == ["running", "withdrawn"]
    assert {span.status.status_code for span in telemetry.spans} == {StatusCode.UNSET}
    assert telemetry.hook._open == {}
    assert telemetry.hook._metrics.statistics is None


async def test_memory_is_bounded(start: Start, telemetry: Telemetry) -> None:
    """What has ended is forgotten; only jobs that are not over are held."""
    service = await start(limit=3)
    session = await service.open(hooks=[telemetry.hook])
    handles = [session.enqueue(inputs) for inputs in lakes(9)]
    await until(lambda: sum(handle.done() for handle in handles) >= 3)
    assert len(telemetry.hook._open) == sum(not handle.done() for handle in handles)
    await asyncio.gather(*handles)
    assert telemetry.hook._open == {}


async def test_prompts_and_links_are_in_nothing(start: Start, telemetry: Telemetry) -> None:
    """Neither span nor metric has the prompt, the key of the API, or the link to the file."""
    service = await start()
    session = await service.open(hooks=[telemetry.hook])
    result = await session.generate("a planted prompt")
    shown = "".join(span.to_json() for span in telemetry.spans)
    metrics = telemetry.reader.get_metrics_data()
    shown += "" if metrics is None else metrics.to_json()
    assert result.task_id in shown
    for secret in ("planted", service.emulator.api_key, result.url.partition("?")[0]):
        assert secret not in shown


async def test_attributes_of_the_user(start: Start) -> None:
    """They are on every span and every point."""
    telemetry = Telemetry(tenant="lakes")
    service = await start()
    session = await service.open(hooks=[telemetry.hook])
    await session.generate("a lake")
    assert [of(span)["tenant"] for span in telemetry.spans] == ["lakes"]
    for name in ("seedance.slots.used", "seedance.creates", "seedance.polls", "seedance.job.duration"):
        assert [dict(point.attributes)["tenant"] for point in telemetry.points(name)] != []
    telemetry.meters.shutdown()


async def test_a_hook_is_for_one_session(start: Start, telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> None:
    """A second session at the same time is refused, in the log, since keys of two sessions may be the same."""
    service = await start()
    await service.open(hooks=[telemetry.hook])
    await service.open(hooks=[telemetry.hook])
    assert "make one for each" in caplog.text


async def test_a_provider_keeps_no_session(start: Start) -> None:
    """A meter provider never forgets a callback; a hook that is gone is freed all the same."""
    import weakref

    telemetry = Telemetry()
    gone = weakref.ref(telemetry.hook._metrics)
    del telemetry.hook
    gc.collect()
    assert gone() is None
    assert telemetry.points("seedance.slots.used") == []
    telemetry.meters.shutdown()


async def test_without_an_sdk_it_does_nothing(start: Start) -> None:
    """With the API alone sessions work as ever."""
    service = await start()
    session = await service.open(hooks=[OpenTelemetryHook()])
    assert (await session.generate("a lake")).outputs


def test_without_the_extra_it_says_what_to_install() -> None:
    """The import names the extra; the package itself does not need it."""
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import seedance_async\n"
        "try:\n    import seedance_async.otel\n"
        "except seedance_async.ConfigurationError as error:\n    print(error)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert 'pip install "seedance-async[otel]"' in ended.stdout
