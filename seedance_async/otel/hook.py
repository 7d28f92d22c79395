"""From records to spans: one for each job."""

import asyncio
import time
from collections.abc import Mapping

from attrs import define

from seedance_async._version import __version__
from seedance_async.errors import ConfigurationError
from seedance_async.events import (
    Accepted,
    Attached,
    AttemptEnded,
    Drift,
    Finished,
    HookEvent,
    PossibleDouble,
    Queued,
    SessionBegun,
    SessionEnded,
    SlotAcquired,
    SlotGivenUp,
    StatusChanged,
    WaitEnded,
)
from seedance_async.file_events import DownloadEnded

try:
    from opentelemetry import metrics, trace
except ImportError:
    raise ConfigurationError(
        'traces and metrics need a library that is not installed: pip install "seedance-async[otel]"'
    ) from None

from opentelemetry.util.types import AttributeValue

from seedance_async.otel.instruments import Instruments

_NAME = "seedance_async"


@define(eq=False)
class _Generation:
    """The span of one job.

    Attributes:
        span: It began when the job was queued or attached.
        began_ns: Then, by the wall clock, in nanoseconds.
        began_at: Then, by the loop's clock, in seconds: a wall clock that is set bends no duration.
        model: The model's id, or None.
        waited: Seconds until it got its latest slot.
    """

    span: trace.Span
    began_ns: int
    began_at: float
    model: str | None
    waited: float = 0.0

    def moment(self) -> int:
        """Return the present moment as the trace counts it."""
        return self.began_ns + round((asyncio.get_running_loop().time() - self.began_at) * 1e9)


class OpenTelemetryHook:
    """A hook that turns what a session does into spans and metrics.

    Each job is a span of the kind client, from when it was queued to when it was over; its parent is the span in whose
    context the job was asked for. Give each session a hook of its own.

    Args:
        tracer_provider: Where spans go; by default the global provider, as it is when the hook is made or set later.
        meter_provider: Where metrics go; by default the global provider.
        attributes: Put on every span and every metric, to tell several sessions apart.

    Raises:
        ConfigurationError: On the import of this module: the extra `otel` is not installed.
    """

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        *,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> None:
        self._attributes: dict[str, AttributeValue] = dict(attributes or {})
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
        self._metrics = Instruments(metrics.get_meter(_NAME, __version__, meter_provider), self._attributes)
        self._open: dict[str, _Generation] = {}

    def __call__(self, event: HookEvent) -> None:
        """Take one record; the session calls this."""
        match event:
            case SessionBegun(statistics=statistics):
                if self._metrics.statistics is not None:
                    raise ConfigurationError("an OpenTelemetryHook is for one session: make one for each")
                self._metrics.statistics = statistics
            case SessionEnded():
                self._end_all(event)
            case Queued():
                self._begin(event, {"seedance.credits.quoted": _number(event.credits)})
            case Attached():
                self._begin(event, {"gen_ai.response.id": event.task_id})
            case DownloadEnded():
                self._metrics.downloaded(event)
            case _:
                generation = self._open.get(getattr(event, "key", None) or "")
                if generation is not None:
                    self._note(generation, event)
                self._metrics.count(event, None if generation is None else generation.model)

    def _begin(self, event: Queued | Attached, more: dict[str, AttributeValue | None]) -> None:
        key, model = event.key, event.model
        earlier = self._open.pop(key, None)
        if earlier is not None:
            earlier.span.end(earlier.moment())
        attributes: dict[str, AttributeValue | None] = {
            **self._attributes,
            "gen_ai.operation.name": "generate_content",
            "gen_ai.provider.name": "kinovi",
            "gen_ai.output.type": "video",
            "gen_ai.request.model": model,
            "seedance.key": key,
            "seedance.group": event.group,
            "seedance.attached": isinstance(event, Attached),
            **more,
        }
        began_ns = time.time_ns()
        # The context of whoever asked for the job is the present one, and nobody else's: creates have an empty one.
        span = self._tracer.start_span(
            "generate_content" if model is None else f"generate_content {model}",
            kind=trace.SpanKind.CLIENT,
            attributes=_given(attributes),
            start_time=began_ns,
        )
        self._open[key] = _Generation(span, began_ns, asyncio.get_running_loop().time(), model)

    def _note(self, generation: _Generation, event: HookEvent) -> None:
        match event:
            case SlotAcquired(waited=waited):
                generation.waited = waited
                self._add(generation, "seedance.slot_acquired", {"seedance.waited": waited})
            case AttemptEnded():
                self._add(
                    generation,
                    "seedance.attempt",
                    {
                        "seedance.attempt.number": event.number,
                        "seedance.attempt.outcome": event.outcome,
                        "seedance.attempt.duration": event.seconds,
                        "http.response.status_code": event.status,
                        "error.type": event.error,
                        "error.message": event.reason,
                    },
                )
            case Accepted(task_id=task_id):
                generation.span.set_attribute("gen_ai.response.id", task_id)
                generation.span.set_attribute("seedance.queue.duration", generation.waited)
                self._metrics.accepted(generation.model, generation.waited)
                self._add(generation, "seedance.accepted", {})
            case StatusChanged(status=status, previous=previous) if status != previous:
                self._add(generation, "seedance.status", {"seedance.status": status})
            case PossibleDouble(reason=reason):
                self._add(generation, "seedance.possible_double", {"error.message": reason})
            case WaitEnded(error=error, reason=reason):
                self._add(generation, "seedance.wait_ended", {"error.type": error, "error.message": reason})
            case SlotGivenUp():
                self._add(generation, "seedance.slot_given_up", {})
            case Drift(what=what, expected=expected, actual=actual):
                drift: dict[str, AttributeValue | None] = {"expected": expected, "actual": actual}
                self._add(generation, f"seedance.drift.{what}", {f"seedance.drift.{k}": v for k, v in drift.items()})
            case Finished(key=key):
                self._finish(generation, event)
                del self._open[key]
            case _:
                pass

    def _add(self, generation: _Generation, name: str, attributes: dict[str, AttributeValue | None]) -> None:
        generation.span.add_event(name, _given(attributes), generation.moment())

    def _finish(self, generation: _Generation, event: Finished) -> None:
        span = generation.span
        attributes: dict[str, AttributeValue | None] = {
            "seedance.state": event.state,
            "seedance.charged": event.charged,
            "seedance.attempts": event.attempts,
            "seedance.credits.used": _number(event.credits_used),
            "seedance.task.duration": event.ran,
            "error.type": event.error,
        }
        span.set_attributes(_given(attributes))
        # What was taken back before it cost anything is no failure of anybody.
        if event.error is not None and event.state != "withdrawn":
            span.set_status(trace.StatusCode.ERROR, event.reason)
        span.end(generation.moment())
        self._metrics.finished(event, generation.model)

    def _end_all(self, event: SessionEnded) -> None:
        self._metrics.statistics = None
        for generation in self._open.values():
            generation.span.set_attribute("seedance.state", "running")
            if event.reason is not None:
                generation.span.set_status(trace.StatusCode.ERROR, event.reason)
            generation.span.end(generation.moment())
        self._open.clear()


def _given(attributes: Mapping[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    return {name: value for name, value in attributes.items() if value is not None}


def _number(credits: object) -> float | None:
    return None if credits is None else float(str(credits))
