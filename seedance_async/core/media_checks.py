"""Checks of reference media and frames: URLs, numbers, kinds, and what the prompt says about them."""

import re
from typing import Final, cast
from urllib.parse import urlsplit

from seedance_async.core.inputs import ImageToVideo, Inputs, TextToVideo
from seedance_async.core.names import listed, shorten, shown
from seedance_async.core.spec import MediaLimit, ModelSpec
from seedance_async.errors import Problem

_NO_URL_CHARACTERS: Final = re.compile(r"[\s<>\"\x00-\x20\x7f\ud800-\udfff]")
#: A name of a reference in a prompt. Letters of other scripts may follow it without a space.
_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9_@.])@(image|video|audio)([0-9]+)(?![A-Za-z0-9_])", re.IGNORECASE)

#: Extensions that say beyond doubt what a file is. Anything else at the end of a URL's path is no extension to us.
_KIND_OF_EXTENSION: Final = {
    extension: kind
    for kind, extensions in (
        ("images", ".jpg .jpeg .png .webp .gif .bmp .tif .tiff .heic .heif .avif .svg"),
        ("videos", ".mp4 .mov .webm .m4v .avi .mkv .wmv .flv .mpg .mpeg"),
        ("audios", ".mp3 .wav .m4a .aac .ogg .oga .opus .flac .wma .aiff"),
    )
    for extension in extensions.split()
}
_KINDS: Final = ("images", "videos", "audios")
_ONE: Final = {"images": "image", "videos": "video", "audios": "audio"}
_NO_FILE: Final = (
    "local files and data URLs are not supported by this version, put the file where the service can fetch it"
)


def is_http_url(value: object) -> bool:
    """Tell whether the value is an absolute http or https URL with a host."""
    if not isinstance(value, str) or _NO_URL_CHARACTERS.search(value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def host_only(url: object) -> str:
    """Show a callback URL in a message without its path, which is often the receiver's secret."""
    if not isinstance(url, str):
        return shown(url)
    scheme, separator, rest = url.rpartition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return repr(shorten(f"{scheme}{separator}{host}{'' if host == rest else '/...'}"))


def check_media(inputs: Inputs, spec: ModelSpec | None, problems: list[Problem]) -> None:
    """Add what is wrong with the media of the inputs, and with what the prompt says about them."""
    counts: dict[str, int | None] = {"images": 0, "videos": 0, "audios": 0}
    if isinstance(inputs, ImageToVideo):
        limit = None if spec is None else spec.limits.images
        _check_url("first_frame", inputs.first_frame, "images", limit, problems)
        if inputs.last_frame is not None:
            _check_url("last_frame", inputs.last_frame, "images", limit, problems)
        counts["images"] = 1 if inputs.last_frame is None else 2
    elif not isinstance(inputs, TextToVideo):
        for name in _KINDS:
            limit = None if spec is None else cast("MediaLimit", getattr(spec.limits, name))
            counts[name] = _check_list(name, getattr(inputs, name), limit, spec, problems)
        _check_presence(inputs, counts, problems)
    if isinstance(cast("object", inputs.prompt), str) and "@" in inputs.prompt:
        _check_tokens(inputs, counts, problems)


def _check_list(
    name: str, urls: object, limit: MediaLimit | None, spec: ModelSpec | None, problems: list[Problem]
) -> int | None:
    """Check one list and return its length, or None where there is no telling."""
    if not isinstance(urls, tuple):
        what = "a list of http(s) URLs"
        hint = f"{what}, not a single string: [{shown(urls)}]" if isinstance(urls, str) else what
        problems.append(Problem(name, f"must be {hint}", shown(urls)))
        return None
    entries = cast("tuple[object, ...]", urls)
    for number, url in enumerate(entries):
        _check_url(f"{name}[{number}]", url, name, limit, problems)
    if limit is not None and spec is not None and len(entries) > limit.most:
        problems.append(Problem(name, f"{spec.id} takes at most {limit.most} {name}", f"{len(entries)} {name}"))
    return len(entries)


def _check_url(path: str, url: object, name: str, limit: MediaLimit | None, problems: list[Problem]) -> None:
    if not is_http_url(url):
        reason = f"must be an http(s) URL of {_article(name)}; {_NO_FILE}"
        problems.append(Problem(path, reason, shown(url)))
        return
    extension = _extension(cast("str", url))
    kind = _KIND_OF_EXTENSION.get(extension)
    if kind is None:
        return
    accepted = () if limit is None else limit.extensions
    if kind != name and extension not in accepted:
        # Frames are no lists, so the name of a list is no help there.
        meant = kind if path.startswith(name) else None
        problems.append(
            Problem(path, f"must be {_article(name)}, and {extension} is {_article(kind)}", shown(url), meant)
        )
    elif accepted and extension not in accepted:
        problems.append(Problem(path, f"must be {_article(name)} of type {listed(accepted)}", shown(url)))


def _article(name: str) -> str:
    return f"{'a' if name == 'videos' else 'an'} {_ONE[name]}{' file' if name == 'audios' else ''}"


def _extension(url: str) -> str:
    last = urlsplit(url).path.rpartition("/")[2]
    stem, dot, extension = last.rpartition(".")
    return f".{extension.casefold()}" if dot and stem else ""


def _check_presence(inputs: Inputs, counts: dict[str, int | None], problems: list[Problem]) -> None:
    images, videos, audios = counts["images"], counts["videos"], counts["audios"]
    if inputs.kind in ("edit", "extend"):
        if videos == 0:
            verb = "edited" if inputs.kind == "edit" else "continued"
            problems.append(Problem("videos", f"must have at least one video, the one that is {verb}"))
    elif images == 0 and videos == 0:
        if audios:
            problems.append(Problem("audios", "audio cannot be the only reference; add an image or a video"))
        elif audios == 0:
            problems.append(Problem("images", "must have at least one image or video; TextToVideo needs none"))


def _check_tokens(inputs: Inputs, counts: dict[str, int | None], problems: list[Problem]) -> None:
    """Report each `@image3` that has nothing to point to; the first of a kind is number 1."""
    seen: set[str] = set()
    for match in _TOKEN.finditer(inputs.prompt):
        token = match.group().casefold()
        name = f"{match.group(1).casefold()}s"
        count = counts[name]
        digits = match.group(2)
        if count is None or token in seen or (len(digits) < 6 and 1 <= int(digits) <= count):
            continue
        seen.add(token)
        one = _ONE[name]
        there = {0: f"no {one} is given", 1: f"one {one} is given"}.get(count, f"{count} {name} are given")
        hint = "; OmniReference takes references" if isinstance(inputs, TextToVideo) else ""
        problems.append(Problem("prompt", f"names {shown(token)}, but {there}{hint}"))
