"""What a callback URL answers, whatever the framework: one function, which the ready-made routes share.

1. A POST that reads as a delivery is answered 204, whatever becomes of it: a wrong token, an unknown task and a session
   that is closed look the same from outside, and the service does not try again anyway.
2. One that does not is answered 400, 413 or 408 with a sentence that repeats nothing of what was sent.
3. GET and HEAD say that there is something here, for whoever wires up a proxy; OPTIONS says what is allowed.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from inspect import isawaitable
from typing import Final, Protocol, cast

from attrs import frozen

from seedance_async.core.delivery import MAX_BODY, Delivery, check_headers, parse_delivery
from seedance_async.errors import ConfigurationError, DeliveryError, SeedanceError

logger = logging.getLogger("seedance_async")

#: Seconds for a whole body to come in. It is one packet; whoever takes longer keeps connections busy on purpose.
_BODY_TIMEOUT: Final = 15.0
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")
_ALLOWED: Final = "GET, HEAD, OPTIONS, POST"
Body = Callable[[], AsyncGenerator[bytes, None]]
"""Begins to read the body of a request."""

_HERE: Final = "Callbacks for finished tasks are taken here, by POST.\n"


class Receiver(Protocol):
    """Somebody who takes deliveries: `session.notify`, or a function of yours that has the same arguments."""

    def __call__(self, delivery: Delivery, /, *, token: str | None) -> object:
        """Take a delivery; what is returned is awaited if it can be."""
        ...


class Notifies(Protocol):
    """Somebody with a method `notify`, such as a session."""

    def notify(self, delivery: Delivery, /, *, token: str | None = None) -> object:
        """Take a delivery."""
        ...


@frozen
class HttpAnswer:
    """What to answer.

    Attributes:
        status: The HTTP status.
        text: The body; empty for none.
        headers: Names in lower case.
    """

    status: int
    text: str
    headers: Mapping[str, str]


def receiver_of(target: Notifies | Receiver) -> Receiver:
    """Return what takes the deliveries.

    Raises:
        ConfigurationError: It can take none.
    """
    notify: object = getattr(target, "notify", target)
    if isinstance(target, type) or not callable(notify):
        raise ConfigurationError(
            "the route needs a session, or a function that is called with a delivery and `token=`, such as "
            "session.notify"
        )
    return cast("Receiver", notify)


async def respond(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: Body,
    receiver: Receiver,
) -> HttpAnswer:
    """Answer one request.

    Args:
        method: In upper case.
        path: Its last part is the token, if it looks like one; what is before it does not matter, so that every
            framework's way to mount an application will do.
        headers: Names in any case.
        body: Begins to read the body.
        receiver: Takes the delivery.
    """
    if method == "POST":
        return await _post(path, headers, body, receiver)
    if method in {"GET", "HEAD"}:
        return _answer(200, _HERE)
    if method == "OPTIONS":
        return _answer(204, "", allow=_ALLOWED)
    return _answer(405, "Only POST delivers something here.\n", allow=_ALLOWED)


def token_in(path: str) -> str:
    """Return the token at the end of a path; empty where there is none."""
    # The last part, without splitting what may be long: only its end is looked at.
    last = path[-200:].rstrip("/").rpartition("/")[2]
    return last if _TOKEN.fullmatch(last) else ""


async def _post(path: str, headers: Mapping[str, str], body: Body, receiver: Receiver) -> HttpAnswer:
    try:
        check_headers(headers)
        raw = await _whole(headers, body)
        if raw is None:
            return _answer(413, f"A delivery has at most {MAX_BODY} bytes.\n")
        delivery = parse_delivery(raw, headers)
    except DeliveryError as error:
        return _answer(400, f"{error}\n")
    except TimeoutError:
        return _answer(408, "The body took too long.\n")
    await _hand_over(receiver, delivery, token_in(path))
    return _answer(204, "")


async def _whole(headers: Mapping[str, str], body: Body) -> bytes | None:
    """Read the body; None where it is too long, of which not more than that is read."""
    length = next((value for name, value in headers.items() if name.lower() == "content-length"), "")
    if length.isascii() and length.isdigit() and (len(length) > 9 or int(length) > MAX_BODY):
        return None
    raw = bytearray()
    async with asyncio.timeout(_BODY_TIMEOUT), aclosing(body()) as chunks:
        async for chunk in chunks:
            raw += chunk
            if len(raw) > MAX_BODY:
                return None
    return bytes(raw)


async def _hand_over(receiver: Receiver, delivery: Delivery, token: str) -> None:
    try:
        outcome = receiver(delivery, token=token)
        if isawaitable(outcome):
            await cast("Awaitable[object]", outcome)
    except ConfigurationError as error:
        # A mistake of the application's that it would not notice otherwise: nobody sees the answer.
        logger.warning("a delivery was not taken: %s", error)
    except SeedanceError as error:
        logger.info("a delivery was not taken: %s", type(error).__name__)
    except Exception:
        logger.exception("the receiver of deliveries failed")


def _answer(status: int, text: str, **headers: str) -> HttpAnswer:
    if text:
        headers["content-type"] = "text/plain; charset=utf-8"
        headers["x-content-type-options"] = "nosniff"
    return HttpAnswer(status, text, {**headers, "cache-control": "no-store"})
