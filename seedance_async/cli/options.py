"""Options that several commands share, each written once."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from attrs import fields as attr_fields
from attrs import frozen
from cyclopts import Group, Parameter, Token

from seedance_async.cli.explain import CommandError

if TYPE_CHECKING:
    from seedance_async.core.catalogue import Catalogue

VIDEO = Group("Video", sort_key=20)
SERVICE = Group("Service", sort_key=30)

CatalogueName = Literal["classic", "latest"]
DEFAULT_CATALOGUE: Final = "classic"


CatalogueOption = Annotated[
    CatalogueName | None, Parameter(env_var="SEEDANCE_CATALOGUE", show_env_var=False, show_default=False)
]


_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,12}")


def _whole(_type: object, tokens: Sequence[Token]) -> int:
    """Read a whole number as people write it. What is priced by the second is never rounded or guessed."""
    text = tokens[-1].value.strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"must be a whole number, not {text!r}")
    return int(text)


def _above_zero(_type: object, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError("must be at least 1")


def _above_nothing(_type: object, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        raise ValueError("must be more than 0")


def _file_or_stdin(_type: object, value: str) -> None:
    # A lone hyphen is only let through together with every other word that starts with one.
    if value.startswith("-") and value != "-":
        raise ValueError("there is no such option (a file of that name: ./-name)")


FileArgument = Annotated[str, Parameter(allow_leading_hyphen=True, validator=_file_or_stdin)]
UrlOption = Annotated[str | None, Parameter(metavar="URL")]
FileOrUrlOption = Annotated[str | None, Parameter(metavar="FILE|URL")]
CreditsOption = Annotated[str | None, Parameter(metavar="CREDITS", show_default=False)]
NamePatternOption = Annotated[str | None, Parameter(metavar="PATTERN", show_default=False)]
#: A switch that is off unless given.
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
JsonFlag = Annotated[bool, Parameter(name="--json", negative=(), show_default=False)]
QuietFlag = Annotated[bool, Parameter(name=["--quiet", "-q"], negative=(), show_default=False)]
YesFlag = Annotated[bool, Parameter(name=["--yes", "-y"], negative=(), show_default=False)]
OutputOption = Annotated[str, Parameter(name=["--output", "-o"], metavar="PATH", show_default=False)]
#: Every option that takes a whole number is one of these two.
Whole = Annotated[int, Parameter(converter=_whole)]
Count = Annotated[int, Parameter(converter=_whole, validator=_above_zero)]
FaultOption = Annotated[tuple[str, ...], Parameter(negative_iterable=(), metavar="FAULT", show_default=False)]


@Parameter(name="*", group=VIDEO, negative_iterable=(), show_default=False)
@frozen(kw_only=True)
class InputOptions:
    """The fields of the inputs classes, field for option; a test compares the two.

    What is not given is not set, so that the classes' own defaults and a row's columns count.
    """

    model: str | None = None
    """Model, such as seedance-20 (default) or seedance2-fast."""
    duration: Whole | None = None
    """Length in whole seconds (default 5)."""
    aspect_ratio: str | None = None
    """16:9 (default), 9:16, 1:1, 4:3, 3:4 or 21:9."""
    output_resolution: str | None = None
    """480p, 720p, 1080p or 4k, as the model and the catalogue have it."""
    upscale_resolution: str | None = None
    """4k: upscaled afterwards, at a surcharge (catalogue classic)."""
    mode: str | None = None
    """keyframe or reference: how images are used."""
    generate_audio: bool | None = None
    """With or without sound (catalogue latest)."""
    bitrate_mode: str | None = None
    """high: about twice the bit rate (catalogue latest)."""
    seed: Whole | None = None
    """-1 or 0 to 4294967295, to vary a clip (catalogue latest)."""
    output_format: str | None = None
    """mp4 or mov (models of the 2.5 family)."""
    callback_url: UrlOption = None
    """URL that the service calls once when the task has ended."""
    first_frame: FileOrUrlOption = None
    """The picture that the video starts with: a file of this computer or a URL."""
    last_frame: FileOrUrlOption = None
    """The picture that the video ends with."""
    images: Annotated[tuple[str, ...], Parameter(name="--image", metavar="FILE|URL")] = ()
    """A reference image; repeat for more, named @image1, @image2 ... in the prompt."""
    videos: Annotated[tuple[str, ...], Parameter(name="--video", metavar="FILE|URL")] = ()
    """A reference video; repeat for more."""
    audios: Annotated[tuple[str, ...], Parameter(name="--audio", metavar="FILE|URL")] = ()
    """A reference audio; repeat for more."""
    extra: Annotated[tuple[str, ...], Parameter(metavar="NAME=JSON")] = ()
    """A field that no catalogue knows, sent as it is; repeat for more."""

    def fields(self) -> dict[str, object]:
        """Give what was set, in the names of the inputs classes. Media without a scheme are files, relative to here.

        Raises:
            CommandError: An `--extra` is not NAME=JSON.
        """
        given: dict[str, object] = {}
        for attribute in attr_fields(type(self)):
            value: object = getattr(self, attribute.name)
            if value is not None and value != ():
                given[attribute.name] = value
        from seedance_async.core.rows import local_media_of  # noqa: PLC0415 (not for --help)

        given = dict(local_media_of(given, Path.cwd()))
        if self.extra:
            given["extra"] = parse_extra(self.extra)
        return given


@Parameter(name="*", group=VIDEO, negative_iterable=(), show_default=False)
@frozen(kw_only=True)
class RowDefaults(InputOptions):
    """Fields for rows that leave them empty: those of one video, and the prompt."""

    prompt: str | None = None
    """What the videos show, for rows that only name their pictures."""


def parse_extra(pairs: tuple[str, ...]) -> Mapping[str, Any]:
    """Read `NAME=JSON` pairs.

    Raises:
        CommandError: A pair has no name or its value is not JSON.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise CommandError(f"--extra wants NAME=JSON, not {pair!r}")
        try:
            found[name] = json.loads(text)
        except ValueError:
            raise CommandError(
                f"--extra {name}: {text!r} is not JSON; a text needs quotes of its own: '{name}=\"{text}\"'"
            ) from None
    return found


@Parameter(name="*", group=SERVICE, show_default=False)
@frozen(kw_only=True)
class ServiceOptions:
    """How to reach the service."""

    catalogue: CatalogueOption = None
    """Which published contract to follow: classic (default) or latest."""
    base_url: UrlOption = None
    """Address of the API, such as the one that `seedance emulator` prints."""
    poll_every: Annotated[float | None, Parameter(validator=_above_nothing)] = None
    """Seconds between two looks at a task (default: by its age); less is for a quick emulator."""

    def chosen_catalogue(self) -> "Catalogue":
        """Give the catalogue that was asked for."""
        from seedance_async.core.catalogue import Catalogue  # noqa: PLC0415 (not for --help)

        return Catalogue.named(self.catalogue or DEFAULT_CATALOGUE)
