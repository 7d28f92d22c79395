"""Inputs as JSON, for a journal.

1. Everything that was given or follows from a class's default is written out, so that a later release with other
   defaults sends what the user meant.
2. A media link or callback URL with a user name, query or fragment may be signed. It is kept while the job may have to
   be sent, and cut afterwards; inputs that were cut cannot be sent again.
3. A local file is written as where it is, how big, when it was changed, and, once it was read, the digest of its
   content: it is uploaded again from there if it is still the same. Of bytes only the number and the digest are kept,
   so that such inputs have to be given again.
"""

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final, cast

import attrs
from attrs import frozen

from seedance_async.core.frozen import EMPTY, FrozenMapping, freeze, is_list, is_mapping, thaw
from seedance_async.core.inputs import FIELDS_OF, INPUT_CLASSES, Inputs, class_of
from seedance_async.core.media_types import FileFacts, Look, Material, no_look
from seedance_async.core.redact import redact_url
from seedance_async.errors import InputError, Problem

#: Says in place of a field's name what class the inputs have.
KIND: Final = "kind"
#: Names the fields whose links were cut.
CUT: Final = "cut"
_MEDIA: Final = ("first_frame", "last_frame", "images", "videos", "audios")
#: What a local file, and bytes, are told by.
_FILE: Final = "file"
_BYTES: Final = "bytes"
_LINKS: Final = ("first_frame", "last_frame", "images", "videos", "audios", "callback_url")
_CLASSES: Final = {cls.kind: cls for cls in INPUT_CLASSES}
_DEFAULTS: Final = {
    cls: tuple((attribute.name, cast("object", attribute.default)) for attribute in attrs.fields(cls))
    for cls in INPUT_CLASSES
}


def inputs_to_json(inputs: Inputs, materials: Iterable[Material] = ()) -> Mapping[str, Any]:
    """Return checked inputs as JSON (rules 1 and 3), read-only.

    Args:
        inputs: The inputs.
        materials: What is known of the local files among them.
    """
    known = {material.content: material for material in materials}
    written: dict[str, Any] = {KIND: inputs.kind}
    for name, default in _DEFAULTS[class_of(inputs)]:
        value = getattr(inputs, name)
        # None says something only where it is not the default: "follow the media", and not 16:9.
        if value not in (None, (), EMPTY) or default not in (None, (), EMPTY, attrs.NOTHING):
            written[name] = _written(value, known) if name in _MEDIA else value
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
    given = {name: _read(name, thaw(value)) for name, value in written.items() if name not in {KIND, CUT}}
    problems += [
        Problem(name, "was given as bytes, which a journal does not keep; give the inputs again with the same key")
        for name in _MEDIA
        if any(_BYTES in item for item in _items(written.get(name)) if is_mapping(item))
    ]
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
    given: dict[str, Any] = {name: _read(name, thaw(value)) for name, value in written.items() if name in names}
    try:
        return cls(**given)
    except TypeError:
        return None


def plain_value(name: str, value: Any) -> Any:
    """Return a written value as a row of a batch file has it: a local file as its path."""
    found = _read(name, value)
    if is_list(found):
        return [str(item) if isinstance(item, PurePath) else item for item in found]
    return str(found) if isinstance(found, PurePath) else found


def without_signatures(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return written inputs without what may be signed (rule 2); the same object where nothing is."""
    cut = {name: shown for name in _LINKS if name in written and (shown := _shown(written[name])) != written[name]}
    if not cut:
        return written
    return cast("FrozenMapping", freeze({**written, **cut, CUT: sorted({*written.get(CUT, ()), *cut})}))


def is_signed(url: str) -> bool:
    """Whether a link may be signed: whether anything of it is hidden where it is shown."""
    return redact_url(url) != url


@frozen
class RecordedFile:
    """A local file as it was when its job was queued.

    Attributes:
        path: Where it was.
        size: In bytes.
        changed_ns: When it was last written, in nanoseconds.
        sha256: Digest of its content in hex; None where it was not read.
        extension: What it was recognised as.
    """

    path: str
    size: int
    changed_ns: int
    sha256: str | None
    extension: str


def recorded_files(written: Mapping[str, Any]) -> tuple[RecordedFile, ...]:
    """Return the local files of written inputs."""
    return tuple(
        RecordedFile(
            path=str(item[_FILE]),
            size=int(item.get("size", 0)),
            changed_ns=int(item.get("changed_ns", 0)),
            sha256=item.get("sha256"),
            extension=str(item.get("type", "")),
        )
        for name in _MEDIA
        for item in _items(written.get(name))
        if is_mapping(item) and _FILE in item
    )


def recorded_look(written: Mapping[str, Any]) -> Look:
    """Return what looks at the files of written inputs as they were then, without touching them."""
    known = {str(PurePath(file.path)): file for file in recorded_files(written)}

    def look(path: PurePath) -> FileFacts | str:
        file = known.get(str(path))
        if file is None:
            return no_look(path)
        return FileFacts(file.size, file.changed_ns, b"", file.path, file.sha256, file.extension)

    return look


def _written(value: object, known: Mapping[PurePath | bytes, Material]) -> object:
    if is_list(value):
        return tuple(_written(item, known) for item in value)
    if not isinstance(value, PurePath | bytes):
        return value
    material = known.get(value)
    if isinstance(value, bytes):
        return {_BYTES: len(value), "sha256": None if material is None else material.sha256}
    if material is None:
        return {_FILE: str(value)}
    facts = material.facts
    return {
        _FILE: facts.path,
        "size": facts.size,
        "changed_ns": facts.changed_ns,
        "sha256": facts.sha256,
        "type": material.format.extension,
    }


def _read(name: str, value: Any) -> Any:
    """Return a written value as the inputs hold it; of bytes that were not kept, words."""
    if name not in _MEDIA:
        return value
    return tuple(_read_one(item) for item in value) if is_list(value) else _read_one(value)


def _read_one(value: Any) -> Any:
    if not is_mapping(value):
        return value
    return PurePath(str(value[_FILE])) if _FILE in value else f"{value.get(_BYTES)} bytes"


def _items(value: object) -> Iterable[object]:
    return value if is_list(value) else (value,)


def _shown(value: object) -> object:
    if isinstance(value, str):
        return redact_url(value)
    return tuple(_shown(item) for item in value) if is_list(value) else value
