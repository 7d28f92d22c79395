"""How a create ended: accepted, rejected, not sent or unknown.

1. No byte of the body was asked for: `NotSent`, whatever the exception.
2. HTTP 200 with a task id: `Accepted`.
3. A status that says no: `Rejected`. The status line decides, even where the body is cut or HTML.
4. All else is `Unknown`: 408, 5xx, another 2xx, a 200 without an id, no status line.

A `TimeoutError` occurs before and after sending, so exception types are never asked.
"""

from typing import Final

from attrs import frozen

from seedance_async.core.answers import Answer, Cause, NoAnswer, Reply, api_error
from seedance_async.core.decode import decode_task_id
from seedance_async.errors import ApiError, ServerError

#: Statuses with which a service refuses before it does anything. 408 is not among them: a proxy says it, too.
REFUSALS: Final = frozenset({400, 401, 402, 403, 404, 405, 413, 415, 422, 429})


@frozen
class Accepted:
    """The service took the task; credits are reserved from now on."""

    task_id: str


@frozen
class Rejected:
    """The service said no. Nothing was charged.

    Attributes:
        error: What it said.
        retry_after: Its `Retry-After` header as sent, or None.
    """

    error: ApiError
    retry_after: str | None = None


@frozen
class NotSent:
    """Nothing reached the service."""

    cause: Cause


@frozen
class Unknown:
    """The create left and its fate is not known. Credits may be gone.

    Attributes:
        cause: What was seen.
        internal_error: Set where the answer was a 500 in the service's own JSON, of which its documentation says
            "retry later"; the only unknown outcome that may be repeated.
    """

    cause: Cause
    internal_error: ServerError | None = None


Outcome = Accepted | Rejected | NotSent | Unknown


def classify(reply: Reply, key_source: str | None = None) -> Outcome:
    """Say how a create ended."""
    if isinstance(reply, NoAnswer):
        return Unknown(reply.cause) if reply.sent else NotSent(reply.cause)
    if reply.status == 200:
        task_id = decode_task_id(reply.body)
        if task_id is not None:
            return Accepted(task_id)
        return Unknown(Cause("HTTP 200", _oddity(reply)))
    if reply.status in REFUSALS or 300 <= reply.status < 400:
        return Rejected(api_error(reply, key_source), reply.retry_after)
    if reply.status >= 500:
        error = api_error(reply)
        assert isinstance(error, ServerError)
        own = reply.status == 500 and reply.complete and "message" in reply.fields
        return Unknown(Cause(f"HTTP {reply.status}", error.message), error if own else None)
    return Unknown(Cause(f"HTTP {reply.status}", _oddity(reply)))


def _oddity(answer: Answer) -> str:
    if not answer.complete:
        return "the answer was cut"
    if answer.text.lstrip()[:1] == "<":
        return "an HTML page instead of a task id; check base_url"
    return "an answer without a task id"
