"""How long the emulated service takes, drawn from a seeded random generator."""

from collections.abc import Mapping
from math import exp
from random import Random
from typing import Final, Protocol

from attrs import field, frozen

#: Typical seconds by model and resolution (contract, section 14; read September 2026). `"*"` is any other.
_TYPICAL: Final[Mapping[str, Mapping[str, float]]] = {
    "seedance-20": {"480p": 150.0, "720p": 180.0, "1080p": 210.0, "4k": 480.0, "*": 180.0},
    "seedance2-fast": {"480p": 110.0, "720p": 120.0, "*": 120.0},
    "seedance2.0-mini": {"480p": 120.0, "720p": 150.0, "*": 150.0},
    "seedance2-5": {"480p": 240.0, "720p": 270.0, "1080p": 420.0, "*": 300.0},
    "seedance2-5-edit": {"*": 270.0},
    "seedance2-5-extend": {"*": 280.0},
    "*": {"*": 180.0},
}
#: A reference video doubles the time of the 2.0 family (5 to 7 minutes against 2 to 4).
_VIDEO_FACTOR: Final = 2.0


@frozen
class Span:
    """How long one task takes.

    Attributes:
        waiting: Seconds in the status `waiting`.
        generating: Seconds in `generating` after that.
    """

    waiting: float
    generating: float


class DurationModel(Protocol):
    """Decide how long a task takes."""

    def draw(self, *, model: str, resolution: str, with_video: bool, rng: Random) -> Span:
        """Return the span of one task; all chance comes from `rng`."""
        ...


@frozen(kw_only=True)
class TypicalDurations:
    """Log-normal around what the vendor's documentation calls typical, per model and resolution.

    Attributes:
        sigma: Spread of the logarithm: 0.25 puts nine of ten tasks between two thirds and one and a half times
            the typical time. 0 makes every task typical.
        waiting_share: Part of the time spent in `waiting`.
        factor: Multiplies every time.
    """

    sigma: float = 0.25
    waiting_share: float = 0.08
    factor: float = 1.0
    typical: Mapping[str, Mapping[str, float]] = field(default=_TYPICAL, repr=False)

    def draw(self, *, model: str, resolution: str, with_video: bool, rng: Random) -> Span:
        """Return the span of one task."""
        by_resolution = self.typical.get(model, self.typical["*"])
        seconds = by_resolution.get(resolution, by_resolution["*"]) * self.factor
        if with_video and model == "seedance-20":
            seconds *= _VIDEO_FACTOR
        seconds *= exp(rng.gauss(0.0, self.sigma))
        return Span(waiting=seconds * self.waiting_share, generating=seconds * (1.0 - self.waiting_share))


@frozen
class FixedDurations:
    """The same time for every task.

    Attributes:
        seconds: From create to the end; 0 ends a task as it is accepted.
        waiting_share: Part of the time spent in `waiting`.
    """

    seconds: float
    waiting_share: float = 0.1

    def draw(self, *, model: str, resolution: str, with_video: bool, rng: Random) -> Span:  # noqa: ARG002
        """Return the span of one task."""
        return Span(self.seconds * self.waiting_share, self.seconds * (1.0 - self.waiting_share))
