"""What many requests cost together, and how many of them a budget pays for."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from attrs import evolve, frozen

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import ImageToVideo, Inputs, OmniReference, TextToVideo, VideoEdit, VideoExtend
from seedance_async.core.media_types import Look, no_look
from seedance_async.core.rates import credits_for, credits_text
from seedance_async.core.request import Request, prepare_call
from seedance_async.errors import InputError, Problem

__all__ = ["Quote", "credits_for", "credits_text", "quote", "quote_requests"]


@frozen
class Quote:
    """What requests cost by list price, exactly, and what is to be known before paying.

    Attributes:
        credits: Credits reserved at submit, of all requests that have a price.
        requests: How many requests there are.
        lines: Credits of each request in order; None where no price is known.
        unpriced: Index of each request without a price, and why it has none.
        settles_later: Indices of requests whose final price follows the length of a given video. It is known only
            after the end and can be higher.
        only_in: Fields that only one published contract knows, with that catalogue's name. If the service follows the
            other contract, it ignores them without an error.
        extra: Names of extra fields, which no catalogue knows. They are sent; what they cost is not known.
    """

    credits: Decimal
    requests: int
    lines: tuple[Decimal | None, ...]
    unpriced_reasons: Mapping[int, str]
    settles_later: tuple[int, ...]
    only_in: Mapping[str, str]
    extra: tuple[str, ...]

    @property
    def unpriced(self) -> tuple[int, ...]:
        """Indices of the requests without a price."""
        return tuple(self.unpriced_reasons)

    def fitting(self, budget: Decimal | int) -> int:
        """Return how many requests, in order, `budget` credits pay for. An unpriced one ends the count."""
        left = Decimal(budget)
        for number, cost in enumerate(self.lines):
            if cost is None or cost > left:
                return number
            left -= cost
        return len(self.lines)

    def __str__(self) -> str:
        requests = "1 request" if self.requests == 1 else f"{self.requests} requests"
        unpriced = f", {len(self.unpriced)} of them without a known price" if self.unpriced else ""
        later = ", settled on the source's length afterwards" if self.settles_later else ""
        return f"{credits_text(self.credits)} credits for {requests}{unpriced}{later}"


def quote_requests(requests: Iterable[Request]) -> Quote:
    """Return the quote of requests that are prepared already."""
    lines: list[Decimal | None] = []
    reasons: dict[int, str] = {}
    later: list[int] = []
    only_in: dict[str, str] = {}
    extra: dict[str, None] = {}
    for number, request in enumerate(requests):
        lines.append(request.credits)
        if request.unpriced is not None:
            reasons[number] = request.unpriced
        if request.settles_later:
            later.append(number)
        only_in.update(request.only_in)
        extra.update(dict.fromkeys(request.inputs.extra))
    total = sum((line for line in lines if line is not None), start=Decimal(0))
    return Quote(total, len(lines), tuple(lines), reasons, tuple(later), only_in, tuple(extra))


def quote(inputs: str | Inputs | Iterable[str | Inputs], catalogue: Catalogue, look: Look = no_look) -> Quote:
    """Check inputs and return what they cost. A string is a prompt for text-to-video.

    Raises:
        InputError: With the problems of all inputs; where several were given, each path starts with its index.
    """
    if isinstance(inputs, str | TextToVideo | ImageToVideo | OmniReference | VideoEdit | VideoExtend):
        return quote_requests([prepare_call(inputs, {}, catalogue, look)])
    requests: list[Request] = []
    problems: list[Problem] = []
    for number, item in enumerate(inputs):
        try:
            requests.append(prepare_call(item, {}, catalogue, look))
        except InputError as error:
            problems += [evolve(problem, path=f"inputs[{number}].{problem.path}") for problem in error.problems]
    if problems:
        raise InputError(problems)
    return quote_requests(requests)
