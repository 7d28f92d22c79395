"""Everything that can be known to be wrong before a request is sent, all of it at once.

The service ignores names it does not know and bills for what is left, so a field that the chosen model lacks is as
wrong as a value out of range.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from seedance_async.core.catalogue import BUILT_IN, Catalogue
from seedance_async.core.frozen import DEEPEST
from seedance_async.core.inputs import FIELDS_OF, INPUT_CLASSES, INPUT_FIELDS, ImageToVideo, Inputs, OmniReference
from seedance_async.core.media_checks import check_media, host_only, is_http_url
from seedance_async.core.names import OTHER_WIRE_NAMES, WIRE_NAMES, listed, plain, shown, suggest_value
from seedance_async.core.spec import ModelSpec
from seedance_async.errors import Problem

MODES: Final = ("keyframe", "reference")
_KNOWN_PLAIN: Final = {plain(wire): name for wire, name in OTHER_WIRE_NAMES.items()} | {
    plain(name): name for name in (*INPUT_FIELDS, *WIRE_NAMES)
}
_CHOICES: Final = ("output_resolution", "upscale_resolution", "aspect_ratio", "bitrate_mode", "output_format")


def check(inputs: Inputs, catalogue: Catalogue) -> tuple[ModelSpec | None, list[Problem]]:
    """Return the model's facts and every problem that is found.

    Problems that depend on the model are looked for only if the catalogue has it and it takes this class of inputs.
    """
    problems: list[Problem] = []
    spec = _check_model(inputs, catalogue, problems)
    _check_prompt(inputs.prompt, spec, catalogue, problems)
    check_media(inputs, spec, problems)
    _check_mode(inputs, problems)
    _check_callback(inputs.callback_url, problems)
    _check_extra(inputs.extra, problems)
    _check_flag(inputs.generate_audio, problems)
    _check_seed(inputs.seed, spec, problems)
    if "duration" in FIELDS_OF[kind_class(inputs)]:
        _check_duration(inputs, spec, catalogue, problems)
    if spec is not None:
        _check_options(inputs, spec, catalogue, problems)
    return spec, problems


def kind_class(inputs: Inputs) -> type[Inputs]:
    """Return the class of the inputs, one of `INPUT_CLASSES` even for an instance of a subclass."""
    cls = type(inputs)
    return cls if cls in FIELDS_OF else next(known for known in INPUT_CLASSES if isinstance(inputs, known))


def _check_model(inputs: Inputs, catalogue: Catalogue, problems: list[Problem]) -> ModelSpec | None:
    spec = catalogue.find(inputs.model)
    if spec is None:
        problems.append(catalogue.unknown_model(inputs.model))
        return None
    if inputs.kind in spec.kinds:
        return spec
    having = _who(catalogue, lambda other: inputs.kind in other.kinds)
    problems.append(Problem("model", f"{spec.id} takes no {kind_class(inputs).__name__}{having}", shown(inputs.model)))
    return None


def _who(catalogue: Catalogue, has: Callable[[ModelSpec], bool]) -> str:
    """Return a sentence that names the models for which `has` is true, of this catalogue or else of another."""
    own = [spec.id for spec in catalogue.models if has(spec)]
    if own:
        return f"; {listed(own, 'and')} {'has' if len(own) == 1 else 'have'} it"
    for other in BUILT_IN.values():
        ids = [spec.id for spec in other.models if has(spec)]
        if ids and other is not catalogue:
            return f"; {other.constant} has it for {listed(ids, 'and')}"
    return ""


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
    elif spec is not None and 2 * len(prompt) > spec.limits.prompt:
        length, most = utf16_units(prompt), spec.limits.prompt
        if length > most:
            having = _who(catalogue, lambda other: other.limits.prompt >= length and _same_kind(other, spec))
            problems.append(
                Problem("prompt", f"must have at most {most} UTF-16 units for {spec.id}{having}", f"{length} units")
            )


def _same_kind(other: ModelSpec, spec: ModelSpec) -> bool:
    return bool(set(other.kinds) & set(spec.kinds))


def _check_mode(inputs: Inputs, problems: list[Problem]) -> None:
    mode = getattr(inputs, "mode", None)
    if mode is None:
        return
    if not isinstance(mode, str) or mode not in MODES:
        problems.append(
            Problem("mode", f"must be {listed(MODES)}", shown(mode), suggest_value(cast("object", mode), MODES))
        )
    elif isinstance(inputs, ImageToVideo) and mode == "reference":
        problems.append(
            Problem("mode", "ImageToVideo takes its images as frames; OmniReference takes references", shown(mode))
        )
    elif isinstance(inputs, OmniReference) and mode == "keyframe":
        if inputs.videos or inputs.audios:
            problems.append(
                Problem("mode", "keyframe takes images only; videos and audios need mode 'reference'", shown(mode))
            )
        if isinstance(cast("object", inputs.images), tuple) and len(inputs.images) > 2:
            problems.append(
                Problem(
                    "mode",
                    f"keyframe takes a first and a last frame and ignores other images, and {len(inputs.images)} "
                    "are given; leave the mode out to use all as references",
                    shown(mode),
                )
            )


def _check_callback(url: object, problems: list[Problem]) -> None:
    if url is not None and not is_http_url(url):
        problems.append(Problem("callback_url", "must be an http(s) URL", host_only(url)))


def _check_flag(value: object, problems: list[Problem]) -> None:
    if value is not None and not isinstance(value, bool):
        meant = {"true": "True", "yes": "True", "1": "True", "false": "False", "no": "False", "0": "False"}
        problems.append(
            Problem(
                "generate_audio", "must be True or False", shown(value), meant.get(str(shown(value)).strip("'").lower())
            )
        )


def _check_seed(seed: object, spec: ModelSpec | None, problems: list[Problem]) -> None:
    if seed is None:
        return
    seeds = None if spec is None else spec.options.seeds
    allowed = "a whole number" if seeds is None else f"a whole number, -1 for a random seed or 0 to {seeds[1]}"
    wrong = not isinstance(seed, int) or isinstance(seed, bool)
    if wrong or (seeds is not None and not seeds[0] <= cast("int", seed) <= seeds[1]):
        problems.append(Problem("seed", f"must be {allowed}", shown(seed)))


def _check_duration(inputs: Inputs, spec: ModelSpec | None, catalogue: Catalogue, problems: list[Problem]) -> None:
    seconds = cast("object", getattr(inputs, "duration", None))
    limits = None if spec is None else spec.limits.durations
    span = "" if limits is None or spec is None else f", {limits[0]} to {limits[1]} for {spec.id}"
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        digits = seconds.strip().rstrip("seconds ").strip() if isinstance(seconds, str) else ""
        meant = digits if digits.isascii() and digits.isdigit() else None
        problems.append(Problem("duration", f"must be a whole number of seconds{span}", shown(seconds), meant))
    elif limits is not None and not limits[0] <= seconds <= limits[1]:
        having = _who(
            catalogue,
            lambda other: (
                inputs.kind in other.kinds
                and other.limits.durations is not None
                and other.limits.durations[0] <= seconds <= other.limits.durations[1]
            ),
        )
        problems.append(Problem("duration", f"must be a whole number of seconds{span}{having}", shown(seconds)))


def _check_options(inputs: Inputs, spec: ModelSpec, catalogue: Catalogue, problems: list[Problem]) -> None:
    own_fields = FIELDS_OF[kind_class(inputs)]
    for name in _CHOICES:
        value = cast("object", getattr(inputs, name)) if name in own_fields else None
        if value is not None:
            _check_choice(name, value, inputs, spec, catalogue, problems)
    for name in ("generate_audio", "seed"):
        value = cast("object", getattr(inputs, name))
        if value is not None and not spec.knows(name):
            problems.append(_lacking(name, value, inputs, spec, catalogue))
    ratio = cast("object", getattr(inputs, "aspect_ratio", None))
    keyframes = isinstance(inputs, ImageToVideo) or getattr(inputs, "mode", None) == "keyframe"
    if ratio is not None and spec.limits.ratio_follows_frames and keyframes and inputs.kind != "text":
        problems.append(
            Problem(
                "aspect_ratio",
                f"{spec.id} ignores it where frames are given: the video keeps the image's ratio; leave it out",
                shown(ratio),
            )
        )


def _lacking(name: str, value: object, inputs: Inputs, spec: ModelSpec, catalogue: Catalogue) -> Problem:
    having = _who(catalogue, lambda other: inputs.kind in other.kinds and other.knows(name))
    return Problem(
        name, f"{spec.id} has no such field under {catalogue.constant} and would ignore it{having}", shown(value)
    )


def _check_choice(
    name: str, value: object, inputs: Inputs, spec: ModelSpec, catalogue: Catalogue, problems: list[Problem]
) -> None:
    allowed = spec.values_of(name) or ()
    if isinstance(value, str) and value in allowed:
        return
    if not allowed:
        problems.append(_lacking(name, value, inputs, spec, catalogue))
        return
    having = _who(catalogue, lambda other: inputs.kind in other.kinds and value in (other.values_of(name) or ()))
    meant = None if having else suggest_value(value, allowed)
    problems.append(Problem(name, f"must be {listed(allowed)} for {spec.id}{having}", shown(value), meant))


def _check_extra(extra: object, problems: list[Problem]) -> None:
    if not isinstance(extra, Mapping):
        problems.append(Problem("extra", "must be a mapping of field names to values", shown(extra)))
        return
    for key, value in cast("Mapping[Any, Any]", extra).items():
        if not isinstance(key, str) or not key:
            problems.append(Problem("extra", "names must be non-empty strings", shown(key)))
            continue
        path = f"extra[{key!r}]"
        known = _KNOWN_PLAIN.get(plain(key))
        if known is not None:
            instead = "is a known field; give it by its name" if known != "extra" else "is the service's own envelope"
            problems.append(Problem(path, instead, suggestion=None if known == "extra" else known))
        if not _is_text(key) or not is_json(value):
            problems.append(Problem(path, "cannot be written as JSON", shown(value)))


def is_json(value: object, depth: int = 0) -> bool:
    """Tell whether JSON can hold the value exactly: no NaN, no keys that are not strings, not too deep."""
    if value is None or isinstance(value, bool | int):
        return True
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, float):
        return value - value == 0  # neither NaN nor infinite
    if depth >= DEEPEST:
        return False
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return all(isinstance(key, str) and _is_text(key) and is_json(item, depth + 1) for key, item in items)
    if isinstance(value, list | tuple):
        return all(is_json(item, depth + 1) for item in cast("list[Any] | tuple[Any, ...]", value))
    return False
