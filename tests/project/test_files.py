"""What is true of every file in the repository."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("seedance_async", "tests", "benchmarks", "examples", "docs", ".ci")
MOST_LINES = 350
MOST_LINES_OF_TESTS = 450
LONGER = {"seedance_async/errors.py": 510}  # one tree of many small classes, looked up by name
TEXT = {".py", ".md", ".toml", ".yaml", ".jsonl", ".csv", ".txt", ""}

# A folder of one machine: someone's home, a scratch folder, a drive. A leading dot or letter makes it a part of a
# longer path or of a URL, which is none; `me` is nobody, and stands in tests of bad input.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])(?:/(?:root|home|Users|work|opt|mnt)/(?!me\b)\w|[A-Z]:\\Users\\(?!me\b))")


def files() -> Iterator[Path]:
    """Every file of ours that is text."""
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and file.suffix in TEXT and "__pycache__" not in file.parts:
                yield file
    for file in sorted(ROOT.iterdir()):
        if file.is_file() and (file.suffix in {".md", ".toml", ".yaml"} or file.name in {"Makefile", "LICENSE"}):
            yield file


def name_of(file: Path) -> str:
    """The path below the repository's folder."""
    return file.relative_to(ROOT).as_posix()


ALL = list(files())


@pytest.mark.parametrize("file", [file for file in ALL if file.suffix == ".py"], ids=name_of)
def test_no_module_is_long(file: Path) -> None:
    """One idea a file: at most 350 lines, and tests, where cases stand in tables, somewhat more."""
    name = name_of(file)
    most = MOST_LINES_OF_TESTS if name.startswith("tests/") else MOST_LINES
    lines = file.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGER.get(name, most)


@pytest.mark.parametrize("file", [file for file in ALL if file.name != "test_files.py"], ids=name_of)
def test_no_path_of_one_machine(file: Path) -> None:
    """No text names a folder that exists only where it was written."""
    assert MACHINE_PATH.findall(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", ["cd /work/x", '"/home/ann/x"', "(/root/x)", r"C:\Users\ann"])
def test_a_machine_path_is_seen(text: str) -> None:
    """The pattern above finds what it is there to find."""
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize("text", ["https://example.com/home/x", "./work/x", "a/opt/x", "/home/me/x.png"])
def test_other_paths_are_not(text: str) -> None:
    """The pattern above leaves URLs and relative paths alone."""
    assert not MACHINE_PATH.search(text)


def test_the_package_is_typed() -> None:
    """Type checkers of users see our types."""
    assert (ROOT / "seedance_async" / "py.typed").is_file()


@pytest.mark.parametrize("promise", [f"P{number}" for number in range(1, 10)])
def test_every_promise_has_tests_that_name_it(promise: str) -> None:
    """Who asks what holds a promise of the design finds it by its name in the first line of a test file."""
    firsts = [file.read_text(encoding="utf-8").partition("\n")[0] for file in ALL if file.name.startswith("test_")]
    assert [first for first in firsts if re.search(rf"\b{promise}\b", first)]
