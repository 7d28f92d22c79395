"""Facts that both catalogues hold."""

from decimal import Decimal
from typing import Final

from seedance_async.core.spec import MediaLimit, Rate, Source

SEED_PAGE: Final = "Kinovi docs, text-to-video page for Seedance 2.0 (the page this project was created from)"
VENDOR_README: Final = "kinovi-ai/kinovi-models, README of {}, examples of 2026-09"
READ: Final = "2026-11"

ASPECT_RATIOS: Final = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")
#: As published, plus `.jpeg`, the other spelling of `.jpg`.
IMAGE_EXTENSIONS: Final = (".jpg", ".jpeg", ".png", ".webp")
VIDEO_EXTENSIONS: Final = (".mp4", ".mov", ".webm")
AUDIO_EXTENSIONS: Final = (".mp3", ".wav", ".m4a", ".aac", ".ogg", ".flac")

IMAGES_20: Final = MediaLimit(9, IMAGE_EXTENSIONS)
VIDEOS_20: Final = MediaLimit(3, VIDEO_EXTENSIONS)
AUDIOS_20: Final = MediaLimit(3, AUDIO_EXTENSIONS)

_ROWS: Final = {
    "16:9": ((864, 496), (1280, 720), (1920, 1080)),
    "9:16": ((496, 864), (720, 1280), (1080, 1920)),
    "1:1": ((640, 640), (960, 960), (1440, 1440)),
    "4:3": ((752, 560), (1112, 834), (1664, 1248)),
    "3:4": ((560, 752), (834, 1112), (1248, 1664)),
    "21:9": ((992, 432), (1470, 630), (2206, 946)),
}
SIZES_SOURCE: Final = Source(VENDOR_README.format("seedance-20"), READ, "contract, section 2.3")


def pixels(*resolutions: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the table of pixel sizes for the given ones of 480p, 720p and 1080p."""
    columns = {"480p": 0, "720p": 1, "1080p": 2}
    return {(resolution, ratio): row[columns[resolution]] for ratio, row in _ROWS.items() for resolution in resolutions}


def rate(plain: str | None, with_video: str) -> Rate:
    """Return a rate from the published numbers, as text so that 143.4 stays 143.4."""
    return Rate(None if plain is None else Decimal(plain), Decimal(with_video))
