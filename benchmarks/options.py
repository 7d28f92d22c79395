"""What a run of benchmarks is told."""

import random
from collections.abc import Iterator, Sequence

from attrs import frozen


@frozen
class Options:
    """How much to run.

    Attributes:
        rounds: How often each candidate runs.
        tasks: Tasks per round.
        seed: Decides the order of candidates within a round.
        task_seconds: How long tasks take, where they take time.
        quick: Whether to show only that a scenario works.
        draw: Whether to write pictures, too, where there are some.
    """

    rounds: int
    tasks: int
    seed: int
    task_seconds: float = 2.0
    quick: bool = False
    draw: bool = False

    @property
    def long_rounds(self) -> int:
        """Rounds of what takes long, and varies little from one to the next."""
        return max(1, self.rounds // 2)

    def turns(self, candidates: Sequence[str]) -> Iterator[list[str]]:
        """Give the order of candidates for each round: another one each time, the same for the same seed."""
        chance = random.Random(self.seed)
        for _ in range(self.rounds):
            yield chance.sample(candidates, len(candidates))
