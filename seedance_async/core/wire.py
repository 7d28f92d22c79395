"""The create request as the service reads it. The only place with the service's names on the way out."""

import re
from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Final

from seedance_async.core.frozen import is_list, is_mapping, thaw
from seedance_async.core.inputs import Inputs, media_of, mode_of
from seedance_async.core.names import WIRE_NAMES
from seedance_async.core.request import Request
from seedance_async.core.spec import DurationForm, ReferenceForm

__all__ = ["DurationForm", "create_body", "is_duration_type_complaint"]

#: For requests without local files.
NO_URLS: Final[Mapping[PurePath | bytes, str]] = MappingProxyType({})
#: Fields that are sent as they are, if they are given.
_AS_GIVEN: Final = tuple(
    (name, WIRE_NAMES[name])
    for name in (
        "upscale_resolution",
        "aspect_ratio",
        "generate_audio",
        "bitrate_mode",
        "seed",
        "output_format",
    )
)


def create_body(
    request: Request,
    duration_form: DurationForm | None = None,
    callback_url: str | None = None,
    urls: Mapping[PurePath | bytes, str] = NO_URLS,
) -> dict[str, Any]:
    """Return the JSON object of `createTask`.

    Args:
        request: A prepared request.
        duration_form: How the duration is written; by default as the model's facts say.
        callback_url: Where the service says that the task has ended, unless the inputs say where.
        urls: Where the local files among the media are.
    """
    inputs, spec = request.inputs, request.spec
    fields: dict[str, Any] = {"prompt": inputs.prompt}
    _add_media(fields, inputs, spec.wire.references, urls)
    mode = mode_of(inputs)
    if mode is not None:
        fields["mode"] = mode
    seconds: int | None = getattr(inputs, "duration", None)
    if seconds is not None:
        as_text = (duration_form or spec.wire.duration) == "string"
        fields["duration"] = str(int(seconds)) if as_text else int(seconds)
    # Always explicit: the vendor's default has changed once, at twice the price.
    fields["outputResolution"] = request.resolution
    for name, wire_name in _AS_GIVEN:
        value = getattr(inputs, name, None)
        if value is not None:
            fields[wire_name] = value
    if inputs.extra:
        fields.update(thaw(inputs.extra))
    body: dict[str, Any] = {"model": spec.id, "inputs": fields}
    if inputs.callback_url is not None:
        callback_url = inputs.callback_url
    if callback_url is not None:
        body["callBackUrl"] = callback_url
    return body


def _add_media(
    fields: dict[str, Any], inputs: Inputs, form: ReferenceForm, urls: Mapping[PurePath | bytes, str]
) -> None:
    media = media_of(inputs)
    if not media:
        return
    images, videos, audios = (
        [item if isinstance(item, str) else urls[item] for item in items]
        for items in (media.images, media.videos, media.audios)
    )
    if form == "both":
        fields["urls"] = [*images, *videos, *audios]
    split = {"imageUrls": images, "videoUrls": videos, "audioUrls": audios}
    fields.update({wire_name: found for wire_name, found in split.items() if found})


#: Words of a complaint about a type. A literal in quotes after "received" is a value, which is another matter.
_TYPE_WORDS: Final = re.compile(
    r"invalid type|wrong type|(expected|received|must be|not) (an? )?(string|number|integer|int)\b",
    re.IGNORECASE,
)
_RANGE_CODES: Final = frozenset({"too_small", "too_big"})
_TYPE_CODES: Final = frozenset({"invalid_type", "invalid_union"})
#: Newer zod says the same about a number where one of a list of strings is wanted, and nothing of what it received.
_QUOTED_CHOICE: Final = re.compile(r"expected one of \"[0-9]+\"", re.IGNORECASE)


def is_duration_type_complaint(body: object) -> bool:
    """Tell whether a 400 complains about the type of `duration`, so that the other form is worth a try.

    A complaint about its range is none, whatever its words: that is a wrong value in either form.
    """
    errors = body.get("errors") if is_mapping(body) else None
    return is_list(errors) and any(_is_type_complaint(entry) for entry in errors)


def _is_type_complaint(entry: object) -> bool:
    if not is_mapping(entry) or entry.get("path") not in (["duration"], ["inputs", "duration"], "duration"):
        return False
    if entry.get("code") in _RANGE_CODES:
        return False
    if entry.get("code") in _TYPE_CODES:
        return True
    message = entry.get("message")
    return isinstance(message, str) and bool(_TYPE_WORDS.search(message) or _QUOTED_CHOICE.search(message))
