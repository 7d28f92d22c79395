"""How the jobs of rows are called: keys that stay the same when rows are inserted, deleted or moved.

1. A row's `id` is its key. Without one it is the digest of its inputs, and among equal rows its ordinal:
   `v1:3f...`, `v1:3f...~2`.
2. The second and later videos of one row, its variants, are `key#2`, `key#3` and so on.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from seedance_async.core.keys import LONGEST, variant_key
from seedance_async.core.rows import Row, RowSource, where
from seedance_async.errors import Problem

#: Longest `id`: the keys of variants are somewhat longer.
LONGEST_ID: Final = LONGEST - 15


def row_keys(rows: Sequence[Row], digests: Mapping[int, str]) -> dict[int, str]:
    """Name the job of each row that has a digest, by the row's position."""
    seen: Counter[str] = Counter()
    keys: dict[int, str] = {}
    for position, digest in digests.items():
        row_id = rows[position].id
        if row_id is not None:
            keys[position] = row_id
            continue
        seen[digest] += 1
        keys[position] = digest if seen[digest] == 1 else f"{digest}~{seen[digest]}"
    return keys


def key_of_variant(base: str, variant: int) -> str:
    """Return the key of a variant, given that of the first one."""
    key = variant_key(base, variant)
    assert key is not None
    return key


def wrong_ids(source: RowSource) -> Iterator[Problem]:
    """Find ids that cannot be keys, and those that name two rows."""
    first: dict[str, int] = {}
    for row in source.rows:
        if row.id is None:
            continue
        if not row.id.isprintable():
            message = "holds characters that cannot be printed, such as a line break"
            yield Problem(where(source.name, row.line, "id"), message, given=repr(row.id))
        if len(row.id) > LONGEST_ID:
            message = f"must have at most {LONGEST_ID} characters"
            yield Problem(where(source.name, row.line, "id"), message, given=f"{len(row.id)} characters")
        if row.id in first:
            yield Problem(
                where(source.name, row.line, "id"),
                f"is the id of line {first[row.id]} already; an id names one video",
                given=row.id,
            )
        else:
            first[row.id] = row.line


def doubled_variants(source: RowSource, keys: Mapping[int, str], counts: Mapping[int, int]) -> Iterator[Problem]:
    """Find ids that are the names of another row's variants: `scene#2` beside `scene` with a `count` of 2."""
    lines = {key: source.rows[position].line for position, key in keys.items()}
    for position, base in keys.items():
        for number in range(2, counts[position] + 1):
            line = lines.get(key_of_variant(base, number))
            if line is not None:
                message = f"is the name of video {number} of line {source.rows[position].line}; choose another id"
                yield Problem(where(source.name, line, "id"), message, given=key_of_variant(base, number))
