"""The names of input fields, ours and the service's, and what somebody probably meant by another one."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, Literal, cast

from seedance_async.core.redact import redact_url

#: What a class of inputs makes, and what a model can make. Part of every digest, so these words never change.
Kind = Literal["text", "image", "reference", "edit", "extend"]

#: Field of the Python inputs -> field of the service's `inputs` object (contract, section 2). Fields whose
#: form depends on the catalogue (media, frames) or that sit outside `inputs` are in `OTHER_WIRE_NAMES`.
WIRE_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prompt": "prompt",
        "mode": "mode",
        "duration": "duration",
        "output_resolution": "outputResolution",
        "upscale_resolution": "upscaleResolution",
        "aspect_ratio": "aspectRatio",
        "generate_audio": "generate_audio",
        "bitrate_mode": "bitrate_mode",
        "seed": "seed",
        "output_format": "output_format",
    }
)
OTHER_WIRE_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "imageUrls": "images",
        "videoUrls": "videos",
        "audioUrls": "audios",
        "urls": "images",
        "callBackUrl": "callback_url",
        "model": "model",
        "inputs": "extra",
    }
)

#: Words that people use for a field and that are too far from its name for `difflib`.
_FIELD_SYNONYMS: Final = {
    "ratio": "aspect_ratio",
    "aspect": "aspect_ratio",
    "resolution": "output_resolution",
    "quality": "output_resolution",
    "size": "output_resolution",
    "upscale": "upscale_resolution",
    "seconds": "duration",
    "length": "duration",
    "text": "prompt",
    "description": "prompt",
    "webhook": "callback_url",
    "webhookurl": "callback_url",
    "sound": "generate_audio",
    "generatesound": "generate_audio",
    "withaudio": "generate_audio",
    "bitrate": "bitrate_mode",
    "format": "output_format",
    "startframe": "first_frame",
    "endframe": "last_frame",
    "references": "images",
    "url": "images",
    "imageurl": "images",
    "videourl": "videos",
    "audiourl": "audios",
}

_VALUE_SYNONYMS: Final = {
    "landscape": "16:9",
    "horizontal": "16:9",
    "portrait": "9:16",
    "vertical": "9:16",
    "square": "1:1",
    "hd": "720p",
    "fhd": "1080p",
    "fullhd": "1080p",
    "uhd": "4k",
    "1280x720": "720p",
    "1920x1080": "1080p",
    "3840x2160": "4k",
    "2160p": "4k",
    "2160": "4k",
}

_NUMBER_AND_UNIT: Final = re.compile(r"\s*([0-9]{1,12})(?:\.0*)?\s*[a-z]{0,8}\.?\s*", re.IGNORECASE)
_LONGEST_SHOWN: Final = 60
_LONGEST_COMPARED: Final = 80


def plain(name: str) -> str:
    """Return `name` without what people vary: capitals, underscores, hyphens, spaces."""
    return re.sub(r"[\s_-]+", "", name).casefold()


_BY_PLAIN_WIRE_NAME: Final = {plain(wire): name for name, wire in WIRE_NAMES.items()} | {
    plain(wire): name for wire, name in OTHER_WIRE_NAMES.items()
}


def suggest_field(name: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` that `name` was probably meant to be: a slip, a wire name, another word for it."""
    if len(name) > _LONGEST_COMPARED:
        return None
    by_plain = {plain(candidate): candidate for candidate in known}
    wanted = plain(name)
    for table in (_BY_PLAIN_WIRE_NAME, _FIELD_SYNONYMS):
        meant = table.get(wanted)
        if meant is not None and plain(meant) in by_plain:
            return meant
    near = get_close_matches(wanted, by_plain, n=1, cutoff=0.7)
    return by_plain[near[0]] if near else None


def suggest_value(given: object, allowed: Iterable[str]) -> str | None:
    """Return the one of `allowed` that `given` was probably meant to be, such as `16:9` for `16x9`."""
    if isinstance(given, bool) or not isinstance(given, str | int):
        return None
    text = str(given) if isinstance(given, str) or abs(given) < 10**9 else ""
    if not text or len(text) > _LONGEST_COMPARED:
        return None
    candidates = tuple(allowed)
    wanted = plain(text)
    meant = _VALUE_SYNONYMS.get(wanted)
    if meant in candidates:
        return meant
    by_plain = {plain(candidate): candidate for candidate in candidates}
    near = get_close_matches(wanted, by_plain, n=1, cutoff=0.6)
    return by_plain[near[0]] if near else None


def number_in(value: object) -> str | None:
    """Return the whole number that a text such as `"5s"` or `"5 seconds"` was probably meant to be."""
    match = _NUMBER_AND_UNIT.fullmatch(value) if isinstance(value, str) else None
    return None if match is None else match.group(1)


def shown(value: object) -> str:
    """Return `value` as it may stand in a message: shortened, without what may be signed, bytes as a number."""
    if isinstance(value, str):
        return shown_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(cast('bytes', value))} bytes"
    if isinstance(value, PurePath):
        text = str(value)
        return f"Path({text if len(text) <= _LONGEST_SHOWN else f'...{text[3 - _LONGEST_SHOWN :]}'!r})"
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 (somebody else's __repr__; a message must not fail for it)
        return f"a {type(value).__name__}"
    if "://" in text:
        return f"a {type(value).__name__} with URLs"
    return shorten(text)


def shown_text(text: str) -> str:
    """Return a string, quoted, shortened, and without the signature if it holds a URL."""
    head, separator, _ = text.partition("://")
    if separator:
        text = redact_url(text) if head.isalnum() else f"{head[:20]}..."
    elif text[:5].casefold() == "data:":
        text = f"{text[:20]}..."
    return repr(shorten(text))


def shorten(text: str, limit: int = _LONGEST_SHOWN) -> str:
    """Cut `text` to `limit` characters, saying so by an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def listed(words: Iterable[str], last: str = "or") -> str:
    """Join words as a sentence does: `a, b or c`."""
    all_words = list(words)
    if len(all_words) < 2:
        return "".join(all_words)
    return f"{', '.join(all_words[:-1])} {last} {all_words[-1]}"
