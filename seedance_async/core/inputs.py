"""What a user asks for: one class per way of making a video.

The classes hold what was written and refuse nothing: `prepare` finds everything that is wrong at once, before anything
is sent. A string among the media is a URL; a local file is a `Path`, which is uploaded before the inputs are sent, and
so are bytes. None means "not sent", except for `output_resolution`, where it means the catalogue's default for the
model.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar, Final, cast

import attrs
from attrs import field, frozen

from seedance_async.core.convert import (
    Reference,
    show_callback,
    show_extra,
    show_prompt,
    show_references,
    to_duration,
    to_extra,
    to_optional_reference,
    to_reference,
    to_references,
    to_seed,
)
from seedance_async.core.frozen import EMPTY
from seedance_async.core.names import Kind, shown


@frozen
class _Common:
    """Fields of every class."""

    kind: ClassVar[Kind]

    prompt: str = field(repr=show_prompt)
    model: str = field(default="seedance-20", kw_only=True, repr=shown)
    output_resolution: str | None = field(default=None, kw_only=True, repr=shown)
    generate_audio: bool | None = field(default=None, kw_only=True, repr=shown)
    bitrate_mode: str | None = field(default=None, kw_only=True, repr=shown)
    seed: int | None = field(default=None, kw_only=True, converter=to_seed, repr=shown)
    output_format: str | None = field(default=None, kw_only=True, repr=shown)
    callback_url: str | None = field(default=None, kw_only=True, repr=show_callback)
    extra: Mapping[str, Any] = field(default=EMPTY, kw_only=True, converter=to_extra, repr=show_extra)


@frozen
class TextToVideo(_Common):
    """A video from a prompt alone.

    Attributes:
        prompt: What to show, not empty. At most 4,000 UTF-16 units under `Catalogue.CLASSIC`, more under `LATEST`.
        model: The model's id, or an alias such as `"seedance2.0-pro"`.
        duration: Whole seconds, 4 to 15 (30 for the 2.5 family). `"5"` and `5.0` are taken as 5.
        aspect_ratio: `16:9`, `9:16`, `1:1`, `4:3`, `3:4` or `21:9`.
        output_resolution: `480p`, `720p`, `1080p` or `4k`, as the model has it; None for the catalogue's default.
        upscale_resolution: `4k`: upscaling, at a price per second on top. Only `Catalogue.CLASSIC` has it.
        mode: `keyframe` or `reference`; follows from the class and is rarely given.
        generate_audio: Whether the video has sound. Only `Catalogue.LATEST` has it.
        bitrate_mode: `high` for about twice the bitrate. Only `Catalogue.LATEST` has it.
        seed: -1 for a random one, or 0 to 4294967295. Varies a video; does not reproduce one. Only `Catalogue.LATEST`.
        output_format: `mp4` or `mov`, for the 2.5 family.
        callback_url: Where the service POSTs the result. Does not change what is made.
        extra: Fields that no catalogue knows, sent as they are.
    """

    kind: ClassVar[Kind] = "text"

    duration: int = field(default=5, kw_only=True, converter=to_duration, repr=shown)
    aspect_ratio: str | None = field(default="16:9", kw_only=True, repr=shown)
    upscale_resolution: str | None = field(default=None, kw_only=True, repr=shown)
    mode: str | None = field(default=None, kw_only=True, repr=shown)


@frozen
class ImageToVideo(_Common):
    """A video that starts with one image, and may end with another. Other fields as in `TextToVideo`.

    Attributes:
        first_frame: The image that the video starts with: the URL of one, a `Path` or bytes.
        last_frame: The image that the video ends with, or None.
        aspect_ratio: None follows the image. Not for the 2.5 family, which ignores it here.
    """

    kind: ClassVar[Kind] = "image"

    first_frame: Reference = field(kw_only=True, converter=to_reference, repr=shown)
    last_frame: Reference | None = field(default=None, kw_only=True, converter=to_optional_reference, repr=shown)
    duration: int = field(default=5, kw_only=True, converter=to_duration, repr=shown)
    aspect_ratio: str | None = field(default=None, kw_only=True, repr=shown)
    upscale_resolution: str | None = field(default=None, kw_only=True, repr=shown)
    mode: str | None = field(default=None, kw_only=True, repr=shown)


@frozen
class OmniReference(_Common):
    """A video that follows reference media; the prompt may name them as `@image1`, `@video1`, `@audio1`.

    At least one image or video is needed. Other fields as in `TextToVideo`.

    Attributes:
        images: Reference images, each a URL, a `Path` or bytes.
        videos: Reference videos. They change the price.
        audios: Reference audio; never alone.
        aspect_ratio: None follows the media.
    """

    kind: ClassVar[Kind] = "reference"

    images: tuple[Reference, ...] = field(default=(), kw_only=True, converter=to_references, repr=show_references)
    videos: tuple[Reference, ...] = field(default=(), kw_only=True, converter=to_references, repr=show_references)
    audios: tuple[Reference, ...] = field(default=(), kw_only=True, converter=to_references, repr=show_references)
    duration: int = field(default=5, kw_only=True, converter=to_duration, repr=shown)
    aspect_ratio: str | None = field(default=None, kw_only=True, repr=shown)
    upscale_resolution: str | None = field(default=None, kw_only=True, repr=shown)
    mode: str | None = field(default=None, kw_only=True, repr=shown)


@frozen
class VideoEdit(_Common):
    """An edit of a video, of the same length and ratio. `Catalogue.LATEST`. Other fields as in `TextToVideo`.

    The price is reserved at submit and settled on the length of the source afterwards.

    Attributes:
        videos: Each a URL, a `Path` or bytes; the first is edited (4 to 30 s), the others are references.
        images: Reference images, each a URL, a `Path` or bytes.
        audios: Reference audio.
    """

    kind: ClassVar[Kind] = "edit"

    model: str = field(default="seedance2-5-edit", kw_only=True, repr=shown)
    videos: tuple[Reference, ...] = field(kw_only=True, converter=to_references, repr=show_references)
    images: tuple[Reference, ...] = field(default=(), kw_only=True, converter=to_references, repr=show_references)
    audios: tuple[Reference, ...] = field(default=(), kw_only=True, converter=to_references, repr=show_references)


@frozen
class VideoExtend(_Common):
    """A continuation of a video, in its ratio. `Catalogue.LATEST`. Other fields as in `TextToVideo`.

    The price is reserved at submit and settled on the length of the source afterwards.

    Attributes:
        videos: Each a URL, a `Path` or bytes; the first is continued (2 to 30 s), the others are references.
        duration: Whole seconds of new footage, 4 to 30. No default.
        images: Reference images, each a URL, a `Path` or bytes.
        audios: Reference audio.
    """

    kind: ClassVar[Kind] = "extend"

    model: str = field(default="seedance2-5-extend", kw_only=True, repr=shown)
    videos: tuple[Reference, ...] = field(kw_only=True, converter=to_references, repr=show_references)
    duration: int = field(kw_only=True, converter=to_duration, repr=shown)
    images: tuple[Reference, ...] = field(default=(), kw_only=True, converter=to_references, repr=show_references)
    audios: tuple[Reference, ...] = field(default=(), kw_only=True, converter=to_references, repr=show_references)


Inputs = TextToVideo | ImageToVideo | OmniReference | VideoEdit | VideoExtend

INPUT_CLASSES: Final[tuple[type[Inputs], ...]] = (TextToVideo, ImageToVideo, OmniReference, VideoEdit, VideoExtend)

_CLASS_OF_KIND: Final[Mapping[Kind, type[Inputs]]] = {cls.kind: cls for cls in INPUT_CLASSES}

#: Names of the fields of each class.
FIELDS_OF: Final[Mapping[type[Inputs], tuple[str, ...]]] = {
    cls: tuple(attribute.name for attribute in attrs.fields(cls)) for cls in INPUT_CLASSES
}
#: Names of the fields of all classes.
INPUT_FIELDS: Final = frozenset(name for names in FIELDS_OF.values() for name in names)
#: Names of the fields of each class that have no default.
REQUIRED_FIELDS: Final[Mapping[type[Inputs], tuple[str, ...]]] = {
    cls: tuple(attribute.name for attribute in attrs.fields(cls) if attribute.default is attrs.NOTHING)
    for cls in INPUT_CLASSES
}


def class_of(inputs: Inputs) -> type[Inputs]:
    """Return the class of the inputs, one of `INPUT_CLASSES` even for an instance of a subclass."""
    return _CLASS_OF_KIND[inputs.kind]


@frozen
class Media:
    """The media of one request, by kind. Frames count as images."""

    images: tuple[Reference, ...] = ()
    videos: tuple[Reference, ...] = ()
    audios: tuple[Reference, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.images or self.videos or self.audios)


_NO_MEDIA: Final = Media()


def media_of(inputs: Inputs) -> Media:
    """Return the media of checked inputs."""
    match inputs:
        case TextToVideo():
            return _NO_MEDIA
        case ImageToVideo(first_frame=first, last_frame=last):
            return Media(images=(first,) if last is None else (first, last))
        case _:
            return Media(inputs.images, inputs.videos, inputs.audios)


def place_of(inputs: Inputs, content: PurePath | bytes) -> str:
    """Return where in checked inputs a local file stands first, as a problem's path: `first_frame`, `images[2]`."""
    for name in ("first_frame", "last_frame", "images", "videos", "audios"):
        value: object = getattr(inputs, name, None)
        if value == content:
            return name
        if isinstance(value, tuple) and content in value:
            return f"{name}[{cast('tuple[object, ...]', value).index(content)}]"
    return "inputs"


def mode_of(inputs: Inputs) -> str | None:
    """Return the mode that is sent: the one given, else the one that follows from the class."""
    match inputs:
        case TextToVideo():
            return inputs.mode
        case ImageToVideo():
            return "keyframe" if inputs.mode is None else inputs.mode
        case OmniReference():
            return "reference" if inputs.mode is None else inputs.mode
        case _:
            return None
