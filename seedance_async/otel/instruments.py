"""The metrics of a session: counted as records come, or read from its statistics when somebody collects."""

import weakref
from collections.abc import Callable, Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation
from opentelemetry.util.types import AttributeValue

from seedance_async.events import (
    AttemptEnded,
    Finished,
    GateClosed,
    HookEvent,
    PollEnded,
    Refusal,
    Unclaimed,
)
from seedance_async.file_events import DownloadEnded
from seedance_async.statistics import SessionStatistics

#: Seconds: a clip takes one to ten minutes, and may wait for hours for its slot.
_MINUTES = (1, 5, 10, 30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1800, 3600, 7200, 14400)
_MOMENTS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

Reading = Callable[[SessionStatistics], Iterable[tuple[float, Mapping[str, AttributeValue]]]]

_READINGS: tuple[tuple[str, str, str, Reading], ...] = (
    ("seedance.slots.used", "{slot}", "Slots that are held.", lambda now: [(now.in_progress, {})]),
    ("seedance.slots.limit", "{slot}", "Slots there are, as far as known.", lambda now: [(now.limit, {})]),
    ("seedance.slots.foreign", "{slot}", "Slots that others use, as far as known.", lambda now: [(now.foreign, {})]),
    ("seedance.jobs.waiting", "{job}", "Jobs that wait for a slot.", lambda now: [(now.waiting, {})]),
    ("seedance.tasks.pending", "{task}", "Tasks accepted and not seen to end.", lambda now: [(now.pending, {})]),
    ("seedance.gate.open", "1", "1 while creates leave, 0 while none does.", lambda now: [(now.gate == "open", {})]),
    (
        "seedance.credits",
        "{credit}",
        "Credits: reserved, used, or spent perhaps.",
        lambda now: [
            (float(now.credits_reserved), {"seedance.credits.state": "reserved"}),
            (float(now.credits_used), {"seedance.credits.state": "used"}),
            (float(now.credits_maybe), {"seedance.credits.state": "maybe"}),
        ],
    ),
)


class Instruments:
    """The instruments of one hook.

    Attributes:
        statistics: The session's; None before it begins and after it has ended.
    """

    def __init__(self, meter: Meter, attributes: Mapping[str, AttributeValue]) -> None:
        self.statistics: Callable[[], SessionStatistics] | None = None
        self._attributes = attributes
        self._creates = meter.create_counter("seedance.creates", "{create}", "Creates, by how they ended.")
        self._refusals = meter.create_counter("seedance.refusals", "{create}", "Creates answered with 429.")
        self._polls = meter.create_counter("seedance.polls", "{poll}", "Polls, by HTTP status.")
        self._finished = meter.create_counter("seedance.jobs.finished", "{job}", "Jobs that are over, by last state.")
        self._unclaimed = meter.create_counter("seedance.tasks.unclaimed", "{task}", "Tasks that nobody waited for.")
        self._closings = meter.create_counter("seedance.gate.closings", "{closing}", "Outages that began.")
        self._bytes = meter.create_counter("seedance.downloads.size", "By", "Bytes of downloads that ended.")
        self._create_seconds = _histogram(meter, "seedance.create.duration", "How long creates took.", _MOMENTS)
        self._poll_seconds = _histogram(meter, "seedance.poll.duration", "How long polls took.", _MOMENTS)
        self._queue_seconds = _histogram(meter, "seedance.queue.duration", "From queued to the slot.", _MINUTES)
        self._task_seconds = _histogram(meter, "seedance.task.duration", "From accepted to the end.", _MINUTES)
        self._job_seconds = _histogram(meter, "seedance.job.duration", "From queued to the end.", _MINUTES)
        self._download_seconds = _histogram(meter, "seedance.download.duration", "How long downloads took.", _MINUTES)
        # A provider never forgets a callback; through a weak reference it keeps nothing of a session that is gone.
        mine: weakref.ref[Instruments] = weakref.ref(self)
        for name, unit, description, reading in _READINGS:
            meter.create_observable_up_down_counter(name, [_callback(mine, reading)], unit, description)

    def count(self, event: HookEvent, model: str | None) -> None:
        """Count a record."""
        match event:
            case AttemptEnded(outcome=outcome, status=status, seconds=seconds):
                with_status = self._with(model, {"seedance.attempt.outcome": outcome}, status)
                self._creates.add(1, with_status)
                self._create_seconds.record(seconds, with_status)
            case Refusal():
                self._refusals.add(1, self._with(model, {}))
            case PollEnded(status=status, seconds=seconds):
                answered = self._with(None, {}, status)
                self._polls.add(1, answered)
                self._poll_seconds.record(seconds, answered)
            case Unclaimed(state=state):
                self._unclaimed.add(1, self._with(None, {"seedance.state": state}))
            case GateClosed():
                self._closings.add(1, self._with(None, {}))
            case _:
                pass

    def accepted(self, model: str | None, waited: float) -> None:
        """Note how long an accepted job had waited for its slot."""
        self._queue_seconds.record(waited, self._with(model, {}))

    def finished(self, event: Finished, model: str | None) -> None:
        """Note the end of a job."""
        error: dict[str, AttributeValue] = {} if event.error is None else {"error.type": event.error}
        attributes = self._with(model, {"seedance.state": event.state, **error})
        self._finished.add(1, attributes)
        self._job_seconds.record(event.seconds, attributes)
        if event.ran is not None:
            self._task_seconds.record(event.ran, attributes)

    def downloaded(self, event: DownloadEnded) -> None:
        """Note the end of a download or stream."""
        attributes = self._with(None, {"seedance.download.outcome": event.outcome})
        self._bytes.add(event.size, attributes)
        self._download_seconds.record(event.seconds, attributes)

    def observe(self, reading: Reading) -> list[Observation]:
        """Read the session's statistics, in whichever thread collects."""
        if self.statistics is None:
            return []
        return [Observation(value, {**self._attributes, **more}) for value, more in reading(self.statistics())]

    def _with(
        self, model: str | None, more: Mapping[str, AttributeValue], status: int | None = None
    ) -> dict[str, AttributeValue]:
        attributes = {**self._attributes, **more}
        if model is not None:
            attributes["gen_ai.request.model"] = model
        if status is not None:
            attributes["http.response.status_code"] = status
        return attributes


def _histogram(meter: Meter, name: str, description: str, bounds: tuple[float, ...]) -> Histogram:
    return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=bounds)


def _callback(mine: "weakref.ref[Instruments]", reading: Reading) -> Callable[[CallbackOptions], list[Observation]]:
    def observe(_options: CallbackOptions) -> list[Observation]:
        instruments = mine()
        return [] if instruments is None else instruments.observe(reading)

    return observe
