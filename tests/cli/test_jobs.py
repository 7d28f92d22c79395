"""`seedance jobs`: what is in a folder, for people and for scripts."""

import io
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from rich.console import Console

from seedance_async.batch import open_folder
from seedance_async.cli.jobs import WIDE, Screen, short_key
from seedance_async.clock import wall_now
from seedance_async.core.record_steps import intended
from tests.batch.plans import plan_of
from tests.batch.records import START, succeeded, written
from tests.cli.begun import IDS, begun, every_kind
from tests.cli.harness import Seedance, said

STATES = ["done", "not_saved", "running", "failed", "failed", "unknown", "queued"]
KEYS = [
    "key", "id", "line", "state", "age_seconds", "task_id", "credits", "file", "error", "prompt", "variant_of", "left",
    "source", "group",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job of every kind."""
    return begun(tmp_path / "out", every_kind())


def test_a_line_for_every_job(seedance: Seedance, folder: Path) -> None:
    """State, age, credits, key, file, and the prompt or the reason; a summary and what to type beside it."""
    ended = seedance("jobs", folder)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines[:1] + lines[2:]] == [STATES[0], *STATES[2:]]
    assert [name in line for name, line in zip(IDS, lines, strict=True)] == [True] * len(IDS)
    assert "415" in lines[0]
    assert "made.mp4" in lines[0]
    assert "a made lake" in lines[0]
    assert "a lost lake" not in lines[5]
    assert "dropped" in lines[5]
    assert "7 jobs: 1 done" in ended.err
    assert "perhaps paid" in ended.err
    assert said(ended.err, "go on: seedance ") == ["resume", str(folder)]
    assert said(ended.err, "try again: seedance ") == ["resume", str(folder), "--retry-failed"]


def test_json_for_scripts(seedance: Seedance, folder: Path) -> None:
    """Always the same names, whole keys, plain numbers; nothing else on standard output."""
    ended = seedance("jobs", folder, "--json")
    told = json.loads(ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert [list(job) for job in told["jobs"]] == [KEYS] * len(IDS)
    assert [job["key"] for job in told["jobs"]] == list(IDS)
    assert told["in_use_by"] is None
    assert told["credits"] == {"used": 830, "reserved": 415, "maybe": 415}
    busy = told["jobs"][2]
    assert (busy["state"], busy["task_id"], busy["credits"], busy["file"]) == ("running", "task_busy", 415, "busy.mp4")


def test_whose_jobs(seedance: Seedance, tmp_path: Path) -> None:
    """Where an application has given its jobs groups, they are shown, counted by, and asked for; elsewhere not."""
    owners = ("anna", "ben", "anna", None, "anna", "ben", "anna")
    records = [evolve(record, group=owner) for record, owner in zip(every_kind(), owners, strict=True)]
    folder = begun(tmp_path / "out", records)
    ended = seedance("jobs", folder, "--group", "ben", "cleo")
    assert [line.split()[0] for line in ended.out.splitlines()] == ["not_saved", "unknown"]
    assert all(line.endswith("(group ben)") for line in ended.out.splitlines())
    assert "; 2 shown" in ended.err
    assert "  group anna: 415 used, 415 reserved for running tasks\n" in ended.err
    assert "  group ben: 415 used, 415 perhaps paid\n" in ended.err
    assert "  no group: nothing yet\n" in ended.err
    told = json.loads(seedance("jobs", folder, "--json").out)
    assert [job["group"] for job in told["jobs"]] == list(owners)
    assert told["groups"][1] == {"group": "ben", "credits": {"used": 415, "reserved": 0, "maybe": 415}}
    plain = seedance("jobs", begun(tmp_path / "plain", every_kind()))
    assert "group" not in plain.out + plain.err


def test_only_some_states(seedance: Seedance, folder: Path) -> None:
    """The counts are of all of them; an unknown word is a usage error that names those that there are."""
    told = json.loads(seedance("jobs", folder, "--state", "failed", "unknown", "--json").out)
    assert [job["id"] for job in told["jobs"]] == ["refused", "flaky", "lost"]
    assert sum(told["counts"].values()) == len(IDS)
    assert "3 shown" in seedance("jobs", folder, "--state", "failed", "--state", "unknown").err
    ended = seedance("jobs", folder, "--state", "dead")
    assert (ended.code, "not_saved" in ended.err) == (2, True)


def test_what_the_service_keeps_no_longer(seedance: Seedance, tmp_path: Path) -> None:
    """A video that was never saved is `expired` after fourteen days, and the list says what that means."""
    (row,) = plan_of({"id": "old", "prompt": "a lake"}).rows
    folder = begun(tmp_path / "out", [succeeded(written(row), wall_now() - timedelta(days=15))])
    ended = seedance("jobs", folder)
    assert ended.out.startswith("expired")
    assert "15d" in ended.out
    assert "14 days" in ended.err


def test_what_was_on_the_wire_in_a_crash_is_unknown(seedance: Seedance, tmp_path: Path) -> None:
    """Nobody works in the folder, so nobody waits for the answer."""
    (row,) = plan_of({"id": "r", "prompt": "a lake"}).rows
    folder = begun(tmp_path / "out", [intended(written(row), START)])
    assert seedance("jobs", folder).out.startswith("unknown")


def test_a_journal_that_is_open_says_who_has_it(seedance: Seedance, folder: Path) -> None:
    """A stale lock file of a killed process counts for nothing."""
    (folder / "journal.db.lock").write_text('{"host": "studio", "pid": 17, "since": "yesterday"}')
    assert json.loads(seedance("jobs", folder, "--json").out)["in_use_by"] is None


def test_what_would_fail_again_is_not_to_be_tried_again(seedance: Seedance, tmp_path: Path) -> None:
    """Moderation says the same twice; such a row needs other inputs."""
    folder = begun(tmp_path / "out", [record for record in every_kind() if record.key == "refused"])
    assert "try again" not in seedance("jobs", folder).err


def test_the_journal_itself_may_be_named(seedance: Seedance, folder: Path) -> None:
    """People complete file names."""
    assert seedance("jobs", folder / "journal.db").out == seedance("jobs", folder).out


def screen(width: int, folder: Path) -> list[str]:
    """The list on a terminal."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    return [text for text, _ in Screen(console, width).lines(open_folder(folder).jobs().jobs)]


@pytest.mark.parametrize("width", [20, 40, WIDE - 1, WIDE, 100, 200])
def test_any_terminal_is_wide_enough(folder: Path, width: int) -> None:
    """No line is broken by the terminal, and the state comes first on the line of every job."""
    lines = screen(width, folder)
    assert max(map(len, lines)) <= width
    heads = [line for line in lines if not line.startswith(" ")]
    assert len(heads) == len(IDS) + 1  # the first one names the columns
    assert [line.split()[0] for line in heads[3:]] == STATES[2:]
    assert (len(lines) == len(heads)) is (width >= WIDE)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("lake", "lake"),
        ("v1:" + "3f" * 32, "v1:3f3f3f3f"),
        ("v1:" + "3f" * 32 + "~2", "v1:3f3f3f3f~2"),
        ("v1:" + "3f" * 32 + "#3", "v1:3f3f3f3f#3"),
    ],
)
def test_long_keys_are_cut_where_they_may_be(key: str, shown: str) -> None:
    """A person's own id is shown whole; of a digest its beginning is enough."""
    assert short_key(key) == shown


def test_a_folder_without_a_batch(seedance: Seedance, folder: Path) -> None:
    """Exit code 2, and where there is one."""
    ended = seedance("jobs", folder.parent)
    assert (ended.code, ended.out) == (2, "")
    assert f"there is one in {folder}" in ended.err
    assert "no folder" in seedance("jobs", folder / "none").err
    assert "is a file" in seedance("jobs", folder / "made.mp4").err


@pytest.mark.parametrize(
    "found",
    [(b"", "empty"), (b"no journal at all\n" * 20, "damaged"), (None, "another program")],
    ids=["empty", "text", "other database"],
)
@pytest.mark.parametrize("command", [["jobs"], ["resume", "--yes"], ["batch", "ROWS", "--yes", "-o"]], ids=str)
def test_a_journal_that_cannot_be_read(
    seedance: Seedance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    found: tuple[bytes | None, str],
) -> None:
    """Exit code 2, one sentence, and the file is as it was."""
    content, says = found
    monkeypatch.setenv("KINOVI_API_KEY", "k")
    (tmp_path / "rows.txt").write_text("a lake\n")
    journal = tmp_path / "out" / "journal.db"
    journal.parent.mkdir()
    if content is None:
        with closing(sqlite3.connect(journal)) as connection:
            connection.execute("CREATE TABLE things (name TEXT)")
    else:
        journal.write_bytes(content)
    before = journal.read_bytes()
    words = [tmp_path / "rows.txt" if word == "ROWS" else word for word in command]
    ended = seedance(*words, journal.parent)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert journal.read_bytes() == before


def test_a_journal_of_a_later_release(seedance: Seedance, folder: Path) -> None:
    """It names the release that wrote it."""
    with closing(sqlite3.connect(folder / "journal.db")) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("UPDATE about SET value = '99' WHERE name = 'oldest_reader'")
        connection.execute("UPDATE about SET value = '7.1' WHERE name = 'written_by'")
    ended = seedance("jobs", folder)
    assert (ended.code, "later release" in ended.err, "7.1" in ended.err) == (2, True, True)
