"""`seedance generate`, from the prompt to the file."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seedance_async.testing import EmulatorThread
from tests.cli.harness import QUICK, Seedance


def test_prompt_to_file(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """Standard output has the path and nothing else; price and status go to standard error."""
    ended = seedance("generate", "a lake", "-o", tmp_path / "lake.mp4", *QUICK)
    assert ended.code == 0
    assert ended.out == f"{tmp_path / 'lake.mp4'}\n"
    assert "credits" in ended.err
    assert "task_" in ended.err
    assert (tmp_path / "lake.mp4").stat().st_size > 0


def test_into_a_folder_as_json(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """The file is called after the task; the JSON is all of standard output and holds no URL."""
    ended = seedance(
        "generate", "a lake", "-o", tmp_path, "--json", "--quiet", "--duration", "4", "--output-resolution", "480p",
        "--aspect-ratio", "1:1", *QUICK,
    )  # fmt: skip
    told = json.loads(ended.out)
    assert told["file"] == str(tmp_path / f"{told['task_id']}.mp4")
    assert (told["width"], told["height"], told["credits_used"]) == (640, 640, 60)
    assert Path(told["file"]).exists()
    assert ended.err == ""
    assert "http" not in ended.out


def test_the_kind_follows_from_the_options(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """A frame makes an image-to-video request; a wrong mixture is known before anything is sent."""
    ended = seedance("generate", "it moves", "--first-frame", "https://x.example/a.png", "-o", tmp_path, *QUICK)
    assert ended.code == 0
    ended = seedance("generate", "x", "--first-frame", "https://x.example/a.png", "--image", "https://x.example/b.png")
    assert ended.code == 2
    assert account.statistics().creates == 1


def test_all_problems_at_once(seedance: Seedance, account: EmulatorThread) -> None:
    """Nothing is sent, and nobody corrects one thing after the other."""
    ended = seedance("generate", "x", "--duration", "99", "--aspect-ratio", "5:4")
    assert ended.code == 2
    assert "duration" in ended.err
    assert "aspect_ratio" in ended.err
    assert account.statistics().creates == 0


def test_a_file_that_is_there(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """Known before anything is spent; replaced only when told."""
    target = tmp_path / "lake.mp4"
    target.write_bytes(b"mine")
    ended = seedance("generate", "a lake", "-o", target, *QUICK)
    assert (ended.code, target.read_bytes()) == (2, b"mine")
    assert account.statistics().creates == 0
    assert seedance("generate", "a lake", "-o", target, "--overwrite", *QUICK).code == 0
    assert target.read_bytes() != b"mine"


def test_a_task_that_fails(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """Exit code 1, the service's words, nothing on standard output."""
    ended = seedance("generate", "a lake [fail:moderation]", "-o", tmp_path, *QUICK)
    assert (ended.code, ended.out) == (1, "")
    assert "moderation" in ended.err


def test_too_few_credits(seedance: Seedance, serve: Callable[..., EmulatorThread], tmp_path: Path) -> None:
    """Exit code 3 with both numbers."""
    serve(credits=10)
    ended = seedance("generate", "a lake", "-o", tmp_path, *QUICK)
    assert ended.code == 3
    assert "10" in ended.err


def test_a_refused_key(
    seedance: Seedance, account: EmulatorThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, where the key came from, and not the key."""
    monkeypatch.setenv("KINOVI_API_KEY", "sk-planted")
    ended = seedance("generate", "a lake", "-o", tmp_path, *QUICK)
    assert ended.code == 3
    assert "KINOVI_API_KEY" in ended.err
    assert "sk-planted" not in ended.err


def test_above_the_budget(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """Nothing is sent."""
    assert seedance("generate", "a lake", "-o", tmp_path, "--budget", "1", *QUICK).code == 3
    assert account.statistics().creates == 0


def test_an_answer_that_is_lost(seedance: Seedance, serve: Callable[..., EmulatorThread], tmp_path: Path) -> None:
    """Exit code 4, one create, and what to do."""
    served = serve(faults=["drop-after-accept:nth=1"])
    ended = seedance("generate", "a lake", "-o", tmp_path, *QUICK)
    assert ended.code == 4
    assert "account's page" in ended.err
    assert served.statistics().creates == 1


def test_a_file_that_cannot_be_fetched_is_not_lost(
    seedance: Seedance, serve: Callable[..., EmulatorThread], tmp_path: Path
) -> None:
    """The message has the command that fetches it later."""
    serve(faults=["http-403:on=file"])
    ended = seedance("generate", "a lake", "-o", tmp_path / "lake.mp4", *QUICK)
    assert (ended.code, ended.out) == (1, "")
    assert "seedance download task_" in ended.err
    assert f"-o {tmp_path / 'lake.mp4'}" in ended.err


def test_what_differs_is_told_once(seedance: Seedance, serve: Callable[..., EmulatorThread], tmp_path: Path) -> None:
    """As a sentence of the command, and not by the library's log as well."""
    serve(faults=["credits-drift"])
    ended = seedance("generate", "a lake", "-o", tmp_path, *QUICK)
    assert ended.code == 0
    assert ended.err.count("credits should be 415 and is") == 1
    assert "expected" not in ended.err


@pytest.mark.parametrize(
    ("prompt", "faults", "status", "charged"),
    [
        ("a lake [fail:moderation]", [], "fail", "no"),
        ("a lake", ["drop-after-accept:nth=1"], "unknown", "maybe"),
        ("a lake", ["http-403:on=file"], "error", "yes"),
    ],
    ids=["failed", "unknown", "not saved"],
)
def test_a_failure_as_json(  # noqa: PLR0917 (a table and three fixtures)
    seedance: Seedance,
    serve: Callable[..., EmulatorThread],
    tmp_path: Path,
    prompt: str,
    faults: list[str],
    status: str,
    charged: str,
) -> None:
    """A script learns whether it is paid for, and the id if there is one."""
    serve(faults=faults)
    ended = seedance("generate", prompt, "-o", tmp_path, "--json", *QUICK)
    told = json.loads(ended.out)
    assert (told["status"], told["charged"], told["task_id"] is None) == (status, charged, charged == "maybe")
    assert told["error"].splitlines()[0] in " ".join(ended.err.splitlines())


@pytest.mark.parametrize(
    ("words", "key", "code", "says"),
    [
        (["--duration", "99"], "test-key", 2, "duration"),
        (["--duration", "five"], "test-key", 2, "--duration"),
        (["--duraton", "5"], "test-key", 2, "--duration"),
        (["--extra", "x"], "test-key", 2, "NAME=JSON"),
        (["-o", "there.mp4"], "test-key", 2, "exists already"),
        ([], "", 3, "KINOVI_API_KEY"),
        ([], "wrong", 3, "401"),
        (["--budget", "1"], "test-key", 3, "budget"),
    ],
    ids=["value", "not a number", "option", "extra", "file", "no key", "key", "budget"],
)
def test_whatever_fails_is_an_object(  # noqa: PLR0917 (a table and three fixtures)
    seedance: Seedance,
    account: EmulatorThread,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    words: list[str],
    key: str,
    code: int,
    says: str,
) -> None:
    """A script reads one object from standard output, before there is a job as well; a person reads the same."""
    monkeypatch.setenv("KINOVI_API_KEY", key)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.mp4").touch()
    ended = seedance("generate", "a lake", "--json", *words, *QUICK)
    told = json.loads(ended.out)
    assert (ended.code, told["task_id"], told["status"], told["charged"]) == (code, None, "error", "no")
    assert says in told["error"]
    assert says in ended.err
    assert account.statistics().accepted == 0
