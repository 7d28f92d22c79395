"""`seedance upload`: files become URLs."""

import json
from pathlib import Path

import pytest

from seedance_async.testing import EmulatorThread
from tests.cli.harness import QUICK, Seedance, on_a_terminal
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


def test_generate_takes_files(
    seedance: Seedance, account: EmulatorThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative to where the command runs; said on the way; what is missing is said before anything is sent."""
    monkeypatch.chdir(tmp_path)
    write(Path("cat.png"))
    ended = seedance("generate", "a cat [takes:10]", "--first-frame", "./cat.png", "-o", "cat.mp4", *QUICK)
    assert (ended.code, ended.out) == (0, "cat.mp4\n")
    assert "uploaded cat.png (100 bytes)" in ended.err
    ended = seedance("generate", "@image2", "--image", "cat.png", "--image", "dog.png", "-o", "dog.mp4")
    assert ended.code == 2
    assert "images[1]: there is no such file" in ended.err


def test_batch_takes_files(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """Relative to the batch file; those of an option relative to where the command runs."""
    write(tmp_path / "cat.png")
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a cat [takes:10]", "first_frame": "cat.png"}\n')
    ended = seedance("batch", tmp_path / "rows.jsonl", "-o", tmp_path / "out", "--yes", *QUICK)
    assert ended.code == 0, ended.err
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a cat", "first_frame": "dog.png"}\n')
    ended = seedance("batch", tmp_path / "rows.jsonl", "-o", tmp_path / "new", "--yes")
    assert ended.code == 2
    assert "line 1: first_frame: there is no such file" in ended.err
    assert not (tmp_path / "new").exists()
