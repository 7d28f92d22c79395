"""What is believed of durations before any task was seen to end."""

from math import erfc, log, sqrt
from typing import Final

from attrs import field, frozen
from attrs.validators import optional

from seedance_async.core.ages import BINS, EDGES
from seedance_async.core.validators import finite, positive

_ROOT_2: Final = sqrt(2.0)


@frozen(kw_only=True)
class Prior:
    """What a session believes of durations before it has seen any.

    It is wide and weighs little: ten tasks of a kind outweigh it. The defaults read the catalogue's typical time, which
    is the longer end of what is published ("2 to 4 minutes" is 240 seconds), as a median near the middle and one
    task in twenty outside half and twice of that; and let some tasks end at any age at all, because failures do.

    Attributes:
        seconds: The median, where you know better than the catalogue; None takes `share` of its typical time.
        share: Share of the catalogue's typical time that is the median.
        spread: Standard deviation of the natural logarithm of the duration.
        surprise: Share of tasks, at most 1, that end at any age, between half a second and four hours.
        weight: As how many tasks the prior counts beside those that were seen.
    """

    seconds: float | None = field(default=None, validator=optional((positive, finite)))
    share: float = field(default=0.7, validator=[positive, finite])
    spread: float = field(default=0.5, validator=[positive, finite])
    surprise: float = field(default=0.05, validator=[positive, finite])
    weight: float = field(default=1.5, validator=[positive, finite])

    def risks(self, typical: float) -> tuple[float, ...]:
        """Return for each bin of ages the chance that a task that reaches it ends in it.

        Args:
            typical: Seconds such a task usually takes, from the catalogue.
        """
        median = self.seconds or self.share * max(typical, EDGES[1])
        surprise = min(self.surprise, 1.0)

        def lasts(j: int) -> float:
            """Chance to reach the bin: the log-normal part, and one whose logarithm is uniform over the grid."""
            usual = 0.5 * erfc(log(EDGES[j] / median) / self.spread / _ROOT_2) if j else 1.0
            return (1.0 - surprise) * usual + surprise * (1.0 - j / BINS)

        reached = [lasts(j) for j in range(BINS + 1)]
        # The last bin is open: what reaches it ends in it.
        return (*(1.0 - reached[j + 1] / reached[j] for j in range(BINS - 1)), 1.0)
