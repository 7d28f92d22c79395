"""Where processes die: everywhere, one place after the other, or drawn."""

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Final, get_args

from tests.kills.orders import Point, Trap, Writes

_WRITES: Final[tuple[Writes, ...]] = get_args(Writes)
_POINTS: Final[tuple[Point, ...]] = get_args(Point)
#: Seconds that a write to a journal takes, or somewhat more.
_WRITE: Final = 0.004


def drawn(rng: Random, span: float) -> Iterator[tuple[Trap, bool]]:
    """Draw traps for processes that would live for about `span` seconds, and whether they resubmit, without an end."""
    while True:
        yield _drawn(rng, span), rng.random() < 0.5


def each_write(first: int = 1) -> Iterator[tuple[Trap, bool]]:
    """Return a trap after the first write, the second and so on, without an end, for processes that all resubmit."""
    return ((Trap(kind="write", number=number), True) for number in count(first))


def _drawn(rng: Random, span: float) -> Trap:
    kind = rng.choices(["time", "write", "step", "leave"], [5, 3, 1, 1])[0]
    match kind:
        case "time":
            return Trap(kind="time", seconds=rng.uniform(0, span))
        case "write":
            point = rng.choice(_POINTS)
            seconds = rng.uniform(0, _WRITE) if point == "within" else 0.0
            return Trap(kind="write", of=rng.choice(_WRITES), number=rng.randint(1, 20), point=point, seconds=seconds)
        case "step":
            return Trap(kind="step", number=rng.randint(1, 150))
        case _:
            then = None if rng.random() < 0.3 else rng.uniform(0, 0.05)
            return Trap(kind="leave", seconds=rng.uniform(0, span), then=then)
