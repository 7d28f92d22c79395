"""Build inputs from loose fields: keyword arguments of a call, columns of a file, flags of a command."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import attrs
from attrs import define, field, frozen

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
from seedance_async.core.names import listed, shorten, shown, suggest_field
from seedance_async.errors import Problem

_FRAMES: Final = frozenset({"first_frame", "last_frame"})
_MEDIA: Final = frozenset({"images", "videos", "audios"})
_PLAIN_PROMPT: Final = "a plain string is a prompt for TextToVideo, which"


@frozen
class Draft:
    """Inputs as far as the fields that belong to them make them, with what is wrong with the names of the others.

    Attributes:
        inputs: Whole only where there are no problems.
        problems: Names that are unknown, foreign, missing, or given twice.
        unsettled: Fields that are missing, given twice or given under a wrong name. `inputs` may hold a guess at them,
            on which the checks of other fields rely; of their own values nothing is to be said yet.
    """

    inputs: Inputs
    problems: tuple[Problem, ...] = ()
    unsettled: frozenset[str] = frozenset()


def draft_call(source: str | Inputs, fields: Mapping[str, object]) -> Draft:
    """Draft the inputs of one call: a string completed by `fields`, or an object in which they replace its own."""
    if isinstance(source, INPUT_CLASSES):
        if not fields:
            return Draft(source)
        cls = class_of(source)
        sorted_out = _sort_out(cls, fields, cls.__name__)
        return sorted_out.draft(attrs.evolve(source, **cast("Any", sorted_out.own)))
    # A caller without a type checker may give anything.
    text = cast("object", source)
    if isinstance(text, str):
        if not fields:
            return Draft(TextToVideo(text))
        sorted_out = _sort_out(TextToVideo, {**fields, "prompt": text}, _PLAIN_PROMPT)
        if "prompt" in fields:
            problem = Problem("prompt", "is given twice, as the text and as a field", shown(fields["prompt"]))
            sorted_out.refuse("prompt", problem)
        return sorted_out.draft(TextToVideo(**cast("Any", sorted_out.own)))
    classes = listed(cls.__name__ for cls in INPUT_CLASSES)
    problem = Problem("inputs", f"must be a prompt (a string) or one of {classes}", shown(text))
    # Its fields can be judged all the same.
    rest = draft_row({**fields, "prompt": ""})
    return Draft(rest.inputs, (problem, *rest.problems), rest.unsettled | {"prompt"})


def draft_row(fields: Mapping[str, object]) -> Draft:
    """Draft the inputs that a row of fields describes; the class follows from which fields are present.

    A model that edits or extends videos makes `VideoEdit` or `VideoExtend`, a frame makes `ImageToVideo`, other media
    make `OmniReference`, anything else is `TextToVideo`. A field that is None counts as not given, one under a wrong
    name as the one that was probably meant.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    cls = class_for(_as_meant(given))
    sorted_out = _sort_out(cls, given, f"{cls.__name__} ({_why(cls)})")
    for name in REQUIRED_FIELDS[cls]:
        if name not in sorted_out.own:
            sorted_out.own[name] = None
            sorted_out.refuse(name, Problem(name, f"is required for {cls.__name__}"))
    return sorted_out.draft(cls(**cast("Any", sorted_out.own)))


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
        shorten(name),
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


@define
class _SortedOut:
    """Fields of a class among those that were given, and what is wrong with the others."""

    own: dict[str, object] = field(factory=dict[str, object])
    problems: list[Problem] = field(factory=list[Problem])
    unsettled: set[str] = field(factory=set[str])

    def refuse(self, name: str, problem: Problem) -> None:
        self.unsettled.add(name)
        self.problems.append(problem)

    def draft(self, inputs: Inputs) -> Draft:
        return Draft(inputs, tuple(self.problems), frozenset(self.unsettled))


def _sort_out(cls: type[Inputs], fields: Mapping[str, object], subject: str) -> _SortedOut:
    own = FIELDS_OF[cls]
    found = _SortedOut()
    for name, value in fields.items():
        if name in own:
            found.own[name] = value
        elif name not in INPUT_FIELDS:
            problem = unknown_field(name, own if suggest_field(str(name), own) else INPUT_FIELDS)
            # A field that is given under its own name too is not what was meant.
            meant = name if problem.suggestion is None or problem.suggestion in fields else problem.suggestion
            found.refuse(meant, problem)
            if meant in own:
                found.own[meant] = value
        elif value is not None:
            owners = listed(other.__name__ for other in INPUT_CLASSES if name in FIELDS_OF[other])
            found.refuse(name, Problem(name, f"{subject} has no such field; {owners} has it", shown(value)))
        else:
            found.refuse(name, Problem(name, f"{subject} has no such field"))
    return found


def _as_meant(fields: Mapping[str, object]) -> Mapping[str, object]:
    """Return the fields, those with a wrong name under the one that was probably meant too."""
    guesses = {
        meant: value
        for name, value in fields.items()
        if name not in INPUT_FIELDS and (meant := unknown_field(name).suggestion) is not None
    }
    return {**guesses, **fields} if guesses else fields
