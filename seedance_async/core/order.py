"""In which order many jobs are started.

With more jobs than slots a run ends with a tail in which slots stand empty, as long as the last jobs to start take.
Started first, long jobs leave the short ones for the end. It costs nothing but the order: where not everything can be
paid, it is the user's own order that says what comes first.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

from seedance_async.core.request import Request

Order = Literal["source", "longest-first"]
"""As they were given, or those first that usually take longest."""

ORDERS: Final[tuple[Order, ...]] = "source", "longest-first"


def starting_order(requests: Sequence[Request | None], order: Order, left: Decimal | None = None) -> list[int]:
    """Return the places of the requests in the order in which to start them.

    Args:
        requests: What is to be sent, as the user gave it; None where the inputs are wrong, which is said at once.
        order: What the user wants. With `longest-first` those that usually take longest come first, and of equal ones
            the longer clip; else they stay as they were given.
        left: Credits that may still be reserved; None for no limit. Where the requests cost more, or the price of one
            is not known, all stay as they were given.
    """
    places = list(range(len(requests)))
    if order == "longest-first" and _fit(requests, left):
        # The sort is stable, so that equal ones stay as they were given.
        places.sort(key=lambda place: _length(requests[place]), reverse=True)
    return places


def _fit(requests: Sequence[Request | None], left: Decimal | None) -> bool:
    if left is None:
        return True
    total = Decimal(0)
    for request in requests:
        if request is None:
            continue
        if request.credits is None:
            return False
        total += request.credits
    return total <= left


def _length(request: Request | None) -> tuple[float, int]:
    """How long a task takes: what the catalogue says, and then what the clip's own length says."""
    if request is None:
        return math.inf, 0
    duration: int | None = getattr(request.inputs, "duration", None)
    return request.typical_seconds, duration or 0
