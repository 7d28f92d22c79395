"""A mapping that is not changed after it was given: what was checked and digested is what will be sent."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeGuard

#: How many containers may lie in each other.
DEEPEST: Final = 32


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Tell whether the value is a mapping, of whatever to whatever."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Tell whether the value is a list or a tuple."""
    return isinstance(value, list | tuple)


def is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    """Tell whether the value can be iterated over."""
    return isinstance(value, Iterable)


class FrozenMapping(Mapping[str, Any]):
    """A read-only copy of a mapping, inner containers included. Unlike a mapping proxy it can be pickled."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or `default`; the inherited way costs an exception for each that is missing."""
        return self._items.get(key, default)

    def __repr__(self) -> str:
        return repr(self._items)


EMPTY: Final = FrozenMapping({})


class TooDeep:
    """Stands where a value is nested too deeply or holds itself; JSON cannot hold it."""

    def __repr__(self) -> str:
        return "..."


def freeze(value: object, parents: tuple[int, ...] = ()) -> Any:
    """Return `value` with mappings and lists inside replaced by read-only copies."""
    if not is_mapping(value) and not is_list(value):
        return value
    if not value:
        return EMPTY if is_mapping(value) else ()
    if len(parents) > DEEPEST or id(value) in parents:
        return TooDeep()
    inside = (*parents, id(value))
    if is_mapping(value):
        return FrozenMapping({key: freeze(item, inside) for key, item in value.items()})
    return tuple(freeze(item, inside) for item in value)


def thaw(value: object) -> Any:
    """Return a frozen value as the dicts and lists that `json` writes."""
    if is_mapping(value):
        return {key: thaw(item) for key, item in value.items()}
    if is_list(value):
        return [thaw(item) for item in value]
    return value
