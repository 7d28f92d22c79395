"""The grid of ages on which durations are counted: bins of equal width in the logarithm.

A bin is a twenty-fifth of its age wide, which is finer than any law that can be learned from a few hundred tasks. Bin 0
holds all that is younger than half a second, and the last bin all that is older than four hours.
"""

from math import exp, log
from typing import Final

#: Width of a bin in the natural logarithm of the age.
WIDTH: Final = 0.04
_FIRST: Final = 0.5
BINS: Final = 260

#: Bin `j` reaches from `EDGES[j]` to `EDGES[j + 1]`.
EDGES: Final = (0.0, *(_FIRST * exp(WIDTH * j) for j in range(BINS)))
SPANS: Final = tuple(EDGES[j + 1] - EDGES[j] for j in range(BINS))

#: The age of a task that was not looked at yet. It is before bin 0.
NEVER: Final = -1.0


def bin_of(age: float) -> int:
    """Return the bin that holds an age; -1 for `NEVER`."""
    if age < _FIRST:
        return 0 if age >= 0.0 else -1
    if age >= EDGES[BINS]:
        return BINS - 1
    return min(BINS - 1, 1 + int(log(age / _FIRST) / WIDTH))
