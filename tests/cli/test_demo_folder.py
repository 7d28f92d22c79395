"""A demo removes what an earlier demo made, and nothing that anybody else made or touched."""

from pathlib import Path

import pytest

from seedance_async.cli.demo_folder import NOTE, choose_folder, leave_note
from seedance_async.cli.explain import CommandError


@pytest.fixture
def old_demo(tmp_path: Path) -> Path:
    """A folder as a finished demo leaves it."""
    folder = tmp_path / "demo"
    (folder / "sub").mkdir(parents=True)
    (folder / "lake.mp4").write_bytes(b"video")
    (folder / "sub" / "b.mp4").write_bytes(b"video")
    leave_note(folder)
    return folder


def test_a_new_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    """Nothing is made before there is something to put into it."""
    assert choose_folder(tmp_path / "demo") == tmp_path / "demo"
    assert not (tmp_path / "demo").exists()


def test_an_untouched_demo_is_replaced(old_demo: Path) -> None:
    """The same folder comes out empty."""
    assert choose_folder(old_demo) == old_demo
    assert list(old_demo.iterdir()) == []


def test_a_demo_of_which_a_file_was_deleted_is_replaced(old_demo: Path) -> None:
    """Deleting a video makes nothing precious."""
    (old_demo / "lake.mp4").unlink()
    assert choose_folder(old_demo) == old_demo


def test_a_foreign_file_protects_the_folder(old_demo: Path) -> None:
    """Everything stays, and the demo goes beside it."""
    (old_demo / "mine.mp4").write_bytes(b"paid for")
    assert choose_folder(old_demo) == old_demo.with_name("demo-2")
    assert (old_demo / "lake.mp4").exists()
    assert (old_demo / "mine.mp4").exists()


def test_a_changed_file_protects_the_folder(old_demo: Path) -> None:
    """A real video may have taken the name of a demo's."""
    (old_demo / "lake.mp4").write_bytes(b"a real one")
    assert choose_folder(old_demo) == old_demo.with_name("demo-2")
    assert (old_demo / "lake.mp4").read_bytes() == b"a real one"


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"lake.mp4": 3}', "null"])
def test_a_broken_note_protects_the_folder(old_demo: Path, note: str) -> None:
    """Only a note that says exactly what lies there counts."""
    (old_demo / NOTE).write_text(note)
    assert choose_folder(old_demo) == old_demo.with_name("demo-2")
    assert (old_demo / "lake.mp4").exists()


def test_a_folder_of_files_without_a_note_is_left_alone(tmp_path: Path) -> None:
    """It is no demo."""
    (tmp_path / "a.txt").write_text("mine")
    assert choose_folder(tmp_path) == tmp_path.with_name(tmp_path.name + "-2")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """It is said instead of numbered."""
    (tmp_path / "demo").write_text("mine")
    with pytest.raises(CommandError, match="is a file"):
        choose_folder(tmp_path / "demo")
