"""The folder of a batch before anything is done in it: in use, from another computer, copied, a demo's."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seedance_async.cli.demo_folder import leave_note
from seedance_async.cli.explain import CommandError
from seedance_async.cli.folders import refuse_used, take_over, user_of
from seedance_async.journal.lockfile import LockFile
from seedance_async.testing import EmulatorThread
from tests.cli.begun import begun, every_kind, say_of
from tests.cli.harness import QUICK, Seedance, on_a_terminal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which a batch was begun: a row that is done, one of unknown outcome and one that was not sent."""
    return begun(tmp_path / "out", [record for record in every_kind() if record.key in {"made", "lost", "next"}])


@contextmanager
def in_use(folder: Path) -> Generator[None]:
    """Let somebody else write in a folder."""
    lock = LockFile(folder / "journal.db.lock")
    lock.take("studio", datetime(2026, 11, 1, 8, tzinfo=UTC))
    try:
        yield
    finally:
        lock.give_back()


def test_who_uses_a_folder(folder: Path) -> None:
    """Its process, its computer and since when; nobody, once it has ended or was killed."""
    assert user_of(folder) is None
    with in_use(folder):
        assert user_of(folder) == f"process {os.getpid()} on studio since 2026-11-01 08:00:00 UTC"
    assert user_of(folder) is None
    (folder / "journal.db.lock").write_text("left by a killed process")
    assert user_of(folder) is None


def test_looking_leaves_nothing_behind(folder: Path) -> None:
    """Neither a lock, nor a file of one."""
    before = sorted(folder.iterdir())
    user_of(folder)
    assert sorted(folder.iterdir()) == before


def test_a_folder_in_use_is_refused_with_the_ways_out(folder: Path) -> None:
    """The reason is the money."""
    refuse_used(folder)
    with in_use(folder), pytest.raises(CommandError) as caught:
        refuse_used(folder)
    for words in ("in use by process", "pay twice", "Ctrl-C there loses nothing", "-o", f"seedance jobs {folder}"):
        assert words in caught.value.text


@pytest.mark.parametrize("command", [["resume"], ["batch", "ROWS", "-o"]], ids=str)
def test_a_second_run_is_refused_at_once(
    seedance: Seedance, account: EmulatorThread, folder: Path, tmp_path: Path, command: list[str]
) -> None:
    """Before the plan, before a question, with exit code 2; a list may be had all the same."""
    (tmp_path / "rows.txt").write_text("a lake\n")
    words = [tmp_path / "rows.txt" if word == "ROWS" else word for word in command]
    with in_use(folder):
        ended = seedance(*words, folder, "--yes")
        listed = seedance("jobs", folder)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("seedance: ")
    assert "in use by process" in ended.err
    assert account.statistics().creates == 0
    assert (listed.code, "in use by process" in listed.err) == (0, True)


@pytest.fixture
def moved(folder: Path) -> Path:
    """The same, last in use on another computer."""
    say_of(
        folder,
        host="studio",
        host_identity="another",
        path="/data/out/journal.db",
        opened_at="2026-01-02T03:04:05+00:00",
    )
    return folder


def test_a_folder_of_another_computer_wants_to_be_taken_over(
    seedance: Seedance, account: EmulatorThread, moved: Path
) -> None:
    """Where nobody can be asked. It says which computer, and that two live copies pay twice; `--yes` is no answer."""
    ended = seedance("resume", moved, "--yes", "--limit", "1")
    assert ended.code == 2
    for words in ("studio", "/data/out/journal.db", "days ago", "pay twice", "--take-over"):
        assert words in ended.err
    assert account.statistics().creates == 0


def test_a_folder_that_was_taken_over_is_at_home(seedance: Seedance, account: EmulatorThread, moved: Path) -> None:
    """It is asked for once."""
    words = ("resume", moved, "--yes", "--only", "lost", *QUICK)
    assert "another computer" not in seedance(*words, "--take-over").err
    assert "another computer" not in seedance(*words).err


@pytest.mark.skipif(os.name == "nt", reason="a terminal as POSIX has it")
@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("y\ny\n", 4)])
def test_a_terminal_is_asked_whether_to_take_over(account: EmulatorThread, moved: Path, answer: str, code: int) -> None:
    """Even where spending was agreed to: it is another question. One row is of unknown outcome, hence the code."""
    ended, seen = on_a_terminal(["resume", moved, "--yes", *QUICK], answer)
    assert ended == code
    assert "pay twice" in seen
    assert account.statistics().accepted == (1 if code == 4 else 0)


@pytest.mark.parametrize("command", [["resume"], ["batch", "ROWS", "-o"]], ids=str)
def test_a_folder_without_its_log_is_refused(
    seedance: Seedance, account: EmulatorThread, moved: Path, tmp_path: Path, command: list[str]
) -> None:
    """What was written down last is missing, and may be paid: that is another consent than `--take-over`."""
    (tmp_path / "rows.txt").write_text("a lake\n")
    say_of(moved, needs_log="yes")
    words = [tmp_path / "rows.txt" if word == "ROWS" else word for word in command]
    ended = seedance(*words, moved, "--yes", "--take-over")
    assert (ended.code, ended.out) == (2, "")
    for text in ("journal.db-wal", "paid twice", "--without-log"):
        assert text in ended.err
    assert account.statistics().creates == 0
    assert "what was written down last is missing here" in seedance("jobs", moved).err
    ended = seedance("resume", moved, "--yes", "--take-over", "--without-log", "--only", "lost", *QUICK)
    assert "journal.db-wal" not in ended.err


@pytest.mark.parametrize("command", [["resume"], ["batch", "ROWS", "-o"]], ids=str)
def test_a_folder_of_another_service_is_refused(
    seedance: Seedance, account: EmulatorThread, folder: Path, tmp_path: Path, command: list[str]
) -> None:
    """Before the plan and without a request: its tasks would count as gone. `--move-service` goes on all the same."""
    (tmp_path / "rows.txt").write_text("a lake\n")
    say_of(folder, service="kinovi.ai")
    words = [tmp_path / "rows.txt" if word == "ROWS" else word for word in command]
    ended = seedance(*words, folder, "--yes")
    assert (ended.code, ended.out) == (2, "")
    for text in ("sent to kinovi.ai", account.base_url, "--base-url", "--move-service"):
        assert text in ended.err
    assert account.statistics().creates + account.statistics().polls == 0
    ended = seedance("resume", folder, "--yes", "--move-service", "--only", "lost", *QUICK)
    assert "kinovi.ai" not in ended.err


def test_a_copy_is_said_to_be_one(folder: Path, tmp_path: Path) -> None:
    """On the same computer, as long as the original is there: nobody is asked, since it may be meant."""
    warned: list[str] = []
    take_over(folder, agreed=False, ask=None, warn=warned.append)
    folder.rename(tmp_path / "moved")
    take_over(tmp_path / "moved", agreed=False, ask=None, warn=warned.append)
    assert warned == []
    begun(folder, every_kind())
    take_over(tmp_path / "moved", agreed=False, ask=None, warn=warned.append)
    assert len(warned) == 1
    assert f"copy of {folder}" in warned[0]


def test_a_demo_is_not_gone_on_with(seedance: Seedance, account: EmulatorThread, folder: Path, tmp_path: Path) -> None:
    """Its tasks and credits are imaginary, and those of a batch are not."""
    leave_note(folder)
    (tmp_path / "rows.txt").write_text("a lake\n")
    commands: list[list[str | Path]] = [["resume", folder], ["batch", tmp_path / "rows.txt", "-o", folder]]
    for words in commands:
        ended = seedance(*words, "--yes")
        assert (ended.code, "demo" in ended.err) == (2, True)
    assert "seedance resume" not in seedance("jobs", folder).err
    assert account.statistics().creates == 0
