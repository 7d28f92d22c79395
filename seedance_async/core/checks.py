"""Everything that can be known to be wrong before a request is sent, all of it at once.

The service ignores names it does not know and bills for what is left, so a field that the chosen model lacks is as
wrong as a value out of range.
"""

from collections.abc import Collection
from typing import Final

from attrs import frozen

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.frozen import is_list, is_mapping
from seedance_async.core.inputs import INPUT_FIELDS, ImageToVideo, Inputs, OmniReference, class_of
from seedance_async.core.media_checks import check_media, host_only, is_http_url
from seedance_async.core.media_types import Look, Material, no_look
from seedance_async.core.names import OTHER_WIRE_NAMES, listed, plain, shown, suggest_value
from seedance_async.core.option_checks import check_duration, check_options, having
from seedance_async.core.spec import ModelSpec
from seedance_async.errors import Problem

MODES: Final = ("keyframe", "reference")
_KNOWN_PLAIN: Final = {plain(wire): name for wire, name in OTHER_WIRE_NAMES.items()} | {
    plain(name): name for name in INPUT_FIELDS
}
_ENVELOPE: Final = plain("inputs")
_MEDIA: Final = frozenset({"images", "videos", "audios", "first_frame", "last_frame"})


@frozen
class Checked:
    """What the checks found.

    Attributes:
        spec: The model's facts; None where there is no such model.
        problems: Everything that is wrong.
        materials: Local files and bytes that have to be uploaded, each once.
    """

    spec: ModelSpec | None
    problems: list[Problem]
    materials: tuple[Material, ...]


def check(inputs: Inputs, catalogue: Catalogue, unsettled: Collection[str] = (), *, look: Look = no_look) -> Checked:
    """Find the model's facts, every problem, and what has to be uploaded.

    Problems that depend on the model are looked for only if the catalogue has it and it takes this class of inputs.

    Args:
        inputs: What to check.
        catalogue: The contract to check against.
        unsettled: Fields that are not known yet; nothing is said of their values.
        look: Looks at local files; by default they are judged by their names.
    """
    problems: list[Problem] = []
    spec = _check_model(inputs, catalogue, problems)
    _check_prompt(inputs.prompt, spec, catalogue, problems)
    of_media: list[Problem] = []
    materials = check_media(inputs, spec, of_media, look)
    # Which media the prompt can name is open until they are known.
    problems += of_media if _MEDIA.isdisjoint(unsettled) else (each for each in of_media if each.path != "prompt")
    _check_mode(inputs, problems)
    check_duration(inputs, spec, catalogue, problems)
    check_options(inputs, spec, catalogue, problems)
    _check_callback(inputs.callback_url, problems)
    _check_extra(inputs.extra, problems)
    if unsettled:
        problems = [each for each in problems if each.path.partition("[")[0] not in unsettled]
    return Checked(spec, problems, materials)


def _check_model(inputs: Inputs, catalogue: Catalogue, problems: list[Problem]) -> ModelSpec | None:
    spec = catalogue.find(inputs.model)
    if spec is None:
        problems.append(catalogue.unknown_model(inputs.model))
        return None
    if inputs.kind in spec.kinds:
        return spec
    name = class_of(inputs).__name__
    others = having(catalogue, lambda other: inputs.kind in other.kinds, "takes", "take")
    problems.append(Problem("model", f"{spec.id} does not take {name}{others}", shown(inputs.model)))
    return None


def utf16_units(text: str) -> int:
    """Return the length that a JavaScript server sees."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _is_text(text: str) -> bool:
    """Tell whether a string can be sent at all: half a surrogate pair cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_prompt(prompt: object, spec: ModelSpec | None, catalogue: Catalogue, problems: list[Problem]) -> None:
    if not isinstance(prompt, str):
        problems.append(Problem("prompt", "must be a string", shown(prompt)))
    elif not prompt or prompt.isspace():
        problems.append(Problem("prompt", "must not be empty", shown(prompt)))
    elif not _is_text(prompt):
        problems.append(Problem("prompt", "holds characters that are no valid Unicode text"))
    # A character has one or two units, so most prompts need no counting.
    elif spec is not None and 2 * len(prompt) > spec.limits.prompt:
        units, most = utf16_units(prompt), spec.limits.prompt
        if units > most:
            kinds = set(spec.kinds)
            others = having(
                catalogue,
                lambda other: other.limits.prompt >= units and not kinds.isdisjoint(other.kinds),
                "takes",
                "take",
            )
            message = f"must have at most {most} UTF-16 units for {spec.id}{others}"
            problems.append(Problem("prompt", message, f"{units} units"))


def _check_mode(inputs: Inputs, problems: list[Problem]) -> None:
    mode: object = getattr(inputs, "mode", None)
    if mode is None:
        return
    if not isinstance(mode, str) or mode not in MODES:
        problems.append(Problem("mode", f"must be {listed(MODES)}", shown(mode), suggest_value(mode, MODES)))
    elif isinstance(inputs, ImageToVideo) and mode == "reference":
        message = "ImageToVideo takes its images as frames; OmniReference takes them as references"
        problems.append(Problem("mode", message, shown(mode)))
    elif isinstance(inputs, OmniReference) and mode == "keyframe":
        if _length(inputs.videos) or _length(inputs.audios):
            message = "keyframe takes images only; videos and audios need mode 'reference'"
            problems.append(Problem("mode", message, shown(mode)))
        number = _length(inputs.images)
        if number > 2:
            message = (
                f"keyframe takes a first and a last frame and ignores other images, and {number} are "
                "given; leave the mode out to use all of them as references"
            )
            problems.append(Problem("mode", message, shown(mode)))


def _length(urls: object) -> int:
    return len(urls) if is_list(urls) else 0


def _check_callback(url: object, problems: list[Problem]) -> None:
    if url is not None and not is_http_url(url):
        problems.append(Problem("callback_url", "must be an http(s) URL", host_only(url)))


def _check_extra(extra: object, problems: list[Problem]) -> None:
    if not is_mapping(extra):
        problems.append(Problem("extra", "must be a mapping of field names to values", shown(extra)))
        return
    for key, value in extra.items():
        if not isinstance(key, str) or not key or not _is_text(key):
            problems.append(Problem("extra", "must have non-empty strings as names", shown(key)))
            continue
        path = f"extra[{shown(key)}]"
        known = _KNOWN_PLAIN.get(plain(key))
        if plain(key) == _ENVELOPE:
            problems.append(Problem(path, "is the name of the whole object that extra fields go into"))
        elif known is not None:
            problems.append(Problem(path, "is a known field and must be given by its own name", suggestion=known))
        if not is_json(value):
            problems.append(Problem(path, "cannot be written as JSON", shown(value)))


def is_json(value: object) -> bool:
    """Tell whether JSON can hold a frozen value exactly: no NaN, no keys that are not strings."""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) < 2**63  # beyond it, servers and Python's own number-to-text limit disagree
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, float):
        return value - value == 0  # neither NaN nor infinite
    if is_mapping(value):
        return all(isinstance(key, str) and _is_text(key) and is_json(item) for key, item in value.items())
    return is_list(value) and all(is_json(item) for item in value)
