"""`seedance upload`: files become URLs."""

import json
from pathlib import Path

from seedance_async.testing import EmulatorThread
from tests.cli.harness import Seedance, on_a_terminal
from tests.uploads.files import png, write


def test_a_line_for_each_file(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """URLs to standard output, until when they last to the other stream, in the order of the files."""
    files = [write(tmp_path / "cat.png"), write(tmp_path / "dog.png")]
    ended = seedance("upload", *files)
    assert ended.code == 0
    urls = ended.out.split()
    assert [url.startswith(f"{account.url}/temp-uploads/") for url in urls] == [True, True]
    assert [line.partition(": lasts until ")[0] for line in ended.err.splitlines()] == [str(file) for file in files]


def test_one_that_fails_spoils_nothing_else(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """It is named with the reason; the others are there."""
    ended = seedance("upload", tmp_path / "none.png", write(tmp_path / "cat.png"), "--json")
    assert ended.code == 2
    (told,) = json.loads(ended.out)
    assert (told["file"], told["size"]) == (str(tmp_path / "cat.png"), 100)
    assert told["until"][10] == "T"
    assert "none.png: " in ended.err
    assert "there is no such file" in ended.err
    assert seedance("upload").code == 2


def test_progress_on_a_terminal(account: EmulatorThread, tmp_path: Path, seedance: Seedance) -> None:
    """A bar with the bytes, as they go out."""
    file = write(tmp_path / "cat.png", png(size=3_000_000))
    code, screen = on_a_terminal(["upload", file], "")
    assert code == 0
    assert "cat.png" in screen
    assert "MB" in screen
