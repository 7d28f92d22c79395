"""What is known of the output folder before anything is sent."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from seedance_async.batch.folder import check_folder, why_no_room
from seedance_async.core.record import JobRecord
from seedance_async.errors import ConfigurationError, InputError
from tests.batch.plans import plan_of, standing_of
from tests.batch.records import running, succeeded, written

STANDING = standing_of(plan_of({"prompt": "a", "output": "x/a.mp4"}, {"prompt": "b", "output": "b.mp4"}))


def test_the_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    """Checking leaves nothing behind but the folder."""
    folder = tmp_path / "new" / "videos"
    check_folder(STANDING, folder)
    assert list(folder.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """Also where a part of the path is a file."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="is a file"):
        check_folder(STANDING, tmp_path / "file")
    with pytest.raises(ConfigurationError, match="is a file"):
        check_folder(STANDING, tmp_path / "file" / "below")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the administrator may write anywhere")
def test_a_folder_that_takes_no_files_is_refused(tmp_path: Path) -> None:
    """Before anything is paid for."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(ConfigurationError, match="is not writable"):
        check_folder(STANDING, folder)


def test_a_manifest_that_cannot_be_written_makes_the_folder_unusable(tmp_path: Path) -> None:
    """A folder where the manifest is something else cannot remember what was paid for."""
    (tmp_path / "manifest.jsonl").mkdir()
    with pytest.raises(ConfigurationError, match="is not writable"):
        check_folder(STANDING, tmp_path)


def test_files_in_the_way_are_all_named(tmp_path: Path) -> None:
    """A file that is not this run's is never overwritten, unless told."""
    (tmp_path / "x").touch()
    (tmp_path / "b.mp4").write_bytes(b"precious")
    with pytest.raises(InputError) as caught:
        check_folder(STANDING, tmp_path)
    first, second = map(str, caught.value.problems)
    assert "rows.jsonl, line 1: output" in first
    assert "has to be a folder and is a file" in first
    assert "rows.jsonl, line 2: output" in second
    assert "--overwrite" in second
    with pytest.raises(InputError) as caught:
        check_folder(STANDING, tmp_path, overwrite=True)
    assert len(caught.value.problems) == 1


def test_a_folder_in_the_place_of_a_video_is_refused_even_with_overwrite(tmp_path: Path) -> None:
    """A folder is never replaced by a file."""
    (tmp_path / "b.mp4").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        check_folder(STANDING, tmp_path, overwrite=True)


@pytest.mark.parametrize("make", [running, succeeded])
def test_a_folder_in_the_place_of_a_video_that_is_to_come_is_said_first(
    tmp_path: Path, make: Callable[[JobRecord], JobRecord]
) -> None:
    """The video is paid for: it is not put where nobody looks for it. A file of that name may be the video itself."""
    plan = plan_of({"prompt": "b", "output": "b.mp4"})
    standing = standing_of(plan, [make(written(plan.rows[0]))])
    (tmp_path / "b.mp4").touch()
    check_folder(standing, tmp_path)
    (tmp_path / "b.mp4").unlink()
    (tmp_path / "b.mp4").mkdir()
    with pytest.raises(InputError, match=r"line 1: output: .*b\.mp4 is a folder"):
        check_folder(standing, tmp_path)
    left = standing_of(plan_of({"prompt": "c", "output": "c.mp4"}), [make(written(plan.rows[0]))])
    with pytest.raises(InputError, match=r"v1:[0-9a-f]+: output: .*b\.mp4 is a folder"):
        check_folder(left, tmp_path)


def test_no_room_is_noticed(tmp_path: Path) -> None:
    """A folder that has gone, or cannot be written any more, takes no further video."""
    assert why_no_room(tmp_path) is None
    trouble = why_no_room(tmp_path / "gone")
    assert trouble is not None
    assert "not writable any more" in trouble


def test_a_link_that_points_nowhere_is_in_the_way(tmp_path: Path) -> None:
    """It does not exist for most questions, and no file can be made in its place."""
    (tmp_path / "b.mp4").symlink_to(tmp_path / "gone.mp4")
    (tmp_path / "x").symlink_to(tmp_path / "gone")
    with pytest.raises(InputError) as caught:
        check_folder(STANDING, tmp_path)
    first, second = map(str, caught.value.problems)
    assert "has to be a folder" in first
    assert "exists already" in second


def test_a_sub_folder_that_leads_out_is_refused(tmp_path: Path) -> None:
    """A link to somewhere else is known before anything is sent; one that stays inside is fine."""
    folder = tmp_path / "out"
    (folder / "real").mkdir(parents=True)
    (folder / "x").symlink_to(tmp_path)
    with pytest.raises(InputError, match="leads out of the output folder"):
        check_folder(STANDING, folder)
    (folder / "x").unlink()
    (folder / "x").symlink_to(folder / "real")
    check_folder(STANDING, folder)
    (tmp_path / "link").symlink_to(folder)
    check_folder(STANDING, tmp_path / "link")
