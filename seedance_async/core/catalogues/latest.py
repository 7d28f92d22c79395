"""The vendor's newest published contract: integer durations, 720p default, 10,000 characters, native 4k, 2.5."""

from typing import Final

from seedance_async.core.catalogues import shared
from seedance_async.core.spec import (
    Limits,
    MediaLimit,
    ModelSpec,
    Options,
    Prices,
    Sizes,
    Source,
    Timing,
    WireForm,
)


def _source(model: str, note: str) -> Source:
    return Source(shared.VENDOR_README.format(model), shared.READ, note)


def _limits_20(model: str, resolutions: tuple[str, ...]) -> Limits:
    return Limits(
        prompt=10_000,
        durations=(4, 15),
        resolutions=resolutions,
        default_resolution="720p",
        aspect_ratios=shared.ASPECT_RATIOS,
        images=shared.IMAGES_20,
        videos=shared.VIDEOS_20,
        audios=shared.AUDIOS_20,
        source=_source(model, "contract, section 2.1"),
    )


def _limits_25(model: str, durations: tuple[int, int] | None, aspect_ratios: tuple[str, ...]) -> Limits:
    return Limits(
        prompt=30_000,
        durations=durations,
        resolutions=("480p", "720p", "1080p"),
        default_resolution="720p",
        aspect_ratios=aspect_ratios,
        ratio_follows_frames=True,
        # The pages of this family name no file types.
        images=MediaLimit(30),
        videos=MediaLimit(10),
        audios=MediaLimit(10),
        source=_source(model, "contract, section 2.2"),
    )


def _options(model: str, *, output_formats: tuple[str, ...] = ()) -> Options:
    return Options(
        generate_audio=True,
        bitrate_modes=("high",),
        # -1 asks for a random one; used to vary a clip, it does not reproduce one.
        seeds=(-1, 4_294_967_295),
        output_formats=output_formats,
        source=_source(model, "contract, sections 2.1 and 2.2"),
    )


def _wire(model: str) -> WireForm:
    return WireForm(
        duration="integer", references="split", source=_source(model, "contract, sections 2.1, 2.2 and 3.1")
    )


def _prices_note(rest: str = "") -> str:
    return f"contract, section 11: list prices without launch discounts{rest}"


_RATES_EDITING: Final = {
    "480p": shared.rate(None, "16"),
    "720p": shared.rate(None, "35"),
    "1080p": shared.rate(None, "85.68"),
}
_PIXELS_25: Final = shared.pixels("720p", "1080p") | {
    # The other ratios of 480p are not published for this family.
    ("480p", "16:9"): (854, 480),
    ("480p", "9:16"): (480, 854),
}

SEEDANCE_20: Final = ModelSpec(
    id="seedance-20",
    aliases=("seedance2.0-pro",),
    kinds=("text", "image", "reference"),
    limits=_limits_20("seedance-20", ("480p", "720p", "1080p", "4k")),
    options=_options("seedance-20"),
    prices=Prices(
        rates={
            "480p": shared.rate("15", "19"),
            "720p": shared.rate("40", "48"),
            "1080p": shared.rate("90", "108"),
            "4k": shared.rate("200", "240"),
        },
        source=_source("seedance-20", _prices_note()),
    ),
    wire=_wire("seedance-20"),
    timing=Timing(
        typical={"480p": 240.0, "720p": 240.0, "1080p": 240.0, "4k": 480.0},
        with_video=420.0,
        source=_source("seedance-20", "contract, section 14"),
    ),
    # Other ratios of 4k have "the same pixel budget", which is no size.
    sizes=Sizes(shared.pixels("480p", "720p", "1080p") | {("4k", "16:9"): (3840, 2160)}, shared.SIZES_SOURCE),
)

SEEDANCE_20_FAST: Final = ModelSpec(
    id="seedance2-fast",
    aliases=("seedance2.0-fast",),
    kinds=("text", "image", "reference"),
    limits=_limits_20("seedance2-fast", ("480p", "720p")),
    options=_options("seedance2-fast"),
    prices=Prices(
        rates={"480p": shared.rate("14", "18"), "720p": shared.rate("28", "34")},
        source=_source("seedance2-fast", _prices_note("; 25 % off until 2026-10-08")),
    ),
    wire=_wire("seedance2-fast"),
    timing=Timing(
        typical={"480p": 180.0, "720p": 240.0},
        with_video=420.0,
        source=_source("seedance2-fast", "contract, section 14; with a reference video as seedance-20"),
    ),
    sizes=Sizes(shared.pixels("480p", "720p"), shared.SIZES_SOURCE),
)

SEEDANCE_20_MINI: Final = ModelSpec(
    id="seedance2.0-mini",
    kinds=("text", "image", "reference"),
    limits=_limits_20("seedance2.0-mini", ("480p", "720p")),
    options=_options("seedance2.0-mini"),
    prices=Prices(
        rates={"480p": shared.rate("7.5", "9.5"), "720p": shared.rate("20", "24")},
        source=_source("seedance2.0-mini", _prices_note("; 40 % off until 2026-10-08")),
    ),
    wire=_wire("seedance2.0-mini"),
    timing=Timing(
        typical={"480p": 240.0, "720p": 360.0},
        with_video=420.0,
        source=_source(
            "seedance2.0-mini", "contract, section 14 (at times 10 minutes); with a reference video as seedance-20"
        ),
    ),
    sizes=Sizes(shared.pixels("480p", "720p"), shared.SIZES_SOURCE),
)

SEEDANCE_25: Final = ModelSpec(
    id="seedance2-5",
    kinds=("text", "image", "reference"),
    limits=_limits_25("seedance2-5", (4, 30), shared.ASPECT_RATIOS),
    options=_options("seedance2-5", output_formats=("mp4", "mov")),
    prices=Prices(
        rates={
            "480p": shared.rate("26", "16"),
            "720p": shared.rate("59", "35"),
            "1080p": shared.rate("143.4", "85.68"),
        },
        settles_with_video=True,
        source=_source("seedance2-5", _prices_note("; settled on (source, at most 30 s, + duration) x rate")),
    ),
    wire=_wire("seedance2-5"),
    timing=Timing(
        typical={"480p": 360.0, "720p": 360.0, "1080p": 660.0},
        with_video=420.0,
        source=_source("seedance2-5", "contract, section 14"),
    ),
    sizes=Sizes(
        _PIXELS_25,
        _source("seedance2-5", "contract, section 2.3: differs from seedance-20 at 480p, hence the same above"),
    ),
)

SEEDANCE_25_EDIT: Final = ModelSpec(
    id="seedance2-5-edit",
    kinds=("edit",),
    limits=_limits_25("seedance2-5-edit", None, ()),
    options=_options("seedance2-5-edit", output_formats=("mp4", "mov")),
    prices=Prices(
        rates=_RATES_EDITING,
        reserved_seconds=15,
        settles_with_video=True,
        source=_source("seedance2-5-edit", _prices_note("; 15 s reserved, settled on 2 x source seconds x rate")),
    ),
    wire=_wire("seedance2-5-edit"),
    timing=Timing(
        typical={"480p": 360.0, "720p": 360.0, "1080p": 360.0},
        source=_source("seedance2-5-edit", "contract, section 14"),
    ),
    sizes=Sizes({}, _source("seedance2-5-edit", "the source's ratio and length")),
)

SEEDANCE_25_EXTEND: Final = ModelSpec(
    id="seedance2-5-extend",
    kinds=("extend",),
    limits=_limits_25("seedance2-5-extend", (4, 30), ()),
    options=_options("seedance2-5-extend", output_formats=("mp4", "mov")),
    prices=Prices(
        rates=_RATES_EDITING,
        settles_with_video=True,
        source=_source("seedance2-5-extend", _prices_note("; settled on (source, at most 30 s, + duration) x rate")),
    ),
    wire=_wire("seedance2-5-extend"),
    timing=Timing(
        typical={"480p": 360.0, "720p": 360.0, "1080p": 360.0},
        source=_source("seedance2-5-extend", "contract, section 14"),
    ),
    sizes=Sizes({}, _source("seedance2-5-extend", "the source's ratio")),
)

MODELS: Final = (
    SEEDANCE_20,
    SEEDANCE_20_FAST,
    SEEDANCE_20_MINI,
    SEEDANCE_25,
    SEEDANCE_25_EDIT,
    SEEDANCE_25_EXTEND,
)
