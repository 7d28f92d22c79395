"""Options of `batch` and `resume`: how they are written, and what a run is told by them."""

from pathlib import Path
from typing import get_args

import pytest

from seedance_async.batch import JobStatus
from seedance_async.cli.batch import manner_of
from seedance_async.cli.batch_commands import StateName
from seedance_async.cli.batch_options import AgainOptions, RunningOptions, parse_fields, parse_keys, spelled_out
from seedance_async.cli.explain import CommandError
from seedance_async.cli.options import ServiceOptions
from seedance_async.errors import InputError
from tests.cli.harness import Seedance


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--retry-failed", "out"], ["--retry-failed=again", "out"]),
        (["out", "--retry-failed=all"], ["out", "--retry-failed=all"]),
        (["--", "--retry-failed"], ["--", "--retry-failed"]),
        (["--retry-faile"], ["--retry-faile"]),
    ],
)
def test_a_value_that_may_be_left_out(words: list[str], expected: list[str]) -> None:
    """`--retry-failed` before a folder does not take the folder for its value."""
    assert spelled_out(words) == expected


def test_keys_from_a_file(tmp_path: Path) -> None:
    """One a line, blank lines skipped, each once, in their order, with those of the command line."""
    (tmp_path / "keys").write_text("\ufeffsea\n\n  lake \nhill\n", encoding="utf-8")
    assert parse_keys("--only", ["lake", f"@{tmp_path / 'keys'}", "road"]) == ("lake", "sea", "hill", "road")


@pytest.mark.parametrize(("content", "says"), [(None, "No such file"), (b"\n \n", "no keys"), (b"\xff\xfe", "UTF-8")])
def test_a_file_of_keys_that_is_of_no_use(tmp_path: Path, content: bytes | None, says: str) -> None:
    """The option and the file are named."""
    if content is not None:
        (tmp_path / "keys").write_bytes(content)
    with pytest.raises(CommandError, match=f"--reroll @.*keys: .*{says}"):
        parse_keys("--reroll", [f"@{tmp_path / 'keys'}"])


def test_fields_of_a_reroll() -> None:
    """Read as a cell of a CSV: numbers, truth and texts; nothing behind the sign takes the row's own value away."""
    given = ["seed=7", "generate-audio=no", "prompt=a lake = still", "mode="]
    assert parse_fields(given, ["lake"]) == {
        "seed": 7, "generate_audio": False, "prompt": "a lake = still", "mode": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pairs", "reroll", "says"),
    [
        (["seed=7"], [], "--reroll"),
        (["seed"], ["lake"], "NAME=VALUE"),
        (["=7"], ["lake"], "NAME=VALUE"),
        (["seed=7", "seed=8"], ["lake"], "twice"),
    ],
)
def test_fields_that_cannot_be_read(pairs: list[str], reroll: list[str], says: str) -> None:
    """One sentence that says how."""
    with pytest.raises(CommandError, match=says):
        parse_fields(pairs, reroll)


def test_wrong_values_are_told_together() -> None:
    """Each with the option."""
    with pytest.raises(InputError) as caught:
        parse_fields(["seed=high", "sed=7", "duration=5"], ["lake"])
    assert [problem.path for problem in caught.value.problems] == ["--set seed", "--set sed"]


def test_what_a_run_is_told() -> None:
    """Every option arrives."""
    again = AgainOptions(
        retry_failed="all", resubmit_unknown=True, reroll=("lake",), set=("seed=7",), only=("h*",), limit=3
    )
    running = RunningOptions(budget="99.5", attempts=2, wait_for_credits=True, on_drift="go", overwrite=True)
    options = manner_of(again, running, ServiceOptions(), redo_changed=True, yes=True, json=False).options
    assert (options.retry_failed, options.resubmit_unknown, options.redo_changed) == ("all", True, True)
    assert (options.reroll, dict(options.reroll_fields)) == (("lake",), {"seed": 7})
    assert (options.only, options.limit, str(options.budget)) == (("h*",), 3, "99.5")
    assert (options.attempts, options.wait_for_credits) == (2, True)
    assert (options.on_drift, options.overwrite) == ("go", True)


def test_nothing_is_repeated_by_itself() -> None:
    """Without options a run sends only what was never accepted."""
    options = manner_of(AgainOptions(), RunningOptions(), ServiceOptions(), yes=False, json=False).options
    assert (options.retry_failed, options.resubmit_unknown, options.redo_changed) == ("no", False, False)
    assert (options.reroll, options.only, options.limit, options.budget) == ((), (), None, None)


def test_states_are_those_of_the_batch() -> None:
    """What `jobs` shows can be asked for."""
    assert get_args(StateName) == get_args(JobStatus)


@pytest.mark.parametrize("command", ["batch", "resume"])
def test_options_are_in_the_help(seedance: Seedance, command: str) -> None:
    """Those of a file only where there is one."""
    text = seedance(command, "--help").out
    for option in (
        "--retry-failed [=all]", "--resubmit-unknown", "--reroll KEY...", "--set NAME=VALUE", "--only KEY...",
        "--limit", "--take-over", "--without-log", "--move-service", "--wait-for-credits", "--on-drift", "--budget",
        "--attempts", "--order", "--overwrite",
    ):  # fmt: skip
        assert option in text
    for option in ("--redo-changed", "--count", "--name"):
        assert (option in text) is (command == "batch")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--limit", "0"], "at least 1"),
        (["--count", "101"], "at most 100"),
        (["--retry-failed=some"], "again"),
        (["--set", "seed=7"], "--reroll"),
        (["--only"], "--only"),
        (["--only", "nobody"], "--only: is the id or key of no row"),
        (["--reroll", "nobody"], "--reroll: is the id or key of no row"),
        (["--budget", "much"], "--budget"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_options(
    seedance: Seedance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    """Exit code 2, and no folder is made."""
    monkeypatch.setenv("KINOVI_API_KEY", "k")
    (tmp_path / "a.txt").write_text("a lake\n")
    ended = seedance("batch", tmp_path / "a.txt", "-o", tmp_path / "out", "--yes", *words)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert not (tmp_path / "out").exists()
