"""Bad input of every kind: one clear message, the right exit code, no traceback, nothing sent."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedance_async._version import __version__
from seedance_async.testing import EmulatorThread
from tests.cli.harness import Seedance

ROWS = '{"prompt": "a lake"}\n'


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["generate"], "PROMPT"),
        (["generat", "x"], "generat"),
        (["generate", "x", "--duraton", "5"], "--duration"),
        (["generate", "x", "--duration", "5s"], "5s"),
        (["generate", "x", "--catalogue", "modern"], "modern"),
        (["batch"], "FILE"),
        (["batch", "x.csv", "--attempts", "0"], "at least 1"),
        (["status"], "TASK_ID"),
        (["download"], "TASK_ID"),
        (["emulator", "--limit", "0"], "at least 1"),
        (["emulator", "--port", "70000"], "65535"),
        (["emulator", "--speed", "0"], "--speed"),
        (["emulator", "--credits", "many"], "--credits"),
        (["emulator", "--fault", "html-505"], "fault help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(seedance: Seedance, words: list[str], says: str) -> None:
    """Exit code 2, the word that is wrong, and where to look."""
    ended = seedance(*words)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert "Traceback" not in ended.err


def test_names_and_values_are_told_together(seedance: Seedance, account: EmulatorThread) -> None:
    """P5: an option that the others leave no room for, and values that are wrong, come in one answer."""
    ended = seedance(
        "generate", "a lake", "--first-frame", "cat.png", "--image", "https://cdn.example/cat.png", "--duration", "99"
    )
    assert (ended.code, ended.out) == (2, "")
    for path in ("images:", "first_frame:", "duration:"):
        assert path in ended.err
    ended = seedance("generate", "", "--last-frame", "https://cdn.example/cat.png", "--aspect-ratio", "7:3")
    assert (ended.code, ended.out) == (2, "")
    for path in ("first_frame:", "prompt:", "aspect_ratio:"):
        assert path in ended.err
    assert account.statistics().creates == 0


def test_no_command_is_help(seedance: Seedance) -> None:
    """Somebody who tries the bare word sees what there is."""
    ended = seedance()
    assert ended.code == 0
    for command in ("generate", "batch", "status", "download", "quote", "emulator", "demo"):
        assert command in ended.out


def test_help_documents_the_exit_codes(seedance: Seedance) -> None:
    """They are part of the interface."""
    help_text = " ".join(seedance("--help").out.split())
    for words in ("0 all done", "1 some failed", "2 usage", "3 key or credits", "4 unknown", "130 interrupted"):
        assert words in help_text


def test_version(seedance: Seedance) -> None:
    """Alone on its line, for scripts."""
    assert seedance("--version").out == f"{__version__}\n"


@pytest.mark.parametrize("words", [["generate", "x"], ["status", "task_x"], ["download", "task_x", "-o", "d"]])
def test_no_key(seedance: Seedance, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named, and the way that needs none."""
    monkeypatch.chdir(tmp_path)
    ended = seedance(*words)
    assert (ended.code, ended.out) == (3, "")
    assert "KINOVI_API_KEY" in ended.err
    assert "seedance demo" in ended.err


def test_no_key_for_a_batch(seedance: Seedance, tmp_path: Path) -> None:
    """It is said before anybody is asked to confirm."""
    (tmp_path / "a.jsonl").write_text(ROWS)
    ended = seedance("batch", tmp_path / "a.jsonl", "-o", tmp_path / "out")
    assert ended.code == 3
    assert "KINOVI_API_KEY" in ended.err


@pytest.mark.parametrize("url", ["kinovi.ai/api/v1", "127.0.0.1:80", "ftp://x/api"])
def test_base_url_without_scheme(seedance: Seedance, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The message shows the form."""
    monkeypatch.setenv("KINOVI_API_KEY", "k")
    ended = seedance("status", "task_x", "--base-url", url)
    assert ended.code == 2
    assert "https://" in ended.err


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.csv", None, "none.csv"),
        ("empty.csv", b"", "empty"),
        ("latin.txt", "caf\u00e9 am See".encode("latin-1"), "UTF-8"),
        ("rows.jsonl", b'{"prompt": "a"}\n' * 6 + b"{broken\n", "line 7"),
        ("rows.csv", b"a lake,5\nb lake,5\n", "header"),
        ("rows.xlsx", b"PK\x03\x04", "CSV"),
        ("rows.csv", b"prompt,aspect_ration\na,16:9\n", "aspect_ratio"),
        ("rows.csv", b"prompt,duration\na,5\nb,99\n", "line 3"),
    ],
    ids=["missing", "empty", "not UTF-8", "broken JSON", "no header", "xlsx", "unknown column", "bad value"],
)
@pytest.mark.parametrize("command", ["batch", "quote"])
def test_unusable_files(  # noqa: PLR0917 (two tables and three fixtures)
    seedance: Seedance,
    account: EmulatorThread,
    tmp_path: Path,
    command: str,
    name: str,
    content: bytes | None,
    says: str,
) -> None:
    """What is wrong and where; nothing sent."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    more = ["--yes", "-o", str(tmp_path / "out")] if command == "batch" else []
    ended = seedance(command, tmp_path / name, *more)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert account.statistics().creates == 0


def test_an_output_folder_that_is_a_file(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """Known before anything is sent."""
    (tmp_path / "a.jsonl").write_text(ROWS)
    (tmp_path / "out").write_text("")
    batch = seedance("batch", tmp_path / "a.jsonl", "--yes", "-o", tmp_path / "out")
    generate = seedance("generate", "a lake", "-o", tmp_path / "out" / "lake.mp4")
    for ended in (batch, generate):
        assert ended.code == 2
        assert str(tmp_path / "out") in ended.err
    assert account.statistics().creates == 0


def test_a_port_in_use(seedance: Seedance) -> None:
    """The message names it and the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = seedance("emulator", "--port", str(taken.getsockname()[1]))
    assert (ended.code, ended.out) == (2, "")
    assert "in use" in ended.err


def test_an_api_that_answers_html(seedance: Seedance, serve: Callable[..., EmulatorThread], tmp_path: Path) -> None:
    """What may be wrong is said; the page is not printed."""

    serve(faults=["html:on=poll"])
    ended = seedance("status", "task_x")
    assert ended.code == 1
    assert "base_url" in ended.err
    assert "<html" not in ended.err.lower()


def test_a_service_that_is_not_there(seedance: Seedance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said within seconds."""
    monkeypatch.setenv("KINOVI_API_KEY", "k")
    ended = seedance("status", "task_x", "--base-url", "http://127.0.0.1:9/api/v1")
    assert ended.code == 1
    assert "not reached" in ended.err


def test_without_the_extra_one_sentence() -> None:
    """The command exists after a plain install and says what is missing."""
    script = (
        "import sys, importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name in ('cyclopts', 'rich') else real(name, *a)\n"
        "from seedance_async.cli import main\n"
        "sys.exit(main([]))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert 'pip install "seedance-async[cli]"' in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_quote_needs_no_key(seedance: Seedance) -> None:
    """It sends nothing, so it asks for nothing."""
    ended = seedance("quote", "examples/prompts.jsonl")
    assert ended.code == 0
    assert "12 videos" in ended.out


def test_quote_as_json(seedance: Seedance, tmp_path: Path) -> None:
    """Every row with its price; options fill empty cells and lose against a row's own."""
    (tmp_path / "a.csv").write_text("prompt,duration\na,4\nb,\n")
    ended = seedance("quote", tmp_path / "a.csv", "--duration", "10", "--output-resolution", "720p", "--json")
    told = json.loads(ended.out)
    assert (told["videos"], told["credits"]) == (2, 4 * 40 + 10 * 40)
    assert [row["credits"] for row in told["rows"]] == [160, 400]


def test_quote_above_the_budget(seedance: Seedance, tmp_path: Path) -> None:
    """It says how many rows fit, and a script sees it by the exit code."""
    (tmp_path / "a.txt").write_text("a\nb\nc\n")
    ended = seedance("quote", tmp_path / "a.txt", "--output-resolution", "720p", "--budget", "450")
    assert ended.code == 3
    assert "first 2 of 3" in ended.err


def test_quote_checks_names(seedance: Seedance, tmp_path: Path) -> None:
    """A pattern that batch would refuse is refused here, and what it makes can be seen."""
    (tmp_path / "a.txt").write_text("a lake\n")
    told = json.loads(seedance("quote", tmp_path / "a.txt", "--name", "{index:02}-{prompt}", "--json").out)
    assert told["rows"][0]["file"] == "01-a-lake.mp4"
    ended = seedance("quote", tmp_path / "a.txt", "--name", "../{index}")
    assert ended.code == 2
    assert "leaves the output folder" in ended.err
