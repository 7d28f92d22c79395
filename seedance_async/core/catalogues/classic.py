"""The seed page: pro and fast, string durations, 1080p default, upscaling, 4,000 characters.

The page describes text-to-video. What it leaves open is filled in from its sibling pages of the same age (image to
video, omni reference) and, where those are silent too, from the vendor's newer README; each source says which.
"""

from decimal import Decimal
from typing import Final

from attrs import evolve

from seedance_async.core.catalogues import shared
from seedance_async.core.spec import Limits, ModelSpec, Options, Prices, Sizes, Source, Timing, WireForm

_LIMITS_SOURCE: Final = Source(
    shared.SEED_PAGE,
    shared.READ,
    "contract, section 3; numbers and types of reference files are of the newer README (section 2.1)",
)
_OPTIONS: Final = Options(
    source=Source(shared.SEED_PAGE, shared.READ, "contract, section 3: upscaling to 4k for both models"),
    upscale_resolutions=("4k",),
)
_PRICES_SOURCE: Final = Source(
    shared.SEED_PAGE, shared.READ, "contract, section 11; surcharges for a video input are of the omni-reference page"
)
_WIRE: Final = WireForm(
    duration="string",
    # Both published names: the service ignores names it does not know, and a clip billed without its references is
    # the worst answer.
    references="both",
    source=Source(shared.SEED_PAGE, shared.READ, "contract, sections 3 and 3.1; `urls` is of the sibling pages"),
)
_TIMING_SOURCE: Final = Source(
    shared.SEED_PAGE,
    shared.READ,
    "contract, section 14: the page says 1-3 minutes, the newer README more, and the longer is taken; upscaling as "
    "native 4k",
)
_UPSCALE: Final = {"4k": Decimal(28)}

SEEDANCE_20: Final = ModelSpec(
    id="seedance-20",
    aliases=("seedance2.0-pro",),
    kinds=("text", "image", "reference"),
    limits=Limits(
        prompt=4000,
        durations=(4, 15),
        resolutions=("480p", "720p", "1080p"),
        default_resolution="1080p",
        aspect_ratios=shared.ASPECT_RATIOS,
        images=shared.IMAGES_20,
        videos=shared.VIDEOS_20,
        audios=shared.AUDIOS_20,
        source=_LIMITS_SOURCE,
    ),
    options=_OPTIONS,
    prices=Prices(
        # 83 + 17, 40 + 8, 15 + 4: the surcharge for a video input is added to the base.
        rates={"1080p": shared.rate("83", "100"), "720p": shared.rate("40", "48"), "480p": shared.rate("15", "19")},
        upscale=_UPSCALE,
        source=_PRICES_SOURCE,
    ),
    wire=_WIRE,
    timing=Timing(
        typical={"480p": 240.0, "720p": 240.0, "1080p": 240.0},
        with_video=420.0,
        upscaled=480.0,
        source=_TIMING_SOURCE,
    ),
    sizes=Sizes(shared.pixels("480p", "720p", "1080p"), shared.SIZES_SOURCE),
)

SEEDANCE_20_FAST: Final = evolve(
    SEEDANCE_20,
    id="seedance2-fast",
    aliases=("seedance2.0-fast",),
    # The page marks 1080p as the default, which this model lacks.
    limits=evolve(SEEDANCE_20.limits, resolutions=("480p", "720p"), default_resolution="720p"),
    # 28 + 6, 10 + 3.
    prices=evolve(SEEDANCE_20.prices, rates={"720p": shared.rate("28", "34"), "480p": shared.rate("10", "13")}),
    timing=evolve(SEEDANCE_20.timing, typical={"480p": 180.0, "720p": 240.0}),
    sizes=Sizes(shared.pixels("480p", "720p"), shared.SIZES_SOURCE),
)

MODELS: Final = (SEEDANCE_20, SEEDANCE_20_FAST)
