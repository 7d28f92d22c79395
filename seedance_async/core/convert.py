"""How given values become field values, and how field values are shown. Nothing is refused here: the checks do that."""

import re
from collections.abc import Iterable, Mapping
from operator import index
from pathlib import PurePath
from typing import Any, Final, Protocol, SupportsIndex, cast
from urllib.parse import urlsplit

from seedance_async.core.frozen import EMPTY, freeze, is_iterable, is_list, is_mapping
from seedance_async.core.names import shorten, shown

_WHOLE_NUMBER: Final = re.compile(r"\s*-?[0-9]{1,12}\s*")


def to_duration(value: str | float | SupportsIndex) -> int:
    """Take `5`, `"5"`, `5.0` and whole numbers of other packages as 5; keep anything else as it is."""
    return cast("int", _whole(value))


def to_seed(value: str | float | SupportsIndex | None) -> int | None:
    """Take a seed as `to_duration` takes a duration."""
    return cast("int | None", _whole(value))


class PathLike(Protocol):
    """Anything that is a path: `pathlib.Path`, or an object with `__fspath__`."""

    def __fspath__(self) -> str:
        """Return the path as a string."""
        ...


Given = str | PathLike | bytes | bytearray | memoryview
"""What may stand for a reference: the URL of a file, a path of a local one, or its content."""
Reference = str | PurePath | bytes
"""What inputs hold of it."""


def to_reference(value: Given) -> Reference:
    """Take a string as a URL, a path as a path, and bytes as they are at this moment."""
    return cast("Reference", _reference(value))


def to_optional_reference(value: Given | None) -> Reference | None:
    """Take a reference as `to_reference` does, and None as none."""
    return cast("Reference | None", _reference(value))


def to_references(value: Iterable[Given] | None) -> tuple[Reference, ...]:
    """Take any iterable of references as a tuple and None as none.

    A bare reference, or a set, which has no order, is kept.
    """
    found = _tuple(value)
    if not isinstance(found, tuple):
        return cast("tuple[Reference, ...]", found)
    return cast("tuple[Reference, ...]", tuple(_reference(item) for item in cast("tuple[object, ...]", found)))


def _reference(value: object) -> object:
    if isinstance(value, str | PurePath | bytes):
        return value
    if isinstance(value, bytearray | memoryview):
        return bytes(cast("bytearray | memoryview", value))
    fspath = getattr(type(value), "__fspath__", None)
    if fspath is None:
        return value
    try:
        text: object = fspath(value)
    except Exception:  # noqa: BLE001 (somebody else's class; what is no path is named by the checks)
        return value
    return PurePath(text) if isinstance(text, str) else value


def to_extra(value: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Take extra fields as a read-only copy."""
    return EMPTY if value is None else cast("Mapping[str, Any]", freeze(value))


def _tuple(value: object) -> object:
    if value is None:
        return ()
    if _is_no_list(value) or not is_iterable(value):
        return value
    try:
        return tuple(value)
    except TypeError:  # claims to be iterable and is not
        return value


def _is_no_list(value: object) -> bool:
    return isinstance(value, str | bytes | bytearray | memoryview | Mapping | set | frozenset)


def _whole(value: object) -> object:
    if type(value) is int or value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return int(value) if _WHOLE_NUMBER.fullmatch(value) else value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    try:
        return index(cast("SupportsIndex", value))
    except Exception:  # noqa: BLE001 (somebody else's class; what cannot be a number is named by the checks)
        return value


def show_prompt(value: object) -> str:
    """Show a prompt, shortened."""
    return repr(shorten(value, 120)) if isinstance(value, str) else shown(value)


def show_references(value: object) -> str:
    """Show references: URLs without what may be signed, bytes as their number."""
    return f"[{', '.join(shown(item) for item in value)}]" if is_list(value) else shown(value)


def show_callback(value: object) -> str:
    """Show scheme and host only: the path of a callback URL is often the receiver's secret."""
    if not isinstance(value, str):
        return shown(value)
    try:
        parts = urlsplit(value)
    except ValueError:
        return "'...'"
    return repr(f"{parts.scheme}://{parts.hostname}/...") if parts.scheme and parts.hostname else "'...'"


def show_extra(value: object) -> str:
    """Show extra fields, each value shortened and without what may be signed."""
    if not is_mapping(value):
        return shown(value)
    return "{" + ", ".join(f"{shown(key)}: {shown(item)}" for key, item in value.items()) + "}"
