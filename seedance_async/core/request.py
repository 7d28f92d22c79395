"""From inputs to a request: checked, priced, named, with everything that is known before it is sent."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import field, frozen

from seedance_async.core.build import Draft, draft_call, draft_row
from seedance_async.core.catalogue import BUILT_IN, Catalogue
from seedance_async.core.checks import check
from seedance_async.core.digest import inputs_digest
from seedance_async.core.inputs import Inputs, TextToVideo
from seedance_async.core.media_types import Look, Material, no_look
from seedance_async.core.rates import credits_for, settles_later, why_unpriced
from seedance_async.core.spec import ModelSpec
from seedance_async.errors import InputError

#: Seconds after which a task of usual length is given up waiting for, and that usual length. The vendor calls a task
#: stuck after 10 to 15 minutes (contract, section 14); a deadline that comes too early costs more than a late one.
BASE_DEADLINE: Final = 1800.0
_USUAL: Final = 240.0
#: Where a user's own catalogue gives no timing for a resolution.
_UNKNOWN_TYPICAL: Final = 480.0


def _facts(spec: ModelSpec) -> set[tuple[str, str]]:
    """Return what a model knows that another catalogue's may not: fields as `(name, "")`, values as `(name, value)`."""
    facts = {("model", spec.id)}
    facts |= {("output_resolution", value) for value in spec.limits.resolutions}
    return facts | {(name, "") for name in _OPTIONAL if spec.knows(name)}


_OPTIONAL: Final = ("upscale_resolution", "generate_audio", "bitrate_mode", "seed", "output_format")
_FACTS_OF: Final = {
    catalogue.name: frozenset[tuple[str, str]]().union(*map(_facts, catalogue.models))
    for catalogue in BUILT_IN.values()
}
#: Fields and values that exactly one published contract knows, with its name.
_ONLY_IN: Final[Mapping[tuple[str, str], str]] = {
    fact: owners[0]
    for fact in frozenset[tuple[str, str]]().union(*_FACTS_OF.values())
    if len(owners := [name for name, facts in _FACTS_OF.items() if fact in facts]) == 1
}
_OPTIONAL_OF: Final = tuple((name, _ONLY_IN[name, ""]) for name in _OPTIONAL if (name, "") in _ONLY_IN)


@frozen
class Request:
    """Inputs that passed every check, with what follows from them and a catalogue.

    Attributes:
        inputs: What the user wrote.
        catalogue: The contract they were checked against.
        spec: The model's facts.
        resolution: The `outputResolution` that is sent.
        credits: What is reserved at submit; None where no price is known.
        unpriced: Why `credits` is None; None where it is not.
        settles_later: Whether the final price is known only after the end, and may be higher.
        expected_size: Width and height in pixels, or None where they are not known.
        typical_seconds: How long such a task usually takes, the longer end of what is published.
        deadline_seconds: After how long the wait is given up by default, from acceptance.
        only_in: Fields that only one published contract knows, each with that catalogue's name.
        materials: Local files and bytes that are uploaded before it is sent, each once.
    """

    inputs: Inputs
    catalogue: Catalogue = field(repr=lambda catalogue: repr(catalogue.name))
    spec: ModelSpec = field(repr=lambda spec: repr(spec.id))
    resolution: str
    credits: Decimal | None
    unpriced: str | None
    settles_later: bool
    expected_size: tuple[int, int] | None
    typical_seconds: float
    deadline_seconds: float
    only_in: tuple[tuple[str, str], ...]
    materials: tuple[Material, ...] = ()

    @property
    def digest(self) -> str:
        """Name of the inputs, see `inputs_digest`. Made when it is asked for: only jobs with a key need it."""
        return inputs_digest(self.inputs, self.materials)

    @property
    def is_named(self) -> bool:
        """Whether `digest` is the name of the content, and no local file has to be read for it."""
        return all(material.sha256 is not None for material in self.materials)


def prepare(inputs: Inputs, catalogue: Catalogue, look: Look = no_look) -> Request:
    """Check inputs and return the request.

    Args:
        inputs: What the user wrote.
        catalogue: The contract to check against.
        look: Looks at local files. Without one they are judged by their names, which does for a price; what is to be
            sent needs one.

    Raises:
        InputError: With everything that is wrong, each problem with its path. Money: nothing was sent.
    """
    return _prepared(Draft(inputs), catalogue, look)


def prepare_call(
    source: str | Inputs, fields: Mapping[str, object], catalogue: Catalogue, look: Look = no_look
) -> Request:
    """Check a prompt completed by fields, or inputs some of which fields replace, and return the request.

    Raises:
        InputError: With everything that is wrong, names and values together, each problem with its path. A value under
            a wrong name is checked once it has its right one. Money: nothing was sent.
    """
    return _prepared(draft_call(source, fields), catalogue, look)


def prepare_row(fields: Mapping[str, object], catalogue: Catalogue, look: Look = no_look) -> Request:
    """Check fields from which the class of the inputs follows, see `draft_row`, and return the request.

    Raises:
        InputError: As from `prepare_call`; also for fields that are missing.
    """
    return _prepared(draft_row(fields), catalogue, look)


def _prepared(draft: Draft, catalogue: Catalogue, look: Look) -> Request:
    inputs = draft.inputs
    checked = check(inputs, catalogue, draft.unsettled, look=look)
    spec, problems = checked.spec, checked.problems
    if spec is None or problems or draft.problems:
        raise InputError([*draft.problems, *problems])
    resolution = inputs.output_resolution or spec.limits.default_resolution
    credits = credits_for(inputs, spec, resolution)
    typical = _typical_seconds(inputs, spec, resolution)
    return Request(
        inputs=inputs,
        catalogue=catalogue,
        spec=spec,
        resolution=resolution,
        credits=credits,
        unpriced=why_unpriced(inputs, spec, resolution) if credits is None else None,
        settles_later=settles_later(inputs, spec),
        expected_size=_expected_size(inputs, spec, resolution),
        typical_seconds=typical,
        deadline_seconds=max(BASE_DEADLINE, BASE_DEADLINE * typical / _USUAL),
        only_in=_only_in(inputs, spec, resolution),
        materials=checked.materials,
    )


def _typical_seconds(inputs: Inputs, spec: ModelSpec, resolution: str) -> float:
    timing = spec.timing
    typical = timing.typical.get(resolution, _UNKNOWN_TYPICAL)
    if getattr(inputs, "videos", ()):
        typical = max(typical, timing.with_video)
    if getattr(inputs, "upscale_resolution", None) is not None:
        typical = max(typical, timing.upscaled)
    return typical


def _expected_size(inputs: Inputs, spec: ModelSpec, resolution: str) -> tuple[int, int] | None:
    if getattr(inputs, "upscale_resolution", None) is not None:
        return None
    ratio: str | None = getattr(inputs, "aspect_ratio", None)
    if ratio is None and isinstance(inputs, TextToVideo):
        ratio = "16:9"  # the service's default for text alone (contract, section 2.1)
    return None if ratio is None else spec.sizes.pixels.get((resolution, ratio))


def _only_in(inputs: Inputs, spec: ModelSpec, resolution: str) -> tuple[tuple[str, str], ...]:
    found = [(name, owner) for name, owner in _OPTIONAL_OF if getattr(inputs, name, None) is not None]
    facts = (("output_resolution", resolution), ("model", spec.id))
    return (*found, *((fact[0], _ONLY_IN[fact]) for fact in facts if fact in _ONLY_IN))
