"""The states of a job and the events that move it, as one table.

A job is ours; a task is theirs. A job has at most one task and may need several attempts (creates) to get it.

    queued     waits for a slot; nothing is on the wire
    sending    a create is on the wire, or waits to be repeated after a 500
    running    the service accepted it; there is a task id
    succeeded  the task ended in success
    failed     the task ended in failure; refunded
    refused    the service, or the session for it, said no; nothing was charged
    withdrawn  taken back before anything was sent, or the session closed first
    unknown    a create left and its fate is not known
    gone       the service no longer answers for the task: 404 or 403

An unknown job becomes running if a later hint brings its task id. One that has ended is queued again where the caller
wants another attempt: the session then makes a new job of the same key, and the journal keeps one record for both.
"""

from enum import Enum
from typing import Final


class State(Enum):
    """Where a job is."""

    QUEUED = "queued"
    SENDING = "sending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"
    GONE = "gone"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self not in _MOVING


class Event(Enum):
    """What moves a job."""

    INTENT = "intent"
    """A slot, the gate and the budget are held; the create is about to leave."""
    NOT_SENT = "not sent"
    OVER_LIMIT = "over limit"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    LOST = "lost"
    WITHDRAWN = "withdrawn"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    GONE = "gone"
    RESOLVED = "resolved"
    """A hint, such as a webhook or a line in a log, brought the task id of a create whose answer was lost."""
    REQUEUED = "requeued"
    """Another attempt was asked for, with the same inputs or others; of a queued job, with others."""


_MOVING: Final = frozenset({State.QUEUED, State.SENDING, State.RUNNING})

_TABLE: Final[dict[tuple[State, Event], State]] = {
    (State.QUEUED, Event.INTENT): State.SENDING,
    (State.QUEUED, Event.WITHDRAWN): State.WITHDRAWN,
    # Refused without a create: the session knows from another job's answer what the service would say.
    (State.QUEUED, Event.REFUSED): State.REFUSED,
    # An earlier create of the job was answered 500 and may have been accepted all the same.
    (State.QUEUED, Event.LOST): State.UNKNOWN,
    # The same job's create once more: after a 500, or with its duration in the other form.
    (State.SENDING, Event.INTENT): State.SENDING,
    (State.SENDING, Event.NOT_SENT): State.QUEUED,
    (State.SENDING, Event.OVER_LIMIT): State.QUEUED,
    (State.SENDING, Event.ACCEPTED): State.RUNNING,
    (State.SENDING, Event.REFUSED): State.REFUSED,
    (State.SENDING, Event.LOST): State.UNKNOWN,
    (State.RUNNING, Event.SUCCEEDED): State.SUCCEEDED,
    (State.RUNNING, Event.FAILED): State.FAILED,
    (State.RUNNING, Event.GONE): State.GONE,
    (State.UNKNOWN, Event.RESOLVED): State.RUNNING,
    (State.QUEUED, Event.REQUEUED): State.QUEUED,
    (State.SUCCEEDED, Event.REQUEUED): State.QUEUED,
    (State.FAILED, Event.REQUEUED): State.QUEUED,
    (State.REFUSED, Event.REQUEUED): State.QUEUED,
    (State.WITHDRAWN, Event.REQUEUED): State.QUEUED,
    (State.UNKNOWN, Event.REQUEUED): State.QUEUED,
    (State.GONE, Event.REQUEUED): State.QUEUED,
}


def step(state: State, event: Event) -> State:
    """Return the state that follows.

    Raises:
        ValueError: The event cannot happen in this state; a mistake of this package.
    """
    try:
        return _TABLE[state, event]
    except KeyError:
        raise ValueError(f"a job that is {state.value} cannot be {event.value}") from None
