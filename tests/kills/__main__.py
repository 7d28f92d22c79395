"""Kill batches for as long as one likes: `python -m tests.kills --minutes 10`, or `make soak ARGS="--minutes 10"`.

Every other batch dies first after the first write to its journal, the second and so on, all in turn. Everything else
is drawn, from the seed and the number of the batch: what was found can be looked for again, at the same places. Real
processes are never quite the same twice, so it may take some tries.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

from tests.kills.applications import APPLICATIONS
from tests.kills.nursery import Nursery
from tests.kills.ordeal import Ordeal
from tests.kills.orders import Trap
from tests.kills.processes import say
from tests.kills.service import Service
from tests.kills.services import SERVICES
from tests.kills.traps import drawn, each_write

#: Writes of a batch of sixty to its journal, and some more.
_WRITES: Final = 160
_SAY_EVERY: Final = 10.0


def main() -> int:
    """Kill until the time is over, enough were killed, or something is wrong."""
    parser = argparse.ArgumentParser(prog="make soak", description="Kill batches until something is wrong.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kills", type=int, help="end after so many")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    parser.add_argument("--batch", type=int, help="only this batch, again and again")
    asked = parser.parse_args()
    say(f"seed {asked.seed}")
    began = said = time.monotonic()
    kills = batches = 0
    with ExitStack() as stack:
        nursery = stack.enter_context(Nursery())
        services = {name: stack.enter_context(Service(**options)) for name, options in SERVICES.items()}
        folder = Path(tempfile.mkdtemp(prefix="soak-"))
        while time.monotonic() < began + 60 * asked.minutes and (asked.kills is None or kills < asked.kills):
            batches += 1
            number = asked.batch or batches
            batch = _suffered(services, nursery, folder / f"b{batches}", Random(f"{asked.seed} {number}"), number)
            kills += batch.kills
            if batch.problems:
                say(batch.told())
                say(f'again: make soak ARGS="--seed {asked.seed} --batch {number}"')
                return 1
            if time.monotonic() > said + _SAY_EVERY:
                said = time.monotonic()
                say(f"{kills} kills, {batches} batches, {said - began:.0f} s")
        folder.rmdir()
    say(f"{kills} kills, {batches} batches, {time.monotonic() - began:.0f} s, nothing wrong (seed {asked.seed})")
    return 0


def _suffered(services: dict[str, Service], nursery: Nursery, folder: Path, rng: Random, number: int) -> Ordeal:
    service, application = rng.choice(sorted(services)), rng.choice(sorted(APPLICATIONS))
    deaths: Iterator[tuple[Trap, bool]] = drawn(rng, rng.uniform(0.05, 0.8))
    if number % 2 == 0:
        deaths = chain(islice(each_write(number // 2 % _WRITES), 1), deaths)
    batch = Ordeal(services[service], nursery, folder, application=application)
    batch.suffer(deaths, answers_get_lost=service == "troubled")
    return batch


if __name__ == "__main__":
    sys.exit(main())
