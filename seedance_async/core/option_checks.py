"""Checks of the fields that a model may have, have other values of, or lack."""

from collections.abc import Callable
from typing import Final

from seedance_async.core.catalogue import BUILT_IN, Catalogue
from seedance_async.core.inputs import FIELDS_OF, ImageToVideo, Inputs, TextToVideo, VideoEdit, class_of
from seedance_async.core.names import Kind, listed, number_in, shown, suggest_value
from seedance_async.core.spec import ModelSpec
from seedance_async.errors import Problem

_CHOICES: Final[tuple[str, ...]] = (
    "output_resolution",
    "upscale_resolution",
    "aspect_ratio",
    "bitrate_mode",
    "output_format",
)
_SCALARS: Final[tuple[str, ...]] = ("generate_audio", "seed")
_CHOICES_OF: Final = {cls: tuple(name for name in _CHOICES if name in fields) for cls, fields in FIELDS_OF.items()}
_TRUTH: Final = {"true": "True", "yes": "True", "1": "True", "false": "False", "no": "False", "0": "False"}


def having(catalogue: Catalogue, has: Callable[[ModelSpec], bool], one: str = "has", many: str = "have") -> str:
    """Return the end of a sentence that names the models for which `has` is true; empty if there is none.

    Models of the catalogue in use come first; only if it has none, those of the others are named.

    Args:
        catalogue: The catalogue in use.
        has: What is wanted.
        one: The verb after one model.
        many: The verb after several.
    """
    own = [spec.id for spec in catalogue.models if has(spec)]
    if own:
        return f"; {listed(own, 'and')} {one if len(own) == 1 else many} it"
    for other in BUILT_IN.values():
        ids = [spec.id for spec in other.models if has(spec)]
        if ids and other is not catalogue:
            return f"; under {other.constant} {listed(ids, 'and')} {one if len(ids) == 1 else many} it"
    return ""


def check_duration(inputs: Inputs, spec: ModelSpec | None, catalogue: Catalogue, problems: list[Problem]) -> None:
    """Add what is wrong with the duration of a class that has one."""
    if not isinstance(inputs, VideoEdit):
        problems += _duration_problems(inputs.duration, inputs.kind, spec, catalogue)


def _duration_problems(seconds: object, kind: Kind, spec: ModelSpec | None, catalogue: Catalogue) -> list[Problem]:
    limits = None if spec is None else spec.limits.durations
    span = "" if limits is None or spec is None else f", {limits[0]} to {limits[1]} for {spec.id}"
    message = f"must be a whole number of seconds{span}"
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return [Problem("duration", message, shown(seconds), number_in(seconds))]
    if limits is None or limits[0] <= seconds <= limits[1]:
        return []
    others = having(catalogue, lambda other: kind in other.kinds and _spans(other, seconds))
    return [Problem("duration", f"{message}{others}", shown(seconds))]


def _spans(spec: ModelSpec, seconds: int) -> bool:
    span = spec.limits.durations
    return span is not None and span[0] <= seconds <= span[1]


def check_options(inputs: Inputs, spec: ModelSpec | None, catalogue: Catalogue, problems: list[Problem]) -> None:
    """Add what is wrong with fields that have a closed list of values, and with those that not every model has."""
    _check_audio(inputs.generate_audio, problems)
    _check_seed(inputs.seed, spec, problems)
    if spec is None:
        return
    for name in _CHOICES_OF[class_of(inputs)]:
        value: object = getattr(inputs, name)
        if value is not None:
            _check_choice(name, value, (inputs, spec, catalogue), problems)
    for name in _SCALARS:
        value = getattr(inputs, name)
        if value is not None and not spec.knows(name):
            problems.append(_lacking(name, value, (inputs, spec, catalogue)))
    _check_ignored_ratio(inputs, spec, problems)


def _check_audio(value: object, problems: list[Problem]) -> None:
    if value is not None and not isinstance(value, bool):
        # Only 0 and 1 of all numbers: Python writes out none of more than some thousand digits.
        text = str(value) if isinstance(value, str) or (isinstance(value, int) and value in {0, 1}) else ""
        meant = _TRUTH.get(text.casefold())
        problems.append(Problem("generate_audio", "must be True or False", shown(value), meant))


def _check_seed(seed: object, spec: ModelSpec | None, problems: list[Problem]) -> None:
    if seed is None:
        return
    seeds = None if spec is None else spec.options.seeds
    span = "" if seeds is None else f", {seeds[0]} for a random one or 0 to {seeds[1]}"
    if not isinstance(seed, int) or isinstance(seed, bool) or (seeds is not None and not seeds[0] <= seed <= seeds[1]):
        problems.append(Problem("seed", f"must be a whole number{span}", shown(seed), number_in(seed)))


_Subject = tuple[Inputs, ModelSpec, Catalogue]


def _check_choice(name: str, value: object, subject: _Subject, problems: list[Problem]) -> None:
    inputs, spec, catalogue = subject
    allowed = spec.values_of(name) or ()
    if isinstance(value, str) and value in allowed:
        return
    if not allowed:
        problems.append(_lacking(name, value, subject))
        return
    # What was meant may be a value that only another model has: 1080 for a model that ends at 720p.
    models = (spec, *catalogue.models, *(model for other in BUILT_IN.values() for model in other.models))
    everywhere = [known for model in models if inputs.kind in model.kinds for known in model.values_of(name) or ()]
    wanted = value if isinstance(value, str) and value in everywhere else suggest_value(value, everywhere)
    others = having(catalogue, lambda other: inputs.kind in other.kinds and wanted in (other.values_of(name) or ()))
    message = f"must be {listed(allowed)} for {spec.id}"
    if wanted in allowed:
        problems.append(Problem(name, message, shown(value), wanted))
    elif wanted is not None and others:
        problems.append(Problem(name, f"{message}{others.removesuffix('it')}{wanted}", shown(value)))
    else:
        problems.append(Problem(name, message, shown(value)))


def _lacking(name: str, value: object, subject: _Subject) -> Problem:
    inputs, spec, catalogue = subject
    others = having(catalogue, lambda other: inputs.kind in other.kinds and other.knows(name))
    message = f"{spec.id} has no such field under {catalogue.constant} and would ignore it{others}"
    return Problem(name, message, shown(value))


def _check_ignored_ratio(inputs: Inputs, spec: ModelSpec, problems: list[Problem]) -> None:
    """Refuse a ratio that the model ignores because frames are given."""
    if not spec.limits.ratio_follows_frames or isinstance(inputs, TextToVideo):
        return
    ratio: object = getattr(inputs, "aspect_ratio", None)
    if ratio is not None and (isinstance(inputs, ImageToVideo) or getattr(inputs, "mode", None) == "keyframe"):
        message = (
            f"{spec.id} ignores it where frames are given, the video keeps the image's ratio; leave it out, or give "
            "the images as references"
        )
        problems.append(Problem("aspect_ratio", message, shown(ratio)))
