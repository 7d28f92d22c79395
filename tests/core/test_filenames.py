"""Names of files, whatever they are made of."""

import ntpath
import sys
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.filenames import LONGEST_NAME, part_stem, safe_name, video_name

# What is not to be found by chance: separators, devices, marks, halves of characters.
ODD = st.lists(
    st.sampled_from(
        [
            "/",
            "\\",
            "..",
            ".",
            ":",
            "con",
            "NUL",
            "com1",
            ".mp4",
            " ",
            "\0",
            "\n",
            "\u202e",
            "\ud800",
            "é",
            "e\u0301",
            "🎬",
            "-",
            "~",
        ]
    )
    | st.characters(),
    max_size=300,
).map("".join)


def reserved_on_windows(name: str) -> bool:
    """Ask Python: the function of 3.13 knows all bad names, the older one the devices."""
    if sys.version_info >= (3, 13):
        return ntpath.isreserved(name)
    return PureWindowsPath(name).is_reserved()


@given(ODD)
def test_any_text_becomes_one_harmless_component(text: str) -> None:
    """A name is one path component on every system, no device, not hidden, printable, and not too long."""
    name = safe_name(text)
    assert name
    assert name not in {".", ".."}
    assert PurePosixPath(name).parts == (name,)
    assert PureWindowsPath(name).parts == (name,)
    assert not reserved_on_windows(name)
    assert name.isprintable()
    assert not name.startswith((".", "-", " "))
    assert not name.endswith((".", " "))
    assert len(name.encode()) <= LONGEST_NAME + 1


@given(ODD)
def test_a_safe_name_stays(text: str) -> None:
    """A name that is safe is not changed again."""
    assert safe_name(safe_name(text)) == safe_name(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lake.mp4", "lake.mp4"),
        ("task_d5ibgnwdlw8fe3zpptx9mp0f", "task_d5ibgnwdlw8fe3zpptx9mp0f"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\x.mp4", "C__Windows_x.mp4"),
        ("..", "video"),
        ("", "video"),
        (" . ", "video"),
        ("CON", "_CON"),
        ("con.mp4", "_con.mp4"),
        ("lpt¹.x", "_lpt¹.x"),
        ("console", "console"),
        ("-rf", "_rf"),
        ("lake. ", "lake"),
        ("gpj.\u202e4pm", "gpj._4pm"),
        ("cafe\u0301", "café"),
        ("湖の朝.mp4", "湖の朝.mp4"),
        ("a\nb\tc", "a_b_c"),
    ],
)
def test_examples(text: str, name: str) -> None:
    """Good names stay; bad ones become readable good ones."""
    assert safe_name(text) == name


def test_long_names_keep_their_extension() -> None:
    """A name that is cut is cut between characters and before its extension."""
    name = safe_name("湖" * 300 + ".mp4")
    assert name == "湖" * 65 + ".mp4"
    assert len(safe_name("x" * 300 + "." + "y" * 300)) == LONGEST_NAME


@pytest.mark.parametrize(
    ("media_type", "url", "name"),
    [
        ("video/mp4", "https://h/a.mov", "task_1.mp4"),
        ("video/quicktime", "https://h/a.mp4", "task_1.mov"),
        ("Video/QuickTime; codecs=x", "https://h/a", "task_1.mov"),
        (None, "https://h/a.MOV?x=.mp4", "task_1.mov"),
        (None, "https://h/a%2Emov", "task_1.mov"),
        (None, "https://h/a.exe", "task_1.mp4"),
        (None, "https://h/", "task_1.mp4"),
        (None, "https://[bad", "task_1.mp4"),
        ("text/html", "https://h/a.webm", "task_1.webm"),
    ],
)
def test_video_name(media_type: str | None, url: str, name: str) -> None:
    """The extension follows the media type, then the link, and is one of a video."""
    assert video_name("task_1", media_type, url) == name


@given(ODD, ODD)
def test_part_stem(name: str, task_id: str) -> None:
    """The name of a part is hidden, leaves room for its endings, and belongs to one file of one task."""
    stem = part_stem(name, task_id)
    assert stem.startswith(".")
    assert len(stem.encode(errors="surrogatepass")) < 100
    assert stem != part_stem(name + "x", task_id)
    assert stem != part_stem(name, task_id + "x")
