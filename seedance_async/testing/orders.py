"""Read a create request as the emulated service does: by its own rules, from the bytes that arrive."""

from collections.abc import Mapping
from decimal import Decimal
from math import sqrt
from pathlib import PurePosixPath
from typing import Any, Final, cast
from urllib.parse import urlsplit

from attrs import field, frozen

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.redact import redact_url
from seedance_async.core.spec import ModelSpec
from seedance_async.testing import answers
from seedance_async.testing.answers import Answer
from seedance_async.testing.validation import DurationRule, find_issues, is_web_url, whole_seconds

_DEFAULT_SECONDS: Final = 5
_DEFAULT_RATIO: Final = "16:9"
#: Pixels of a picture at 16:9; other ratios of a resolution without a table have the same number (section 2.3).
_BUDGETS: Final = {"480p": 864 * 496, "720p": 1280 * 720, "1080p": 1920 * 1080, "4k": 3840 * 2160}
_VIDEO_SUFFIXES: Final = frozenset({".mp4", ".mov", ".webm"})
_AUDIO_SUFFIXES: Final = frozenset({".mp3", ".wav", ".m4a", ".aac", ".ogg", ".flac"})
#: Most seconds of a reference that are billed (section 11).
_BILLED_SOURCE: Final = 30


def _hidden_urls(urls: tuple[str, ...]) -> str:
    return repr(tuple(redact_url(url) for url in urls))


@frozen(kw_only=True)
class Order:
    """What a create request asks for, as understood.

    Attributes:
        model: The model's id.
        prompt: The prompt.
        resolution: Such as `"720p"`; the default where none was sent.
        width: Pixels of the video.
        height: Pixels of the video.
        seconds: Length of the video.
        mode: `"keyframe"` or `"reference"`, as it applies.
        images: Reference images or frames that the service understood; so the next two.
        videos: Reference videos.
        audios: Reference sounds.
        audio: Whether the video has a sound track.
        container: `"mp4"` or `"mov"`.
        seed: The seed asked for; None or -1 lets the service choose.
        callback_url: Where the webhook goes, or None.
        credits: What is reserved.
        settled: What it costs in the end if that is known only after the task.
        doomed: A name of `failures.FAILURES` if what it asks for passes the create and fails as a task.
    """

    model: str
    prompt: str
    resolution: str
    width: int
    height: int
    seconds: int
    credits: Decimal
    mode: str = "keyframe"
    images: tuple[str, ...] = field(default=(), repr=_hidden_urls)
    videos: tuple[str, ...] = field(default=(), repr=_hidden_urls)
    audios: tuple[str, ...] = field(default=(), repr=_hidden_urls)
    audio: bool = True
    container: str = "mp4"
    seed: int | None = None
    callback_url: str | None = field(default=None, repr=False)
    settled: Decimal | None = None
    doomed: str | None = None


@frozen(kw_only=True)
class OrderReader:
    """Turn the JSON of a create request into an order.

    Attributes:
        catalogue: The contract that is emulated.
        duration: The JSON type that `duration` must have; no source proves that either is refused, so `"any"`.
        source_seconds: How long every reference video is taken to be; nothing is fetched.
    """

    catalogue: Catalogue = Catalogue.CLASSIC
    duration: DurationRule = "any"
    source_seconds: int = 8

    def __call__(self, body: object) -> Order | Answer:
        """Return the order, or the 400 that refuses it."""
        if not isinstance(body, dict):
            return answers.INVALID_REQUEST
        envelope = cast("dict[str, Any]", body)
        model, inputs, callback = envelope.get("model"), envelope.get("inputs"), envelope.get("callBackUrl")
        if not isinstance(model, str) or not isinstance(inputs, dict):
            return answers.INVALID_REQUEST
        if callback is not None and not is_web_url(callback):
            return answers.INVALID_REQUEST
        spec = self.catalogue.find(model)
        # Bracketed names such as `seedance2.0-pro` are for people; the service knows ids only.
        if spec is None or spec.id != model:
            return answers.UNKNOWN_MODEL
        fields = cast("dict[str, Any]", inputs)
        issues = find_issues(fields, spec, self.duration)
        return answers.invalid_inputs(issues) if issues else self._order(spec, fields, callback)

    def _order(self, spec: ModelSpec, fields: Mapping[str, Any], callback: str | None) -> Order:
        images, videos, audios = _references(fields, spec)
        resolution = fields.get("outputResolution") or spec.limits.default_resolution
        upscale = fields.get("upscaleResolution") if spec.options.upscale_resolutions else None
        ratio = fields.get("aspectRatio") if spec.limits.aspect_ratios else None
        width, height = _size(spec, upscale or resolution, ratio or _DEFAULT_RATIO)
        asked = whole_seconds(fields.get("duration"))
        seconds = self.source_seconds if spec.limits.durations is None else asked or _DEFAULT_SECONDS
        known_audio = spec.options.generate_audio
        return Order(
            model=spec.id,
            prompt=fields["prompt"],
            resolution=resolution,
            width=width,
            height=height,
            seconds=seconds,
            mode="reference" if videos or audios else fields.get("mode") or "keyframe",
            images=images,
            videos=videos,
            audios=audios,
            audio=not (known_audio and fields.get("generate_audio") is False),
            container=(fields.get("output_format") or "mp4") if spec.options.output_formats else "mp4",
            seed=fields.get("seed") if spec.options.seeds else None,
            callback_url=callback,
            credits=_rate(spec, resolution, upscale, with_video=bool(videos))
            * (spec.prices.reserved_seconds or seconds),
            settled=self._settled(spec, resolution, seconds) if videos and spec.prices.settles_with_video else None,
            doomed=_doomed(spec, fields["prompt"], images, videos, audios),
        )

    def _settled(self, spec: ModelSpec, resolution: str, seconds: int) -> Decimal:
        source = min(self.source_seconds, _BILLED_SOURCE)
        billed = 2 * source if spec.limits.durations is None else source + seconds
        return _rate(spec, resolution, None, with_video=True) * billed


def _references(fields: Mapping[str, Any], spec: ModelSpec) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    if spec.wire.references == "split":
        return (
            tuple(fields.get("imageUrls") or ()),
            tuple(fields.get("videoUrls") or ()),
            tuple(fields.get("audioUrls") or ()),
        )
    # The older contract knows one list for all kinds and would ignore the newer names.
    kinds: dict[str, list[str]] = {"image": [], "video": [], "audio": []}
    for url in fields.get("urls") or ():
        kinds[_kind(url)].append(url)
    return tuple(kinds["image"]), tuple(kinds["video"]), tuple(kinds["audio"])


def _kind(url: str) -> str:
    suffix = PurePosixPath(urlsplit(url).path).suffix.lower()
    if suffix in _VIDEO_SUFFIXES:
        return "video"
    return "audio" if suffix in _AUDIO_SUFFIXES else "image"


def _doomed(
    spec: ModelSpec, prompt: str, images: tuple[str, ...], videos: tuple[str, ...], audios: tuple[str, ...]
) -> str | None:
    if audios and not images and not videos:
        return "audio-alone"
    return "empty-prompt" if not prompt and spec.prices.settles_with_video else None


def _rate(spec: ModelSpec, resolution: str, upscale: str | None, *, with_video: bool) -> Decimal:
    rate = spec.prices.rates.get(resolution)
    base = None if rate is None else rate.with_video if with_video or rate.plain is None else rate.plain
    # A user's own model may have no price; the service would know it, and the emulator takes a round number.
    per_second = Decimal(10) if base is None else base
    return per_second + spec.prices.upscale.get(upscale or "", Decimal(0))


def _size(spec: ModelSpec, resolution: str, ratio: str) -> tuple[int, int]:
    known = spec.sizes.pixels.get((resolution, ratio))
    if known is not None:
        return known
    across, down = (int(part) for part in ratio.split(":"))
    height = sqrt(_BUDGETS.get(resolution, _BUDGETS["720p"]) * down / across)
    return 2 * round(height * across / down / 2), 2 * round(height / 2)
