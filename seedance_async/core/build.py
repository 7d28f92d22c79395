"""Build inputs from loose fields: keyword arguments of a call, columns of a file, flags of a command."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import attrs

from seedance_async.core.catalogue import BUILT_IN
from seedance_async.core.inputs import (
    FIELDS_OF,
    INPUT_CLASSES,
    INPUT_FIELDS,
    REQUIRED_FIELDS,
    ImageToVideo,
    Inputs,
    OmniReference,
    TextToVideo,
    VideoEdit,
    VideoExtend,
    class_of,
)
from seedance_async.core.names import listed, shown, suggest_field
from seedance_async.errors import InputError, Problem

_FRAMES: Final = frozenset({"first_frame", "last_frame"})
_MEDIA: Final = frozenset({"images", "videos", "audios"})
_PLAIN_PROMPT: Final = "a plain string is a prompt for TextToVideo, which"


def build_inputs(source: str | Inputs, fields: Mapping[str, object]) -> Inputs:
    """Return the inputs of one call: a string completed by `fields`, or an object in which they replace its own.

    Raises:
        InputError: `source` is neither, or a field is unknown or does not belong to the class. Values are not
            checked here; `prepare` does.
    """
    if isinstance(source, INPUT_CLASSES):
        if not fields:
            return source
        _raise_if(_foreign_fields(class_of(source), fields, class_of(source).__name__))
        return attrs.evolve(source, **cast("Any", fields))
    # A caller without a type checker may give anything.
    text = cast("object", source)
    if isinstance(text, str):
        if not fields:
            return TextToVideo(text)
        problems = _foreign_fields(TextToVideo, fields, _PLAIN_PROMPT)
        if "prompt" in fields:
            problems.append(Problem("prompt", "is given twice, as the text and as a field", shown(fields["prompt"])))
        _raise_if(problems)
        return TextToVideo(text, **cast("Any", fields))
    classes = listed(cls.__name__ for cls in INPUT_CLASSES)
    raise InputError([Problem("inputs", f"must be a prompt (a string) or one of {classes}", shown(text))])


def inputs_from_fields(fields: Mapping[str, object]) -> Inputs:
    """Return the inputs that a row of fields describes; the class follows from which fields are present.

    A model that edits or extends videos makes `VideoEdit` or `VideoExtend`, a frame makes `ImageToVideo`, other media
    make `OmniReference`, anything else is `TextToVideo`. A field that is None counts as not given.

    Raises:
        InputError: Fields are unknown, missing, or belong to different classes.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    cls = class_for(given)
    problems = _foreign_fields(cls, given, f"{cls.__name__} ({_why(cls)})")
    problems += [Problem(name, f"is required for {cls.__name__}") for name in REQUIRED_FIELDS[cls] if name not in given]
    _raise_if(problems)
    return cls(**cast("Any", given))


def class_for(names: Mapping[str, object]) -> type[Inputs]:
    """Return the class that a row with these fields describes."""
    kinds = {
        kind
        for catalogue in BUILT_IN.values()
        if (spec := catalogue.find(names.get("model"))) is not None
        for kind in spec.kinds
    }
    if kinds == {"edit"}:
        return VideoEdit
    if kinds == {"extend"}:
        return VideoExtend
    if not _FRAMES.isdisjoint(names):
        return ImageToVideo
    if not _MEDIA.isdisjoint(names):
        return OmniReference
    return TextToVideo


def unknown_field(name: object, known: Iterable[str] = INPUT_FIELDS) -> Problem:
    """Return the problem of a name that is no input field at all."""
    if not isinstance(name, str):
        return Problem(shown(name), "is no input field: names are strings")
    return Problem(
        name,
        "is no input field, and the service would ignore it without an error",
        suggestion=suggest_field(name, known),
    )


def _why(cls: type[Inputs]) -> str:
    if cls is ImageToVideo:
        return "because a frame is given"
    if cls is OmniReference:
        return "because media are given"
    if cls is TextToVideo:
        return "because no media are given"
    return "because of the model"


def _foreign_fields(cls: type[Inputs], fields: Mapping[str, object], subject: str) -> list[Problem]:
    own = FIELDS_OF[cls]
    problems: list[Problem] = []
    for name, value in fields.items():
        if name in own:
            continue
        if name not in INPUT_FIELDS:
            problems.append(unknown_field(name, own if suggest_field(str(name), own) else INPUT_FIELDS))
        elif value is not None:
            owners = listed(other.__name__ for other in INPUT_CLASSES if name in FIELDS_OF[other])
            problems.append(Problem(name, f"{subject} has no such field; {owners} has it", shown(value)))
        else:
            problems.append(Problem(name, f"{subject} has no such field"))
    return problems


def _raise_if(problems: list[Problem]) -> None:
    if problems:
        raise InputError(problems)
