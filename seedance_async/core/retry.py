"""What to do after a create has ended: the only place that decides about repeating one.

1. `Accepted`: done.
2. `Rejected` with 429: back to the head of the queue; the slots learn from its numbers.
3. `Rejected` otherwise: done, with the service's error.
4. `NotSent`: back to the head of the queue; the session waits for the service.
5. `Unknown` that is a 500 in the service's own JSON: repeated at most `repeats_of_500` times, if allowed.
6. `Unknown` otherwise: done. Nothing ever repeats it by itself.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Final

from attrs import field, frozen

from seedance_async.core.outcome import Accepted, NotSent, Outcome, Rejected
from seedance_async.core.validators import count, flag, not_negative
from seedance_async.errors import ConcurrencyLimitError, OutcomeUnknownError, SeedanceError

Rand = Callable[[], float]
"""Gives a number from 0 up to 1, evenly spread."""

#: The longest wait that a `Retry-After` is believed, in seconds. What asks for more says at least "not now".
_A_DAY: Final = 86_400.0


@frozen(kw_only=True)
class RetryPolicy:
    """How a session deals with failures of the service.

    Attributes:
        repeat_500: Whether a create answered with a 500 in the service's own JSON is sent again. The service
            documents such an answer as "retry later" and not whether it charged for it, so a repeat may pay twice;
            False makes it `ServerError` at once.
        repeats_of_500: How often, at most.
        give_up_after: Seconds of an outage after which `submit` and `generate` give up with
            `ConnectionFailedError`; `map` and batches wait on.
        first_contact: Seconds after which a session that has never reached the service says so.
        poll_failures: Polls of one task that may fail in a row, while the service answers others, before its
            handle stops waiting with `TaskTimeoutError`.
    """

    repeat_500: bool = field(default=True, validator=flag)
    repeats_of_500: int = field(default=2, validator=count)
    give_up_after: float = field(default=600.0, validator=not_negative)
    first_contact: float = field(default=5.0, validator=not_negative)
    poll_failures: int = field(default=20, validator=count)


@frozen
class Finish:
    """The create is over and the task runs."""

    task_id: str


@frozen
class OverLimit:
    """Back to the head of the queue: the account has no free slot."""

    error: ConcurrencyLimitError
    retry_after: str | None


@frozen
class Unreached:
    """Back to the head of the queue: the service was not reached."""

    reason: str


@frozen
class RepeatAfter:
    """Send the create again after `delay` seconds; the first one may have been charged."""

    delay: float
    reason: str


@frozen
class GiveUp:
    """The create is over and there is no task that we know of.

    Attributes:
        error: What the job's awaiters get.
        unknown: Whether a task may exist all the same.
    """

    error: SeedanceError
    unknown: bool = False


Decision = Finish | OverLimit | Unreached | RepeatAfter | GiveUp


def after_create(
    outcome: Outcome,
    *,
    repeats: int,
    policy: RetryPolicy,
    rand: Rand,
    credits: Decimal | None,
    key: str,
) -> Decision:
    """Decide what follows a create.

    Args:
        outcome: How it ended.
        repeats: How often this job's create was repeated after a 500.
        policy: The session's policy.
        rand: Chance.
        credits: What the create costs if it was accepted, for the error's text.
        key: The job's key, for the error's text.
    """
    if isinstance(outcome, Accepted):
        return Finish(outcome.task_id)
    if isinstance(outcome, Rejected):
        if isinstance(outcome.error, ConcurrencyLimitError):
            return OverLimit(outcome.error, outcome.retry_after)
        return GiveUp(outcome.error)
    if isinstance(outcome, NotSent):
        return Unreached(str(outcome.cause))
    if outcome.internal_error is not None:
        if policy.repeat_500 and repeats < policy.repeats_of_500:
            return RepeatAfter(grown_delay(repeats, rand, first=2.0, most=30.0), str(outcome.cause))
        error = outcome.internal_error
        error.charged = "maybe"
        return GiveUp(error, unknown=True)
    return GiveUp(OutcomeUnknownError(str(outcome.cause), credits, key), unknown=True)


def grown_delay(failures: int, rand: Rand, *, first: float, most: float) -> float:
    """Return a delay in seconds that doubles with each failure, spread over its upper half.

    The spread only shortens: nobody waits longer than `most`, and nobody returns at once.
    """
    ceiling = min(most, first * 2.0 ** min(failures, 32))
    return float(ceiling * (0.5 + 0.5 * rand()))


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header in either of its forms, as seconds from `now` on, at most a day.

    Returns:
        None where it is neither a finite number nor a date.
    """
    if value is None:
        return None
    value = value.strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    return min(max(0.0, seconds), _A_DAY) if isfinite(seconds) else None
