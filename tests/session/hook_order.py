"""The order in which a session's hooks hear of each job, as a machine that every session of the tests runs past."""

from typing import Any

from attrs import define, field

from seedance_async.events import (
    Accepted,
    Attached,
    AttemptEnded,
    Drift,
    Finished,
    HookEvent,
    PollEnded,
    PossibleDouble,
    Queued,
    Refusal,
    SessionBegun,
    SessionEnded,
    SlotAcquired,
    SlotGivenUp,
    StatusChanged,
    Unclaimed,
    WaitEnded,
)
from seedance_async.file_events import DownloadEnded, DownloadProgress

#: Where a job may be when a record comes, and where it is then.
MOVES: dict[type[Any], dict[str, str]] = {
    Queued: {"new": "queued", "over": "queued"},
    Attached: {"new": "running", "over": "running"},
    SlotAcquired: {"queued": "slot"},
    Refusal: {"rejected": "queued"},
    PossibleDouble: {"unknown": "slot"},
    Accepted: {"accepted": "running"},
    StatusChanged: {"running": "running"},
    # Of a task whose id could not be written down, the wait is over before it is told of.
    WaitEnded: {"accepted": "accepted", "running": "running"},
    SlotGivenUp: {"running": "running"},
    Drift: {"running": "running"},
    # One that was in flight when its task ended otherwise.
    PollEnded: {"running": "running", "over": "over"},
    Finished: dict.fromkeys(("queued", "slot", "rejected", "unknown", "running"), "over"),
    Unclaimed: {"over": "over"},
}
OUTCOMES = {"accepted": "accepted", "rejected": "rejected", "not sent": "queued", "unknown": "unknown"}


@define
class HookOrder:
    """A hook that notes what is out of order."""

    wrong: list[str] = field(factory=list)
    places: dict[str, str] = field(factory=dict)
    attempts: dict[str, int] = field(factory=dict)
    tasks: dict[str, str] = field(factory=dict)
    begun: bool = False
    ended: bool = False
    last: HookEvent | None = None

    def __call__(self, event: HookEvent) -> None:
        problem = self._take(event)
        if problem is not None:
            self.wrong.append(f"{problem}: {event} after {self.last}")
        self.last = event

    def _take(self, event: HookEvent) -> str | None:
        if isinstance(event, SessionBegun):
            self.begun = True
            return None
        if not self.begun:
            return "told before the session began"
        if self.ended and not isinstance(event, DownloadProgress | DownloadEnded):
            return "told after the session ended"
        if isinstance(event, SessionEnded):
            return self._end(event)
        key = getattr(event, "key", None)
        return None if key is None else self._move(key, event)

    def _move(self, key: str, event: HookEvent) -> str | None:
        place = self.places.get(key, "new")
        if isinstance(event, AttemptEnded):
            self.attempts[key] += 1
            # A refused create leaves once more with its duration in the other form.
            place_after = OUTCOMES[event.outcome] if place in {"slot", "rejected"} else None
            if event.number != self.attempts[key]:
                return f"attempt {self.attempts[key]} is called {event.number}"
        else:
            place_after = MOVES[type(event)].get(place)
        if place_after is None:
            return f"the job is {place}"
        self.places[key] = place_after
        if isinstance(event, Accepted | Attached):
            self.tasks[key] = event.task_id
        return self._compare(key, event)

    def _compare(self, key: str, event: HookEvent) -> str | None:
        match event:
            case Queued():
                self.attempts[key] = 0
            case Attached():
                # Sent before, by this session or another.
                self.attempts.pop(key, None)
            case SlotAcquired(number=number, waited=waited):
                if number != self.attempts[key] + 1 or waited < 0:
                    return f"{self.attempts[key]} attempts have left"
            case Finished(attempts=attempts, seconds=seconds):
                if attempts != self.attempts.get(key, attempts) or seconds < 0:
                    return f"{self.attempts[key]} attempts have left"
            case Unclaimed() if not (isinstance(self.last, Finished) and self.last.key == key):
                return "not right after its end"
            case _:
                pass
        return None

    def _end(self, event: SessionEnded) -> str | None:
        self.ended = True
        if event.reason is not None:
            return None
        places = set(self.places.values()) - {"running", "over"}
        if places:
            return f"jobs are left that are {places}"
        running = sorted(self.tasks[key] for key, place in self.places.items() if place == "running")
        return None if running == sorted(event.task_ids) else f"these run: {running}"
