"""What a file is, by its first bytes and its name; and a file counts by its content in the name of inputs."""

from pathlib import Path, PurePath
from typing import Any

import attrs
import pytest

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import ImageToVideo, OmniReference, place_of
from seedance_async.core.media_types import FileFacts, Format, recognise, sniffed
from seedance_async.core.request import Request, prepare
from seedance_async.errors import InputError

HEADS = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff\xe0\x00\x10JFIF": ".jpg",
    b"GIF89a": ".gif",
    b"RIFF\x00\x00\x00\x00WEBPVP8 ": ".webp",
    b"RIFF\x00\x00\x00\x00WAVEfmt ": ".wav",
    b"RIFF\x00\x00\x00\x00AVI LIST": ".avi",
    b"BM\x36\x00\x0c\x00\x00\x00\x00\x00": ".bmp",
    b"II*\x00": ".tif",
    b"MM\x00*": ".tif",
    b"\x00\x00\x00\x18ftypheic": ".heic",
    b"\x00\x00\x00\x18ftypavif": ".avif",
    b"\x00\x00\x00\x18ftypisom": ".mp4",
    b"\x00\x00\x00\x18ftypqt  ": ".mov",
    b"\x00\x00\x00\x18ftypM4A ": ".m4a",
    b"\x1aE\xdf\xa3": ".webm",
    b"ID3\x03": ".mp3",
    b"\xff\xfb\x90": ".mp3",
    b"\xff\xf1\x50": ".aac",
    b"OggS": ".ogg",
    b"fLaC": ".flac",
    b"FORM\x00\x00\x00\x00AIFF": ".aiff",
}


@pytest.mark.parametrize(("head", "extension"), HEADS.items(), ids=[repr(head) for head in HEADS])
def test_first_bytes_tell(head: bytes, extension: str) -> None:
    """Each kind of file by how it begins, with no name at all; cut short it is never taken for another."""
    assert sniffed(head)[0] == extension
    found = recognise(None, 100, head)
    assert isinstance(found, Format)
    assert found.extension == extension
    for length in range(len(head)):
        assert not sniffed(head[:length]) or extension in sniffed(head[:length])


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("cat.PNG", b"", ".png"),
        ("cat.jpeg", b"\xff\xd8\xff", ".jpeg"),
        ("cat.jpg", b"\x89PNG\r\n\x1a\n", ".png"),
        ("cat", b"\x89PNG\r\n\x1a\n", ".png"),
        ("song.m4a", b"\x00\x00\x00\x18ftypisom", ".m4a"),
        ("clip.mov", b"\x00\x00\x00\x18ftypisom", ".mov"),
        ("song.opus", b"OggS", ".opus"),
        ("cat.svg", b"<svg", ".svg"),
        ("cat.mp4", b"\x89PNG\r\n\x1a\n", "begins like .png"),
        ("cat.png", b"%PDF-1.4", "is a PDF"),
        ("cat.png", b"PK\x03\x04", "a zip archive"),
        ("cat.png", b"<!DOCTYPE html>", "a web page"),
        ("cat.mp4", b"version https://git-lfs.github.com", "Git LFS"),
        ("cat.xyz", b"????", "neither its name nor its first bytes"),
        (".png", b"????", "neither its name nor its first bytes"),
        (None, b"????", "its first bytes do not tell"),
    ],
)
def test_name_and_content(name: str | None, head: bytes, expected: str) -> None:
    """Content decides within a kind; a name that says another kind is a problem, and so is what is no media."""
    found = recognise(name, 10, head)
    assert (found.extension if isinstance(found, Format) else expected in found) in {expected, True}


def prepared(inputs: Any, sha256: dict[str, str | None], **facts: Any) -> Request:
    """Inputs whose files have these digests."""

    def look(path: PurePath) -> FileFacts:
        known = {"size": 10, "changed_ns": 5, "head": b"\x89PNG\r\n\x1a\n", "path": f"/me/{path}"}
        return FileFacts(**{**known, "sha256": sha256.get(path.name), **facts})

    return prepare(inputs, Catalogue.CLASSIC, look)


PNG = b"\x89PNG\r\n\x1a\n"
#: SHA-256 of these eight bytes.
OF_PNG = "4c4b6a3be1314ab86138bef4314dde022e600960d8689a2c8f8631802d20dab6"


def test_a_file_counts_by_its_content() -> None:
    """The same content has the same name from any path and as bytes; golden, because journals keep it."""
    one = prepared(ImageToVideo("a cat", first_frame=Path("cat.png")), {"cat.png": OF_PNG})
    other = prepared(ImageToVideo("a cat", first_frame=Path("folder/dog.png")), {"dog.png": OF_PNG}, changed_ns=7)
    as_bytes = prepared(ImageToVideo("a cat", first_frame=PNG), {})
    different = prepared(ImageToVideo("a cat", first_frame=Path("cat.png")), {"cat.png": "0" * 64})
    assert one.digest == other.digest == as_bytes.digest != different.digest
    assert one.digest == "v1:4a893102272f410c5777b56239cad7b0875c979dab0cf3143d6e8731a4ebbfc1"


def test_an_unread_file_counts_by_place_size_and_date() -> None:
    """Its name has another version, so that it is never taken for one of content; the same file has the same."""
    unread = prepared(ImageToVideo("a cat", first_frame=Path("cat.png")), {})
    assert unread.digest.startswith("unread1:")
    assert not unread.is_named
    assert unread.digest == prepared(ImageToVideo("a cat", first_frame=Path("cat.png")), {}).digest
    for change in ({"size": 11}, {"changed_ns": 6}, {"path": "/you/cat.png"}):
        assert prepared(ImageToVideo("a cat", first_frame=Path("cat.png")), {}, **change).digest != unread.digest


def test_each_file_is_looked_at_once() -> None:
    """However often the inputs hold it."""
    looked: list[PurePath] = []

    def look(path: PurePath) -> FileFacts:
        looked.append(path)
        return FileFacts(10, 5, PNG)

    cat = Path("cat.png")
    request = prepare(
        OmniReference("@image3", images=[cat, "https://cdn.example/a.png", cat, PNG]), Catalogue.CLASSIC, look
    )
    assert looked == [cat]
    assert [material.content for material in request.materials] == [cat, PNG]


def test_without_a_look_the_name_decides() -> None:
    """Which does for a price, and catches a wrong kind."""
    assert prepare(ImageToVideo("a cat", first_frame=Path("cat.png")), Catalogue.CLASSIC).materials == ()
    assert prepare(ImageToVideo("a cat", first_frame=Path("cat")), Catalogue.CLASSIC).credits
    with pytest.raises(InputError, match="is a video"):
        prepare(ImageToVideo("a cat", first_frame=Path("cat.mp4")), Catalogue.CLASSIC)


class Custom:
    """A path of another package."""

    def __fspath__(self) -> str:
        return "cat.png"


def test_what_inputs_hold() -> None:
    """Paths of any package become paths, mutable bytes a copy of them; shown without their content."""
    mutable = bytearray(PNG)
    inputs = OmniReference("a cat", images=[Custom(), mutable, "https://cdn.example/a.png?sig=planted"])
    mutable[:] = b""
    assert inputs.images == (PurePath("cat.png"), PNG, "https://cdn.example/a.png?sig=planted")
    assert place_of(inputs, PNG) == "images[1]"
    assert "8 bytes" in repr(inputs)
    assert "Path('cat.png')" in repr(inputs)
    assert "PNG\\r" not in repr(inputs)
    assert attrs.evolve(inputs, prompt="a dog").images == inputs.images
    for wrong in (Path("cat.png"), PNG, Custom()):
        with pytest.raises(InputError, match="must be a list of http"):
            prepare(OmniReference("a cat", images=wrong), Catalogue.CLASSIC)  # type: ignore[arg-type]
