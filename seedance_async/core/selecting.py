"""Which jobs a name on the command line means: an id, a key, the beginning of a key, or a pattern of ids.

1. An id or a key means that row or job. The id of a row with variants means all of them.
2. The beginning of a key that is a digest (`v1:3f9a...`, six digits at least) means the one that begins so. It may keep
   the marks behind the digest (`v1:3f9a...~2#3`), as lists show keys.
3. Where patterns are allowed, `*`, `?` and `[...]` stand for parts of an id or key.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from seedance_async.core.digest import VERSION
from seedance_async.core.names import shorten, suggest_value
from seedance_async.core.plan import PlannedRow
from seedance_async.errors import Problem

_LEAST_DIGITS: Final = 6


def names_of(row: PlannedRow) -> tuple[str, ...]:
    """Return what a job can be called."""
    return tuple(dict.fromkeys(name for name in (row.key, row.base, row.id) if name is not None))


def matching_keys(
    option: str, names: Iterable[str], rows: Sequence[PlannedRow], *, patterns: bool
) -> tuple[Mapping[str, tuple[str, ...]], list[Problem]]:
    """Find the jobs that names mean.

    Args:
        option: How messages call the option.
        names: What was given.
        rows: The rows to look among, under the keys of their jobs.
        patterns: Whether patterns are allowed.

    Returns:
        The keys for each name in the order of the rows, and a problem for each name that means nothing, or two things.
    """
    by_name: dict[str, list[str]] = {}
    for row in rows:
        for name in names_of(row):
            by_name.setdefault(name, []).append(row.key)
    found: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        keys = by_name.get(name) or _beginning(name, by_name)
        if not keys and patterns and not {"*", "?", "["}.isdisjoint(name):
            keys = [key for known, keys in by_name.items() if fnmatchcase(known, name) for key in keys]
        if keys:
            found[name] = tuple(dict.fromkeys(keys))
        else:
            message = "is the id or key of no row, and the beginning of no key or of several"
            problems.append(Problem(option, message, repr(shorten(name)), suggest_value(name, by_name)))
    return found, problems


def _beginning(name: str, by_name: Mapping[str, list[str]]) -> list[str]:
    digest, marks = _parted(name)
    if not digest.startswith(f"{VERSION}:") or len(digest) < len(VERSION) + 1 + _LEAST_DIGITS:
        return []
    whole = [known for known in by_name if known.startswith(digest)]
    if marks:
        found = [known for known in whole if _parted(known)[1] == marks]
        return by_name[found[0]] if len(found) == 1 else []
    # `v1:3f9a#2` and `v1:3f9a~2` begin with `v1:3f9a`, which is the shortest of them and the one that is meant.
    first = min(whole, key=len, default="")
    return by_name[first] if whole and all(known.startswith(first) for known in whole) else []


def _parted(name: str) -> tuple[str, str]:
    """Part what stands before the marks for equal rows and variants from the marks."""
    ends = [place for place in (name.find("~"), name.find("#")) if place >= 0]
    end = min(ends, default=len(name))
    return name[:end], name[end:]
