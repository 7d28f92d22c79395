"""What the emulated service answers: literal bodies of the contract (section 7)."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from attrs import frozen

#: A page of the proxy in front of the service; not JSON.
CLOUDFLARE_502: Final = (
    "<!DOCTYPE html><html><head><title>502: Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n"
)


@frozen
class Answer:
    """One HTTP answer with a JSON body.

    Attributes:
        status: The HTTP status.
        body: The JSON object.
    """

    status: int
    body: Mapping[str, Any]


def message(status: int, text: str, **more: Any) -> Answer:
    """Return an answer whose body is a message, and whatever goes with it."""
    return Answer(status, {"message": text, **more})


MISSING_HEADER: Final = message(401, "Missing Authorization header")
INVALID_KEY: Final = message(401, "Invalid API Key")
INACTIVE_KEY: Final = message(401, "API Key is inactive")
EXPIRED_KEY: Final = message(401, "API Key has expired")
NOT_ENABLED: Final = message(403, "API access not enabled for this account")
ACCESS_DENIED: Final = message(403, "Access denied")
UNKNOWN_MODEL: Final = message(400, "Unknown model")
INVALID_REQUEST: Final = message(400, "Invalid request parameters")
MISSING_TASK_ID: Final = message(400, "Missing taskId parameter")
INVALID_TASK_ID: Final = message(400, "Invalid taskId")
TASK_NOT_FOUND: Final = message(404, "Task not found")
INTERNAL_ERROR: Final = message(500, "Internal server error")


def invalid_inputs(issues: Sequence[Mapping[str, Any]]) -> Answer:
    """Return the 400 that lists what is wrong with `inputs`."""
    return message(400, "Invalid inputs for model", errors=list(issues))


def insufficient_credits(required: Decimal, available: Decimal) -> Answer:
    """Return the 402."""
    return message(402, "Insufficient credits", required=number(required), available=number(available))


def over_the_limit(limit: int, current: int) -> Answer:
    """Return the 429 with its numbers."""
    text = (
        f"Concurrency limit reached ({limit}). You have {current} tasks in progress. Please wait for them to "
        "complete, or join our Discord for higher limits."
    )
    return message(429, text, limit=limit, current=current)


def number(value: Decimal) -> int | float:
    """Return credits as the service writes them: whole numbers without a point, others as a float."""
    return int(value) if value == value.to_integral_value() else float(value)


def encode(body: object) -> bytes:
    """Return the bytes of a JSON body."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
