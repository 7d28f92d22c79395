"""Checks of reference media and frames: URLs, files, numbers, kinds, and what the prompt says about them."""

import re
from pathlib import PurePath
from typing import Final, cast
from urllib.parse import urlsplit

from attrs import define, field

from seedance_async.core.inputs import ImageToVideo, Inputs, TextToVideo
from seedance_async.core.media_types import KIND_OF_EXTENSION, Look, Material, MediaKind, examine, extension_of
from seedance_async.core.names import listed, shorten, shown
from seedance_async.core.spec import MediaLimit, ModelSpec
from seedance_async.errors import Problem

_NO_URL_CHARACTERS: Final = re.compile(r"[\s<>\"\x00-\x20\x7f\ud800-\udfff]")
#: A name of a reference in a prompt. Letters of other scripts may follow it without a space.
_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9_@.])@(image|video|audio)([0-9]+)(?![A-Za-z0-9_])", re.IGNORECASE)

_KINDS: Final[tuple[MediaKind, ...]] = ("images", "videos", "audios")
_ONE: Final = {"images": "image", "videos": "video", "audios": "audio"}


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


def check_media(inputs: Inputs, spec: ModelSpec | None, problems: list[Problem], look: Look) -> tuple[Material, ...]:
    """Add what is wrong with the media of the inputs, and with what the prompt says about them.

    Returns:
        What has to be uploaded, each once.
    """
    local = _Local(look, problems)
    counts: dict[str, int | None] = {"images": 0, "videos": 0, "audios": 0}
    if isinstance(inputs, ImageToVideo):
        limit = None if spec is None else spec.limits.images
        _check_one("first_frame", inputs.first_frame, "images", limit, local)
        if inputs.last_frame is not None:
            _check_one("last_frame", inputs.last_frame, "images", limit, local)
        counts["images"] = 1 if inputs.last_frame is None else 2
    elif not isinstance(inputs, TextToVideo):
        for name in _KINDS:
            limit = None if spec is None else cast("MediaLimit", getattr(spec.limits, name))
            counts[name] = _check_list(name, getattr(inputs, name), limit, spec, local)
        _check_presence(inputs, counts, problems)
    if isinstance(cast("object", inputs.prompt), str) and "@" in inputs.prompt:
        _check_tokens(inputs, counts, problems)
    return tuple(found for found in local.found.values() if isinstance(found, Material) and found.facts.seen)


@define
class _Local:
    """What was found: problems, and what local files are, each looked at once."""

    look: Look
    problems: list[Problem]
    found: dict[PurePath | bytes, Material | str | None] = field(factory=dict[PurePath | bytes, Material | str | None])

    def examine(self, content: PurePath | bytes) -> Material | str | None:
        if content not in self.found:
            self.found[content] = examine(content, self.look)
        return self.found[content]


def _check_list(
    name: MediaKind,
    given: object,
    limit: MediaLimit | None,
    spec: ModelSpec | None,
    local: _Local,
) -> int | None:
    """Check one list and return its length, or None where there is no telling."""
    if not isinstance(given, tuple):
        what = "a list of http(s) URLs"
        single = isinstance(given, str | bytes | PurePath)
        hint = f"{what}, not a single string: [{shown(given)}]" if isinstance(given, str) else what
        hint = f"{what}, paths or bytes, not a single one" if single and not isinstance(given, str) else hint
        local.problems.append(Problem(name, f"must be {hint}", shown(given)))
        return None
    entries = cast("tuple[object, ...]", given)
    for number, entry in enumerate(entries):
        _check_one(f"{name}[{number}]", entry, name, limit, local)
    if limit is not None and spec is not None and len(entries) > limit.most:
        local.problems.append(Problem(name, f"{spec.id} takes at most {limit.most} {name}", f"{len(entries)} {name}"))
    return len(entries)


def _check_one(path: str, given: object, name: MediaKind, limit: MediaLimit | None, local: _Local) -> None:
    """Check one reference: a URL by its looks, anything else by its content."""
    if isinstance(given, PurePath | bytes):
        found = local.examine(given)
        if isinstance(found, str):
            local.problems.append(Problem(path, found, shown(given)))
            return
        kind, extension = (None, "") if found is None else (found.format.kind, found.format.extension)
    elif is_http_url(given):
        extension = extension_of(urlsplit(cast("str", given)).path.rpartition("/")[2])
        kind = KIND_OF_EXTENSION.get(extension)
    else:
        local.problems.append(Problem(path, f"must be an http(s) URL of {_article(name)}{_hint(given)}", shown(given)))
        return
    if kind is None:
        return
    accepted = () if limit is None else limit.extensions
    if kind != name and extension not in accepted:
        # Frames are no lists, so the name of a list is no help there.
        meant = kind if path.startswith(name) else None
        local.problems.append(
            Problem(path, f"must be {_article(name)}, and {extension} is {_article(kind)}", shown(given), meant)
        )
    elif accepted and extension not in accepted:
        local.problems.append(Problem(path, f"must be {_article(name)} of type {listed(accepted)}", shown(given)))


def _hint(given: object) -> str:
    """Say what to do with a local file that was given as a string."""
    if not isinstance(given, str):
        return ", a Path or bytes"
    if given[:5].casefold() == "data:":
        return "; give the content itself as bytes"
    if "://" in given and given[:7].casefold() != "file://":
        return ", a Path or bytes"
    return "; a string is a URL, so use Path for a local file"


def _article(name: str) -> str:
    return f"{'a' if name == 'videos' else 'an'} {_ONE[name]}{' file' if name == 'audios' else ''}"


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
