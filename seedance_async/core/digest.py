"""One short name for what a user wrote.

Two inputs have the same digest if and only if they ask for the same video in the same words. The catalogue, its
defaults and the callback URL do not count. Stored in journals, so it must stay the same in every release: tests hold
golden values. A change of a class's default, or of this module, needs a new version beside the old one.

A local file counts by its content, whatever its name and whether it was given as a path or as bytes. While a file was
not read, its place, size and date stand for it, in names of another version: two of those that are equal mean the same
content, and two that differ may, too.
"""

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import PurePath
from typing import Any, Final

import attrs

from seedance_async.core.frozen import FrozenMapping, thaw
from seedance_async.core.inputs import INPUT_CLASSES, Inputs, class_of
from seedance_async.core.media_types import Material

VERSION: Final = "v1"
#: Of names for whose files the content was not read.
UNREAD: Final = "unread1"
#: Aliases count as the model they stand for. Part of the digest's version, hence not read from a catalogue.
_ALIASES: Final = {"seedance2.0-pro": "seedance-20", "seedance2.0-fast": "seedance2-fast"}
_DEFAULTS: Final = {
    cls: tuple(
        (attribute.name, attribute.default)
        for attribute in attrs.fields(cls)
        if attribute.name not in ("callback_url", "model")
    )
    for cls in INPUT_CLASSES
}
_DEFAULT_MODELS: Final = {cls: attrs.fields(cls).model.default for cls in INPUT_CLASSES}


def _json_default(value: object) -> Any:
    if isinstance(value, FrozenMapping):
        return thaw(value)
    raise TypeError(f"a {type(value).__name__} is not JSON")


def inputs_digest(inputs: Inputs, materials: Iterable[Material] = ()) -> str:
    """Return `"v1:<hex>"` for inputs that passed the checks.

    A value that equals its class's default counts as not given, and an alias as the model it stands for.

    Args:
        inputs: The inputs.
        materials: What is known of local files among them.

    Raises:
        TypeError: The inputs hold what JSON cannot, so they were not checked.
    """
    cls = class_of(inputs)
    known = {material.content: material for material in materials}
    unread: list[PurePath] = []

    def as_json(value: object) -> Any:
        if not isinstance(value, PurePath | bytes):
            return _json_default(value)
        name = _name_of(value, known.get(value))
        if isinstance(value, PurePath) and "sha256" not in name:
            unread.append(value)
        return name

    written: dict[str, Any] = {"kind": inputs.kind}
    for name, default in _DEFAULTS[cls]:
        value = getattr(inputs, name)
        if value != default:
            written[name] = value
    model = _ALIASES.get(inputs.model, inputs.model)
    if model != _DEFAULT_MODELS[cls]:
        written["model"] = model
    text = json.dumps(written, sort_keys=True, separators=(",", ":"), allow_nan=False, default=as_json)
    return f"{UNREAD if unread else VERSION}:{sha256(text.encode()).hexdigest()}"


def _name_of(content: PurePath | bytes, material: Material | None) -> dict[str, Any]:
    if material is not None and material.sha256 is not None:
        return {"sha256": material.sha256}
    if isinstance(content, bytes):
        return {"sha256": sha256(content).hexdigest()}
    if material is None:
        return {"path": str(content)}
    facts = material.facts
    return {"path": facts.path, "size": facts.size, "changed_ns": facts.changed_ns}
