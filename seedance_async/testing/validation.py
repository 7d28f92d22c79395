"""Check `inputs` as the service does, in the words of its validator (contract, section 7).

Works on what arrives on the wire, not on the SDK's inputs, so that a mistake of the SDK's encoder shows. Names that the
model does not know are ignored without a word, as the service does.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from seedance_async.core.spec import ModelSpec

#: One entry of `errors`; `path` is relative to `inputs`.
Issue = Mapping[str, Any]
#: Which JSON type the service takes for `duration`.
DurationRule = Literal["any", "string", "integer"]

_MODES = ("keyframe", "reference")


def find_issues(fields: Mapping[str, Any], spec: ModelSpec, rule: DurationRule) -> list[Issue]:
    """Return everything that is wrong with `inputs`; an empty list lets the request pass."""
    return [
        *_prompt(fields.get("prompt"), spec),
        *_enum(fields, "mode", _MODES),
        *_duration(fields.get("duration"), spec, rule),
        *_enum(fields, "outputResolution", spec.limits.resolutions),
        *_enum(fields, "aspectRatio", spec.limits.aspect_ratios),
        *_enum(fields, "upscaleResolution", spec.options.upscale_resolutions),
        *_enum(fields, "bitrate_mode", spec.options.bitrate_modes),
        *_enum(fields, "output_format", spec.options.output_formats),
        *_audio(fields.get("generate_audio"), spec),
        *_seed(fields.get("seed"), spec),
        *_references(fields, spec),
    ]


def whole_seconds(value: object) -> int | None:
    """Return `duration` as a number, from either JSON type; None if it is no whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return None


def _prompt(value: object, spec: ModelSpec) -> Iterator[Issue]:
    if not isinstance(value, str):
        yield _wrong_type("prompt", "string", value)
        return
    # JavaScript counts UTF-16 units.
    length = len(value.encode("utf-16-le", "surrogatepass")) // 2
    if length > spec.limits.prompt:
        yield {
            "code": "too_big",
            "maximum": spec.limits.prompt,
            "type": "string",
            "inclusive": True,
            "message": f"String must contain at most {spec.limits.prompt} character(s)",
            "path": ["prompt"],
        }
    # An empty prompt passes the check of the 2.5 family and fails as a task (contract, section 2.2).
    if not value and not spec.prices.settles_with_video:
        yield {
            "code": "too_small",
            "minimum": 1,
            "type": "string",
            "inclusive": True,
            "message": "String must contain at least 1 character(s)",
            "path": ["prompt"],
        }


def _duration(value: object, spec: ModelSpec, rule: DurationRule) -> Iterator[Issue]:
    if spec.limits.durations is None:
        return
    least, most = spec.limits.durations
    if value is None:
        if "extend" in spec.kinds:
            yield _wrong_type("duration", "number", None)
        return
    if isinstance(value, float):
        yield _wrong_type("duration", "integer", value, received="float")
    elif isinstance(value, bool) or not isinstance(value, int | str):
        yield _wrong_type("duration", "string" if rule == "string" else "number", value)
    elif rule == "string" and not isinstance(value, str):
        yield _wrong_type("duration", "string", value)
    elif rule == "integer" and isinstance(value, str):
        yield _wrong_type("duration", "number", value)
    else:
        seconds = whole_seconds(value)
        if seconds is None or not least <= seconds <= most:
            message = f"Duration must be between {least} and {most} seconds"
            yield {"code": "custom", "message": message, "path": ["duration"]}


def _enum(fields: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> Iterator[Issue]:
    value = fields.get(name)
    # No values: the model does not know the field, and the service ignores what it does not know.
    if value is None or not allowed or value in allowed:
        return
    words = " | ".join(f"'{word}'" for word in allowed)
    yield {
        "code": "invalid_enum_value",
        "message": f"Invalid enum value. Expected {words}",
        "path": [name],
        "received": value,
        "options": list(allowed),
    }


def _audio(value: object, spec: ModelSpec) -> Iterator[Issue]:
    if spec.options.generate_audio and value is not None and not isinstance(value, bool):
        yield _wrong_type("generate_audio", "boolean", value)


def _seed(value: object, spec: ModelSpec) -> Iterator[Issue]:
    if spec.options.seeds is None or value is None:
        return
    least, most = spec.options.seeds
    if isinstance(value, bool) or not isinstance(value, int):
        yield _wrong_type("seed", "number", value)
    elif not least <= value <= most:
        side = "too_small" if value < least else "too_big"
        bound = f"greater than or equal to {least}" if value < least else f"less than or equal to {most}"
        yield {"code": side, "type": "number", "message": f"Number must be {bound}", "path": ["seed"]}


def _references(fields: Mapping[str, Any], spec: ModelSpec) -> Iterator[Issue]:
    limits = spec.limits
    if spec.wire.references == "both":
        yield from _urls(fields.get("urls"), "urls", limits.images.most + limits.videos.most + limits.audios.most)
        return
    yield from _urls(fields.get("imageUrls"), "imageUrls", limits.images.most)
    yield from _urls(fields.get("videoUrls"), "videoUrls", limits.videos.most)
    yield from _urls(fields.get("audioUrls"), "audioUrls", limits.audios.most)
    if limits.durations is None or "extend" in spec.kinds:
        videos = fields.get("videoUrls")
        if videos is None or videos == []:
            message = "At least one reference video (videoUrls) is required."
            yield {"code": "custom", "message": message, "path": ["videoUrls"]}


def _urls(value: object, name: str, most: int) -> Iterator[Issue]:
    if value is None:
        return
    if not isinstance(value, list):
        yield _wrong_type(name, "array", value)
        return
    urls = cast("list[object]", value)
    if len(urls) > most:
        message = f"Array must contain at most {most} element(s)"
        yield {"code": "too_big", "maximum": most, "type": "array", "message": message, "path": [name]}
    for index, url in enumerate(urls):
        if not isinstance(url, str):
            yield {**_wrong_type(name, "string", url), "path": [name, index]}
        elif not is_web_url(url):
            yield {"code": "invalid_string", "validation": "url", "message": "Invalid url", "path": [name, index]}


def is_web_url(value: object) -> bool:
    """Whether a value is an http or https URL with a host."""
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _wrong_type(name: str, expected: str, value: object, *, received: str | None = None) -> Issue:
    if value is None:
        message, received = "Required", "undefined"
    else:
        received = received or _json_type(value)
        message = f"Expected {expected}, received {received}"
    return {"code": "invalid_type", "expected": expected, "received": received, "message": message, "path": [name]}


def _json_type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
