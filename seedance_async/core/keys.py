"""The names of jobs: keys, and the variants of a key."""

from typing import Final, cast

from seedance_async.errors import InputError, Problem

LONGEST: Final = 255
_SHOWN: Final = 60


def word_problem(path: str, value: object) -> Problem | None:
    """Return what is wrong with a key or a task id, or None."""
    if isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= LONGEST:
        return None
    return Problem(path, f"must be printable text of 1 to {LONGEST} characters", repr(value)[:_SHOWN])


def variant_key(key: str | None, variant: int) -> str | None:
    """Return the key of a variant: the key itself for the first, `key#2` for the second.

    Raises:
        InputError: The key or the number cannot be one, or there is no key to make a variant of.
    """
    problem = None if key is None else word_problem("key", key)
    problems = [] if problem is None else [problem]
    # A caller without a type checker may give anything.
    given = cast("object", variant)
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        problems.append(Problem("variant", "must be a whole number from 1 on", repr(given)[:_SHOWN]))
    elif given > 1 and key is None:
        problems.append(Problem("variant", "is a variant of a key; give the key, too", repr(given)))
    if problems:
        raise InputError(problems)
    made = key if variant == 1 else f"{key}#{variant}"
    if made is not None and (problem := word_problem("key", made)) is not None:
        raise InputError([problem])
    return made
