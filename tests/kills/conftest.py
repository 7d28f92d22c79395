"""Services, a nursery, and how many processes were killed in the end."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import define, field

from tests.kills.nursery import Nursery
from tests.kills.ordeal import Ordeal
from tests.kills.service import Service
from tests.kills.services import SERVICES

NewBatch = Callable[..., Ordeal]


@define
class Tally:
    """The batches of all tests."""

    batches: list[Ordeal] = field(factory=list[Ordeal])
    began: float = field(factory=time.monotonic)


_TALLY: Final = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where processes come from."""
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="session")
def services() -> Iterator[dict[str, Service]]:
    """Where they ask for videos."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(Service(**options)) for name, options in SERVICES.items()}


@pytest.fixture
def new_batch(nursery: Nursery, services: dict[str, Service], tmp_path: Path, pytestconfig: pytest.Config) -> NewBatch:
    """Make batches: `new_batch("calm", application="list")`."""
    tally = pytestconfig.stash.setdefault(_TALLY, Tally())

    def make(service: str, **options: Any) -> Ordeal:
        folder = tmp_path / f"b{len(tally.batches) + 1}"
        batch = Ordeal(services[service], nursery, folder, **options)
        tally.batches.append(batch)
        return batch

    return make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many processes were killed."""
    tally = config.stash.get(_TALLY, None)
    if tally is not None:
        lives, kills = sum(len(batch.lives) for batch in tally.batches), sum(batch.kills for batch in tally.batches)
        seconds = time.monotonic() - tally.began
        terminalreporter.write_line(
            f"{kills} of {lives} processes of {len(tally.batches)} batches were killed, in {seconds:.0f} s"
        )
