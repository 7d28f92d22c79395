"""What `map` looks at before it begins: the names that hold for every input, and the order of the inputs."""

from collections.abc import AsyncIterable, Mapping, Sequence
from decimal import Decimal
from typing import cast

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import FIELDS_OF, INPUT_FIELDS, Inputs, TextToVideo
from seedance_async.core.names import shown
from seedance_async.core.order import ORDERS, Order, starting_order
from seedance_async.core.request import Request, prepare_call
from seedance_async.errors import ConfigurationError, InputError
from seedance_async.items import Sources


def check_names(fields: Mapping[str, object], catalogue: Catalogue) -> None:
    """Refuse names that no input has at once, and with them the values that are wrong in any input."""
    if all(name in INPUT_FIELDS for name in fields):
        return
    try:
        prepare_call("a prompt", fields, catalogue)
    except InputError as error:
        # That a prompt has no media says nothing of the inputs that will come.
        foreign = INPUT_FIELDS - set(FIELDS_OF[TextToVideo])
        raise InputError([problem for problem in error.problems if problem.path not in foreign]) from None


def in_order(
    inputs: Sources,
    order: Order,
    fields: Mapping[str, object],
    catalogue: Catalogue,
    left: Decimal | None,
    *,
    ordered: bool,
) -> tuple[Sources, Sequence[int] | None]:
    """Return inputs in the order in which to start them, and where each was; None where nothing was moved.

    Raises:
        ConfigurationError: There is no such order, or it goes with neither `ordered` nor an async iterable.
    """
    if order not in ORDERS:
        raise ConfigurationError(f"map: order is one of {', '.join(ORDERS)}, and is {shown(order)}")
    if order == "source":
        return inputs, None
    if ordered or isinstance(inputs, AsyncIterable):
        raise ConfigurationError(f"map: order={order!r} goes with neither ordered=True nor an async iterable")
    given = list(inputs)
    places = starting_order([_request_of(source, fields, catalogue) for source in given], order, left)
    return [given[place] for place in places], places


def _request_of(source: object, fields: Mapping[str, object], catalogue: Catalogue) -> Request | None:
    """Return the request of one input; None where it is wrong, which its item says."""
    if isinstance(source, tuple) and len(cast("tuple[object, ...]", source)) == 2:
        _, source = cast("tuple[object, object]", source)
    try:
        return prepare_call(cast("str | Inputs", source), fields, catalogue)
    except InputError:
        return None
