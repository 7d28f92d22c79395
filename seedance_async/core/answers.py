"""What came back for one HTTP request, and the error that an HTTP status stands for."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from attrs import evolve, field, frozen

from seedance_async.core.decode import decode_credits
from seedance_async.core.redact import REDACTED, redact_json, redact_url
from seedance_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    InsufficientCreditsError,
    PermissionDeniedError,
    Problem,
    ServerError,
    TaskNotFoundError,
)

_SHOWN = 200


@frozen
class Cause:
    """A foreign exception as data: the exception itself may carry headers, and with them the key.

    Attributes:
        type_name: The exception's class.
        text: What it said, with secrets removed.
    """

    type_name: str
    text: str

    def __str__(self) -> str:
        return f"{self.type_name}: {self.text}" if self.text else self.type_name


@frozen
class Answer:
    """An HTTP answer, read as far as it came.

    Attributes:
        status: The HTTP status.
        body: The decoded JSON, or None where the body was none or was cut.
        text: The body as text, shortened, with secrets removed; empty for JSON with status 200.
        complete: Whether the body arrived whole.
        retry_after: The `Retry-After` header as sent.
    """

    status: int
    # A record's addresses are signed, and error trackers keep the locals of every frame.
    body: object = field(default=None, repr=False)
    text: str = ""
    complete: bool = True
    retry_after: str | None = None

    @property
    def proper(self) -> bool:
        """Whether the service itself answered: JSON, and no failure of its own."""
        return self.status < 500 and isinstance(self.body, Mapping)

    @property
    def fields(self) -> Mapping[str, Any]:
        """The body's fields; none where it is no JSON object."""
        body: object = self.body
        return cast("Mapping[str, Any]", body) if isinstance(body, Mapping) else {}


@frozen
class NoAnswer:
    """A request that got no status line.

    Attributes:
        sent: Whether the first byte of the body had been asked for, so that the service may have received it.
        cause: What happened.
    """

    sent: bool
    cause: Cause


Reply = Answer | NoAnswer


def without_callback(reply: Reply, url: str | None) -> Reply:
    """Return the answer to a create without the path of the callback URL it had: whoever knows that may call there."""
    if url is None or not isinstance(reply, Answer) or reply.status == 200:
        return reply
    # Answers show no query already.
    shown = redact_url(url).partition("?")[0]
    host, slash, path = shown.partition("://")[2].partition("/")
    if not path:
        return reply
    hidden = f"{shown.partition('://')[0]}://{host}{slash}{REDACTED}"
    body = redact_json(reply.body, lambda text: text.replace(shown, hidden))
    return evolve(reply, body=body, text=reply.text.replace(shown, hidden))


def api_error(answer: Answer, key_source: str | None = None) -> ApiError:
    """Make the error that an answer with an error status stands for.

    Args:
        answer: The answer; its status is no 2xx.
        key_source: Where the API key came from, to be named with a 401.
    """
    status, body = answer.status, answer.body
    message, fields = _message(answer), answer.fields
    match status:
        case 400:
            return BadRequestError(status, message, body, problems_of(fields.get("errors")))
        case 401:
            return AuthenticationError(status, message, body, key_source)
        case 402:
            required = decode_credits(fields.get("required"))
            return InsufficientCreditsError(status, message, body, required, decode_credits(fields.get("available")))
        case 403:
            return PermissionDeniedError(status, message, body)
        case 404:
            return TaskNotFoundError(status, message, body)
        case 429:
            return ConcurrencyLimitError(
                status, message, body, _count(fields.get("limit")), _count(fields.get("current"))
            )
        case _ if status >= 500:
            return ServerError(status, message, body)
        case _:
            return ApiError(status, message, body)


def problems_of(errors: object) -> tuple[Problem, ...]:
    """Read the service's list of what is wrong with the inputs."""
    if not isinstance(errors, Sequence) or isinstance(errors, str):
        return ()
    problems: list[Problem] = []
    for item in cast("Sequence[object]", errors):
        if not isinstance(item, Mapping):
            continue
        fields = cast("Mapping[str, Any]", item)
        path = fields.get("path")
        parts: Sequence[object] = cast("Sequence[object]", path) if isinstance(path, list) else [path or "inputs"]
        given = fields.get("received")
        problems.append(
            Problem(
                path=".".join(str(part) for part in parts) or "inputs",
                message=str(fields.get("message") or fields.get("code") or "refused"),
                given=None if given is None else str(given)[:_SHOWN],
            )
        )
    return tuple(problems)


def _message(answer: Answer) -> str:
    message = answer.fields.get("message")
    if isinstance(message, str) and message:
        return message[:_SHOWN]
    if 300 <= answer.status < 400:
        return "the API redirects, and a create is never sent to another place; check base_url"
    text = answer.text.strip()
    if text[:1] == "<":
        return "an HTML page instead of JSON; check base_url, or something in front of the service has failed"
    return text[:_SHOWN] or "no message"


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value
