"""P5 with files: media of a row without a scheme are paths beside the batch file, and are looked at before anything."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from seedance_async.batch import BatchRunner, ExitCode, make_plan, open_folder, read_rows
from seedance_async.core.catalogue import Catalogue
from seedance_async.errors import InputError
from tests.batch.driving import StartEmulator, interrupted, json_lines, paid, run, videos
from tests.uploads.files import MP4, png, write


def rows_in(folder: Path, *rows: dict[str, Any], name: str = "rows.jsonl") -> Path:
    """Write a batch file."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    if name.endswith("jsonl"):
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        return file
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    return file


def plan(file: Path, **defaults: Any) -> Any:
    """Plan it."""
    return make_plan(read_rows(file), defaults=defaults, catalogue=Catalogue.CLASSIC)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
async def test_paths_are_relative_to_the_file(
    emulator: StartEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Wherever the command runs; URLs stay URLs, and one upload serves all rows with the same content."""
    service = await emulator(limit=5)
    cats = tmp_path / "in" / "my cats"
    cats.mkdir(parents=True)
    write(cats / "cat.png")
    write(tmp_path / "in" / "clip.mp4", MP4)
    images: Any = ["my cats/cat.png", "https://cdn.example/dog.png"]
    rows = (
        {"prompt": "one", "first_frame": "my cats/cat.png"},
        {"prompt": "two", "first_frame": str(cats / "cat.png")},
        {"prompt": "three", "images": json.dumps(images) if name.endswith("csv") else images},
        {"prompt": "four", "videos": "clip.mp4" if name.endswith("csv") else ["clip.mp4"]},
        {"prompt": "five", "first_frame": "https://cdn.example/dog.png"},
    )
    file = rows_in(tmp_path / "in", *rows, name=name)
    monkeypatch.chdir(tmp_path)
    report = await run(service, BatchRunner(plan(file), tmp_path / "out"))
    assert report.exit_code is ExitCode.DONE
    assert len(videos(tmp_path / "out")) == 5
    assert service.statistics().uploads == 2
    # The folder's journal and reports have paths, and no address of an upload.
    for path in (tmp_path / "out").iterdir():
        assert b"temp-uploads" not in path.read_bytes(), path


def test_what_is_missing_is_said_for_all_rows_at_once(tmp_path: Path) -> None:
    """With the line and the field of each, before anything is sent or a folder is made."""
    write(tmp_path / "clip.mp4", MP4)
    file = rows_in(
        tmp_path,
        {"prompt": "one", "first_frame": "none.png"},
        {"prompt": "two", "images": ["clip.mp4", "none.png"]},
        {"prompt": "three", "duration": 99},
    )
    with pytest.raises(InputError) as caught:
        plan(file)
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 4
    assert "line 1: first_frame: there is no such file" in said[0]
    assert "line 2: images[0]: must be an image, and .mp4 is a video" in said[1]
    assert "line 2: images[1]: there is no such file" in said[2]
    assert "line 3: duration" in said[3]


def test_a_row_is_named_by_content(tmp_path: Path) -> None:
    """Moved or copied it is the same row; with another picture under the same name it is another one."""
    row = {"prompt": "a cat", "first_frame": "cat.png"}
    write(tmp_path / "cat.png")
    (before,) = plan(rows_in(tmp_path, row)).rows
    (tmp_path / "copy").mkdir()
    write(tmp_path / "copy" / "cat.png")
    (copied,) = plan(rows_in(tmp_path / "copy", row)).rows
    write(tmp_path / "cat.png", png("another"))
    (after,) = plan(rows_in(tmp_path, row)).rows
    assert before.key == copied.key != after.key
    assert before.digest.startswith("v1:")


async def test_resume_from_another_folder(
    emulator: StartEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the batch file, with another working directory: the files are found, and nothing is paid twice."""
    service = await emulator(limit=1)
    for number in range(4):
        write(tmp_path / f"{number}.png")
    rows = [{"prompt": f"cat {number}", "first_frame": f"{number}.png", "id": f"n{number}"} for number in range(4)]
    monkeypatch.chdir(tmp_path)
    await interrupted(service, plan(rows_in(Path(), *rows)), Path("out").absolute(), after=200)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = open_folder(tmp_path / "out").plan(Catalogue.CLASSIC)
    report = await run(service, BatchRunner(again, tmp_path / "out"))
    assert report.exit_code is ExitCode.DONE
    assert paid(service) == {f"cat {number}": 1 for number in range(4)}
    # And with the batch file: every row is known.
    assert open_folder(tmp_path / "out").standing(plan(tmp_path / "rows.jsonl")).done == 4


async def test_a_file_that_changed_fails_its_row(emulator: StartEmulator, tmp_path: Path) -> None:
    """When a folder is gone on with: that row says so and the others are made."""
    service = await emulator(limit=1)
    for number in range(4):
        write(tmp_path / f"{number}.png")
    rows = [{"prompt": f"cat {number}", "first_frame": f"{number}.png", "id": f"n{number}"} for number in range(4)]
    await interrupted(service, plan(rows_in(tmp_path, *rows)), tmp_path / "out", after=1)
    write(tmp_path / "2.png", png("another"))
    os.utime(tmp_path / "2.png", ns=(1, 1))
    (tmp_path / "3.png").unlink()
    report = await run(service, BatchRunner(open_folder(tmp_path / "out").plan(Catalogue.CLASSIC), tmp_path / "out"))
    assert report.counts == {"done": 2, "failed": 2}
    errors = {row.row.key: str(row.error) for row in report.rows if row.status == "failed"}
    assert "was changed since the job was queued" in errors["n2"]
    assert "there is no such file" in errors["n3"]
    assert set(paid(service)) == {"cat 0", "cat 1"}


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
async def test_rows_to_pass_in_again_find_their_files(emulator: StartEmulator, tmp_path: Path, name: str) -> None:
    """They lie in another folder than the batch file, so that their paths are whole."""
    service = await emulator()
    (tmp_path / "my cats").mkdir()
    write(tmp_path / "my cats" / "cat.png")
    listed: Any = ["my cats/cat.png", "https://cdn.example/dog.png"]
    file = rows_in(
        tmp_path,
        {"prompt": "one [fail:moderation]", "first_frame": "my cats/cat.png"},
        {"prompt": "two [fail:moderation]", "images": json.dumps(listed) if name.endswith("csv") else listed},
        name=name,
    )
    first = plan(file)
    report = await run(service, BatchRunner(first, tmp_path / "out"))
    assert report.counts == {"failed": 2}
    assert report.failed_file is not None
    again = plan(report.failed_file)
    assert [row.digest for row in again.rows] == [row.digest for row in first.rows]
    if name.endswith("jsonl"):
        assert json_lines(report.failed_file)[0]["first_frame"] == str(tmp_path / "my cats" / "cat.png")
