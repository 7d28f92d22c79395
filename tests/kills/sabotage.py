"""What processes do wrong on purpose, to see that it is found."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from seedance_async.core.record import JobRecord


def _all(records: Sequence[JobRecord]) -> Sequence[JobRecord]:
    return records


def _nothing(_path: Path) -> None:
    pass


@frozen
class Sabotage:
    """One way to do wrong.

    Attributes:
        spoil: What reaches the journal of the records that are to be durable.
        saved: What is done to a file once it is complete.
    """

    spoil: Callable[[Sequence[JobRecord]], Sequence[JobRecord]] = _all
    saved: Callable[[Path], None] = _nothing


def _without_intents(records: Sequence[JobRecord]) -> Sequence[JobRecord]:
    return [record for record in records if record.open_attempt is None]


def _without_closings(records: Sequence[JobRecord]) -> Sequence[JobRecord]:
    return [record for record in records if record.state.value != "running"]


def _without_one(records: Sequence[JobRecord]) -> Sequence[JobRecord]:
    return [record for record in records if not record.key.endswith("1")]


def _shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


SABOTAGES: Final[Mapping[str, Sabotage]] = {
    "": Sabotage(),
    "intents are not written": Sabotage(spoil=_without_intents),
    "closings are not written": Sabotage(spoil=_without_closings),
    "a key is not written": Sabotage(spoil=_without_one),
    "files are short": Sabotage(saved=_shorten),
}
