"""One short name for what a user wrote.

Two inputs have the same digest if and only if they ask for the same video in the same words. The catalogue, its
defaults and the callback URL do not count. Stored in journals, so it must stay the same in every release: tests hold
golden values. A change of a class's default, or of this module, needs a new version beside the old one.
"""

import json
from hashlib import sha256
from typing import Any, Final

import attrs

from seedance_async.core.frozen import FrozenMapping, thaw
from seedance_async.core.inputs import INPUT_CLASSES, Inputs, class_of

VERSION: Final = "v1"
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


def inputs_digest(inputs: Inputs) -> str:
    """Return `"v1:<hex>"` for inputs that passed the checks.

    A value that equals its class's default counts as not given, and an alias as the model it stands for.

    Raises:
        TypeError: The inputs hold what JSON cannot, so they were not checked.
    """
    cls = class_of(inputs)
    written: dict[str, Any] = {"kind": inputs.kind}
    for name, default in _DEFAULTS[cls]:
        value = getattr(inputs, name)
        if value != default:
            written[name] = value
    model = _ALIASES.get(inputs.model, inputs.model)
    if model != _DEFAULT_MODELS[cls]:
        written["model"] = model
    text = json.dumps(written, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_json_default)
    return f"{VERSION}:{sha256(text.encode()).hexdigest()}"
