"""What a session has learned of durations, as JSON and back, so that the next session begins with it.

Counts are kept per kind, from the first bin that has any. Those of groups are sums of kinds and are not kept. What
cannot be read, or was counted on another grid of ages, is left out: a law that is lost is learned again.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final, TypeGuard

from seedance_async.core.ages import BINS, WIDTH
from seedance_async.core.durations import MOST_KINDS, Durations
from seedance_async.core.frozen import is_list, is_mapping
from seedance_async.core.kinds import Kind
from seedance_async.core.prior import Prior
from seedance_async.core.tallies import Tally

_GRID: Final = f"{BINS} of {WIDTH:g}"
#: Fewer ends than this of a kind say nothing.
_LEAST_TASKS: Final = 0.1
#: As how many tasks those of earlier sessions count at most: the service may be another one today.
CARRIED_TASKS: Final = 30.0


def saved(durations: Durations) -> dict[str, Any]:
    """Return what was learned as plain lists and dictionaries."""
    kinds = [
        {
            **kind._asdict(),
            "ended": _counts(tally.ended, tally.weight),
            "reached": _counts(tally.reached, tally.weight),
        }
        for kind, tally in durations.kinds.items()
        if tally.effective >= _LEAST_TASKS
    ]
    return {"grid": _GRID, "kinds": kinds}


def restored(content: object, prior: Prior, now: float) -> Durations:
    """Return durations that begin with what was saved, each kind counting as at most `CARRIED_TASKS` tasks.

    Args:
        content: What `saved` returned, read from JSON; anything else gives durations that know nothing.
        prior: What is believed beside it.
        now: The loop's time.
    """
    durations = Durations(prior)
    if not is_mapping(content) or content.get("grid") != _GRID or not is_list(content.get("kinds")):
        return durations
    for entry in content["kinds"][:MOST_KINDS]:
        read = _read(entry, now) if is_mapping(entry) else None
        if read is not None:
            kind, tally = read
            durations.kinds[kind] = tally
            group = durations.groups.setdefault(kind.group, Tally(now))
            group.tasks += tally.tasks
            group.reached = [mine + other for mine, other in zip(group.reached, tally.reached, strict=True)]
            group.ended = [mine + other for mine, other in zip(group.ended, tally.ended, strict=True)]
    return durations


def _counts(numbers: Sequence[float], weight: float) -> dict[str, Any]:
    """Return counts in tasks of now, without the empty bins at both ends; three digits are more than they are worth."""
    rounded = [float(f"{number / weight:.3g}") for number in numbers]
    full = [j for j, number in enumerate(rounded) if number > 0.0]
    return {"from": full[0], "counts": rounded[full[0] : full[-1] + 1]} if full else {"from": 0, "counts": []}


def _read(entry: Mapping[str, Any], now: float) -> tuple[Kind, Tally] | None:
    ended, reached = _bins(entry.get("ended")), _bins(entry.get("reached"))
    kind = _kind(entry)
    if kind is None or ended is None or reached is None or not sum(ended) > 0.0:
        return None
    tally = Tally(now, reached, ended, sum(ended))
    tally.scale(min(1.0, CARRIED_TASKS / tally.tasks))
    return kind, tally


def _kind(entry: Mapping[str, Any]) -> Kind | None:
    model, resolution, references = entry.get("model"), entry.get("resolution"), entry.get("references")
    typical, length = entry.get("typical"), entry.get("length")
    if not (isinstance(model, str) and isinstance(resolution, str) and isinstance(references, str)):
        return None
    if not _is_count(typical) or isinstance(length, bool) or not isinstance(length, int):
        return None
    return Kind(model, resolution, float(typical), length, references)


def _bins(counts: object) -> list[float] | None:
    if not is_mapping(counts) or not is_list(counts.get("counts")):
        return None
    first, numbers = counts.get("from"), list(counts["counts"])
    if isinstance(first, bool) or not isinstance(first, int) or not 0 <= first <= BINS - len(numbers):
        return None
    if not all(_is_count(number) for number in numbers):
        return None
    return [0.0] * first + [float(number) for number in numbers] + [0.0] * (BINS - first - len(numbers))


def _is_count(number: Any) -> TypeGuard[float]:
    return isinstance(number, int | float) and not isinstance(number, bool) and isfinite(number) and number >= 0
