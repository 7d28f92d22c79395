"""What is known of the callbacks of one job: which creates left with a URL of the session's, and what came."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from seedance_async.core.record import Attempt, JobRecord

#: Creates of one job of which a callback is known; each 429 before the one that counts makes another.
_MOST_SENT: Final = 8
#: How far the service's clock may be from ours for a task to count as made by a certain create.
CLOCKS: Final = timedelta(minutes=5)


@frozen
class Sent:
    """A create that left with a URL of its own.

    Attributes:
        name: Names it among all creates of the job's key, see `CallbackUrls.token`.
        at: When it was about to leave (UTC).
    """

    name: str
    at: datetime


@define
class Callback:
    """The callbacks of a job whose creates carry a URL of the session's.

    Attributes:
        sent: Its creates with a URL of their own, the newest last; none where all tasks share one URL.
        told: The task id that a delivery with a token brought before there was an answer, and the token.
        heard_at: When a delivery about its task came last, in the loop's time.
        doubted: Whether a create of it that may have made a task is to be repeated, or was.
        confirmed: Whether the service knows the task that a delivery told, so that nothing is to be repeated.
    """

    sent: tuple[Sent, ...] = ()
    told: tuple[str, str] | None = field(default=None, repr=False)
    heard_at: float | None = None
    doubted: bool = False
    confirmed: bool = False

    def leaves(self, sent: Sent) -> None:
        """Note a create that is about to leave."""
        self.sent = (*self.sent, sent)[-_MOST_SENT:]


def attempt_name(attempt: Attempt) -> str:
    """Return the name of a create that a journal knows, the same after a crash.

    Its moment is in it because a journal that is begun anew counts from 1 again.
    """
    return f"{attempt.number} {attempt.intent_at.isoformat(timespec='microseconds')}"


def unknown_creates(record: JobRecord) -> tuple[Sent, ...]:
    """Return the creates of a job that may have made a task nobody knows of."""
    return tuple(
        Sent(attempt_name(attempt), attempt.intent_at)
        for attempt in record.attempts
        if attempt.number > record.earlier and attempt.outcome in {None, "unknown"}
    )


def fits(sent: Iterable[Sent], created_at: datetime | None, create_timeout: float) -> bool:
    """Whether a task may be that of one of these creates, by when the service says that it made it.

    Args:
        sent: The creates.
        created_at: From the task's record; a task without it fits none.
        create_timeout: Seconds that a create may be on the wire.
    """
    if created_at is None:
        return False
    longest = timedelta(seconds=create_timeout)
    return any(each.at - CLOCKS <= created_at <= each.at + longest + CLOCKS for each in sent)
