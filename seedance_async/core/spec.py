"""What is known of one model: limits, options, prices, forms on the wire, timing. Data, each group with its source."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from attrs import field, frozen

from seedance_async.core.names import Kind

DurationForm = Literal["string", "integer"]
#: How references are named on the wire: the older single list, the newer list per kind, or both at once.
ReferenceForm = Literal["split", "both"]


@frozen
class Source:
    """Where facts were read, and when.

    Attributes:
        page: The document.
        read: Month in which it was read, as `YYYY-MM`.
        note: What the document leaves open, and what was assumed.
    """

    page: str
    read: str
    note: str = ""


@frozen
class MediaLimit:
    """How many files of one kind a model takes, and which.

    Attributes:
        most: The largest number of files.
        extensions: Accepted extensions, lower case with the dot; empty where none are published.
    """

    most: int
    extensions: tuple[str, ...] = ()


@frozen
class Limits:
    """What a model accepts.

    Attributes:
        prompt: Longest prompt, in UTF-16 units.
        durations: Least and most seconds, both included; None for a model that has no duration.
        resolutions: Values of `output_resolution`.
        default_resolution: What `output_resolution=None` stands for; sent explicitly all the same.
        aspect_ratios: Values of `aspect_ratio`; empty for a model that takes its source's ratio.
        ratio_follows_frames: Whether `aspect_ratio` is ignored where frames are given.
        images: Reference images, or frames.
        videos: Reference videos, or the video to edit or extend.
        audios: Reference audio files.
        source: Where this was read.
    """

    prompt: int
    durations: tuple[int, int] | None
    resolutions: tuple[str, ...]
    default_resolution: str
    aspect_ratios: tuple[str, ...]
    images: MediaLimit
    videos: MediaLimit
    audios: MediaLimit
    source: Source
    ratio_follows_frames: bool = False


@frozen
class Options:
    """Which optional fields a model knows. What is empty or False here would be ignored and billed without it.

    Attributes:
        upscale_resolutions: Values of `upscale_resolution`.
        generate_audio: Whether `generate_audio` is known.
        bitrate_modes: Values of `bitrate_mode`.
        seeds: Least and largest `seed`, both included; None where there is no such field.
        output_formats: Values of `output_format`.
        source: Where this was read.
    """

    source: Source
    upscale_resolutions: tuple[str, ...] = ()
    generate_audio: bool = False
    bitrate_modes: tuple[str, ...] = ()
    seeds: tuple[int, int] | None = None
    output_formats: tuple[str, ...] = ()


@frozen
class Rate:
    """Credits per second of output.

    Attributes:
        plain: Without a reference video; None for a model that always has one.
        with_video: With at least one reference video; None where no price is published.
    """

    plain: Decimal | None
    with_video: Decimal | None


@frozen
class Prices:
    """List prices. A discount shows only in what the service reports.

    Attributes:
        rates: Per `output_resolution`. What is missing here is unpriced.
        upscale: Credits per second on top, per `upscale_resolution`.
        reserved_seconds: Seconds reserved at submit where they are not `duration`; None where they are.
        settles_with_video: Whether the final price follows the length of the given video, and is therefore
            known only after the task has ended. It can exceed the reservation.
        source: Where this was read.
    """

    rates: Mapping[str, Rate]
    source: Source
    upscale: Mapping[str, Decimal] = field(factory=dict[str, Decimal])
    reserved_seconds: int | None = None
    settles_with_video: bool = False


@frozen
class WireForm:
    """How values are written in the request.

    Attributes:
        duration: As a JSON string or as a JSON integer.
        references: Under which names references go out.
        source: Where this was read.
    """

    duration: DurationForm
    references: ReferenceForm
    source: Source


@frozen
class Timing:
    """How long a task usually takes, in seconds: the longer end of what is published.

    Attributes:
        typical: Per `output_resolution`.
        with_video: With a reference video, whatever the resolution, if that is longer.
        upscaled: With `upscale_resolution`, if that is longer.
        source: Where this was read.
    """

    typical: Mapping[str, float]
    source: Source
    with_video: float = 0.0
    upscaled: float = 0.0


@frozen
class Sizes:
    """Width and height of the output per `output_resolution` and aspect ratio; what is missing is not known."""

    pixels: Mapping[tuple[str, str], tuple[int, int]]
    source: Source


@frozen
class ModelSpec:
    """Everything known of one model in one catalogue. `attrs.evolve` one to describe a model of your own.

    Attributes:
        id: The id that is sent.
        kinds: Which classes of inputs it takes.
        limits: What it accepts.
        options: Which optional fields it knows.
        prices: What it costs.
        wire: How its values are written.
        timing: How long it takes.
        sizes: What comes out.
        aliases: Other names for it, accepted from users and never sent.
    """

    id: str
    kinds: tuple[Kind, ...]
    limits: Limits
    options: Options
    prices: Prices
    wire: WireForm
    timing: Timing
    sizes: Sizes
    aliases: tuple[str, ...] = ()

    def values_of(self, name: str) -> tuple[str, ...] | None:
        """Return the closed list of values of the field `name`; None for a field that has no such list."""
        match name:
            case "output_resolution":
                return self.limits.resolutions
            case "aspect_ratio":
                return self.limits.aspect_ratios
            case "upscale_resolution":
                return self.options.upscale_resolutions
            case "bitrate_mode":
                return self.options.bitrate_modes
            case "output_format":
                return self.options.output_formats
            case _:
                return None

    def knows(self, name: str) -> bool:
        """Tell whether the model has the optional field `name` at all."""
        match name:
            case "duration":
                return self.limits.durations is not None
            case "generate_audio":
                return self.options.generate_audio
            case "seed":
                return self.options.seeds is not None
            case _:
                values = self.values_of(name)
                return values is None or bool(values)
