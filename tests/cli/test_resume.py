"""The same command again, and `seedance resume`: what is done stays, and nothing is paid for twice."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from seedance_async.testing import EmulatorThread
from tests.cli.begun import begun
from tests.cli.harness import QUICK, Ended, Seedance, said

CHEAP = ("--duration", "4", "--output-resolution", "480p")
Batch = Callable[..., Ended]


@pytest.fixture
def batch(seedance: Seedance, tmp_path: Path) -> Batch:
    """Run a batch of these rows into `out`: `batch(["lake", "hill"], "--limit", "1")`; an id is its row's prompt."""

    def run(rows: list[str] | dict[str, str], *words: str) -> Ended:
        named = rows if isinstance(rows, dict) else {row: row for row in rows}
        text = "".join(json.dumps({"id": name, "prompt": prompt}) + "\n" for name, prompt in named.items())
        (tmp_path / "rows.jsonl").write_text(text)
        return seedance("batch", tmp_path / "rows.jsonl", "-o", tmp_path / "out", "--yes", *words, *CHEAP, *QUICK)

    return run


def videos(folder: Path) -> list[str]:
    """The videos of a folder."""
    return sorted(path.name for path in folder.glob("*.mp4"))


def test_the_same_command_again_sends_nothing(
    seedance: Seedance, account: EmulatorThread, batch: Batch, tmp_path: Path
) -> None:
    """The plan says that all is done, and nobody is asked."""
    assert batch(["lake", "hill"]).code == 0
    before = account.statistics().creates
    ended = seedance("batch", tmp_path / "rows.jsonl", "-o", tmp_path / "out", *CHEAP, *QUICK)
    assert ended.code == 0
    assert "2 of 2 rows done here" in ended.err
    assert "nothing is to be sent" in ended.err
    assert "2 of 2 videos saved" in ended.err
    assert account.statistics().creates == before


def test_a_mistyped_folder_shows(seedance: Seedance, account: EmulatorThread, batch: Batch, tmp_path: Path) -> None:
    """Before anything is sent: none of the rows is done there."""
    batch(["lake", "hill"])
    before = account.statistics().creates
    ended = seedance("batch", tmp_path / "rows.jsonl", "-o", tmp_path / "otu", *CHEAP)
    assert "0 of 2 rows done here" in ended.err
    assert (ended.code, account.statistics().creates) == (2, before)  # nobody was there to say yes


def test_limit_and_the_rest(seedance: Seedance, account: EmulatorThread, batch: Batch, tmp_path: Path) -> None:
    """A first few to look at; the rest with the next run, also of an order that changed."""
    ended = batch(["lake", "hill", "sea"], "--limit", "1")
    assert ended.code == 0
    assert "2 rows left for another time" in ended.err
    assert videos(tmp_path / "out") == ["lake.mp4"]
    assert batch(["sea", "new", "lake", "hill"], "--only", "s*", "new").code == 0
    assert videos(tmp_path / "out") == ["lake.mp4", "new.mp4", "sea.mp4"]
    assert batch(["sea", "new", "lake", "hill"]).code == 0
    assert account.statistics().accepted == 4


def test_going_on_without_the_file(
    seedance: Seedance, serve: Callable[..., EmulatorThread], batch: Batch, tmp_path: Path
) -> None:
    """Credits ended in the middle: what is left is sent by `resume`, which wants a yes because it spends."""
    served = serve(credits=60)
    ended = batch(["lake", "hill"])
    assert ended.code == 3
    assert "1 row not sent" in ended.err
    words = said(ended.err, "go on: seedance ")
    assert words == ["resume", str(tmp_path / "out")]
    (tmp_path / "rows.jsonl").unlink()
    asked = seedance(*words, *QUICK)
    assert (asked.code, "--yes" in asked.err, served.statistics().accepted) == (2, True, 1)
    served.call(lambda emulator: setattr(emulator.world.money, "available", Decimal(1000)))
    assert seedance(*words, "--yes", *QUICK).code == 0
    assert videos(tmp_path / "out") == ["hill.mp4", "lake.mp4"]
    assert served.statistics().accepted == 2


def test_a_video_that_was_deleted_is_fetched_again(
    seedance: Seedance, account: EmulatorThread, batch: Batch, tmp_path: Path
) -> None:
    """And one that was cut short; neither costs anything, so nobody is asked."""
    batch(["lake", "hill"])
    out = tmp_path / "out"
    whole = (out / "hill.mp4").read_bytes()
    (out / "lake.mp4").unlink()
    (out / "hill.mp4").write_bytes(whole[:100])
    ended = seedance("resume", out, *QUICK)
    assert ended.code == 0
    assert "2 rows finished and the file missing or too short: fetched again" in ended.err
    assert (out / "lake.mp4").exists()
    assert (out / "hill.mp4").read_bytes() == whole
    assert account.statistics().accepted == 2


def test_failures_are_tried_again_when_told(
    seedance: Seedance, serve: Callable[..., EmulatorThread], batch: Batch, tmp_path: Path
) -> None:
    """The summary tells those that may come out differently from those that need other inputs."""
    served = serve()
    ended = batch({"lake": "a lake [fail:server]", "bad": "a storm [fail:moderation]"}, "--attempts", "1")
    assert ended.code == 1
    assert "1 row failed and cost nothing (lake)" in ended.err
    assert "needs other inputs (bad)" in ended.err
    words = said(ended.err, "try again: seedance ")
    assert words == ["resume", str(tmp_path / "out"), "--retry-failed"]
    assert seedance(*words, "--yes", "--attempts", "1", *QUICK).code == 1
    assert served.statistics().accepted == 3
    assert seedance("resume", tmp_path / "out", "--retry-failed=all", "--yes", "--attempts", "1", *QUICK).code == 1
    assert served.statistics().accepted == 5
    # A row that was mended needs no option.
    assert batch({"lake": "a lake", "bad": "a storm"}).code == 0
    assert served.statistics().accepted == 7


def test_a_lost_answer_is_sent_again_only_when_told(
    seedance: Seedance, serve: Callable[..., EmulatorThread], batch: Batch, tmp_path: Path
) -> None:
    """Exit code 4 until then; afterwards the folder says what may have been paid twice."""
    served = serve(faults=["drop-after-accept:nth=1"])
    assert batch(["lake"]).code == 4
    again = batch(["lake"])
    assert again.code == 4
    assert "--resubmit-unknown" in again.err
    assert served.statistics().creates == 1
    assert batch(["lake"], "--resubmit-unknown").code == 0
    assert served.statistics().creates == 2
    assert "60 perhaps paid" in seedance("jobs", tmp_path / "out").err


def test_a_row_that_changed_is_kept_and_made_anew_when_told(
    seedance: Seedance, account: EmulatorThread, batch: Batch, tmp_path: Path
) -> None:
    """Beside the older file; `resume` has no file that could have changed."""
    batch({"lake": "a lake"})
    ended = batch({"lake": "a lake in winter"})
    assert ended.code == 0
    assert "1 row changed since the video was paid for (lake); --redo-changed makes a new one" in ended.err
    assert account.statistics().accepted == 1
    assert batch({"lake": "a lake in winter"}, "--redo-changed").code == 0
    assert videos(tmp_path / "out") == ["lake-2.mp4", "lake.mp4"]
    assert batch({"lake": "a lake in winter"}, "--redo-changed").code == 0
    assert account.statistics().accepted == 2
    assert seedance("resume", tmp_path / "out", "--redo-changed").code == 2


def test_one_more_of_a_row(seedance: Seedance, account: EmulatorThread, batch: Batch, tmp_path: Path) -> None:
    """With another prompt, as the next number, by the file of keys or by name."""
    batch(["lake", "hill"])
    (tmp_path / "keys").write_text("lake\n")
    out = tmp_path / "out"
    ended = seedance("resume", out, "--reroll", f"@{tmp_path / 'keys'}", "--set", "prompt=a pond", "--yes", *QUICK)
    assert ended.code == 0
    assert videos(out) == ["hill.mp4", "lake-2.mp4", "lake.mp4"]
    jobs = json.loads(seedance("jobs", out, "--json").out)["jobs"]
    assert [(job["key"], job["prompt"]) for job in jobs if job["variant_of"]] == [("lake#2", "a pond")]


def test_several_of_every_row(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """`--count`, which a row's own column outdoes; the price is for all of them, and quote knows it as well."""
    (tmp_path / "rows.csv").write_text("id,prompt,count\nlake,a lake,\nhill,a hill,1\n")
    quoted = json.loads(seedance("quote", tmp_path / "rows.csv", "--count", "2", "--json", *CHEAP).out)
    assert (quoted["videos"], quoted["credits"]) == (3, 180)
    words = ("batch", tmp_path / "rows.csv", "-o", tmp_path / "out", "--yes", *CHEAP, *QUICK)
    assert seedance(*words, "--count", "2").code == 0
    assert videos(tmp_path / "out") == ["hill.mp4", "lake-2.mp4", "lake.mp4"]


def test_a_row_that_left_the_file_is_no_failure(account: EmulatorThread, batch: Batch) -> None:
    """It is counted, and nothing is sent for it."""
    batch(["lake", "hill"])
    ended = batch(["hill"])
    assert ended.code == 0
    assert "1 video of rows that are not in the file any more" in ended.err
    assert account.statistics().accepted == 2


def test_a_budget_holds_over_the_life_of_a_folder(
    seedance: Seedance, serve: Callable[..., EmulatorThread], batch: Batch, tmp_path: Path
) -> None:
    """What earlier runs spent counts, what may be paid too; and `resume` holds to the budget of the last run."""
    served = serve(faults=["drop-after-accept:nth=1"])
    assert batch(["lake", "hill"], "--budget", "150").code == 4
    ended = batch(["lake", "hill", "sea"], "--budget", "150")
    assert ended.code == 3
    assert "120 are spent or reserved" in ended.err
    ended = seedance("resume", tmp_path / "out", "--reroll", "hill", "--yes", *QUICK)
    assert ended.code == 3
    assert "budget of 150" in ended.err
    assert served.statistics().creates == 2
    ended = seedance("resume", tmp_path / "out", "--reroll", "hill", "--yes", "--budget", "200", *QUICK)
    assert ended.code == 4  # the lost answer is still unknown
    assert "80 left" in ended.err
    assert served.statistics().creates == 3


def test_links_that_may_be_signed_are_asked_for_again(
    seedance: Seedance, account: EmulatorThread, tmp_path: Path
) -> None:
    """They are not in the folder once a job was accepted: only the file can bring them back."""
    row = {"id": "cat", "prompt": "[fail:moderation]", "first_frame": "https://x.example/cat.png?signature=planted"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    words = ("batch", tmp_path / "rows.jsonl", "-o", tmp_path / "out", "--yes", *QUICK)
    assert seedance(*words).code == 1
    assert all(b"planted" not in file.read_bytes() for file in (tmp_path / "out").iterdir() if file.suffix == ".db")
    ended = seedance("resume", tmp_path / "out", "--retry-failed=all", "--yes", *QUICK)
    assert (ended.code, "batch file" in ended.err) == (1, True)
    assert account.statistics().accepted == 1
    assert seedance(*words, "--retry-failed=all").code == 1
    assert account.statistics().accepted == 2


def test_the_catalogue_of_the_folder_counts(
    seedance: Seedance, account: EmulatorThread, batch: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment says by then: a folder goes on as it was begun."""
    assert batch(["lake", "hill"], "--limit", "1").code == 0
    monkeypatch.setenv("SEEDANCE_CATALOGUE", "latest")
    ended = seedance("resume", tmp_path / "out", "--reroll", "lake", "--set", "seed=7", *QUICK)
    assert "seed: seedance-20 has no such field under Catalogue.CLASSIC" in ended.err


def test_the_address_of_the_service_is_part_of_what_to_type(
    seedance: Seedance, serve: Callable[..., EmulatorThread], batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another service knows nothing of these tasks."""
    served = serve(credits=60)
    monkeypatch.delenv("SEEDANCE_BASE_URL")
    ended = batch(["lake", "hill"], "--base-url", served.base_url)
    assert said(ended.err, "go on: seedance ")[-2:] == ["--base-url", served.base_url]


def test_a_folder_with_nothing_to_go_on_with(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """It says what makes one."""
    begun(tmp_path / "out", [])
    ended = seedance("resume", tmp_path / "out")
    assert (ended.code, "seedance batch FILE -o" in ended.err) == (2, True)
    assert seedance("resume", tmp_path / "none").code == 2


def test_no_key_for_a_resume(seedance: Seedance, tmp_path: Path, batch: Batch) -> None:
    """Said before anything is asked; a list needs none."""
    begun(tmp_path / "out", [])
    assert seedance("jobs", tmp_path / "out").code == 0
    assert batch(["lake"]).code == 3
