"""A mapping that is not changed after it was given: what was checked and digested is what will be sent."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

#: Deeper values are kept as they are; the checks refuse them.
DEEPEST = 32


class FrozenMapping(Mapping[str, Any]):
    """A read-only copy of a mapping, containers inside included. Unlike a mapping proxy it can be pickled and copied."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


EMPTY = FrozenMapping({})


def freeze(value: object, depth: int = 0) -> Any:
    """Return `value` with mappings and lists inside replaced by read-only copies."""
    if depth > DEEPEST:
        return value
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value)
        return FrozenMapping({key: freeze(item, depth + 1) for key, item in items.items()})
    if isinstance(value, list | tuple):
        elements = cast("list[Any] | tuple[Any, ...]", value)
        return tuple(freeze(item, depth + 1) for item in elements)
    return value


def thaw(value: object) -> Any:
    """Return a frozen value as the dicts and lists that `json` writes."""
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value)
        return {key: thaw(item) for key, item in items.items()}
    if isinstance(value, tuple):
        elements = cast("tuple[Any, ...]", value)
        return [thaw(item) for item in elements]
    return value
