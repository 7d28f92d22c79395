"""Inputs as JSON, for a journal.

1. Everything that was given or follows from a class's default is written out, so that a later release with other
   defaults sends what the user meant.
2. A media link or callback URL with a user name, query or fragment may be signed. It is kept while the job may have to
   be sent, and cut afterwards; inputs that were cut cannot be sent again.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import attrs

from seedance_async.core.frozen import EMPTY, FrozenMapping, freeze, is_list, thaw
from seedance_async.core.inputs import FIELDS_OF, INPUT_CLASSES, Inputs, class_of
from seedance_async.core.redact import redact_url
from seedance_async.errors import InputError, Problem

#: Says in place of a field's name what class the inputs have.
KIND: Final = "kind"
#: Names the fields whose links were cut.
CUT: Final = "cut"
_LINKS: Final = ("first_frame", "last_frame", "images", "videos", "audios", "callback_url")
_CLASSES: Final = {cls.kind: cls for cls in INPUT_CLASSES}
_DEFAULTS: Final = {
    cls: tuple((attribute.name, cast("object", attribute.default)) for attribute in attrs.fields(cls))
    for cls in INPUT_CLASSES
}


def inputs_to_json(inputs: Inputs) -> Mapping[str, Any]:
    """Return checked inputs as JSON (rule 1), read-only."""
    written: dict[str, Any] = {KIND: inputs.kind}
    for name, default in _DEFAULTS[class_of(inputs)]:
        value = getattr(inputs, name)
        # None says something only where it is not the default: "follow the media", and not 16:9.
        if value not in (None, (), EMPTY) or default not in (None, (), EMPTY, attrs.NOTHING):
            written[name] = value
    return cast("FrozenMapping", freeze(written))


def inputs_from_json(written: Mapping[str, Any]) -> Inputs:
    """Return the inputs that were written.

    Raises:
        InputError: Links were cut from them, or a later release wrote what this one does not know.
    """
    cls = _CLASSES.get(written.get(KIND, ""))
    if cls is None:
        raise InputError([Problem("inputs", "were written by a later release", repr(written.get(KIND)))])
    problems = [
        Problem(name, "was a link that may be signed and is not kept after the create; give the inputs again")
        for name in written.get(CUT, ())
    ]
    given = {name: thaw(value) for name, value in written.items() if name not in {KIND, CUT}}
    problems += [
        Problem(name, "is a field that this release does not know; a later one wrote it")
        for name in given
        if name not in FIELDS_OF[cls]
    ]
    if problems:
        raise InputError(problems)
    return cls(**given)


def shown_inputs(written: Mapping[str, Any]) -> Inputs | None:
    """Return the inputs for looking at, with links as they were kept; None where a later release wrote them."""
    cls = _CLASSES.get(written.get(KIND, ""))
    if cls is None:
        return None
    names = {attribute.name for attribute in attrs.fields(cls)}
    given: dict[str, Any] = {name: thaw(value) for name, value in written.items() if name in names}
    try:
        return cls(**given)
    except TypeError:
        return None


def without_signatures(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return written inputs without what may be signed (rule 2); the same object where nothing is."""
    cut = {name: shown for name in _LINKS if name in written and (shown := _shown(written[name])) != written[name]}
    if not cut:
        return written
    return cast("FrozenMapping", freeze({**written, **cut, CUT: sorted({*written.get(CUT, ()), *cut})}))


def is_signed(url: str) -> bool:
    """Whether a link may be signed: whether anything of it is hidden where it is shown."""
    return redact_url(url) != url


def _shown(value: object) -> object:
    if isinstance(value, str):
        return redact_url(value)
    return tuple(redact_url(item) for item in value) if is_list(value) else value
